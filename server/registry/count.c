#include "server/registry/count.h"

#include <string.h>

#include "protocol/completeness.h"

void count_begin(struct count *count, struct state *state, const uint8_t *leaf)
{
    memset(count, 0, sizeof *count);
    count->state = state;
    count->leaf = leaf;
}

void count_end(struct count *count)
{
    if (count->row.subject == 0)
        return;
    if (count->known)
        state_update(count->state, TABLE_COMPLETENESS, &count->row);
    else
        state_insert(count->state, TABLE_COMPLETENESS, &count->row);
    count->row.subject = 0;
}

static void count_load(struct count *count, uint64_t subject)
{
    if (count->row.subject == subject)
        return;
    count_end(count);
    count->row = (struct row_completeness){.subject = subject};
    count->known = state_get(count->state, TABLE_COMPLETENESS, &count->row);
}

void count_item(struct count *count, uint64_t subject, uint16_t number)
{
    struct completeness sum;

    if (!completeness_names(subject))
        return;
    count_load(count, subject);
    sum.count = count->row.count;
    memcpy(sum.rolling, count->row.rolling.b, HASH_SIZE);
    completeness_add(&sum, subject, count->leaf, number);
    count->row.count = sum.count;
    memcpy(count->row.rolling.b, sum.rolling, HASH_SIZE);
}
