/*
 * node_restore.c: a node of a log that came out of the archive.
 *
 *   the escrow is opened whole ──> the log is verified, and marked
 *     ──> meta ──> keyring.db, by its name at last ──> the state, out of the
 * log
 *
 * Where any of it fails, what was made is removed: it can be done once more,
 * with another escrow or other units.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "replication/mark.h"
#include "replication/need.h"
#include "server/diag.h"
#include "server/evidence/evidence_state.h"
#include "server/node_private.h"
#include "server/node_undo.h"
#include "server/pipeline/erasure.h"
#include "server/store/database.h"
#include "server/store/escrow_file.h"

#define RESTORE_KEYRING "keyring.restored"

/* What becomes a node. */
struct node_restoring {
    struct node *node;
    struct disk_posix *escrow;
    const char *from; /* The escrow's directory. */
    struct keyfile recovery;
    uint64_t escrow_size; /* Entries that the log had then. */
    struct node_undo undo;
};

static bool is_there(const struct node *node, const char *name)
{
    char path[FILES_PATH_SIZE_MAX];

    return files_path(path, node->options.directory, name) &&
           access(path, F_OK) == 0;
}

/* ---- The escrow ---------------------------------------------------------- */

static enum node_exit restore_escrow_fail(
    const struct node_restoring *restoring, enum status status)
{
    const char *what = "opening the escrow, nothing was written";

    if (status == ST_NO_FILE)
        what = "there is no file \"" ESCROW_FILE "\"";
    else if (status == ST_WRONG_ENV)
        what = "this escrow is of another cluster than the recovery key";
    else if (status == ST_KEY_TYPE)
        what = "this escrow is sealed to another recovery key";
    else if (status == ST_SEAL)
        what = "this escrow was changed, nothing was written";
    else if (status == ST_TORN_TAIL)
        what = "this escrow is cut off, nothing was written";
    return node_fail(status, what, restoring->from);
}

/* All of it, before anything is written. */
static enum node_exit restore_check(struct node_restoring *restoring)
{
    const struct node *node = restoring->node;
    struct escrow_file_result result;
    enum status status;

    if (is_there(node, FILE_KEYRING_DB) || is_there(node, FILE_STATE_DB))
        return node_fail(ST_EXISTS, "there is a keyring or a state already",
                         node->options.directory);
    if (!is_there(node, FILE_LOG_DIR))
        return node_fail(ST_NO_FILE, "restore the log first", FILE_LOG_DIR);
    if (memcmp(restoring->recovery.cluster_id, node->cluster_id,
               CLUSTER_ID_SIZE) != 0)
        return node_fail(ST_WRONG_ENV, "the recovery key is of another cluster",
                         node->options.directory);
    status = escrow_file_check(&result, disk_posix_disk(restoring->escrow),
                               &restoring->recovery);
    if (status != ST_OK)
        return restore_escrow_fail(restoring, status);
    restoring->escrow_size = result.header.size;
    diag_say(DIAG_NOTE,
             "the escrow has %" PRIu64 " keys of the first %" PRIu64 " entries",
             result.rows_count, result.header.size);
    return NODE_DRAINED;
}

static enum status restore_rename(const struct node *node, const char *older,
                                  const char *newer)
{
    struct disk *disk = disk_posix_disk(node->disk);
    enum status status = disk_rename(disk, older, newer);

    return status == ST_OK ? disk_sync_directory(disk, "") : status;
}

static enum node_exit restore_keys(struct node_restoring *restoring)
{
    struct node *node = restoring->node;
    struct escrow_file_result result;
    char path[FILES_PATH_SIZE_MAX];
    struct keyring *keyring = NULL;
    enum status status = ST_USAGE;

    if (files_path(path, node->options.directory, RESTORE_KEYRING)) {
        database_remove(path);
        status = keyring_open(&keyring, path, node->keyring_key.secret,
                              node->cluster_id);
    }
    if (status == ST_OK) {
        status =
            escrow_file_take(&result, disk_posix_disk(restoring->escrow),
                             &restoring->recovery, keyring, node->snapshots);
        keyring_close(keyring);
    }
    if (status == ST_OK)
        status = restore_rename(node, RESTORE_KEYRING, FILE_KEYRING_DB);
    if (status == ST_OK)
        return NODE_DRAINED;
    database_remove(path);
    (void)node_fail(status, "taking the keys out of the escrow",
                    restoring->from);
    return status == ST_DISK_FULL || status == ST_DISK_FAILED ? NODE_DISK
                                                              : NODE_REFUSED;
}

/* ---- The log ------------------------------------------------------------- */

/* The archive holds what is committed, and nothing else: all of the log is. */
static enum node_exit restore_mark(struct node *node, struct journal *journal)
{
    const struct journal_end end = journal_end(journal);
    struct mark_value value = {
        .epoch = end.epoch, .size = end.size, .committed = end.size};
    enum status status;

    memcpy(value.leaf, end.leaf, HASH_SIZE);
    journal_close(journal);
    status = mark_create(disk_posix_disk(node->disk), &value);
    return status == ST_OK ? NODE_DRAINED
                           : node_fail(status, "marking the log", MARK_FILE);
}

static enum node_exit restore_log(struct node *node)
{
    const struct journal_options options = {.segment_size = SEGMENT_SIZE,
                                            .repair = true};
    struct journal_report report;
    struct journal *journal = NULL;
    char text[512];
    enum status status =
        journal_open(&journal, &report, disk_posix_disk(node->disk), &options);

    if (status == ST_OK && (report.found != JOURNAL_MARK_GONE ||
                            report.holes > 0 || report.aside[0] != '\0')) {
        journal_describe(text, sizeof text, &report);
        diag_say(DIAG_FAILURE, "log: %s", text);
        status = ST_CHAIN_BROKEN;
    }
    if (status != ST_OK) {
        journal_close(journal);
        (void)node_fail(status, "the log is not what the archive gives",
                        FILE_LOG_DIR);
        return NODE_DAMAGED;
    }
    return restore_mark(node, journal);
}

/*
 * Who served has made promises that stand in its meta, and has acknowledged
 * what may lie behind the archive's end: it gets them back, or another node
 * takes its place.
 */
static enum node_exit restore_place(struct node *node)
{
    struct meta_value value = {.incarnation = 0};
    uint8_t leaf[HASH_SIZE];
    enum node_exit exit;
    enum status status;

    if (is_there(node, META_FILE))
        return NODE_DRAINED;
    if (node->is_first || !node->options.cluster.is_there ||
        is_there(node, EVIDENCE_STATE_FILE))
        return node_fail(ST_LOST,
                         "this node served: give its meta and mark back, or "
                         "restore into a new node",
                         META_FILE);
    exit = restore_log(node);
    if (exit != NODE_DRAINED)
        return exit;
    entry_leaf_hash(leaf, slice_of(node->genesis_bytes, node->genesis_size));
    memcpy(value.node_id, node->node_id, NODE_ID_SIZE);
    memcpy(value.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    memcpy(value.lineage, leaf, sizeof value.lineage);
    status = meta_create(disk_posix_disk(node->disk), &value);
    return status == ST_OK ? NODE_DRAINED
                           : node_fail(status, "making meta", META_FILE);
}

/* ---- All of it ----------------------------------------------------------- */

static enum node_exit restore_open(struct node_restoring *restoring,
                                   const struct options *options,
                                   const char *key)
{
    struct node *node = restoring->node;
    enum node_exit exit;
    enum status status;

    node->options = *options;
    node->clock = clock_system();
    exit = node_take(&node->disk, options->directory);
    if (exit != NODE_DRAINED)
        return exit;
    node->snapshots = disk_posix_disk(node->disk);
    exit = node_read_files(node);
    if (exit != NODE_DRAINED)
        return exit;
    status = files_read_key(&restoring->recovery, key, KEYFILE_RECOVERY);
    if (status == ST_FILE_MODE)
        return node_fail(status, "chmod 600; a plain file, this user's own",
                         key);
    if (status != ST_OK)
        return node_fail(status, "reading the recovery key", key);
    return node_take(&restoring->escrow, restoring->from);
}

/* An escrow from before an act still has what the act destroyed: it goes. */
static enum node_exit restore_bury(struct node *node)
{
    struct erasure_list list;
    enum status status = erasure_find(&list, node->apply);

    if (status == ST_OK && list.count > 0) {
        status = erasure_sync(node->apply) ? ST_OK : ST_BUSY;
        if (status == ST_OK)
            erasure_bury(node->keyring, &list);
        diag_say(DIAG_NOTE, "%zu keys of the escrow were destroyed by acts",
                 list.count);
    }
    erasure_wipe(&list);
    return status == ST_OK
               ? NODE_DRAINED
               : node_fail(status, "destroying keys anew", FILE_KEYRING_DB);
}

/* A newer escrow lacks what acts behind the units destroyed, and what they did
 * to the state is in no unit. */
static enum node_exit restore_short(uint64_t escrow_size, uint64_t size)
{
    if (escrow_size > size)
        diag_say(DIAG_FAILURE,
                 "this escrow is of entry %" PRIu64
                 ", the units end at %" PRIu64
                 ": give later units, or the escrow of their time",
                 escrow_size, size);
    return node_fail(ST_LOST, "the state does not reach the log's end",
                     FILE_STATE_DB);
}

/* The state comes out of the log, and says whether all of it fits. */
static enum node_exit restore_state(const struct options *options,
                                    uint64_t escrow_size)
{
    struct options alone = *options;
    struct node *node = NULL;
    enum node_exit exit;
    uint64_t size;

    alone.escrow.directory[0] = '\0'; /* It may be the one that is read. */
    exit = node_open(&node, &alone);
    if (exit != NODE_DRAINED)
        return exit;
    size = journal_size(node->journal);
    if (state_head(node->state)->applied_size != size)
        exit = restore_short(escrow_size, size);
    if (exit == NODE_DRAINED)
        exit = restore_bury(node);
    if (exit == NODE_DRAINED)
        node_print_end(node);
    node_close(node);
    return exit;
}

/* Nobody else may have taken the directory meanwhile. */
static void restore_undo(const struct node_undo *undo)
{
    struct disk_posix *disk = NULL;

    if (node_take(&disk, undo->directory) == NODE_DRAINED &&
        node_undo_back(undo) == ST_OK)
        diag_say(DIAG_NOTE, "what was restored is removed: %s is as it was",
                 undo->directory);
    else
        diag_say(DIAG_FAILURE, "what was restored cannot be removed from %s",
                 undo->directory);
    disk_posix_close(disk);
}

enum node_exit node_restore(const struct options *options, const char *escrow,
                            const char *key)
{
    struct node_restoring restoring = {.from = escrow};
    enum node_exit exit;
    bool is_begun;

    restoring.node = calloc(1, sizeof *restoring.node);
    NEED(restoring.node != NULL);
    exit = restore_open(&restoring, options, key);
    if (exit == NODE_DRAINED)
        exit = restore_check(&restoring);
    is_begun = exit == NODE_DRAINED &&
               node_undo_note(&restoring.undo, options->directory) == ST_OK;
    if (exit == NODE_DRAINED && !is_begun)
        exit = node_fail(ST_DISK_FAILED, "reading", options->directory);
    if (exit == NODE_DRAINED)
        exit = restore_place(restoring.node);
    if (exit == NODE_DRAINED)
        exit = restore_keys(&restoring);
    keyfile_wipe(&restoring.recovery);
    disk_posix_close(restoring.escrow);
    node_close(restoring.node);
    if (exit == NODE_DRAINED)
        exit = restore_state(options, restoring.escrow_size);
    if (exit != NODE_DRAINED && is_begun)
        restore_undo(&restoring.undo);
    node_undo_wipe(&restoring.undo);
    return exit;
}
