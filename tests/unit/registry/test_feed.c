#include "server/registry/feed.h"

#include <stdio.h>
#include <string.h>

#include "tests/lib/feeder.h"
#include "tests/lib/suite.h"

static struct fixture fixture;
static struct feeder feeder;
static union section_record record;

static void begin(uint16_t sections)
{
    fixture_open(&fixture);
    feeder_open(&feeder, &fixture, sections);
}

static void end(void)
{
    fixture_close(&fixture);
}

static void good(uint8_t section, uint64_t subject)
{
    records_fill(&feeder.records, &record, section, subject,
                 act_day(fixture.state, fixture.log_time));
}

static uint64_t versions(void)
{
    return state_count(fixture.state, TABLE_VERSION);
}

/* Cabinets are numbered without gaps, so the last number counts them. */
static uint64_t cabinets(void)
{
    struct row_sequence row = {.kind = SEQUENCE_CABINET};

    return state_get(fixture.state, TABLE_SEQUENCE, &row) ? row.next - 1 : 0;
}

/* T-R-5.2: a batch of 10 000 with 3 bad records. */
static const uint32_t bad[] = {17, 5000, 9999};
enum { LARGE_BATCH = 10000 };

static void put_large_batch(bool atomic)
{
    uint32_t next_bad = 0;

    ck_assert_int_eq(feeder_begin(&feeder, "big", atomic, SECTIONS_MASK),
                     ST_OK);
    for (uint32_t i = 0; i < LARGE_BATCH; i++) {
        uint64_t subject = records_voen(i % 100, 2);
        enum status expected = ST_OK;
        good(SECTION_S08, subject);
        if (next_bad < 3 && i == bad[next_bad]) {
            record.s08.main_code = fixture_text("561010");
            expected = ST_BAD_FIELD;
            next_bad++;
        }
        ck_assert_int_eq(
            feeder_put_record(&feeder, subject, SECTION_S08, &record),
            expected);
    }
}

START_TEST(T_R_5_2_three_bad_of_ten_thousand_are_listed_the_rest_committed)
{
    struct result_feed_commit out;
    struct feed_refusal refusal;
    struct list_reader reader;

    begin(SECTIONS_MASK);
    put_large_batch(false);
    ck_assert_uint_eq(versions(), 0);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.state, FEED_PARTIAL);
    ck_assert_uint_eq(out.committed, LARGE_BATCH - 3);
    ck_assert_uint_eq(out.refused, 3);
    ck_assert_uint_eq(out.refusals.count, 3);
    list_reader_init(&reader, &out.refusals);
    for (size_t i = 0; i < 3; i++) {
        ck_assert(list_reader_next(&reader, &schema_feed_refusal, &refusal));
        ck_assert_uint_eq(refusal.seq, bad[i]);
        ck_assert_uint_eq(refusal.code, ST_BAD_FIELD);
        ck_assert_uint_eq(refusal.field, 7 << 8 | 1);
        ck_assert_uint_eq(refusal.subject, records_voen(bad[i] % 100, 2));
    }
    ck_assert_uint_eq(versions(), LARGE_BATCH - 3);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_SUBJECT), 100);
    end();
}
END_TEST

START_TEST(T_R_5_2_all_or_nothing_takes_nothing_with_three_bad)
{
    struct result_feed_commit out;

    begin(SECTIONS_MASK);
    put_large_batch(true);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.state, FEED_REFUSED);
    ck_assert_uint_eq(out.committed, 0);
    ck_assert_uint_eq(out.refusals.count, 3);
    ck_assert_uint_eq(versions(), 0);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_SUBJECT), 0);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_WRONG_STATE);
    end();
}
END_TEST

/* T-P-3.3 */
START_TEST(T_P_3_3_a_feed_of_a_thousand_subjects_makes_a_thousand_cabinets)
{
    struct result_feed_commit out;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "new", false, SECTIONS_MASK), ST_OK);
    for (uint32_t i = 0; i < 1000; i++) {
        uint64_t subject = records_voen(i, i % 7 == 0 ? 1 : 2);
        good(SECTION_S03, subject);
        ck_assert_int_eq(
            feeder_put_record(&feeder, subject, SECTION_S03, &record), ST_OK);
    }
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.state, FEED_COMMITTED);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_SUBJECT), 1000);
    ck_assert_uint_eq(cabinets(), 1000);
    end();
}
END_TEST

/* T-D-2 */
START_TEST(T_D_2_the_same_EHIS_message_twice_makes_one_version)
{
    uint64_t subject = records_voen(1, 1);
    struct result_feed_commit out;
    struct slice bytes;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S03, subject);
    bytes = records_encode(&feeder.records, SECTION_S03, &record);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "msg-1"), ST_OK);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "msg-1"), ST_OK);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.committed, 1);
    ck_assert_uint_eq(out.duplicates, 1);
    ck_assert_uint_eq(out.state, FEED_COMMITTED);
    ck_assert_uint_eq(versions(), 1);
    /* And in a later batch. */
    ck_assert_int_eq(feeder_begin(&feeder, "b", false, SECTIONS_MASK), ST_OK);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "msg-1"), ST_OK);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.committed, 0);
    ck_assert_uint_eq(out.duplicates, 1);
    ck_assert_uint_eq(versions(), 1);
    end();
}
END_TEST

START_TEST(T_D_2_the_first_result_stands_even_if_it_was_a_refusal)
{
    uint64_t subject = records_voen(1, 1);
    struct result_feed_commit out;
    struct slice bytes;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S03, subject);
    record.s03.issued = 30000;
    bytes = records_encode(&feeder.records, SECTION_S03, &record);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m"), ST_BAD_FIELD);
    good(SECTION_S03, subject);
    bytes = records_encode(&feeder.records, SECTION_S03, &record);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m"), ST_BAD_FIELD);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "n"), ST_OK);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.committed, 1);
    ck_assert_uint_eq(out.refused, 1);
    ck_assert_uint_eq(out.duplicates, 1);
    end();
}
END_TEST

START_TEST(T_D_2_what_came_with_a_batch_that_came_to_nothing_may_come_again)
{
    uint64_t subject = records_voen(1, 1);
    struct op_feed_abort abort = {0};
    struct result_feed_commit out;
    struct slice bytes;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S03, subject);
    bytes = records_encode(&feeder.records, SECTION_S03, &record);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m"), ST_OK);
    abort.batch = feeder.batch;
    ck_assert_int_eq(fixture_run(&fixture, &feeder.actor, OPCODE_FEED_ABORT,
                                 &abort, 0, 0, feeder.actor.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(feeder_begin(&feeder, "b", false, SECTIONS_MASK), ST_OK);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m"), ST_OK);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.committed, 1);
    ck_assert_uint_eq(out.duplicates, 0);
    ck_assert_uint_eq(versions(), 1);
    end();
}
END_TEST

/* T-R-9.2.1 */
static void commit_with(uint32_t more, uint8_t flip)
{
    uint64_t subject = records_voen(1, 1);
    struct result_feed_commit out;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    for (int i = 0; i < 3; i++) {
        good(SECTION_S03, subject);
        ck_assert_int_eq(
            feeder_put_record(&feeder, subject, SECTION_S03, &record), ST_OK);
    }
    feeder.next += more;
    feeder.rolling.b[31] ^= flip;
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.state,
                      more + flip == 0 ? FEED_COMMITTED : FEED_REFUSED);
    ck_assert_uint_eq(versions(), more + flip == 0 ? 3 : 0);
    end();
}

START_TEST(T_R_9_2_1_a_batch_whose_count_or_hash_differs_is_refused_whole)
{
    commit_with(0, 0);
    commit_with(1, 0);
    commit_with(0, 1);
}
END_TEST

START_TEST(feed_goes_on_where_it_was_interrupted)
{
    uint64_t subject = records_voen(1, 1);
    struct op_feed_status ask = {.ehis_batch = fixture_text("a")};
    struct result_feed_status status;
    struct result_feed_commit out;
    struct bytes32 rolling;
    struct slice bytes;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S03, subject);
    bytes = records_encode(&feeder.records, SECTION_S03, &record);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m0"), ST_OK);
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m1"), ST_OK);
    rolling = feeder.rolling;
    /* Put again: no effect.  Put ahead: refused. */
    feeder.next = 1;
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m1"), ST_OK);
    feeder.next = 3;
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m3"),
                     ST_WRONG_STATE);
    /* Begin again: the same batch, and where it stands. */
    ck_assert_int_eq(feeder_begin(&feeder, "a", true, SECTIONS_MASK),
                     ST_EXISTS);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    ck_assert_uint_eq(feeder.next, 2);
    ck_assert_int_eq(fixture_run(&fixture, &feeder.actor, OPCODE_FEED_STATUS,
                                 &ask, 0, 0, feeder.actor.duty, &status),
                     ST_OK);
    ck_assert_uint_eq(status.batch, feeder.batch);
    ck_assert_uint_eq(status.state, FEED_OPEN);
    ck_assert_uint_eq(status.next, 2);
    ck_assert_mem_eq(&status.rolling, &rolling, sizeof rolling);
    feeder.rolling = rolling;
    ck_assert_int_eq(feeder_put(&feeder, subject, 3, bytes, "m2"), ST_OK);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.committed, 3);
    ck_assert_uint_eq(out.duplicates, 0);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK),
                     ST_EXISTS);
    end();
}
END_TEST

START_TEST(feed_lists_every_refused_record_page_by_page)
{
    uint64_t wrong = records_voen(1, 1) + 10;
    struct op_feed_status ask = {0};
    struct result_feed_status status;
    struct result_feed_commit out;
    struct feed_refusal refusal;
    struct list_reader reader;
    uint32_t seen = 0;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S08, wrong);
    for (int i = 0; i < 2 * FEED_REFUSED_LISTED_MAX + 3; i++)
        ck_assert_int_eq(feeder_put_record(&feeder, wrong, 8, &record),
                         ST_BAD_VOEN);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.refusals.count, FEED_REFUSED_LISTED_MAX);
    ask.batch = feeder.batch;
    do {
        ask.from = seen;
        ck_assert_int_eq(fixture_run(&fixture, &feeder.actor,
                                     OPCODE_FEED_STATUS, &ask, 0, 0,
                                     feeder.actor.duty, &status),
                         ST_OK);
        list_reader_init(&reader, &status.refusals);
        while (list_reader_next(&reader, &schema_feed_refusal, &refusal))
            ck_assert_uint_eq(refusal.seq, seen++);
    } while (status.refusals.count == FEED_REFUSED_LISTED_MAX);
    ck_assert_uint_eq(seen, out.refused);
    end();
}
END_TEST

START_TEST(feed_batches_end_with_the_hours_they_may_stay_open)
{
    uint64_t subject = records_voen(1, 1);
    struct op_feed_status ask = {.ehis_batch = fixture_text("a")};
    struct result_feed_status status;
    struct result_feed_commit out;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S03, subject);
    ck_assert_int_eq(feeder_put_record(&feeder, subject, 3, &record), ST_OK);
    fixture_wait(&fixture, 1);
    fixture_session(&fixture, &feeder.actor);
    ck_assert_int_eq(feeder_put_record(&feeder, subject, 3, &record),
                     ST_WRONG_STATE);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_WRONG_STATE);
    ck_assert_int_eq(fixture_run(&fixture, &feeder.actor, OPCODE_FEED_STATUS,
                                 &ask, 0, 0, feeder.actor.duty, &status),
                     ST_OK);
    ck_assert_uint_eq(status.state, FEED_ABORTED);
    end();
}
END_TEST

START_TEST(feed_batches_belong_to_their_body)
{
    struct result_feed_commit out;
    struct feeder other;

    begin(SECTIONS_MASK);
    feeder_open(&other, &fixture, SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    other.batch = feeder.batch;
    good(SECTION_S03, records_voen(1, 1));
    ck_assert_int_eq(feeder_put_record(&other, records_voen(1, 1), 3, &record),
                     ST_NO_SUCH);
    ck_assert_int_eq(feeder_commit(&other, &out), ST_NO_SUCH);
    ck_assert_int_eq(feeder_begin(&other, "a", false, SECTIONS_MASK), ST_OK);
    ck_assert_uint_ne(other.batch, feeder.batch);
    end();
}
END_TEST

START_TEST(feed_takes_only_what_the_body_is_the_authority_for)
{
    uint64_t subject = records_voen(1, 1);

    begin(SECTION_BIT(SECTION_S06) | SECTION_BIT(SECTION_S03));
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK),
                     ST_NOT_AUTHORITY);
    ck_assert_int_eq(
        feeder_begin(&feeder, "a", false, SECTION_BIT(SECTION_S06)), ST_OK);
    good(SECTION_S03, subject);
    ck_assert_int_eq(feeder_put_record(&feeder, subject, 3, &record),
                     ST_NOT_AUTHORITY);
    good(SECTION_S06, subject);
    ck_assert_int_eq(feeder_put_record(&feeder, subject, 6, &record), ST_OK);
    end();
}
END_TEST

START_TEST(feed_refuses_records_about_impossible_numbers)
{
    uint64_t wrong = records_voen(1, 1) + 10;
    struct result_feed_commit out;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S08, wrong);
    ck_assert_int_eq(feeder_put_record(&feeder, wrong, 8, &record),
                     ST_BAD_VOEN);
    ck_assert_int_eq(feeder_put_record(&feeder, 0, 8, &record), ST_BAD_VOEN);
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.refused, 2);
    ck_assert_uint_eq(state_count(fixture.state, TABLE_SUBJECT), 0);
    end();
}
END_TEST

/* T-R-1.5: data of bodies come by EHIS. */
START_TEST(T_R_1_5_a_body_that_comes_directly_may_not_feed)
{
    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S03, records_voen(1, 1));
    feeder.actor.carrier = 0;
    ck_assert_int_eq(feeder_put_record(&feeder, records_voen(1, 1), 3, &record),
                     ST_NO_DUTY);
    ck_assert_int_eq(feeder_begin(&feeder, "b", false, SECTIONS_MASK),
                     ST_NO_DUTY);
    end();
}
END_TEST

/* T-D-4 */
static bool health_of(uint32_t organisation, struct feed_health_row *out)
{
    struct op_feed_health in = {0};
    struct result_feed_health result;
    struct list_reader reader;
    struct fixture_actor clerk;

    fixture_staff(&fixture, &clerk, DUTY_CLK);
    ck_assert_int_eq(fixture_run(&fixture, &clerk, OPCODE_FEED_HEALTH, &in, 0,
                                 0, clerk.duty, &result),
                     ST_OK);
    list_reader_init(&reader, &result.bodies);
    while (list_reader_next(&reader, &schema_feed_health_row, out)) {
        if (out->organisation == organisation)
            return true;
    }
    return false;
}

START_TEST(T_D_4_a_body_silent_for_too_long_is_shown_stale)
{
    uint64_t subject = records_voen(1, 1);
    struct feed_health_row row;
    struct result_feed_commit out;
    struct feeder silent;
    int64_t brought;

    begin(SECTIONS_MASK);
    feeder_open(&silent, &fixture, SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S03, subject);
    ck_assert_int_eq(feeder_put_record(&feeder, subject, 3, &record), ST_OK);
    record.s03.state = 0;
    ck_assert_int_eq(feeder_put_record(&feeder, subject, 3, &record),
                     ST_BAD_FIELD);
    brought = fixture.log_time;
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert(health_of(feeder.actor.organisation, &row));
    ck_assert_int_eq(row.last, brought);
    ck_assert_uint_eq(row.batches, 1);
    ck_assert_uint_eq(row.committed, 1);
    ck_assert_uint_eq(row.refused, 1);
    ck_assert(!row.stale);
    ck_assert(health_of(silent.actor.organisation, &row));
    ck_assert_int_eq(row.last, 0);
    ck_assert(row.stale);
    fixture_wait(&fixture, 8);
    ck_assert(health_of(feeder.actor.organisation, &row));
    ck_assert(row.stale);
    end();
}
END_TEST

/* Put ${count} more records in one entry, as one command's items; the act of
 * the last run goes on. */
static void put_in_one_entry(uint32_t count, uint64_t subject)
{
    union dispatch_fields fields = {0};
    uint8_t digest[HASH_SIZE];
    struct writer result;

    state_begin(fixture.state);
    state_entry_begin(fixture.state);
    fixture.act.index = fixture.index++;
    for (uint32_t i = 0; i < count; i++) {
        writer_init(&result, fixture.result_bytes, RESULT_SIZE_MAX);
        good(SECTION_S08, subject);
        fields.feed_put = (struct op_feed_put){
            .batch = feeder.batch,
            .seq = feeder.next,
            .section = SECTION_S08,
            .as_of = 20000,
            .record = records_encode(&feeder.records, SECTION_S08, &record)};
        fixture.act.item = (uint16_t)i;
        fixture.act.more_items = i + 1 < count;
        ck_assert_int_eq(
            dispatch_item(&fixture.act, feeder.actor.duty, &fields, &result),
            ST_OK);
        feeder_count(&feeder);
    }
    state_entry_end(fixture.state, digest);
    state_commit(fixture.state);
}

START_TEST(feed_writes_the_row_of_its_batch_once_a_command)
{
    uint64_t subject = records_voen(1, 1);
    struct result_feed_commit out;
    struct row_feed row;

    begin(SECTIONS_MASK);
    ck_assert_int_eq(feeder_begin(&feeder, "a", false, SECTIONS_MASK), ST_OK);
    good(SECTION_S08, subject);
    ck_assert_int_eq(feeder_put_record(&feeder, subject, 8, &record), ST_OK);
    put_in_one_entry(256, subject);
    row.number = feeder.batch;
    ck_assert(state_get(fixture.state, TABLE_FEED, &row));
    ck_assert_uint_eq(row.next, 257);
    ck_assert_mem_eq(&row.rolling, &feeder.rolling, sizeof row.rolling);
    ck_assert(slice_equal(row.ehis_batch, fixture_text("a")));
    ck_assert_int_eq(feeder_commit(&feeder, &out), ST_OK);
    ck_assert_uint_eq(out.state, FEED_COMMITTED);
    ck_assert_uint_eq(out.committed, 257);
    end();
}
END_TEST

/* T-R-9.2.5: sections by bodies. */
START_TEST(T_R_9_2_5_the_bodies_health_shows_which_sections_they_bring)
{
    struct feed_health_row row;

    begin(SECTION_BIT(SECTION_S03) | SECTION_BIT(SECTION_S06));
    ck_assert(health_of(feeder.actor.organisation, &row));
    ck_assert_uint_eq(row.authority,
                      SECTION_BIT(SECTION_S03) | SECTION_BIT(SECTION_S06));
    ck_assert_uint_eq(row.brought, 0);
    feeder_bring_good(&feeder, records_voen(1, 1), SECTION_S06);
    ck_assert(health_of(feeder.actor.organisation, &row));
    ck_assert_uint_eq(row.brought, SECTION_BIT(SECTION_S06));
    end();
}
END_TEST

SUITE_MAIN("feed",
           T_R_5_2_three_bad_of_ten_thousand_are_listed_the_rest_committed,
           T_R_5_2_all_or_nothing_takes_nothing_with_three_bad,
           T_P_3_3_a_feed_of_a_thousand_subjects_makes_a_thousand_cabinets,
           T_D_2_the_same_EHIS_message_twice_makes_one_version,
           T_D_2_the_first_result_stands_even_if_it_was_a_refusal,
           T_D_2_what_came_with_a_batch_that_came_to_nothing_may_come_again,
           T_R_9_2_1_a_batch_whose_count_or_hash_differs_is_refused_whole,
           feed_goes_on_where_it_was_interrupted,
           feed_lists_every_refused_record_page_by_page,
           feed_batches_end_with_the_hours_they_may_stay_open,
           feed_batches_belong_to_their_body,
           feed_takes_only_what_the_body_is_the_authority_for,
           feed_refuses_records_about_impossible_numbers,
           T_R_1_5_a_body_that_comes_directly_may_not_feed,
           T_D_4_a_body_silent_for_too_long_is_shown_stale,
           feed_writes_the_row_of_its_batch_once_a_command,
           T_R_9_2_5_the_bodies_health_shows_which_sections_they_bring)
