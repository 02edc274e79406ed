/*
 * ctest-label: threads
 *
 * The host of a replica that does what each test says.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/catalogue.h"
#include "server/cluster/host.h"
#include "tests/lib/fake_replica.h"
#include "tests/lib/journal_rig.h"
#include "tests/lib/link_rig.h"
#include "tests/lib/suite.h"

enum { LOG_SIZE = 4096 };

/* ---- The rest of the node ------------------------------------------------ */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static char said[LOG_SIZE];   /* Lines. */
static char did[LOG_SIZE];    /* What was called, a word each. */
static atomic_int is_healthy; /* The register was told: 1 yes, 2 no. */
static struct journal_rig journal;
static struct meta meta;

static void append(char log[LOG_SIZE], const char *text)
{
    size_t used;

    pthread_mutex_lock(&lock);
    used = strlen(log);
    (void)snprintf(log + used, LOG_SIZE - used, "%s ", text);
    pthread_mutex_unlock(&lock);
}

static bool holds(char log[LOG_SIZE], const char *text)
{
    bool found;

    pthread_mutex_lock(&lock);
    found = strstr(log, text) != NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

static void await(char log[LOG_SIZE], const char *text)
{
    while (!holds(log, text))
        (void)usleep(500);
}

static void on_lead(void *context, uint32_t epoch,
                    const struct journal_end *end, struct slice config,
                    struct slice certificate)
{
    char word[64];

    MAYBE(context == NULL);
    (void)snprintf(word, sizeof word, "lead:%u:%u:%zu:%zu", epoch,
                   (unsigned)end->size, config.size, certificate.size);
    append(did, word);
}

static void on_follow(void *context)
{
    MAYBE(context == NULL);
    append(did, "follow");
}

static void on_committed(void *context, uint64_t size)
{
    char word[64];

    MAYBE(context == NULL);
    (void)snprintf(word, sizeof word, "committed:%u", (unsigned)size);
    append(did, word);
}

static void on_drain(void *context, bool on)
{
    MAYBE(context == NULL);
    append(did, on ? "drain" : "undrain");
}

static void on_halt(void *context, enum replica_halt why)
{
    MAYBE(context == NULL);
    append(did, why == HALT_LINEAGE ? "halt:lineage" : "halt");
}

static atomic_bool idle;

static bool on_idle(void *context)
{
    MAYBE(context == NULL);
    return atomic_load(&idle);
}

static atomic_llong clock_least, clock_most;

static void on_peer_clock(void *context, int64_t least, int64_t most)
{
    MAYBE(context == NULL);
    atomic_store(&clock_least, least);
    atomic_store(&clock_most, most);
}

/* Each third entry uses two new keys, and three rows make a frame full. */
static size_t on_keys(void *context, uint8_t *rows, size_t size,
                      struct host_keys_cursor *cursor, uint64_t end)
{
    size_t used = 0;

    MAYBE(context == NULL);
    ck_assert_uint_eq(size, PEER_KEYS_SIZE_MAX);
    while (cursor->first_index < end && used < 3) {
        if (cursor->first_index % 3 == 0)
            rows[used++] = (uint8_t)cursor->first_index;
        cursor->number++;
        if (cursor->first_index % 3 != 0 || cursor->number == 2) {
            cursor->first_index++;
            cursor->number = 0;
        }
    }
    return used;
}

static void on_failed(void *context, enum status status, const char *what)
{
    MAYBE(context == NULL);
    MAYBE(status == ST_OK);
    append(said, what);
}

static void on_say(void *context, enum cluster_level level, const char *line)
{
    MAYBE(context == NULL);
    MAYBE(level == CLUSTER_NOTE);
    append(said, line);
}

static const struct host_calls calls = {
    .lead = on_lead,
    .follow = on_follow,
    .committed = on_committed,
    .drain = on_drain,
    .halt = on_halt,
    .idle = on_idle,
    .peer_clock = on_peer_clock,
    .keys = on_keys,
    .failed = on_failed,
    .say = on_say,
};

static void on_healthy(void *self, bool healthy)
{
    MAYBE(self == NULL);
    atomic_store(&is_healthy, healthy ? 1 : 2);
}

/* ---- Hosts ----------------------------------------------------------------
 */

/* Node ${number}, whose one peer is ${peer} at ${port}. */
static struct host *open_host(uint8_t number, uint8_t peer, uint16_t port)
{
    static struct link_rig rig;
    struct cluster_register reg = register_none();
    struct host_options options = {.replica = {.peers_count = 1}};
    struct host_parts parts = {.meta = &meta, .report = &journal.report};
    struct rig_node *node;
    struct host *host;

    ck_assert_int_ge(sodium_init(), 0);
    node = rig_node(&rig, number);
    rig_peer(node, peer, false, port);
    if (journal.model == NULL)
        journal_rig_begin(&journal, JOURNAL_RIG_SEGMENT);
    parts.journal = journal.journal;
    parts.disk = disk_model_disk(journal.model);
    options.links = node->options;
    options.identity = node->identity;
    memset(options.replica.node_id, number, NODE_ID_SIZE);
    memset(options.replica.peers[0].node_id, peer, NODE_ID_SIZE);
    options.replica.timers.beacon_ms = 20;
    options.replica.timers.sync_ms = 40;
    reg.healthy = on_healthy;
    ck_assert_int_eq(host_open(&host, &options, &parts, &reg, &calls), ST_OK);
    return host;
}

static struct host *start_host(void)
{
    struct host *host = open_host(1, 2, 1);

    ck_assert_int_eq(host_start(host), ST_OK);
    return host;
}

static void end_host(struct host *host)
{
    host_stop(host);
    host_close(host);
}

/* ---- Tests --------------------------------------------------------------- */

static void act_all(uint8_t number, struct replica_actions *actions,
                    const struct replica_event *event)
{
    static bool once;
    struct replica_action *action;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    action = fake_act(actions, REPLICA_LEAD);
    action->lead.epoch = 7;
    action->lead.end.size = 9;
    action->lead.config = slice_of("abc", 3);
    fake_act(actions, REPLICA_COMMIT)->size = 9;
    fake_act(actions, REPLICA_COMMIT)->size = 10;
    fake_act(actions, REPLICA_DRAIN)->on = true;
    fake_act(actions, REPLICA_DRAIN)->on = false;
    fake_act(actions, REPLICA_FOLLOW);
    fake_act(actions, REPLICA_HALT)->halt = HALT_LINEAGE;
}

START_TEST(actions_are_carried_out_in_their_order)
{
    struct host *host;

    fake_replica_script = act_all;
    host = start_host();
    await(did, "halt:lineage");
    ck_assert_str_eq(did, "lead:7:9:3:0 committed:9 committed:10 drain undrain "
                          "follow halt:lineage ");
    end_host(host);
}
END_TEST

static void act_notes(uint8_t number, struct replica_actions *actions,
                      const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    for (int note = NOTE_ROLE; note <= NOTE_WANT; note++) {
        struct replica_action *action = fake_act(actions, REPLICA_SAY);

        action->say.note = (enum replica_note)note;
        action->say.number = 1;
        action->say.text = "";
    }
}

START_TEST(every_note_has_a_sentence_of_its_own)
{
    struct host *host;
    size_t lines = 0;

    fake_replica_script = act_notes;
    host = start_host();
    await(said, "waiting for the operator");
    end_host(host);
    ck_assert_ptr_null(strchr(said, '?'));
    static const char *const words[] = {"is now",
                                        "is the primary",
                                        "nothing is acknowledged",
                                        "again",
                                        "member no more",
                                        "is a member",
                                        "the log was cut",
                                        "LOST",
                                        "had lost is here",
                                        "was repaired",
                                        "is damaged",
                                        "contradicts",
                                        "refused",
                                        "broke the rules",
                                        "HALTED",
                                        "clock",
                                        "waiting"};
    for (; lines < sizeof words / sizeof words[0]; lines++)
        ck_assert_msg(strstr(said, words[lines]) != NULL, "%s", words[lines]);
    ck_assert_uint_eq(lines, NOTE_WANT + 1);
}
END_TEST

static struct storage_job jobs[500];

static void act_jobs(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    static size_t given, done;

    MAYBE(number == 1);
    if (event->type == REPLICA_JOB_DONE)
        ck_assert_ptr_eq(event->job, &jobs[done++]);
    for (int i = 0; i < 50 && given < 500; i++)
        fake_act(actions, REPLICA_JOB)->job = &jobs[given++];
}

START_TEST(jobs_go_to_the_disk_and_come_back_as_events_in_order)
{
    struct host *host;

    fake_replica_script = act_jobs;
    host = start_host();
    fake_replica_await(1, REPLICA_JOB_DONE, 500);
    end_host(host);
}
END_TEST

static void act_ask(uint8_t number, struct replica_actions *actions,
                    const struct replica_event *event)
{
    static const struct register_proposal proposal = {.token = 77};
    static bool once;
    struct replica_action *action;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    action = fake_act(actions, REPLICA_ASK);
    action->ask.call = REGISTER_INCARNATION;
    action->ask.incarnation = 3;
    fake_act(actions, REPLICA_ASK)->ask.call = REGISTER_READ;
    action = fake_act(actions, REPLICA_ASK);
    action->ask.call = REGISTER_CAS;
    action->ask.proposal = &proposal;
}

START_TEST(without_a_register_incarnations_count_and_proposals_are_refused)
{
    struct fake_event answer;
    struct host *host;

    fake_replica_script = act_ask;
    host = start_host();
    fake_replica_await(1, REPLICA_ANSWERED, 1);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_REGISTERED), 1);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_VIEW), 1);
    answer = fake_replica_newest(1, REPLICA_ANSWERED);
    ck_assert_uint_eq(answer.event.answered.token, 77);
    ck_assert_int_eq(answer.event.answered.outcome, REGISTER_REJECTED);
    ck_assert(
        !fake_replica_newest(1, REPLICA_REGISTERED).event.registered.higher);
    end_host(host);
}
END_TEST

static void act_lead(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (event->type == REPLICA_HAND_OVER)
        fake_act(actions, REPLICA_FOLLOW);
    if (once || event->type != REPLICA_TICK)
        return;
    once = true;
    fake_act(actions, REPLICA_LEAD)->lead.epoch = 7;
}

static atomic_int taken, given_back;

static void on_submitted(struct host_submission *submission, bool is_taken)
{
    ck_assert_uint_eq(submission->count, 1);
    atomic_fetch_add(is_taken ? &taken : &given_back, 1);
}

static void submit(struct host *host, struct host_submission *submission,
                   uint32_t epoch)
{
    static const struct journal_entry entry = {.bytes = {NULL, 0}};

    *submission = (struct host_submission){.epoch = epoch,
                                           .entries = &entry,
                                           .count = 1,
                                           .keyed = true,
                                           .done = on_submitted};
    host_submit(host, submission);
}

static void await_int(atomic_int *value, int least)
{
    while (atomic_load(value) < least)
        (void)usleep(500);
}

START_TEST(entries_of_another_term_never_reach_the_replica)
{
    static struct host_submission submissions[5];
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_lead;
    host = start_host();
    await(did, "lead:7");
    submit(host, &submissions[0], 6);
    submit(host, &submissions[1], 7);
    submit(host, &submissions[2], 8);
    await_int(&given_back, 2);
    await_int(&taken, 1);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_SUBMITTED), 1);
    ck_assert(fake_replica_newest(1, REPLICA_SUBMITTED).event.submitted.keyed);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    submit(host, &submissions[3], 7);
    await_int(&given_back, 3);
    host_stop(host);
    submit(host, &submissions[4], 7);
    ck_assert_int_eq(atomic_load(&given_back), 4);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_SUBMITTED), 1);
    host_close(host);
}
END_TEST

static void act_keys(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    struct replica_action *action;

    if (number != 2 || event->type != REPLICA_LINK_UP)
        return;
    action = fake_act(actions, REPLICA_SEND_KEYS);
    action->keys.first = 5;
    action->keys.count = 12; /* 6, 9, 12, 15 use eight new keys. */
    action = fake_act(actions, REPLICA_SEND);
    action->send.type = PEER_APPEND;
    action->send.body = slice_of("entries", 7);
}

START_TEST(keys_go_before_the_entries_that_need_them)
{
    struct host *accepts, *dials;

    fake_replica_script = act_keys;
    accepts = open_host(1, 2, 1);
    dials = open_host(2, 1, host_port(accepts));
    ck_assert_int_eq(host_start(accepts), ST_OK);
    ck_assert_int_eq(host_start(dials), ST_OK);
    fake_replica_await(1, REPLICA_RECEIVED, 4);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_LINK_UP), 1);
    struct fake_event last = fake_replica_newest(1, REPLICA_RECEIVED);
    ck_assert_uint_eq(last.event.received.type, PEER_APPEND);
    ck_assert_uint_eq(last.body_size, 7);
    ck_assert_mem_eq(last.body, "entries", 7);
    end_host(dials);
    fake_replica_await(1, REPLICA_LINK_DOWN, 1);
    end_host(accepts);
}
END_TEST

static void act_drop(uint8_t number, struct replica_actions *actions,
                     const struct replica_event *event)
{
    if (number != 1 || event->type != REPLICA_LINK_UP)
        return;
    fake_act(actions, REPLICA_DROP_LINK);
    struct replica_action *action = fake_act(actions, REPLICA_SEND);
    action->send.type = PEER_HELLO;
    action->send.body = slice_of("lost", 4);
}

START_TEST(a_link_that_the_replica_drops_is_down_and_comes_up_again)
{
    struct host *accepts, *dials;

    fake_replica_script = act_drop;
    accepts = open_host(1, 2, 1);
    dials = open_host(2, 1, host_port(accepts));
    ck_assert_int_eq(host_start(accepts), ST_OK);
    ck_assert_int_eq(host_start(dials), ST_OK);
    fake_replica_await(1, REPLICA_LINK_DOWN, 2);
    fake_replica_await(2, REPLICA_LINK_DOWN, 2);
    ck_assert_uint_eq(fake_replica_count(2, REPLICA_RECEIVED), 0);
    end_host(dials);
    end_host(accepts);
}
END_TEST

START_TEST(questions_are_answered_from_the_hosts_thread)
{
    struct host_query query = {.question = HOST_STATUS};
    struct host *host;

    fake_replica_script = NULL;
    host = start_host();
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert(query.status.healthy);
    query.question = HOST_CONFIG;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_NO_SUCH);
    fake_replica_set_config("configuration");
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_uint_eq(query.bytes_size, 13);
    ck_assert_mem_eq(query.bytes, "configuration", 13);
    query.question = HOST_STATE;
    query.why = CONFIG_ADD;
    query.node_id[0] = 9;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_uint_eq(query.statement.other[0], 9);
    query.why = CONFIG_REMOVE;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_WRONG_STATE);
    query.question = HOST_HAND_OVER;
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_uint_eq(
        fake_replica_newest(1, REPLICA_HAND_OVER).event.node_id[0], 9);
    host_stop(host);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_DRAINING);
    host_close(host);
}
END_TEST

static void act_drain(uint8_t number, struct replica_actions *actions,
                      const struct replica_event *event)
{
    MAYBE(number == 1);
    if (event->type == REPLICA_HAND_OVER)
        fake_act(actions, REPLICA_DRAIN)->on = true;
}

START_TEST(the_replica_learns_once_that_nothing_is_under_way)
{
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_drain;
    host = start_host();
    atomic_store(&idle, false);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    await(did, "drain");
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_DRAINED), 0);
    atomic_store(&idle, true);
    fake_replica_await(1, REPLICA_DRAINED, 1);
    (void)usleep(50000);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_DRAINED), 1);
    end_host(host);
}
END_TEST

START_TEST(the_clocks_of_those_who_answer_are_told)
{
    static const struct replica_member_status nodes[] = {
        {.heard_ms = -1, .linked = true, .clock_us = 99},
        {.heard_ms = 5, .linked = true, .clock_us = -7},
        {.heard_ms = 5, .linked = true, .clock_us = 4},
        {.heard_ms = 5, .linked = false, .clock_us = 1000},
    };
    struct host *host = start_host();

    while (atomic_load(&clock_most) != INT64_MAX)
        (void)usleep(500);
    ck_assert_int_eq(atomic_load(&clock_least), INT64_MIN);
    fake_replica_set_nodes(nodes, 4);
    while (atomic_load(&clock_most) != 4)
        (void)usleep(500);
    ck_assert_int_eq(atomic_load(&clock_least), -7);
    end_host(host);
}
END_TEST

static void act_slowly(uint8_t number, struct replica_actions *actions,
                       const struct replica_event *event)
{
    MAYBE(number == 1);
    MAYBE(actions->count == 0);
    if (event->type == REPLICA_HAND_OVER)
        await(did, "go");
}

START_TEST(who_asks_waits_no_longer_than_he_said)
{
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_slowly;
    host = start_host();
    ck_assert_int_eq(host_ask(host, &query, 5), ST_TIMEOUT);
    append(did, "go");
    fake_replica_await(1, REPLICA_HAND_OVER, 1);
    end_host(host);
}
END_TEST

static void act_slow_disk(uint8_t number, struct replica_actions *actions,
                          const struct replica_event *event)
{
    static bool once;

    MAYBE(number == 1);
    if (once || event->type != REPLICA_HAND_OVER)
        return;
    once = true;
    fake_act(actions, REPLICA_JOB)->job = &jobs[0];
}

START_TEST(a_node_whose_disk_hangs_lets_its_sign_of_life_go)
{
    struct host_query query = {.question = HOST_HAND_OVER};
    struct host *host;

    fake_replica_script = act_slow_disk;
    host = start_host();
    while (atomic_load(&is_healthy) != 1)
        (void)usleep(500);
    fake_disk_stop();
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    while (atomic_load(&is_healthy) != 2)
        (void)usleep(500);
    ck_assert(holds(said, "counts as dead"));
    fake_disk_go();
    while (atomic_load(&is_healthy) != 1)
        (void)usleep(500);
    fake_replica_set_healthy(false);
    while (atomic_load(&is_healthy) != 2)
        (void)usleep(500);
    end_host(host);
}
END_TEST

static void put_file(const void *bytes, size_t size)
{
    struct disk *disk = disk_model_disk(journal.model);

    ck_assert_int_eq(disk_replace(disk, HOST_FILE_INCOMING, "", bytes, size),
                     ST_OK);
}

static bool has_file(const char *name)
{
    struct disk_file *file;
    enum status status = disk_open(disk_model_disk(journal.model), &file, name);

    if (status == ST_OK)
        disk_close(file);
    return status == ST_OK;
}

static void act_judge(uint8_t number, struct replica_actions *actions,
                      const struct replica_event *event)
{
    struct replica_action *action;

    MAYBE(number == 1);
    if (event->type != REPLICA_CERTIFIED || event->certificate.size < 3 ||
        event->certificate.data[2] != 'x')
        return;
    action = fake_act(actions, REPLICA_SAY);
    action->say.note = NOTE_CERTIFICATE;
    action->say.number = CONFIG_V1_NUMBER;
    action->say.text = "";
}

/* One file, looked at once. */
static void hand_in(const void *bytes, size_t size, const char *line,
                    bool is_taken)
{
    struct host *host;

    fake_replica_script = act_judge;
    host = open_host(1, 2, 1);
    put_file(bytes, size);
    ck_assert_int_eq(host_start(host), ST_OK);
    await(said, line);
    end_host(host);
    ck_assert(!has_file(HOST_FILE_INCOMING));
    ck_assert_int_eq(has_file(HOST_FILE_TAKEN), is_taken);
    ck_assert_int_eq(has_file(HOST_FILE_REFUSED), !is_taken);
}

START_TEST(a_certificate_in_the_directory_is_taken)
{
    hand_in("C0good", 6, "incoming.certificate is taken", true);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 1);
    ck_assert_uint_eq(fake_replica_newest(1, REPLICA_CERTIFIED).body_size, 6);
}
END_TEST

START_TEST(a_certificate_with_bad_signatures_is_refused_and_not_given_on)
{
    hand_in("C3late", 6, "refused: too late", false);
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 0);
}
END_TEST

START_TEST(a_certificate_that_the_replica_refuses_is_refused)
{
    hand_in("C0x", 3, "incoming.certificate is refused: not the next", false);
}
END_TEST

START_TEST(a_file_that_is_no_certificate_is_refused)
{
    static uint8_t large[CONFIG_CERT_SIZE_MAX + 1];

    memset(large, 'C', sizeof large);
    hand_in(large, sizeof large, "refused: it is no certificate", false);
}
END_TEST

START_TEST(an_empty_file_is_refused)
{
    hand_in("", 0, "refused: it is no certificate", false);
}
END_TEST

START_TEST(a_certificate_is_judged_for_who_asks)
{
    struct host_query query = {.question = HOST_CERTIFY, .bytes_size = 3};
    struct host *host;

    fake_replica_script = act_judge;
    host = start_host();
    memcpy(query.bytes, "C0a", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_OK);
    ck_assert_str_eq(query.refusal, "");
    memcpy(query.bytes, "C0x", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_CERTIFICATE);
    ck_assert_str_eq(query.refusal, "not the next");
    memcpy(query.bytes, "C3x", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_CERTIFICATE);
    ck_assert_str_eq(query.refusal, "too late");
    memcpy(query.bytes, "abc", 3);
    ck_assert_int_eq(host_ask(host, &query, 60000), ST_FILE_FORMAT);
    end_host(host);
}
END_TEST

static void act_verify(uint8_t number, struct replica_actions *actions,
                       const struct replica_event *event)
{
    static int turn;

    MAYBE(number == 1);
    if (event->type != REPLICA_TICK || turn == 2)
        return;
    fake_act(actions, REPLICA_VERIFY)->certificate =
        turn++ == 0 ? slice_of("C1bad", 5) : slice_of("C0good", 6);
}

START_TEST(a_peers_certificate_comes_back_once_its_signatures_are_right)
{
    struct host *host;

    fake_replica_script = act_verify;
    host = start_host();
    fake_replica_await(1, REPLICA_CERTIFIED, 1);
    end_host(host);
    ck_assert(holds(said, "a certificate that a node sent is refused"));
    ck_assert_uint_eq(fake_replica_count(1, REPLICA_CERTIFIED), 1);
    ck_assert_mem_eq(fake_replica_newest(1, REPLICA_CERTIFIED).body, "C0good",
                     6);
}
END_TEST

SUITE_MAIN("host", actions_are_carried_out_in_their_order,
           every_note_has_a_sentence_of_its_own,
           jobs_go_to_the_disk_and_come_back_as_events_in_order,
           without_a_register_incarnations_count_and_proposals_are_refused,
           entries_of_another_term_never_reach_the_replica,
           keys_go_before_the_entries_that_need_them,
           a_link_that_the_replica_drops_is_down_and_comes_up_again,
           questions_are_answered_from_the_hosts_thread,
           the_replica_learns_once_that_nothing_is_under_way,
           the_clocks_of_those_who_answer_are_told,
           who_asks_waits_no_longer_than_he_said,
           a_node_whose_disk_hangs_lets_its_sign_of_life_go,
           a_certificate_in_the_directory_is_taken,
           a_certificate_with_bad_signatures_is_refused_and_not_given_on,
           a_certificate_that_the_replica_refuses_is_refused,
           a_file_that_is_no_certificate_is_refused, an_empty_file_is_refused,
           a_certificate_is_judged_for_who_asks,
           a_peers_certificate_comes_back_once_its_signatures_are_right)
