#include <string.h>

#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"
#include "server/registry/feed.h"
#include "server/registry/rows.h"
#include "server/registry/version.h"

#define US_PER_DAY INT64_C(86400000000)

struct list feed_refusals(struct act *act, uint64_t feed, uint32_t from)
{
    struct list list = list_begin(act->space);
    struct row_feed_record row = {.feed = feed, .seq = from};
    struct feed_refusal refusal;
    struct state_scan scan;

    state_scan_key(act->state, &scan, TABLE_FEED_RECORD, &row,
                   (struct state_range){.equal = 1, .from = true});
    while (list.count < FEED_REFUSED_LISTED_MAX &&
           state_scan_next(&scan, &row)) {
        if (row.code == ST_OK || row.code == FEED_CODE_DUPLICATE)
            continue;
        refusal = (struct feed_refusal){.seq = row.seq,
                                        .subject = row.subject,
                                        .code = row.code,
                                        .field = row.field};
        list_add(&list, act->space, &schema_feed_refusal, &refusal);
    }
    state_scan_close(&scan);
    return list;
}

/* Records about one subject mostly follow each other: its row is written when
 * another's turn comes. */
struct held_subject {
    struct subject subject;
    bool held;
};

static void let_go(struct act *act, struct held_subject *own)
{
    if (own->held)
        subject_store(act, &own->subject);
    own->held = false;
}

/* The first record about a subject opens it and its cabinet (P-3.3). */
static void find_or_create(struct act *act, struct held_subject *own,
                           const struct row_feed_record *record)
{
    if (own->held && own->subject.row.voen == record->subject)
        return;
    let_go(act, own);
    if (!subject_load(act, &own->subject, record->subject))
        subject_create(act, &own->subject, record->subject,
                       (uint8_t)(record->subject % 10), record->as_of);
    own->held = true;
}

/* False if the record was destroyed since it was put: nothing is left of it to
 * become a version. */
static bool commit_record(struct act *act, struct held_subject *own,
                          const struct row_feed *feed,
                          const struct row_feed_record *record)
{
    union section_record decoded;
    struct row_version row = {.subject = record->subject,
                              .section = record->section,
                              .state = VERSION_CURRENT,
                              .path = PATH_EHIS,
                              .flags = record->flags,
                              .provider = feed->provider,
                              .as_of = record->as_of,
                              .entered_by = act->signer.person,
                              .record = record->record};

    if (destroy_subject_is_erased(act->state, record->subject) ||
        (version_has_effects(record->section) &&
         version_decode(act, &decoded, &row) != ST_OK))
        return false;
    find_or_create(act, own, record);
    version_add(act, &own->subject, &row);
    version_settle(act, &own->subject, &row, &decoded);
    return true;
}

/* All staged records become versions, in the order of their numbers. */
static void commit_records(struct act *act, struct row_feed *feed)
{
    struct row_feed_record row = {.feed = feed->number};
    struct held_subject own = {.held = false};
    struct state_scan scan;

    state_scan_key(act->state, &scan, TABLE_FEED_RECORD, &row,
                   (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &row)) {
        if (row.code != ST_OK)
            continue;
        if (commit_record(act, &own, feed, &row))
            feed->committed++;
        else
            feed->refused++;
    }
    state_scan_close(&scan);
    let_go(act, &own);
}

/* Both sides must have counted the same records. */
static bool agrees(const struct row_feed *feed, const struct op_feed_commit *in)
{
    return in->count == feed->next &&
           memcmp(&in->rolling, &feed->rolling, sizeof(in->rolling)) == 0;
}

static bool still_authority(struct act *act, const struct row_feed *feed)
{
    struct row_organisation organisation = {.number = feed->provider};

    return state_get(act->state, TABLE_ORGANISATION, &organisation) &&
           (feed->sections & ~organisation.sections) == 0;
}

enum status feed_commit(struct act *act, const struct op_feed_commit *in,
                        struct result_feed_commit *out)
{
    struct row_feed feed;

    if (!feed_load(act, &feed, in->batch))
        return ST_NO_SUCH;
    act->sections = feed.sections;
    if (feed_state_now(act, &feed) != FEED_OPEN)
        return ST_WRONG_STATE;
    if (!still_authority(act, &feed))
        return ST_NOT_AUTHORITY;
    if (!agrees(&feed, in) || (feed.atomic != 0 && feed.refused > 0)) {
        feed.state = FEED_REFUSED;
    } else {
        commit_records(act, &feed);
        feed.state = feed.refused == 0 ? FEED_COMMITTED : FEED_PARTIAL;
    }
    feed.ended = act->log_time;
    feed_store(act, &feed);
    out->state = feed.state;
    out->committed = feed.committed;
    out->refused = feed.refused;
    out->duplicates = feed.duplicates;
    out->refusals = feed_refusals(act, feed.number, 0);
    return ST_OK;
}

enum status feed_abort(struct act *act, const struct op_feed_abort *in,
                       struct result_feed_abort *out)
{
    struct row_feed feed;

    (void)out;
    if (!feed_load(act, &feed, in->batch))
        return ST_NO_SUCH;
    if (feed.state != FEED_OPEN)
        return ST_WRONG_STATE;
    feed.state = FEED_ABORTED;
    feed.ended = act->log_time;
    feed_store(act, &feed);
    return ST_OK;
}

enum status feed_status(struct act *act, const struct op_feed_status *in,
                        struct result_feed_status *out)
{
    struct row_feed feed;
    bool found;

    found = in->batch != 0 ? feed_load(act, &feed, in->batch)
                           : feed_find(act, &feed, in->ehis_batch);
    if (!found)
        return ST_NO_SUCH;
    act->sections = feed.sections;
    out->batch = feed.number;
    out->state = (uint8_t)feed_state_now(act, &feed);
    out->next = feed.next;
    out->rolling = feed.rolling;
    out->committed = feed.committed;
    out->refused = feed.refused;
    out->duplicates = feed.duplicates;
    out->refusals = feed_refusals(act, feed.number, in->from);
    return ST_OK;
}

/* ---- How the bodies do (D-4) --------------------------------------------- */

static void sum_batches(struct act *act, struct feed_health_row *row)
{
    struct row_feed feed = {.provider = row->organisation};
    struct state_scan scan;

    state_scan_open(act->state, &scan, INDEX_FEED_BY_PROVIDER, &feed,
                    (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &feed)) {
        row->batches++;
        row->committed += feed.committed;
        row->refused += feed.refused;
        if (feed.state != FEED_COMMITTED && feed.state != FEED_PARTIAL)
            continue;
        row->brought |= feed.sections;
        if (feed.ended > row->last)
            row->last = feed.ended;
    }
    state_scan_close(&scan);
}

/* Bodies that never brought anything are silent for too long as well. */
static bool is_stale(struct act *act, int64_t last)
{
    int64_t days = state_setting(act->state, SETTING_feed_stale_days);

    return act->log_time - last > days * US_PER_DAY;
}

enum status feed_health(struct act *act, const struct op_feed_health *in,
                        struct result_feed_health *out)
{
    struct row_organisation organisation = {.number = in->after};
    struct feed_health_row row;
    struct state_scan scan;

    if (in->after == UINT32_MAX)
        return ST_BAD_FIELD;
    feed_flush(act);
    organisation.number++;
    out->bodies = list_begin(act->space);
    state_scan_key(act->state, &scan, TABLE_ORGANISATION, &organisation,
                   (struct state_range){.from = true});
    while (out->bodies.count < PAGE_ROWS_MAX &&
           state_scan_next(&scan, &organisation)) {
        if (organisation.sections == 0 ||
            organisation.state != ORGANISATION_ACTIVE ||
            (organisation.kind != ORGANISATION_BODY_WITH_SYSTEM &&
             organisation.ehis_code.size == 0))
            continue;
        row = (struct feed_health_row){.organisation = organisation.number,
                                       .authority = organisation.sections};
        sum_batches(act, &row);
        row.stale = is_stale(act, row.last);
        list_add(&out->bodies, act->space, &schema_feed_health_row, &row);
    }
    state_scan_close(&scan);
    return ST_OK;
}
