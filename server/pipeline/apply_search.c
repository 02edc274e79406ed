#include <string.h>

#include "server/pipeline/apply_private.h"
#include "server/registry/version.h"

enum { SEARCH_PORTION = 256 };

/* Subjects from number ${from} on; a walk must not stay open while each is
 * looked at. */
static size_t search_portion(struct state *state, uint64_t *out, uint64_t from)
{
    struct row_subject row = {.voen = from};
    struct state_scan scan;
    size_t count = 0;

    state_scan_key(state, &scan, TABLE_SUBJECT, &row,
                   (struct state_range){.from = true});
    while (count < SEARCH_PORTION && state_scan_next(&scan, &row))
        out[count++] = row.voen;
    state_scan_close(&scan);
    return count;
}

static void search_subject(struct act *act, uint64_t voen)
{
    union section_record record;
    struct row_version row;
    struct subject subject;

    act->subject = voen;
    if (!subject_load(act, &subject, voen) ||
        !version_current(act, &row, &subject, SECTION_S01, 0))
        return;
    /* An erased name is not to be found any more. */
    if (version_decode(act, &record, &row) == ST_OK)
        version_index(act, voen, &record.s01);
}

void apply_load_search(struct apply *apply)
{
    struct act *act = &apply->act;
    uint64_t voens[SEARCH_PORTION];
    uint64_t from = 0;
    size_t count;

    memset(act, 0, sizeof *act);
    act->state = apply->parts.state;
    act->services = &apply->services;
    do {
        count = search_portion(apply->parts.state, voens, from);
        for (size_t i = 0; i < count; i++)
            search_subject(act, voens[i]);
        if (count > 0)
            from = voens[count - 1] + 1;
    } while (count == SEARCH_PORTION);
}
