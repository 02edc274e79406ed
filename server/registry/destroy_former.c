/*
 * destroy_former.c: who could act for a subject whose evidence is destroyed.
 *
 * The tags by which its persons were found go with the evidence, and with them
 * the answer to whether somebody is one of them.  So that he hears that the
 * data are destroyed, and not that they are another's, the numbers of those who
 * are known as persons stay.
 */
#include <string.h>

#include "server/registry/destroy.h"

/* The person of that tag, above ${after}. */
static uint64_t next_person(struct state *state, const struct bytes16 *fin_tag,
                            uint64_t after)
{
    struct row_person row = {.fin_tag = *fin_tag, .number = after + 1};
    struct state_scan scan;
    bool found;

    state_scan_open(state, &scan, INDEX_PERSON_BY_FIN, &row,
                    (struct state_range){.equal = 1, .from = true});
    found = state_scan_next(&scan, &row);
    state_scan_close(&scan);
    return found ? row.number : 0;
}

static void keep_persons(struct act *act, uint64_t subject,
                         const struct bytes16 *fin_tag)
{
    static const struct bytes16 none;
    struct row_former row = {.subject = subject, .person = 0};

    if (memcmp(fin_tag, &none, sizeof none) == 0)
        return;
    while ((row.person = next_person(act->state, fin_tag, row.person)) != 0) {
        struct row_former known = row;

        row.index = act->index;
        if (!state_get(act->state, TABLE_FORMER, &known))
            state_insert(act->state, TABLE_FORMER, &row);
    }
}

void destroy_keep_former(struct act *act, uint64_t subject)
{
    struct row_representative row = {.subject = subject};
    struct state_scan scan;

    state_scan_key(act->state, &scan, TABLE_REPRESENTATIVE, &row,
                   (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &row)) {
        if (act_in_term(act->today, row.from, row.to))
            keep_persons(act, subject, &row.fin_tag);
    }
    state_scan_close(&scan);
}

bool destroy_was_self(struct act *act)
{
    struct row_former row = {.subject = act->subject,
                             .person = act->signer.person};

    return act->duty == DUTY_USR && row.person != 0 &&
           row.subject <= INT64_MAX &&
           state_get(act->state, TABLE_FORMER, &row);
}
