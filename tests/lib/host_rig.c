#include "tests/lib/host_rig.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <check.h>
#include <sodium.h>

#include "tests/lib/link_rig.h"

/* ---- The rest of the node ----------------------------------------------- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
char host_rig_said[HOST_RIG_LOG_SIZE]; /* Lines. */
char host_rig_did[HOST_RIG_LOG_SIZE];  /* What was called, a word each. */
atomic_int host_rig_healthy;           /* The register was told: 1 yes, 2 no. */
struct journal_rig host_rig_journal;
static struct meta meta;

void host_rig_note(char log[HOST_RIG_LOG_SIZE], const char *text)
{
    size_t used;

    pthread_mutex_lock(&lock);
    used = strlen(log);
    (void)snprintf(log + used, HOST_RIG_LOG_SIZE - used, "%s ", text);
    pthread_mutex_unlock(&lock);
}

bool host_rig_holds(char log[HOST_RIG_LOG_SIZE], const char *text)
{
    bool found;

    pthread_mutex_lock(&lock);
    found = strstr(log, text) != NULL;
    pthread_mutex_unlock(&lock);
    return found;
}

void host_rig_await(char log[HOST_RIG_LOG_SIZE], const char *text)
{
    while (!host_rig_holds(log, text))
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
    host_rig_note(host_rig_did, word);
}

static void on_follow(void *context)
{
    MAYBE(context == NULL);
    host_rig_note(host_rig_did, "follow");
}

static void on_committed(void *context, uint64_t size)
{
    char word[64];

    MAYBE(context == NULL);
    (void)snprintf(word, sizeof word, "committed:%u", (unsigned)size);
    host_rig_note(host_rig_did, word);
}

static void on_drain(void *context, bool on)
{
    MAYBE(context == NULL);
    host_rig_note(host_rig_did, on ? "drain" : "undrain");
}

static void on_halt(void *context, enum replica_halt why)
{
    MAYBE(context == NULL);
    host_rig_note(host_rig_did, why == HALT_LINEAGE ? "halt:lineage" : "halt");
}

static void on_restart(void *context)
{
    (void)context;
    host_rig_note(host_rig_did, "restart");
}

bool host_rig_archive;
atomic_bool host_rig_idle;

static bool on_enrolled(void *context)
{
    MAYBE(context == NULL);
    return true;
}

static bool on_idle(void *context)
{
    MAYBE(context == NULL);
    return atomic_load(&host_rig_idle);
}

atomic_int host_rig_nodes;
atomic_llong host_rig_clock_least, host_rig_clock_most;

static void on_status(void *context, const struct replica_status *status)
{
    MAYBE(context == NULL);
    atomic_store(&host_rig_nodes, (int)status->nodes_count);
}

static void on_peer_clock(void *context, int64_t least, int64_t most)
{
    MAYBE(context == NULL);
    atomic_store(&host_rig_clock_least, least);
    atomic_store(&host_rig_clock_most, most);
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

static void on_linked(void *context, const uint8_t *node_id)
{
    char word[64];

    MAYBE(context == NULL);
    (void)snprintf(word, sizeof word, "linked:%u", node_id[0]);
    host_rig_note(host_rig_did, word);
}

static void on_checkpoint(void *context, const uint8_t *node_id,
                          struct slice note)
{
    char word[64];

    MAYBE(context == NULL);
    (void)snprintf(word, sizeof word, "checkpoint:%u:%.*s", node_id[0],
                   (int)note.size, (const char *)note.data);
    host_rig_note(host_rig_did, word);
}

static void on_cosigned(void *context, const uint8_t *node_id, uint64_t size,
                        struct slice line)
{
    char word[64];

    MAYBE(context == NULL);
    (void)snprintf(word, sizeof word, "cosigned:%u:%u:%.*s", node_id[0],
                   (unsigned)size, (int)line.size, (const char *)line.data);
    host_rig_note(host_rig_did, word);
}

static void on_failed(void *context, enum status status, const char *what)
{
    MAYBE(context == NULL);
    MAYBE(status == ST_OK);
    host_rig_note(host_rig_said, what);
}

static void on_say(void *context, enum cluster_level level, const char *line)
{
    MAYBE(context == NULL);
    MAYBE(level == CLUSTER_NOTE);
    host_rig_note(host_rig_said, line);
}

static void on_configured(void *context, struct slice config,
                          struct slice certificate)
{
    MAYBE(context == NULL);
    MAYBE(certificate.size == 0);
    ck_assert_uint_gt(config.size, 0);
}

static const struct host_calls calls = {
    .lead = on_lead,
    .configured = on_configured,
    .follow = on_follow,
    .committed = on_committed,
    .drain = on_drain,
    .halt = on_halt,
    .restart = on_restart,
    .idle = on_idle,
    .enrolled = on_enrolled,
    .status = on_status,
    .peer_clock = on_peer_clock,
    .keys = on_keys,
    .linked = on_linked,
    .checkpoint = on_checkpoint,
    .cosigned = on_cosigned,
    .failed = on_failed,
    .say = on_say,
};

static void on_healthy(void *self, bool healthy)
{
    MAYBE(self == NULL);
    atomic_store(&host_rig_healthy, healthy ? 1 : 2);
}

/* ---- Hosts -------------------------------------------------------------- */

/* Node ${number}, whose one peer is ${peer} at ${port}. */
struct host *host_rig_open(uint8_t number, uint8_t peer, uint16_t port)
{
    static struct link_rig rig;
    struct cluster_register reg = register_none();
    struct host_options options = {.replica = {.peers_count = 1}};
    struct host_parts parts = {.meta = &meta,
                               .report = &host_rig_journal.report};
    struct link_rig_node *node;
    struct host *host;

    ck_assert_int_ge(sodium_init(), 0);
    node = link_rig_node(&rig, number);
    link_rig_peer(node, peer, host_rig_archive, port);
    options.replica.peers[0].archive = host_rig_archive;
    if (host_rig_journal.model == NULL)
        journal_rig_begin(&host_rig_journal, JOURNAL_RIG_SEGMENT);
    disk_model_share(host_rig_journal.model);
    parts.journal = host_rig_journal.journal;
    parts.disk = disk_model_disk(host_rig_journal.model);
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

struct host *host_rig_start(void)
{
    struct host *host = host_rig_open(1, 2, 1);

    ck_assert_int_eq(host_start(host), ST_OK);
    return host;
}

void host_rig_end(struct host *host)
{
    host_stop(host);
    host_close(host);
}
