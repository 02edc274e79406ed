#include "server/registry/feed.h"

#include <string.h>

#include <sodium.h>

#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"
#include "server/registry/version.h"

enum {
    RECORD_FIELD = 7, /* Number of `record` in feed.put. */
    AS_OF_FIELD = 4
};
#define US_PER_HOUR INT64_C(3600000000)

static bool is_held(const struct act *act)
{
    return act->feed.held && act->feed.index == act->index;
}

void feed_flush(struct act *act)
{
    if (is_held(act))
        state_update(act->state, TABLE_FEED, &act->feed.row);
    act->feed.held = false;
}

/* Every record changes its batch, and a command brings hundreds: the row is
 * written when another batch's turn comes or the command ends. */
static void hold(struct act *act, const struct row_feed *feed)
{
    struct act_feed *own = &act->feed;

    if (!is_held(act) || own->row.number != feed->number) {
        REQUIRE(feed->ehis_batch.size <= sizeof own->ehis_batch);
        feed_flush(act);
        memcpy(own->ehis_batch, feed->ehis_batch.data, feed->ehis_batch.size);
    }
    own->row = *feed;
    own->row.ehis_batch = slice_of(own->ehis_batch, feed->ehis_batch.size);
    own->index = act->index;
    own->held = true;
    if (!act->more_items)
        feed_flush(act);
}

bool feed_load(struct act *act, struct row_feed *feed_out, uint64_t number)
{
    if (is_held(act) && act->feed.row.number == number) {
        *feed_out = act->feed.row;
    } else {
        *feed_out = (struct row_feed){.number = number};
        if (number > INT64_MAX || !state_get(act->state, TABLE_FEED, feed_out))
            return false;
    }
    return feed_out->provider == act->organisation;
}

void feed_store(struct act *act, const struct row_feed *feed)
{
    state_update(act->state, TABLE_FEED, feed);
    if (is_held(act) && act->feed.row.number == feed->number)
        act->feed.held = false;
}

enum feed_state feed_state_now(struct act *act, const struct row_feed *feed)
{
    int64_t hours;

    if (feed->state != FEED_OPEN)
        return (enum feed_state)feed->state;
    hours = state_setting(act->state, SETTING_feed_open_hours);
    if (act->log_time - feed->begun >= hours * US_PER_HOUR)
        return FEED_ABORTED;
    return FEED_OPEN;
}

bool feed_find(struct act *act, struct row_feed *feed_out,
               struct slice ehis_batch)
{
    struct row_feed key = {.provider = act->organisation,
                           .ehis_batch = ehis_batch};
    struct state_scan scan;
    bool found;

    state_scan_open(act->state, &scan, INDEX_FEED_BY_EHIS, &key,
                    (struct state_range){.equal = 2});
    found = state_scan_next(&scan, feed_out);
    state_scan_close(&scan);
    /* Read again: what a walk lends ends with the walk. */
    return found && feed_load(act, feed_out, feed_out->number);
}

/* The same words again go on with the batch; other words under the same name
 * would mix two batches. */
static enum status resume(struct act *act, const struct row_feed *feed,
                          const struct op_feed_begin *in,
                          struct result_feed_begin *out)
{
    if (feed_state_now(act, feed) != FEED_OPEN || feed->mode != in->mode ||
        feed->atomic != in->atomic || feed->sections != in->sections)
        return ST_EXISTS;
    out->batch = feed->number;
    out->next = feed->next;
    return ST_OK;
}

enum status feed_begin(struct act *act, const struct op_feed_begin *in,
                       struct result_feed_begin *out)
{
    struct row_organisation organisation = {.number = act->organisation};
    struct row_feed feed;

    act->sections = in->sections;
    if (!state_get(act->state, TABLE_ORGANISATION, &organisation))
        return ST_NO_DUTY;
    if ((in->sections & ~organisation.sections) != 0)
        return ST_NOT_AUTHORITY;
    if (feed_find(act, &feed, in->ehis_batch))
        return resume(act, &feed, in, out);
    feed = (struct row_feed){
        .number = state_next(act->state, SEQUENCE_FEED),
        .provider = act->organisation,
        .ehis_batch = in->ehis_batch,
        .mode = in->mode,
        .atomic = in->atomic,
        .sections = in->sections,
        .state = FEED_OPEN,
        .begun = act->log_time,
    };
    state_insert(act->state, TABLE_FEED, &feed);
    out->batch = feed.number;
    return ST_OK;
}

/* ---- One record ---------------------------------------------------------- */

static void message_key(struct row_feed_message *out, uint32_t provider,
                        struct slice message)
{
    uint8_t hash[HASH_SIZE];

    crypto_hash_sha256(hash, message.data, message.size);
    *out = (struct row_feed_message){.provider = provider};
    memcpy(&out->message, hash, sizeof(out->message));
}

/* A message counts as seen while its batch may take effect or has; what came
 * with a batch that was refused or aborted must be able to come again. */
static bool seen_before(struct act *act, struct row_feed *feed,
                        const struct row_feed_message *message,
                        struct row_feed_record *first_out)
{
    struct row_feed earlier;
    enum feed_state state;
    bool found;

    *first_out =
        (struct row_feed_record){.feed = message->feed, .seq = message->seq};
    if (!state_get(act->state, TABLE_FEED_RECORD, first_out))
        return false;
    if (message->feed == feed->number)
        return true;
    if (!feed_load(act, &earlier, message->feed))
        return false;
    state = feed_state_now(act, &earlier);
    /* Its name is lent by the row that was read last. */
    found = feed_load(act, feed, feed->number);
    INVARIANT(found);
    return state != FEED_REFUSED && state != FEED_ABORTED;
}

/*
 * The message's row, and whether this is its second coming: then the code of
 * the first stands (D-2).
 */
static bool note_message(struct act *act, struct row_feed *feed,
                         const struct op_feed_put *in, enum status *first_out)
{
    struct row_feed_message message;
    struct row_feed_record first;
    bool known;

    if (in->ehis_message.size == 0)
        return false;
    message_key(&message, act->organisation, in->ehis_message);
    known = state_get(act->state, TABLE_FEED_MESSAGE, &message);
    if (known && seen_before(act, feed, &message, &first)) {
        *first_out =
            first.code == FEED_CODE_DUPLICATE ? ST_OK : (enum status)first.code;
        return true;
    }
    message.feed = feed->number;
    message.seq = in->seq;
    if (known)
        state_update(act->state, TABLE_FEED_MESSAGE, &message);
    else
        state_insert(act->state, TABLE_FEED_MESSAGE, &message);
    return false;
}

/* A good record leaves its flags in ${row}, a bad one its field. */
static enum status judge_record(struct act *act, const struct row_feed *feed,
                                const struct op_feed_put *in,
                                struct row_feed_record *row)
{
    struct subject subject = {.row.voen = act->subject};
    struct section_scene scene;
    struct section_finding finding;
    union section_record record;
    enum status status;

    status =
        subject_check_voen(act, &subject.row.kind, &row->flags, act->subject);
    if (status != ST_OK)
        return status;
    if ((feed->sections & SECTION_BIT(in->section)) == 0)
        return ST_NOT_AUTHORITY;
    if (in->as_of > act->today) {
        row->field = AS_OF_FIELD;
        return ST_BAD_FIELD;
    }
    if (destroy_subject_is_erased(act->state, act->subject))
        return ST_ERASED;
    /* Only the class is judged by another section of the subject. */
    if (in->section == SECTION_S06)
        (void)subject_load(act, &subject, act->subject);
    subject.row.kind = (uint8_t)(act->subject % 10);
    version_scene(act, &scene, &subject, in->section, PATH_EHIS);
    status = section_check(&scene, &record, &finding, in->section, in->record);
    row->flags |= finding.flags;
    if (status != ST_OK)
        row->field = (uint16_t)(RECORD_FIELD << 8 | finding.field);
    return status;
}

/* What the batch knows of its records so far. */
static void count_record(struct act *act, struct row_feed *feed,
                         const struct row_feed_record *row)
{
    crypto_hash_sha256_state hash;

    crypto_hash_sha256_init(&hash);
    crypto_hash_sha256_update(&hash, feed->rolling.b, sizeof(feed->rolling.b));
    crypto_hash_sha256_update(&hash, act->commitment, HASH_SIZE);
    crypto_hash_sha256_final(&hash, feed->rolling.b);
    feed->next++;
    if (row->code == FEED_CODE_DUPLICATE)
        feed->duplicates++;
    else if (row->code != ST_OK)
        feed->refused++;
    hold(act, feed);
    state_insert(act->state, TABLE_FEED_RECORD, row);
}

/*
 * Unlike any other operation a refused record leaves rows behind: it is part of
 * its batch, counts in the rolling hash and is listed at commit.
 */
static enum status stage_record(struct act *act, struct row_feed *feed,
                                const struct op_feed_put *in)
{
    struct row_feed_record row = {.feed = feed->number,
                                  .seq = in->seq,
                                  .subject = act->subject,
                                  .section = in->section,
                                  .as_of = in->as_of};
    enum status status;

    if (note_message(act, feed, in, &status)) {
        row.code = FEED_CODE_DUPLICATE;
    } else {
        status = judge_record(act, feed, in, &row);
        act->field = row.field;
        row.code = (uint16_t)status;
        if (status == ST_OK)
            row.record = act_keep(act);
    }
    count_record(act, feed, &row);
    return status;
}

enum status feed_put(struct act *act, const struct op_feed_put *in,
                     struct result_feed_put *out)
{
    struct row_feed feed;

    (void)out;
    act->no_access_row = true; /* Bringing is not reading. */
    act->sections = SECTION_BIT(in->section);
    if (!feed_load(act, &feed, in->batch))
        return ST_NO_SUCH;
    if (feed_state_now(act, &feed) != FEED_OPEN || in->seq > feed.next)
        return ST_WRONG_STATE;
    if (in->seq < feed.next)
        return ST_OK; /* Put again after a lost answer. */
    if (in->seq >= FEED_BATCH_RECORDS_MAX)
        return ST_QUOTA;
    return stage_record(act, &feed, in);
}
