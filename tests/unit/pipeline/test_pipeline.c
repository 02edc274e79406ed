/* ctest-label: threads */
#include "tests/lib/suite.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <time.h>

#include "protocol/entry.h"
#include "tests/lib/pipeline_rig.h"

enum { SENDERS = 3, SENDS = 120 };

static struct rig rig;
static struct pipeline *pipeline;
static struct work *works[SENDERS][SENDS];
static struct work *again[SENDERS];
static atomic_uint answers_count;
static atomic_uint errors_count;
static atomic_uint duplicates_count;
static atomic_uint receipts_count;
static atomic_uint_fast64_t grown_size;
static atomic_uint ended_count;

/* ---- What a loop does --------------------------------------------------- */

static void on_answer(void *context, uint32_t loop, struct reply *replies)
{
    (void)context;
    (void)loop;
    while (replies != NULL) {
        struct reply *next = replies->next;

        atomic_fetch_add(&answers_count, 1);
        if (replies->is_error)
            atomic_fetch_add(&errors_count, 1);
        if ((replies->flags & REPLY_DUPLICATE) != 0)
            atomic_fetch_add(&duplicates_count, 1);
        if ((replies->flags & REPLY_RECEIPT) != 0)
            atomic_fetch_add(&receipts_count, 1);
        reply_close(replies);
        replies = next;
    }
}

static void on_grown(void *context, uint64_t size)
{
    (void)context;
    atomic_store(&grown_size, size);
}

static void on_key_ended(void *context, const uint8_t key_id[KEY_ID_SIZE])
{
    (void)context;
    (void)key_id;
    atomic_fetch_add(&ended_count, 1);
}

static void on_failed(void *context, enum status status, uint64_t index,
                      const char *what)
{
    (void)context;
    (void)index;
    ck_abort_msg("%s: %s", what, status_name(status));
}

/* ---- A pipeline over the rig -------------------------------------------- */

/* Since the rig's time: on both clocks, and on the wall's alone. */
static atomic_int_fast64_t passed;
static atomic_int_fast64_t leapt;

static int64_t wall(void *context)
{
    return ((struct rig *)context)->wall + atomic_load(&passed) +
           atomic_load(&leapt);
}

static int64_t boot(void *context)
{
    return ((struct rig *)context)->boot + atomic_load(&passed);
}

static void begin(void)
{
    rig_open_on_files(&rig);
    struct pipeline_parts parts = {
        .journal = rig.journal,
        .keyring = rig.keyring,
        .state = rig.state,
        .search = rig.search,
        .directory = rig.keys,
        .apply = rig.apply,
        .idempotency = rig.idempotency,
        .identity = &rig.node,
        .clock = {&rig, wall, boot},
        .events = {NULL, on_answer, on_grown, on_key_ended},
        .end = journal_end(rig.journal),
        .epoch = ++rig.epoch,
        .failed = on_failed,
    };
    memcpy(parts.cluster_id, rig.cluster_id, CLUSTER_ID_SIZE);
    apply_load_directory(rig.apply);
    pipeline = pipeline_open(&parts);
    ck_assert_int_eq(pipeline_start(pipeline), ST_OK);
}

static void end(void)
{
    pipeline_drain(pipeline);
    pipeline_close(pipeline);
}

static struct work *ping(uint64_t request_id)
{
    static struct rig_command command;
    struct op_system_ping fields = {.text = slice_of("p", 1)};

    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, 0, 0, &fields);
    command.header.flags = COMMAND_FLAG_RECEIPT;
    struct work *work = rig_finish(&rig, &command, &rig.admin);
    work->origin.request_id = request_id;
    return work;
}

static void *sender(void *argument)
{
    size_t number = *(size_t *)argument;
    struct refused_line line = {.code = ST_BAD_SIG, .count = 1};
    uint8_t bytes[BLOB_SIZE_MAX / 8];
    struct directory_key key;
    struct writer rows;

    for (size_t i = 0; i < SENDS; i++) {
        while (pipeline_submit(pipeline, works[number][i]) != ST_OK)
            continue;
        pipeline_refused(pipeline, &line);
        pipeline_noise(pipeline, ST_AUTH, 1);
        ck_assert(directory_find(pipeline_directory(pipeline), &key,
                                 rig.admin.key_id));
        writer_init(&rows, bytes, sizeof bytes);
        ck_assert_int_eq(
            pipeline_query(pipeline, &rows, QUERY_STATUS, 1, slice_of(NULL, 0)),
            ST_OK);
    }
    while (pipeline_submit(pipeline, again[number]) != ST_OK)
        continue;
    return NULL;
}

START_TEST(everything_sent_from_many_threads_is_entered_once_and_answered)
{
    pthread_t threads[SENDERS];
    size_t numbers[SENDERS];
    uint8_t running[2][HASH_SIZE];

    begin();
    for (size_t i = 0; i < SENDERS; i++) {
        for (size_t j = 0; j < SENDS; j++)
            works[i][j] = ping(j);
        again[i] = work_open(&works[i][0]->command, &works[i][0]->origin);
        ck_assert_ptr_nonnull(again[i]);
    }
    for (size_t i = 0; i < SENDERS; i++) {
        numbers[i] = i;
        ck_assert_int_eq(pthread_create(&threads[i], NULL, sender, &numbers[i]),
                         0);
    }
    for (size_t i = 0; i < SENDERS; i++)
        pthread_join(threads[i], NULL);
    end();

    /* Who asked twice was told the former answer, or that it was under way. */
    ck_assert_uint_eq(answers_count, SENDERS * (SENDS + 1));
    ck_assert_uint_eq(duplicates_count + errors_count, SENDERS);
    ck_assert_uint_eq(receipts_count, answers_count - errors_count);
    ck_assert_uint_eq(grown_size, journal_size(rig.journal));
    ck_assert_uint_ge(journal_size(rig.journal), SENDERS * SENDS);
    ck_assert_uint_eq(attest_waiting(apply_attest(rig.apply)), 0);
    memcpy(running[0], state_head(rig.state)->digest, HASH_SIZE);
    ck_assert_int_eq(rig_restart(&rig, false), ST_OK);
    memcpy(running[1], state_head(rig.state)->digest, HASH_SIZE);
    ck_assert_mem_eq(running[0], running[1], HASH_SIZE);
    rig_close(&rig);
}
END_TEST

START_TEST(a_drained_pipeline_takes_nothing_more)
{
    begin();
    struct work *work = ping(1);
    pipeline_drain(pipeline);
    ck_assert_int_eq(pipeline_submit(pipeline, work), ST_DRAINING);
    work_close(work);
    /* A second drain finds nothing to do. */
    pipeline_drain(pipeline);
    pipeline_close(pipeline);
    rig_close(&rig);
}
END_TEST

/* What the lines of all journal.refused count together. */
static uint32_t refusals_entered(void)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct op_journal_refused refused;
    struct list_reader reader;
    struct refused_line line;
    struct field_error error;
    struct entry entry;
    struct slice bytes;
    struct item item;
    uint32_t count = 0;

    for (uint64_t i = 0; i < journal_size(rig.journal); i++) {
        ck_assert_int_eq(journal_read_entry(rig.journal, &bytes, buffer, i),
                         ST_OK);
        ck_assert_int_eq(entry_view(&entry, bytes), ST_OK);
        entry_item(&item, &entry, 0);
        if (item.clear_part.opcode != OPCODE_JOURNAL_REFUSED)
            continue;
        ck_assert_int_eq(schema_decode(&schema_op_journal_refused, &refused,
                                       &error, item_fields(&item),
                                       SCHEMA_REFUSE_UNKNOWN),
                         ST_OK);
        list_reader_init(&reader, &refused.lines);
        while (list_reader_next(&reader, &schema_refused_line, &line))
            count += line.count;
    }
    return count;
}

static void nap(void)
{
    enum { NAP_NS = 5000000 };

    (void)nanosleep(&(struct timespec){.tv_nsec = NAP_NS}, NULL);
}

START_TEST(what_was_refused_just_before_the_end_is_entered)
{
    struct refused_line line = {.code = ST_BAD_SIG, .count = 1};
    uint64_t attested;

    begin();
    attested = pipeline_size(pipeline);
    ck_assert_int_eq(pipeline_submit(pipeline, ping(1)), ST_OK);
    /* Then nothing else is owed: every entry of others is attested. */
    do {
        atomic_fetch_add(&passed, RIG_SECOND);
        nap();
    } while (pipeline_size(pipeline) < attested + 3);
    pipeline_refused(pipeline, &line);
    end();
    ck_assert_uint_eq(refusals_entered(), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(refusals_outlive_a_clock_that_nobody_believes)
{
    struct refused_line line = {.code = ST_BAD_SIG, .count = 1};
    enum { NAPS = 40 };

    begin();
    pipeline_refused(pipeline, &line);
    /* A leap, and then time to enter it: the entry finds no place. */
    atomic_store(&leapt, 3600 * RIG_SECOND);
    atomic_fetch_add(&passed, 2 * RIG_SECOND);
    for (int i = 0; i < NAPS; i++)
        nap();
    atomic_store(&leapt, 0);
    end();
    ck_assert_uint_eq(refusals_entered(), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(queries_tell_what_the_node_is)
{
    static uint8_t bytes[BLOB_SIZE_MAX];
    struct rows_passport passport;
    struct field_error error;
    struct writer rows;

    begin();
    writer_init(&rows, bytes, sizeof bytes);
    ck_assert_int_eq(
        pipeline_query(pipeline, &rows, QUERY_PASSPORT, 1, slice_of(NULL, 0)),
        ST_OK);
    ck_assert_int_eq(schema_decode(&schema_rows_passport, &passport, &error,
                                   writer_slice(&rows), SCHEMA_SKIP_ODD),
                     ST_OK);
    ck_assert_uint_ge(passport.figures.count, 5);
    ck_assert_int_eq(pipeline_query(pipeline, &rows, 999, 1, slice_of(NULL, 0)),
                     ST_UNKNOWN_OP);
    ck_assert_int_eq(
        pipeline_query(pipeline, &rows, QUERY_PASSPORT, 2, slice_of(NULL, 0)),
        ST_OP_VERSION);
    end();
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("pipeline",
           everything_sent_from_many_threads_is_entered_once_and_answered,
           a_drained_pipeline_takes_nothing_more,
           what_was_refused_just_before_the_end_is_entered,
           refusals_outlive_a_clock_that_nobody_believes,
           queries_tell_what_the_node_is)
