/*
 * bench_feed.c: what one record of a batch costs in apply, without the log.
 *
 *   RECORDS=1000 EACH=1 bench_feed      (16 384 and fewer; of one subject)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "protocol/item.h"
#include "server/registry/count.h"
#include "tests/lib/feeder.h"
#include "tests/lib/suite.h"

enum { ITEMS_PER_ENTRY = 256, ENTRIES_PER_GROUP = 4, ITEM_SIZE_MAX = 1024 };

static struct fixture fixture;
static struct feeder feeder;

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

struct prepared {
    uint8_t bytes[ITEM_SIZE_MAX];
    size_t size;
    uint64_t subject;
};

static uint32_t records_each = 10;

/* A record of S08 as it stands in an entry; every subject gets ten, or EACH. */
static void prepare(struct prepared *out, uint32_t seq)
{
    union section_record record;
    struct op_feed_put in = {.batch = feeder.batch,
                             .seq = seq,
                             .section = SECTION_S08,
                             .as_of = 20000,
                             .provider_record = fixture_text("P-1234567"),
                             .ehis_message = slice_of(NULL, 0)};
    char message[32];
    struct item_clear clear = {.opcode = OPCODE_FEED_PUT, .version = 1};
    struct writer writer;
    uint8_t *head;
    int size = snprintf(message, sizeof message, "EHIS-2026-%u", seq);

    out->subject = records_voen(seq / records_each, 2);
    records_fill(&feeder.records, &record, SECTION_S08, out->subject, 20682);
    in.record = records_encode(&feeder.records, SECTION_S08, &record);
    in.ehis_message = slice_of(message, (size_t)size);
    writer_init(&writer, out->bytes, sizeof out->bytes);
    head = writer_reserve(&writer, ENTRY_ITEM_FIXED_SIZE);
    writer_zeros(&writer, SALT_SIZE);
    schema_encode(&schema_op_feed_put, &writer, &in);
    out->size = writer.used;
    memset(head, 0, ENTRY_ITEM_FIXED_SIZE);
    clear.subject = out->subject;
    clear.size =
        (uint32_t)(writer.used - ENTRY_ITEM_FIXED_SIZE) + ITEM_CLEAR_SIZE;
    item_clear_encode(head, &clear);
    item_commitment(head + ITEM_CLEAR_SIZE,
                    slice_of(head + ENTRY_ITEM_FIXED_SIZE,
                             writer.used - ENTRY_ITEM_FIXED_SIZE));
    store_u32(head + 72, (uint32_t)(writer.used - ENTRY_ITEM_FIXED_SIZE));
}

static void put(const struct prepared *prepared, uint16_t number)
{
    struct act *act = &fixture.act;
    union dispatch_fields fields;
    struct field_error error;
    struct item item;
    struct writer result;

    writer_init(&result, fixture.result_bytes, RESULT_SIZE_MAX);
    if (item_decode(&item, slice_of(prepared->bytes, prepared->size)) !=
            ST_OK ||
        schema_decode(&schema_op_feed_put, &fields, &error, item_fields(&item),
                      SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        abort();
    act->item = number;
    act->subject = prepared->subject;
    act->stored_item = item.bytes;
    memcpy(act->commitment, item.commitment, HASH_SIZE);
    if (dispatch_item(act, feeder.actor.duty, &fields, &result) != ST_OK)
        abort();
}

/* What the subjects' counts cost beside it. */
static double run_counts(const struct prepared *items, uint32_t count)
{
    static const uint8_t leaf[HASH_SIZE] = {1};
    uint8_t digest[HASH_SIZE];
    struct count counts;
    double begun = seconds();

    for (uint32_t i = 0; i < count; i++) {
        if (i % ITEMS_PER_ENTRY == 0) {
            if (i % (ITEMS_PER_ENTRY * ENTRIES_PER_GROUP) == 0)
                state_begin(fixture.state);
            state_entry_begin(fixture.state);
            count_begin(&counts, fixture.state, leaf);
        }
        count_item(&counts, items[i].subject, (uint16_t)(i % ITEMS_PER_ENTRY));
        if ((i + 1) % ITEMS_PER_ENTRY == 0 || i + 1 == count) {
            count_end(&counts);
            state_entry_end(fixture.state, digest);
            if ((i + 1) % (ITEMS_PER_ENTRY * ENTRIES_PER_GROUP) == 0 ||
                i + 1 == count)
                state_commit(fixture.state);
        }
    }
    return seconds() - begun;
}

static double run(const struct prepared *items, uint32_t count)
{
    uint8_t digest[HASH_SIZE];
    double begun = seconds();

    for (uint32_t i = 0; i < count; i++) {
        if (i % ITEMS_PER_ENTRY == 0) {
            if (i % (ITEMS_PER_ENTRY * ENTRIES_PER_GROUP) == 0)
                state_begin(fixture.state);
            state_entry_begin(fixture.state);
            fixture.act.index = ++fixture.index;
        }
        fixture.act.more_items =
            (i + 1) % ITEMS_PER_ENTRY != 0 && i + 1 != count;
        put(&items[i], (uint16_t)(i % ITEMS_PER_ENTRY));
        if ((i + 1) % ITEMS_PER_ENTRY == 0 || i + 1 == count) {
            state_entry_end(fixture.state, digest);
            if ((i + 1) % (ITEMS_PER_ENTRY * ENTRIES_PER_GROUP) == 0 ||
                i + 1 == count)
                state_commit(fixture.state);
        }
    }
    return seconds() - begun;
}

static void put_all(const struct prepared *items, uint32_t count)
{
    double time;

    /* The first is refused, and leaves the act to go on with. */
    if (feeder_put(&feeder, items[0].subject, SECTION_S08, slice_of(NULL, 0),
                   NULL) != ST_BAD_FIELD)
        abort();
    time = run(items + 1, count - 1);
    printf("feed.put     %u records, %.2f us each\n", count - 1,
           time * 1e6 / (count - 1));
    time = run_counts(items + 1, count - 1);
    printf("counts       %u records, %.2f us each\n", count - 1,
           time * 1e6 / (count - 1));
}

static void commit_all(void)
{
    struct row_feed feed = {.number = feeder.batch};
    struct result_feed_commit out;
    double time;

    if (!state_get(fixture.state, TABLE_FEED, &feed))
        abort();
    feeder.next = feed.next;
    feeder.rolling = feed.rolling;
    time = seconds();
    if (feeder_commit(&feeder, &out) != ST_OK || out.committed == 0)
        abort();
    time = seconds() - time;
    printf("feed.commit  %u records, %.2f us each\n", out.committed,
           time * 1e6 / out.committed);
}

/* The fixture asserts as tests do, so that it must run as one. */
START_TEST(feed_costs_are_printed)
{
    const char *number = getenv("RECORDS");
    uint32_t count = FEED_BATCH_RECORDS_MAX;
    struct prepared *items;

    if (number != NULL)
        count = (uint32_t)strtoul(number, NULL, 10);
    if (getenv("EACH") != NULL)
        records_each = (uint32_t)strtoul(getenv("EACH"), NULL, 10);
    if (records_each == 0 || count < 2 || count > FEED_BATCH_RECORDS_MAX)
        abort();
    items = calloc(count, sizeof *items);
    if (items == NULL)
        abort();
    fixture_open(&fixture);
    feeder_open(&feeder, &fixture, SECTIONS_MASK);
    if (feeder_begin(&feeder, "bench", false, SECTIONS_MASK) != ST_OK)
        abort();
    for (uint32_t i = 0; i < count; i++)
        prepare(&items[i], i);
    put_all(items, count);
    commit_all();
    fixture_close(&fixture);
    free(items);
}
END_TEST

SUITE_MAIN("bench_feed", feed_costs_are_printed)
