/*
 * node_escrow.c: the escrow of a node: its seal keys, sealed to the recovery
 * key, in a directory beside.  A thread writes it anew, so that nobody who
 * serves waits: at once when keys were destroyed, and else now and then.  Its
 * first turn writes always: what an earlier process left is overwritten then.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <sodium.h>

#include "replication/need.h"
#include "server/diag.h"
#include "server/node_private.h"
#include "server/pipeline/pipeline.h"
#include "server/store/escrow_file.h"

enum { ESCROW_TICK_S = 1, ESCROW_AGAIN_MS = 10 * 1000, ESCROW_MS = 1000 };

/*
 * Invariant: what is in escrow has no key that was destroyed before
 * ${buried_count} was ${clean_count}; both are equal once it has none at all.
 */
struct node_escrow {
    struct node *node;
    struct disk_posix *disk;
    uint8_t recovery_key[PUBLIC_KEY_SIZE];
    pthread_t thread;
    bool running;
    pthread_mutex_t lock; /* Guards what stands below. */
    pthread_cond_t changed;
    bool stopping;
    uint64_t buried_count;
    uint64_t clean_count;
    /* The thread's. */
    uint64_t written_size;
    int64_t written_ms;
    int64_t failed_ms; /* INT64_MIN: the last one was written. */
};

/* ---- Writing ------------------------------------------------------------- */

static enum status escrow_write(struct node_escrow *escrow, uint64_t size)
{
    struct node *node = escrow->node;
    struct escrow_file_source source = {.keyring = node->keyring,
                                        .snapshots = node->snapshots,
                                        .size = size,
                                        .made_at = clock_wall(&node->clock)};
    struct escrow_file_result result;
    enum status status;

    memcpy(source.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    memcpy(source.recovery_key, escrow->recovery_key, PUBLIC_KEY_SIZE);
    status = escrow_file_write(&result, disk_posix_disk(escrow->disk), &source);
    if (status == ST_OK)
        diag_say(DIAG_NOTE,
                 "escrow: %" PRIu64 " keys of the first %" PRIu64 " entries",
                 result.rows_count, size);
    return status;
}

/* Write it if it is time to. */
static void escrow_turn(struct node_escrow *escrow, bool last)
{
    const int64_t now_ms = clock_boot_ms(&escrow->node->clock);
    const uint64_t size = pipeline_size(escrow->node->pipeline);
    const int64_t period_ms =
        (int64_t)escrow->node->options.escrow.period_s * ESCROW_MS;
    enum status status;
    uint64_t count;
    bool clean;

    (void)pthread_mutex_lock(&escrow->lock);
    count = escrow->buried_count;
    clean = escrow->clean_count == count;
    (void)pthread_mutex_unlock(&escrow->lock);
    if (clean && (size == escrow->written_size ||
                  (!last && now_ms - escrow->written_ms < period_ms)))
        return;
    if (!last && escrow->failed_ms != INT64_MIN &&
        now_ms - escrow->failed_ms < ESCROW_AGAIN_MS)
        return;
    status = escrow_write(escrow, size);
    if (status != ST_OK) {
        if (escrow->failed_ms == INT64_MIN)
            diag_say(DIAG_FAILURE,
                     "escrow: it cannot be written (%s): no act of destruction "
                     "is confirmed before it is",
                     status_info(status)->english);
        escrow->failed_ms = now_ms;
        return;
    }
    escrow->failed_ms = INT64_MIN;
    escrow->written_ms = now_ms;
    escrow->written_size = size;
    (void)pthread_mutex_lock(&escrow->lock);
    escrow->clean_count = count;
    (void)pthread_mutex_unlock(&escrow->lock);
}

/* ---- The thread ---------------------------------------------------------- */

/* Returns: whether to go on. */
static bool escrow_wait(struct node_escrow *escrow)
{
    struct timespec until;
    bool go_on;

    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += ESCROW_TICK_S;
    (void)pthread_mutex_lock(&escrow->lock);
    while (!escrow->stopping &&
           pthread_cond_timedwait(&escrow->changed, &escrow->lock, &until) !=
               ETIMEDOUT)
        continue;
    go_on = !escrow->stopping;
    (void)pthread_mutex_unlock(&escrow->lock);
    return go_on;
}

static void *escrow_run(void *context)
{
    struct node_escrow *escrow = context;

    do
        escrow_turn(escrow, false);
    while (escrow_wait(escrow));
    return NULL;
}

void node_escrow_buried(void *context)
{
    struct node_escrow *escrow = context;

    (void)pthread_mutex_lock(&escrow->lock);
    escrow->buried_count++;
    (void)pthread_mutex_unlock(&escrow->lock);
}

bool node_escrow_is_clean(void *context)
{
    struct node_escrow *escrow = context;
    bool clean;

    (void)pthread_mutex_lock(&escrow->lock);
    clean = escrow->clean_count == escrow->buried_count;
    (void)pthread_mutex_unlock(&escrow->lock);
    return clean;
}

/* ---- Opening and closing ------------------------------------------------- */

static enum node_exit escrow_key(struct node_escrow *escrow)
{
    const struct node *node = escrow->node;
    const struct options_escrow *options = &node->options.escrow;

    memcpy(escrow->recovery_key,
           options->has_recovery_key ? options->recovery_key
                                     : node->genesis.recovery_key.b,
           PUBLIC_KEY_SIZE);
    if (sodium_is_zero(escrow->recovery_key, PUBLIC_KEY_SIZE))
        return node_fail(ST_NO_SUCH,
                         "neither genesis nor recovery_key names a key",
                         "[escrow]");
    return NODE_DRAINED;
}

static void escrow_init(struct node_escrow *escrow, struct node *node)
{
    pthread_condattr_t attributes;
    bool good;

    good = pthread_mutex_init(&escrow->lock, NULL) == 0 &&
           pthread_condattr_init(&attributes) == 0 &&
           pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) == 0 &&
           pthread_cond_init(&escrow->changed, &attributes) == 0;
    INVARIANT(good);
    (void)pthread_condattr_destroy(&attributes);
    escrow->node = node;
    /* Nobody knows what an earlier start destroyed and left there. */
    escrow->buried_count = 1;
    escrow->failed_ms = INT64_MIN;
}

enum node_exit node_escrow_open(struct node *node)
{
    enum node_exit exit;

    if (node->options.escrow.directory[0] == '\0')
        return NODE_DRAINED;
    node->escrow = calloc(1, sizeof *node->escrow);
    NEED(node->escrow != NULL);
    escrow_init(node->escrow, node);
    exit = escrow_key(node->escrow);
    if (exit == NODE_DRAINED)
        exit = node_take(&node->escrow->disk, node->options.escrow.directory);
    return exit;
}

void node_escrow_start(struct node *node)
{
    struct node_escrow *escrow = node->escrow;

    if (escrow == NULL)
        return;
    if (pthread_create(&escrow->thread, NULL, escrow_run, escrow) != 0)
        node_failed(node, ST_EXHAUSTED, 0, "starting a thread");
    escrow->running = true;
}

void node_escrow_stop(struct node *node)
{
    struct node_escrow *escrow = node->escrow;

    if (escrow == NULL || !escrow->running)
        return;
    (void)pthread_mutex_lock(&escrow->lock);
    escrow->stopping = true;
    (void)pthread_cond_signal(&escrow->changed);
    (void)pthread_mutex_unlock(&escrow->lock);
    (void)pthread_join(escrow->thread, NULL);
    escrow->running = false;
    escrow_turn(escrow, true); /* What came since. */
}

void node_escrow_close(struct node *node)
{
    struct node_escrow *escrow = node->escrow;

    if (escrow == NULL)
        return;
    disk_posix_close(escrow->disk);
    (void)pthread_cond_destroy(&escrow->changed);
    (void)pthread_mutex_destroy(&escrow->lock);
    free(escrow);
    node->escrow = NULL;
}

/* ---- Of a stopped node --------------------------------------------------- */

void node_print_end(struct node *node)
{
    const struct state_head *head = state_head(node->state);
    char leaf[2 * HASH_SIZE + 1], digest[2 * HASH_SIZE + 1];

    (void)printf(
        "size    %" PRIu64 "\nleaf    %s\ndigest  %s\n", head->applied_size,
        sodium_bin2hex(leaf, sizeof leaf, head->applied_leaf, HASH_SIZE),
        sodium_bin2hex(digest, sizeof digest, head->digest, HASH_SIZE));
}

enum node_exit node_escrow(const struct options *options)
{
    struct node *node = NULL;
    enum node_exit exit;
    enum status status;

    if (options->escrow.directory[0] == '\0') {
        (void)node_fail(ST_USAGE, "the configuration has no such section",
                        "[escrow]");
        return NODE_USAGE;
    }
    exit = node_open(&node, options);
    if (exit != NODE_DRAINED)
        return exit;
    status = escrow_write(node->escrow, state_head(node->state)->applied_size);
    if (status == ST_OK)
        node_print_end(node);
    else
        exit =
            node_fail(status, "writing the escrow", options->escrow.directory);
    node_close(node);
    return exit;
}
