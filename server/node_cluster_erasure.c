/*
 * node_cluster_erasure.c: confirmations on their way to the primary, and
 * snapshots to a node that came after a destruction: it cannot read any more
 * what decided the entries before.
 *
 * Such a node asks one peer after the other for the newest snapshot, part by
 * part, and believes none: it waits until its own log attests the digest, and
 * then begins anew from the file (node_snapshot.c).  All of it is on the host's
 * thread, but for node_cluster_confirm().
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/peer.h"
#include "server/cluster/cluster_clock.h"
#include "server/diag.h"
#include "server/node_cluster.h"
#include "server/store/snapshot.h"

enum { FETCH_SILENT_MS = 3000, MIB = 1024 * 1024 };

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

    if (status != ST_OK && status != ST_NOT_PRIMARY)
        diag_say(DIAG_WARNING, "a confirmation of another node is refused: %s",
                 status_info(status)->english);
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

static void fetch_drop(struct node_fetch *fetch)
{
    disk_close(fetch->file);
    fetch->file = NULL;
    fetch->size = fetch->offset = 0;
    fetch->whole = false;
}

static void fetch_ask(struct node *node, struct node_fetch *fetch)
{
    struct peer_frame frame = {.type = PEER_SNAPSHOT_ASK};

    frame.snapshot_ask.size = fetch->size;
    frame.snapshot_ask.offset = fetch->offset;
    fetch->asked_ms = cluster_clock_ms();
    host_send(node->cluster->host, fetch->node_id, &frame);
}

/* From the next peer, from the beginning. */
static void fetch_next(struct node *node, struct node_fetch *fetch)
{
    const struct links_options *links = &node->options.cluster.links;

    fetch_drop(fetch);
    memcpy(fetch->node_id,
           links->peers[fetch->peer++ % links->peers_count].node_id,
           NODE_ID_SIZE);
    fetch_ask(node, fetch);
}

static bool fetch_create(struct node *node, struct node_fetch *fetch)
{
    struct disk *disk = disk_posix_disk(node->disk);
    char name[SNAPSHOT_NAME_SIZE];
    enum status status = disk_make_directory(disk, SNAPSHOT_DIRECTORY);

    snapshot_name(name, fetch->size, true);
    if (status == ST_OK)
        status = disk_remove(disk, name);
    if (status == ST_OK || status == ST_NO_FILE)
        status = disk_create(disk, &fetch->file, name);
    return status == ST_OK;
}

static bool fetch_write(struct node *node, struct node_fetch *fetch,
                        const struct peer_snapshot *part)
{
    if (fetch->file == NULL && !fetch_create(node, fetch))
        return false;
    if (disk_write(fetch->file, part->bytes.data, part->bytes.size,
                   part->offset) != ST_OK)
        return false;
    fetch->offset += part->bytes.size;
    if (fetch->offset < part->total)
        return true;
    fetch->whole = disk_sync(fetch->file) == ST_OK &&
                   snapshot_digest_file(fetch->digest, fetch->file) == ST_OK;
    return fetch->whole;
}

void node_cluster_snapshot_part(void *context, const uint8_t *node_id,
                                const struct peer_frame *frame)
{
    struct node *node = context;
    struct node_fetch *fetch = &node->cluster->fetch;
    const struct peer_snapshot *part = &frame->snapshot;

    if (!fetch->wanted || fetch->whole ||
        memcmp(node_id, fetch->node_id, NODE_ID_SIZE) != 0 ||
        part->offset != fetch->offset)
        return;
    if (fetch->size == 0)
        fetch->size = part->size;
    /* One that has none, or an older one than needed, is asked again later. */
    if (part->size != fetch->size || part->total / MIB > SNAPSHOT_MIB_MAX ||
        part->size <= pipeline_lacks(node->pipeline) || part->bytes.size == 0 ||
        !fetch_write(node, fetch, part)) {
        fetch_drop(fetch);
        return;
    }
    if (!fetch->whole)
        fetch_ask(node, fetch);
}

/* ---- What was fetched ---------------------------------------------------- */

static bool fetch_keep(struct node *node, struct node_fetch *fetch)
{
    struct disk *disk = disk_posix_disk(node->disk);
    char name[SNAPSHOT_NAME_SIZE], partial[SNAPSHOT_NAME_SIZE];

    snapshot_name(name, fetch->size, false);
    snapshot_name(partial, fetch->size, true);
    return disk_rename(disk, partial, name) == ST_OK &&
           disk_sync_directory(disk, SNAPSHOT_DIRECTORY) == ST_OK &&
           disk_sync_directory(disk, "") == ST_OK;
}

/* The log says whether it is the right one, as far as it has come. */
static void fetch_judge(struct node *node, struct node_fetch *fetch,
                        uint64_t committed)
{
    enum status status =
        node_judge_snapshot(node, fetch->size, committed, fetch->digest);

    if (status == ST_END)
        return;
    if (status == ST_OK && fetch_keep(node, fetch)) {
        diag_say(DIAG_NOTE,
                 "a snapshot of %" PRIu64
                 " entries came from another node, and the log attests it",
                 fetch->size);
        fetch_drop(fetch);
        fetch->wanted = false;
        node_cluster_begin_anew(node);
        return;
    }
    diag_say(DIAG_WARNING,
             "a snapshot that another node sent is not the one that the log "
             "attests: it is asked for elsewhere");
    fetch_next(node, fetch);
}

void node_cluster_fetch(struct node *node, uint64_t committed)
{
    struct node_fetch *fetch = &node->cluster->fetch;
    int64_t now_ms = cluster_clock_ms();

    if (pipeline_lacks(node->pipeline) == 0 ||
        node->options.cluster.links.peers_count == 0)
        return;
    if (!fetch->wanted)
        diag_say(DIAG_NOTE, "asking other nodes for a snapshot of the state");
    if (fetch->whole)
        fetch_judge(node, fetch, committed);
    else if (!fetch->wanted || now_ms - fetch->asked_ms > FETCH_SILENT_MS) {
        fetch->wanted = true;
        fetch_next(node, fetch);
    }
}

void node_cluster_fetch_close(struct node *node)
{
    disk_close(node->cluster->fetch.file);
    node->cluster->fetch.file = NULL;
}
