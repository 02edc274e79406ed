/*
 * node_cluster_erasure.c: confirmations on their way to the primary, and
 * snapshots to a node that came after a destruction: it cannot read any more
 * what decided the entries before.
 *
 * Such a node believes no peer: it first waits until its own log attests the
 * digest of a state (node_confirmed.h), asks one peer after the other for that
 * one, part by part, and begins anew from the file (node_snapshot.c).  All of
 * it is on the host's thread, but for node_cluster_confirm(); so the digest is
 * made as the parts come.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/peer.h"
#include "server/cluster/cluster_clock.h"
#include "server/diag.h"
#include "server/node_cluster.h"
#include "server/store/snapshot.h"

enum {
    FETCH_SILENT_MS = 3000, /* Then another peer is asked. */
    FETCH_WHOLE_MS = 60000, /* So it is for one that takes longer than this */
    /* and this: a part of 48 KiB each 230 ms, which is a journey far away. */
    FETCH_MS_PER_MIB = 5000,
    FETCH_READ_ENTRIES = 4096, /* Of the log, at a time. */
    REFUSED_SAY_MS = 60000,    /* Between two complaints of confirmations. */
    MIB = 1024 * 1024
};

/* ---- Confirmations ------------------------------------------------------- */

void node_cluster_confirm(void *context, struct slice command)
{
    struct node *node = context;
    struct peer_frame frame = {.type = PEER_CONFIRM};

    REQUIRE(command.size <= PEER_CONFIRM_SIZE_MAX);
    frame.confirm.command = command;
    host_send(node->cluster->host, NULL, &frame);
}

void node_cluster_confirmed(void *context, struct slice command)
{
    struct node *node = context;
    enum status status = pipeline_take_confirmation(node->pipeline, command);
    int64_t now_ms = cluster_clock_ms();

    if (status == ST_OK || status == ST_NOT_PRIMARY)
        return;
    node->cluster->refused_count++;
    if (node->cluster->refused_said_ms != 0 &&
        now_ms - node->cluster->refused_said_ms < REFUSED_SAY_MS)
        return;
    node->cluster->refused_said_ms = now_ms;
    diag_say(DIAG_WARNING,
             "a confirmation of another node is refused: %s (%" PRIu64
             " so far)",
             status_info(status)->english, node->cluster->refused_count);
}

/* ---- Giving -------------------------------------------------------------- */

void node_cluster_snapshot_read(void *context, struct peer_frame *frame)
{
    static uint8_t bytes[PEER_SNAPSHOT_SIZE_MAX];
    struct node *node = context;
    struct disk *disk = disk_posix_disk(node->disk);
    struct peer_snapshot *part = &frame->snapshot;
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_file *file;
    size_t got = 0;

    if (part->size == 0)
        part->size = snapshot_newest(disk, UINT64_MAX);
    snapshot_name(name, part->size, false);
    if (part->size == 0 || disk_open(disk, &file, name) != ST_OK) {
        part->size = 0;
        return;
    }
    if (disk_size(file, &part->total) != ST_OK || part->offset > part->total ||
        disk_read(file, &got, bytes, sizeof bytes, part->offset) != ST_OK)
        part->size = 0;
    part->bytes = slice_of(bytes, part->size == 0 ? 0 : got);
    disk_close(file);
}

/* ---- Fetching ------------------------------------------------------------ */

static void fetch_drop(struct node *node, struct node_fetch *fetch)
{
    char name[SNAPSHOT_NAME_SIZE];

    if (fetch->file != NULL) {
        disk_close(fetch->file);
        snapshot_name(name, fetch->size, true);
        if (disk_remove(disk_posix_disk(node->disk), name) != ST_OK)
            diag_say(DIAG_WARNING, "%s stays until the next start", name);
    }
    fetch->file = NULL;
    fetch->size = 0;
}

static void fetch_ask(struct node *node, struct node_fetch *fetch)
{
    const struct links_options *links = &node->options.cluster.links;
    struct peer_frame frame = {.type = PEER_SNAPSHOT_ASK};

    frame.snapshot_ask.size = fetch->size;
    frame.snapshot_ask.offset = fetch->offset;
    fetch->asked_ms = cluster_clock_ms();
    host_send(node->cluster->host, links->peers[fetch->peer].node_id, &frame);
}

/* The next peer that sent nothing wrong; false if there is none. */
static bool fetch_choose(const struct node *node, struct node_fetch *fetch)
{
    size_t count = node->options.cluster.links.peers_count;

    for (size_t i = 0; i < count; i++) {
        fetch->peer = (fetch->peer + 1) % count;
        if (!fetch->bad[fetch->peer])
            return true;
    }
    return false;
}

/* What the log attests, from the next peer, from the beginning. */
static void fetch_begin(struct node *node, struct node_fetch *fetch)
{
    uint64_t size =
        confirmed_newest(fetch->confirmed, pipeline_lacks(node->pipeline));

    if (size == 0 ||
        confirmed_state(fetch->confirmed, fetch->expected, size) != ST_OK ||
        !fetch_choose(node, fetch))
        return;
    fetch->size = size;
    fetch->total = fetch->offset = 0;
    fetch->begun_ms = cluster_clock_ms();
    crypto_hash_sha256_init(&fetch->hash);
    fetch_ask(node, fetch);
}

static bool fetch_create(struct node *node, struct node_fetch *fetch)
{
    struct disk *disk = disk_posix_disk(node->disk);
    char name[SNAPSHOT_NAME_SIZE];
    enum status status = disk_make_directory(disk, SNAPSHOT_DIRECTORY);

    snapshot_drop_parts(disk);
    snapshot_name(name, fetch->size, true);
    if (status == ST_OK)
        status = disk_create(disk, &fetch->file, name);
    return status == ST_OK;
}

static bool fetch_keep(struct node *node, struct node_fetch *fetch)
{
    struct disk *disk = disk_posix_disk(node->disk);
    char name[SNAPSHOT_NAME_SIZE], partial[SNAPSHOT_NAME_SIZE];

    if (disk_sync(fetch->file) != ST_OK)
        return false;
    disk_close(fetch->file);
    fetch->file = NULL;
    snapshot_name(name, fetch->size, false);
    snapshot_name(partial, fetch->size, true);
    return disk_rename(disk, partial, name) == ST_OK &&
           disk_sync_directory(disk, SNAPSHOT_DIRECTORY) == ST_OK &&
           disk_sync_directory(disk, "") == ST_OK;
}

/* ---- Parts --------------------------------------------------------------- */

/* Another answers a question that was given up: it came late, and is no lie.
 */
static bool part_is_asked(const struct node_fetch *fetch,
                          const struct peer_snapshot *part)
{
    return part->size == fetch->size && part->offset == fetch->offset;
}

/* Whether the part that was asked for is of what was told before. */
static bool part_fits(const struct node_fetch *fetch,
                      const struct peer_snapshot *part)
{
    uint64_t left;

    if (part->total / MIB >= SNAPSHOT_MIB_MAX || part->total <= part->offset ||
        (fetch->total != 0 && part->total != fetch->total))
        return false;
    left = part->total - part->offset;
    return part->bytes.size ==
           (left < PEER_SNAPSHOT_SIZE_MAX ? left : PEER_SNAPSHOT_SIZE_MAX);
}

static void fetch_refuse(struct node *node, struct node_fetch *fetch)
{
    diag_say(DIAG_WARNING,
             "what another node sent is not the snapshot of %" PRIu64
             " entries that the log attests: it is not asked any more",
             fetch->size);
    fetch->bad[fetch->peer] = true;
    fetch_drop(node, fetch);
}

static void fetch_end(struct node *node, struct node_fetch *fetch)
{
    uint8_t digest[HASH_SIZE];
    uint64_t size = fetch->size;

    crypto_hash_sha256_final(&fetch->hash, digest);
    if (memcmp(digest, fetch->expected, HASH_SIZE) != 0) {
        fetch_refuse(node, fetch);
        return;
    }
    if (!fetch_keep(node, fetch)) {
        fetch_drop(node, fetch);
        return;
    }
    diag_say(DIAG_NOTE,
             "a snapshot of %" PRIu64
             " entries came from another node, and the log attests it",
             size);
    fetch->size = 0;
    node_cluster_begin_anew(node);
}

void node_cluster_snapshot_part(void *context, const uint8_t *node_id,
                                const struct peer_frame *frame)
{
    struct node *node = context;
    struct node_fetch *fetch = &node->cluster->fetch;
    const struct peer_snapshot *part = &frame->snapshot;

    if (fetch->size == 0 ||
        memcmp(node_id, node->options.cluster.links.peers[fetch->peer].node_id,
               NODE_ID_SIZE) != 0)
        return;
    if (part->size == 0) {
        /* It has none: another is asked, and it later. */
        fetch_drop(node, fetch);
        return;
    }
    if (!part_is_asked(fetch, part))
        return;
    if (!part_fits(fetch, part)) {
        fetch_refuse(node, fetch);
        return;
    }
    if ((fetch->file == NULL && !fetch_create(node, fetch)) ||
        disk_write(fetch->file, part->bytes.data, part->bytes.size,
                   part->offset) != ST_OK) {
        fetch_drop(node, fetch);
        return;
    }
    crypto_hash_sha256_update(&fetch->hash, part->bytes.data, part->bytes.size);
    fetch->total = part->total;
    fetch->offset += part->bytes.size;
    if (fetch->offset == fetch->total)
        fetch_end(node, fetch);
    else
        fetch_ask(node, fetch);
}

/* ---- Now and again ------------------------------------------------------- */

static bool fetch_is_late(const struct node_fetch *fetch, int64_t now_ms)
{
    int64_t whole_ms =
        FETCH_WHOLE_MS + (int64_t)(fetch->total / MIB) * FETCH_MS_PER_MIB;

    return now_ms - fetch->asked_ms > FETCH_SILENT_MS ||
           now_ms - fetch->begun_ms > whole_ms;
}

void node_cluster_fetch(struct node *node, uint64_t committed)
{
    struct node_fetch *fetch = &node->cluster->fetch;
    int64_t now_ms = cluster_clock_ms();

    if (pipeline_lacks(node->pipeline) == 0 ||
        node->options.cluster.links.peers_count == 0 ||
        atomic_load(&node->cluster->anew))
        return;
    if (!fetch->said) {
        diag_say(DIAG_NOTE, "asking other nodes for a snapshot of the state");
        fetch->said = true;
        fetch->confirmed = confirmed_open(node->journal, node->cluster_id);
    }
    if (!confirmed_read(fetch->confirmed, committed, FETCH_READ_ENTRIES))
        return;
    if (fetch->size != 0 && fetch_is_late(fetch, now_ms))
        fetch_drop(node, fetch);
    /* Nobody is asked more often than this. */
    if (fetch->size == 0 && now_ms - fetch->asked_ms > FETCH_SILENT_MS / 4)
        fetch_begin(node, fetch);
}

void node_cluster_fetch_close(struct node *node)
{
    struct node_fetch *fetch = &node->cluster->fetch;

    fetch_drop(node, fetch);
    confirmed_close(fetch->confirmed);
    fetch->confirmed = NULL;
}
