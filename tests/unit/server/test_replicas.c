/*
 * ctest-label: threads
 *
 * Hosts with real replicas, links, disks and threads in one process; the
 * register is in memory, and a pipeline of the test's own makes the entries.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "server/cluster/host.h"
#include "server/store/disk_posix.h"
#include "tests/lib/link_rig.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/seats.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"

enum { NODES_MAX = 3, SEGMENT = 256 * 1024, ENTRY = 300 };

/* ---- A node ------------------------------------------------------------- */

struct node {
    uint8_t number;
    char directory[64];
    struct disk_posix *posix;
    struct journal *journal;
    struct journal_report report;
    struct meta meta;
    struct seat seat;
    struct host *host;
    uint16_t port;
    atomic_uint_fast64_t committed;
    atomic_uint_fast64_t config; /* Number of the newest that it was told. */
    pthread_mutex_t lock;        /* Guards what follows. */
    uint32_t epoch;              /* 0: follows. */
    struct journal_end end;
};

static struct node nodes[NODES_MAX];
static size_t nodes_count;
static uint8_t genesis[ENTRY];
static struct journal_end genesis_end;

/* A group on its way. */
struct parcel {
    struct host_submission submission;
    struct journal_entry entries[8];
    uint8_t bytes[8][ENTRY];
};

static void on_done(struct host_submission *submission, bool taken)
{
    MAYBE(taken);
    free(submission);
}

/* ${count} entries in the node's term; the lock is held. */
static void submit(struct node *node, size_t count)
{
    struct parcel *parcel = calloc(1, sizeof *parcel);

    ck_assert_ptr_nonnull(parcel);
    parcel->submission.epoch = node->epoch;
    parcel->submission.entries = parcel->entries;
    parcel->submission.count = count;
    parcel->submission.done = on_done;
    for (size_t i = 0; i < count; i++)
        parcel->entries[i] = log_maker_entry(parcel->bytes[i], &node->end,
                                             ENTRY, node->epoch, node->number);
    host_submit(node->host, &parcel->submission);
}

static void on_lead(void *context, uint32_t epoch,
                    const struct journal_end *end, struct slice config,
                    struct slice certificate)
{
    struct node *node = context;

    ck_assert_uint_gt(config.size, 0);
    ck_assert_uint_eq(certificate.size, 0);
    pthread_mutex_lock(&node->lock);
    node->epoch = epoch;
    node->end = *end;
    submit(node, 1);
    pthread_mutex_unlock(&node->lock);
}

static void on_follow(void *context)
{
    struct node *node = context;

    pthread_mutex_lock(&node->lock);
    node->epoch = 0;
    pthread_mutex_unlock(&node->lock);
}

/* Each once, and only to one that leads. */
static void on_configured(void *context, struct slice bytes,
                          struct slice certificate)
{
    struct node *node = context;
    struct config config;

    ck_assert_uint_ne(node->epoch, 0);
    ck_assert_uint_eq(certificate.size, 0);
    ck_assert_int_eq(config_decode(&config, bytes), ST_OK);
    ck_assert_uint_gt(config.number, atomic_load(&node->config));
    atomic_store(&node->config, config.number);
}

static void on_committed(void *context, uint64_t size)
{
    struct node *node = context;

    ck_assert_uint_ge(size, atomic_load(&node->committed));
    atomic_store(&node->committed, size);
}

static void on_drain(void *context, bool on)
{
    MAYBE(context == NULL);
    MAYBE(on);
}

static void on_halt(void *context, enum replica_halt why)
{
    MAYBE(context == NULL);
    ck_abort_msg("halt %d", why);
}

static bool on_enrolled(void *context)
{
    MAYBE(context == NULL);
    return true;
}

static bool on_idle(void *context)
{
    MAYBE(context == NULL);
    return true;
}

static void on_status(void *context, const struct replica_status *status)
{
    MAYBE(context == NULL);
    ck_assert_uint_le(status->committed, status->size);
}

static void on_peer_clock(void *context, int64_t least, int64_t most)
{
    MAYBE(context == NULL);
    if (least == INT64_MAX) /* A primary waits for another one's clock. */
        ck_assert_int_eq(most, INT64_MIN);
    else if (least != INT64_MIN)
        ck_assert_int_le(least, most);
}

static size_t on_keys(void *context, uint8_t *rows, size_t size,
                      struct host_keys_cursor *cursor, uint64_t end)
{
    MAYBE(context == NULL);
    MAYBE(rows == NULL && size == 0);
    MAYBE(cursor->first_index < end);
    return 0;
}

static void on_failed(void *context, enum status status, const char *what)
{
    MAYBE(context == NULL);
    ck_abort_msg("%s: %s", what, status_name(status));
}

static void on_say(void *context, enum cluster_level level, const char *line)
{
    const struct node *node = context;

    MAYBE(level == CLUSTER_NOTE);
    (void)fprintf(stderr, "node %u: %s\n", node->number, line);
}

static struct node *make_node(uint8_t number)
{
    struct node *node = &nodes[nodes_count++];
    struct meta_value value = {.incarnation = 0};
    struct journal_options options = {.segment_size = SEGMENT};
    struct disk *disk;

    ck_assert_int_ge(sodium_init(), 0);
    if (genesis_end.size == 0)
        (void)log_maker_entry(genesis, &genesis_end, ENTRY, 0, 0);
    node->number = number;
    (void)pthread_mutex_init(&node->lock, NULL);
    (void)snprintf(node->directory, sizeof node->directory,
                   "/tmp/replicas.XXXXXX");
    ck_assert_ptr_nonnull(mkdtemp(node->directory));
    ck_assert_int_eq(disk_posix_open(&node->posix, node->directory), ST_OK);
    disk = disk_posix_disk(node->posix);
    ck_assert_int_eq(journal_create(disk, &options), ST_OK);
    memset(value.node_id, number, NODE_ID_SIZE);
    memcpy(value.lineage, genesis_end.leaf, LINEAGE_SIZE);
    ck_assert_int_eq(meta_create(disk, &value), ST_OK);
    disk_posix_close(node->posix);
    return node;
}

static void open_log(struct node *node)
{
    struct journal_options options = {.segment_size = SEGMENT, .repair = true};
    struct disk *disk;

    ck_assert_int_eq(disk_posix_open(&node->posix, node->directory), ST_OK);
    disk = disk_posix_disk(node->posix);
    ck_assert_int_eq(meta_open(&node->meta, disk), ST_OK);
    ck_assert_int_eq(meta_begin(&node->meta), ST_OK);
    options.incarnation = node->meta.value.incarnation;
    options.epoch = node->meta.value.promised_epoch;
    ck_assert_int_eq(
        journal_open(&node->journal, &node->report, disk, &options), ST_OK);
    if (journal_size(node->journal) == 0) {
        struct journal_entry entry = {.bytes = slice_of(genesis, ENTRY)};

        memcpy(entry.leaf, genesis_end.leaf, HASH_SIZE);
        ck_assert_int_eq(journal_append(node->journal, &entry, 1), ST_OK);
        ck_assert_int_eq(journal_sync(node->journal, 1), ST_OK);
    }
}

/* Who is to be dialed must have been opened before: 1, then 2, then 3. */
static void open_host(struct node *node, uint8_t minimum)
{
    struct link_rig rig = {.base = NULL};
    const struct cluster_register reg = seats_register(&node->seat);
    const struct host_calls calls = {.context = node,
                                     .lead = on_lead,
                                     .follow = on_follow,
                                     .configured = on_configured,
                                     .committed = on_committed,
                                     .drain = on_drain,
                                     .halt = on_halt,
                                     .idle = on_idle,
                                     .enrolled = on_enrolled,
                                     .status = on_status,
                                     .peer_clock = on_peer_clock,
                                     .keys = on_keys,
                                     .failed = on_failed,
                                     .say = on_say};
    struct host_options options = {.replica = {.automatic = true}};
    struct host_parts parts = {.meta = &node->meta, .report = &node->report};
    struct link_rig_node *as = link_rig_node(&rig, node->number);

    open_log(node);
    node->seat.number = node->number;
    for (size_t i = 0; i < nodes_count; i++) {
        size_t at = options.replica.peers_count;

        if (&nodes[i] == node)
            continue;
        link_rig_peer(as, nodes[i].number, false,
                      nodes[i].port == 0 ? 1 : nodes[i].port);
        memset(options.replica.peers[at].node_id, nodes[i].number,
               NODE_ID_SIZE);
        options.replica.peers_count++;
    }
    if (node->port != 0)
        (void)snprintf(as->options.address, sizeof as->options.address,
                       "127.0.0.1:%u", node->port);
    options.links = as->options;
    options.identity = as->identity;
    memset(options.replica.node_id, node->number, NODE_ID_SIZE);
    memcpy(options.replica.lineage, genesis_end.leaf, LINEAGE_SIZE);
    options.replica.first = node->number == 1;
    options.replica.minimum = minimum;
    options.replica.timers = (struct replica_timers){
        .beacon_ms = 40,
        .remove_ms = 400,
        .grace_ms = 800,
        .sync_ms = 5000,
        .retry_ms = 50,
        .drain_ms = 2000,
    };
    randombytes_buf(options.replica.seed, SEED_SIZE);
    parts.journal = node->journal;
    parts.disk = disk_posix_disk(node->posix);
    ck_assert_int_eq(host_open(&node->host, &options, &parts, &reg, &calls),
                     ST_OK);
    node->port = host_port(node->host);
    ck_assert_int_eq(host_start(node->host), ST_OK);
}

static void close_host(struct node *node)
{
    host_stop(node->host);
    host_close(node->host);
    node->host = NULL;
    journal_close(node->journal);
    meta_close(&node->meta);
    disk_posix_close(node->posix);
    atomic_store(&node->committed, 0);
    node->epoch = 0;
}

static void remove_nodes(void)
{
    for (size_t i = 0; i < nodes_count; i++) {
        char command[128];

        (void)snprintf(command, sizeof command, "rm -rf %s",
                       nodes[i].directory);
        ck_assert_int_eq(system(command), 0);
    }
}

/* ---- What is waited for; the suite ends a test that waits in vain ------- */

static bool leads(struct node *node)
{
    bool is;

    pthread_mutex_lock(&node->lock);
    is = node->epoch != 0;
    pthread_mutex_unlock(&node->lock);
    return is;
}

static void await_lead(struct node *node)
{
    while (!leads(node))
        (void)usleep(1000);
}

static void await_commit(struct node *node, uint64_t size)
{
    while (atomic_load(&node->committed) < size)
        (void)usleep(1000);
}

/* ${groups} groups of three; gives the log's size then. */
static uint64_t write_groups(struct node *node, size_t groups)
{
    uint64_t size;

    pthread_mutex_lock(&node->lock);
    for (size_t i = 0; i < groups && node->epoch != 0; i++)
        submit(node, 3);
    size = node->end.size;
    pthread_mutex_unlock(&node->lock);
    return size;
}

static struct host_query ask(struct node *node)
{
    struct host_query query = {.question = HOST_STATUS};

    ck_assert_int_eq(host_ask(node->host, &query, 60000), ST_OK);
    return query;
}

static void await_members(struct node *node, size_t count)
{
    for (;;) {
        struct replica_status status = ask(node).status;
        size_t members = 0;

        for (size_t i = 0; i < status.nodes_count; i++)
            members += status.nodes[i].member ? 1 : 0;
        if (members == count)
            return;
        (void)usleep(5000);
    }
}

static void hold_the_same(const struct node *a, const struct node *b,
                          uint64_t size)
{
    static uint8_t one[JOURNAL_READ_SIZE], other[JOURNAL_READ_SIZE];

    for (uint64_t i = 0; i < size; i++) {
        struct slice left, right;

        ck_assert_int_eq(journal_read_entry(a->journal, &left, one, i), ST_OK);
        ck_assert_int_eq(journal_read_entry(b->journal, &right, other, i),
                         ST_OK);
        ck_assert(slice_equal(left, right));
    }
}

START_TEST(two_nodes_keep_one_log)
{
    struct node *a = make_node(1), *b = make_node(2);
    uint64_t size;

    open_host(a, 1);
    open_host(b, 1);
    await_lead(a);
    await_members(a, 2);
    ck_assert_uint_gt(atomic_load(&a->config), 1);
    size = write_groups(a, 200);
    await_commit(a, size);
    await_commit(b, size);
    hold_the_same(a, b, size);
    close_host(b);
    close_host(a);
    remove_nodes();
}
END_TEST

START_TEST(a_node_takes_over_and_the_other_comes_back)
{
    struct node *a = make_node(1), *b = make_node(2);
    uint64_t size;

    open_host(a, 1);
    open_host(b, 1);
    await_lead(a);
    await_members(a, 2);
    size = write_groups(a, 50);
    await_commit(a, size);
    close_host(a);
    await_lead(b);
    ck_assert_uint_ge(write_groups(b, 0), size);
    size = write_groups(b, 50);
    await_commit(b, size);
    open_host(a, 1);
    await_members(b, 2);
    size = write_groups(b, 10);
    await_commit(b, size);
    await_commit(a, size);
    hold_the_same(a, b, size);
    ck_assert(!leads(a));
    close_host(b);
    close_host(a);
    remove_nodes();
}
END_TEST

START_TEST(three_nodes_hand_over_and_lose_nothing)
{
    struct host_query query = {.question = HOST_HAND_OVER};
    struct node *a = make_node(1), *b = make_node(2), *c = make_node(3);
    uint64_t size;

    open_host(a, 2);
    open_host(b, 2);
    open_host(c, 2);
    await_lead(a);
    await_members(a, 3);
    size = write_groups(a, 30);
    await_commit(a, size);
    memset(query.node_id, 3, NODE_ID_SIZE);
    ck_assert_int_eq(host_ask(a->host, &query, 60000), ST_OK);
    await_lead(c);
    ck_assert_uint_gt(write_groups(c, 0), size);
    size = write_groups(c, 30);
    await_commit(c, size);
    await_commit(a, size);
    await_commit(b, size);
    hold_the_same(a, c, size);
    hold_the_same(b, c, size);
    ck_assert(!leads(a));
    close_host(c);
    close_host(b);
    close_host(a);
    remove_nodes();
}
END_TEST

SUITE_MAIN("replicas", two_nodes_keep_one_log,
           a_node_takes_over_and_the_other_comes_back,
           three_nodes_hand_over_and_lose_nothing)
