#include "server/pipeline/attest.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/tree.h"
#include "replication/need.h"

enum { ATTEST_GROWTH_MIN = 1024 };

/* Ends of the entry's part in the two arrays of items. */
struct attest_entry {
    size_t leaves_end;
    size_t refusals_end;
    uint8_t digest[HASH_SIZE];
    bool own;
};

/* Invariants: first is the index of entries[0]; ends never fall. */
struct attest {
    uint64_t first;
    struct attest_entry *entries;
    size_t entries_count;
    size_t entries_room;
    uint8_t (*leaves)[HASH_SIZE];
    size_t leaves_count;
    size_t leaves_room;
    struct attested_refusal *refusals;
    size_t refusals_count;
    size_t refusals_room;
    size_t others_count; /* Entries that are no attestations. */
    int64_t since_ms;    /* When the first of those came. */
    int64_t made_ms;     /* When the newest attestation was made or applied. */
    bool made;           /* One is under way, for the entries up to: */
    uint64_t made_last;
    uint8_t made_root[HASH_SIZE];
};

struct attest *attest_open(uint64_t first)
{
    struct attest *attest = calloc(1, sizeof *attest);

    NEED(attest != NULL);
    attest->first = first;
    return attest;
}

void attest_close(struct attest *attest)
{
    if (attest == NULL)
        return;
    free(attest->entries);
    free(attest->leaves);
    free(attest->refusals);
    free(attest);
}

uint64_t attest_first(const struct attest *attest)
{
    return attest->first;
}

static void *attest_grow(void *array, size_t *room, size_t needed, size_t each)
{
    if (needed <= *room)
        return array;
    size_t more = *room * 2 > needed ? *room * 2 : needed + ATTEST_GROWTH_MIN;
    void *grown = realloc(array, more * each);
    NEED(grown != NULL);
    *room = more;
    return grown;
}

void attest_add(struct attest *attest, const struct item_outcome *outcomes,
                size_t count, const uint8_t digest[HASH_SIZE], bool own,
                int64_t now_ms)
{
    uint64_t index = attest->first + attest->entries_count;

    attest->entries =
        attest_grow(attest->entries, &attest->entries_room,
                    attest->entries_count + 1, sizeof *attest->entries);
    attest->leaves = attest_grow(attest->leaves, &attest->leaves_room,
                                 attest->leaves_count + count, HASH_SIZE);
    attest->refusals =
        attest_grow(attest->refusals, &attest->refusals_room,
                    attest->refusals_count + count, sizeof *attest->refusals);
    for (size_t i = 0; i < count; i++) {
        attestation_leaf(attest->leaves[attest->leaves_count++], index,
                         (uint16_t)i, outcomes[i].code,
                         outcomes[i].result_hash);
        if (outcomes[i].code != ST_OK) {
            attest->refusals[attest->refusals_count++] =
                (struct attested_refusal){.index = index,
                                          .item = (uint16_t)i,
                                          .code = outcomes[i].code};
        }
    }
    struct attest_entry *entry = &attest->entries[attest->entries_count++];
    entry->leaves_end = attest->leaves_count;
    entry->refusals_end = attest->refusals_count;
    entry->own = own;
    memcpy(entry->digest, digest, HASH_SIZE);
    if (!own && attest->others_count++ == 0)
        attest->since_ms = now_ms;
}

bool attest_due(const struct attest *attest, int64_t now_ms, bool all)
{
    if (attest->made || attest->entries_count == 0)
        return false;
    if (now_ms - attest->made_ms >= ATTEST_IDLE_MS)
        return true;
    if (attest->others_count == 0)
        return false;
    return all || attest->entries_count >= ATTEST_ENTRIES_MAX ||
           now_ms - attest->since_ms >= ATTEST_DELAY_MS;
}

/* How many entries one attestation holds: its refusals bound it. */
static size_t attest_portion(const struct attest *attest)
{
    size_t count = 1;

    while (count < attest->entries_count && count < ATTEST_ENTRIES_MAX &&
           attest->entries[count].refusals_end <= LIST_COUNT_MAX)
        count++;
    return count;
}

static void attest_root(const struct attest *attest, uint8_t out[HASH_SIZE],
                        size_t entries_count)
{
    tree_root_of(out, (const uint8_t(*)[HASH_SIZE])attest->leaves,
                 attest->entries[entries_count - 1].leaves_end);
}

void attest_make(struct attest *attest, struct op_system_attest *out,
                 struct writer *space, int64_t now_ms)
{
    size_t count = attest_portion(attest);
    const struct attest_entry *last = &attest->entries[count - 1];

    REQUIRE(!attest->made && attest->entries_count > 0);
    memset(out, 0, sizeof *out);
    out->first = attest->first;
    out->last = attest->first + count - 1;
    attest_root(attest, out->root.b, count);
    memcpy(out->digest.b, last->digest, HASH_SIZE);
    out->refusals = list_begin(space);
    for (size_t i = 0; i < last->refusals_end; i++)
        list_add(&out->refusals, space, &schema_attested_refusal,
                 &attest->refusals[i]);
    attest->made = true;
    attest->made_ms = now_ms;
    attest->made_last = out->last;
    memcpy(attest->made_root, out->root.b, HASH_SIZE);
}

static bool attest_same_refusals(const struct attest *attest, size_t count,
                                 const struct list *stated)
{
    struct list_reader reader;
    struct attested_refusal refusal;
    size_t at = 0;

    if (stated->count != count)
        return false;
    list_reader_init(&reader, stated);
    while (list_reader_next(&reader, &schema_attested_refusal, &refusal)) {
        const struct attested_refusal *own = &attest->refusals[at++];
        if (refusal.index != own->index || refusal.item != own->item ||
            refusal.code != own->code)
            return false;
    }
    return true;
}

enum status attest_check(struct attest *attest,
                         const struct op_system_attest *stated)
{
    uint8_t root[HASH_SIZE];

    if (stated->first != attest->first || stated->last < stated->first ||
        stated->last - stated->first >= attest->entries_count ||
        stated->last - stated->first >= ATTEST_ENTRIES_MAX)
        return ST_DIVERGED;
    size_t count = (size_t)(stated->last - stated->first) + 1;
    const struct attest_entry *last = &attest->entries[count - 1];
    if (attest->made && attest->made_last == stated->last)
        memcpy(root, attest->made_root, HASH_SIZE);
    else
        attest_root(attest, root, count);
    if (memcmp(root, stated->root.b, HASH_SIZE) != 0 ||
        memcmp(last->digest, stated->digest.b, HASH_SIZE) != 0 ||
        !attest_same_refusals(attest, last->refusals_end, &stated->refusals))
        return ST_DIVERGED;
    return ST_OK;
}

void attest_paths(const struct attest *attest,
                  struct attestation_path *paths_out, const uint64_t *indexes,
                  size_t count, uint64_t last)
{
    size_t leaves_count = attest->entries[last - attest->first].leaves_end;
    uint8_t(*leaves)[HASH_SIZE] = malloc(leaves_count * HASH_SIZE);
    size_t *positions = calloc(count, sizeof *positions);

    NEED(leaves != NULL && positions != NULL);
    memcpy(leaves, attest->leaves, leaves_count * HASH_SIZE);
    for (size_t i = 0; i < count; i++) {
        REQUIRE(indexes[i] >= attest->first && indexes[i] <= last);
        if (indexes[i] > attest->first)
            positions[i] =
                attest->entries[indexes[i] - attest->first - 1].leaves_end;
    }
    attestation_paths_make(paths_out, positions, count, leaves, leaves_count);
    free(positions);
    free(leaves);
}

void attest_cut(struct attest *attest, uint64_t last)
{
    REQUIRE(last >= attest->first &&
            last - attest->first < attest->entries_count);
    size_t count = (size_t)(last - attest->first) + 1;
    size_t leaves = attest->entries[count - 1].leaves_end;
    size_t refusals = attest->entries[count - 1].refusals_end;

    for (size_t i = 0; i < count; i++)
        attest->others_count -= !attest->entries[i].own;
    attest->entries_count -= count;
    memmove(attest->entries, attest->entries + count,
            attest->entries_count * sizeof *attest->entries);
    for (size_t i = 0; i < attest->entries_count; i++) {
        attest->entries[i].leaves_end -= leaves;
        attest->entries[i].refusals_end -= refusals;
    }
    attest->leaves_count -= leaves;
    memmove(attest->leaves, attest->leaves + leaves,
            attest->leaves_count * HASH_SIZE);
    attest->refusals_count -= refusals;
    memmove(attest->refusals, attest->refusals + refusals,
            attest->refusals_count * sizeof *attest->refusals);
    attest->first = last + 1;
    attest->made = false;
}

void attest_give_up(struct attest *attest)
{
    attest->made = false;
}

size_t attest_waiting(const struct attest *attest)
{
    return attest->others_count;
}
