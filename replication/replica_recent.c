#include <stdlib.h>

#include "replication/need.h"
#include "replication/replica_parts.h"

enum { RECENT_CAPACITY_MIN = 64 };

void replica_recent_wipe(struct replica_recent *recent)
{
    for (size_t i = 0; i < recent->count; i++)
        free(replica_recent_at(recent, i));
    free(recent->ring);
    *recent = (struct replica_recent){.ring = NULL};
}

struct replica_batch *replica_recent_at(const struct replica_recent *recent,
                                        size_t number)
{
    REQUIRE(number < recent->count);
    return recent->ring[(recent->from + number) % recent->capacity];
}

static void recent_grow(struct replica_recent *recent)
{
    size_t capacity =
        recent->capacity == 0 ? RECENT_CAPACITY_MIN : recent->capacity * 2;
    struct replica_batch **ring = calloc(capacity, sizeof(void *));

    NEED(ring != NULL);
    for (size_t i = 0; i < recent->count; i++)
        ring[i] = replica_recent_at(recent, i);
    free(recent->ring);
    recent->ring = ring;
    recent->from = 0;
    recent->capacity = capacity;
}

void replica_recent_add(struct replica_recent *recent,
                        struct replica_batch *batch)
{
    if (recent->count == recent->capacity)
        recent_grow(recent);
    recent->ring[(recent->from + recent->count) % recent->capacity] = batch;
    recent->count++;
}

struct replica_batch *replica_recent_newest(const struct replica_recent *recent)
{
    return recent->count == 0 ? NULL
                              : replica_recent_at(recent, recent->count - 1);
}

struct replica_batch *replica_recent_find(const struct replica_recent *recent,
                                          uint64_t index)
{
    size_t low = 0, high = recent->count; /* It is in [low, high). */

    REQUIRE(recent->count > 0 && index >= replica_recent_at(recent, 0)->first);
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;

        if (replica_recent_at(recent, middle)->first <= index)
            low = middle;
        else
            high = middle;
    }
    return replica_recent_at(recent, low);
}

void replica_recent_drop_oldest(struct replica_recent *recent)
{
    REQUIRE(recent->count > 0);
    recent->from = (recent->from + 1) % recent->capacity;
    recent->count--;
}

void replica_recent_drop_newest(struct replica_recent *recent)
{
    REQUIRE(recent->count > 0);
    recent->count--;
}
