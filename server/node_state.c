#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "protocol/config.h"
#include "replication/replica.h"
#include "replication/sometimes.h"
#include "server/diag.h"
#include "server/node_private.h"
#include "server/pipeline/erasure.h"
#include "server/registry/epoch.h"
#include "server/store/database.h"
#include "server/store/snapshot.h"

enum { NODE_PROGRESS_S = 2 };

static enum status node_read_entry(void *log, uint64_t index,
                                   struct slice *entry_out)
{
    struct node *node = log;

    return journal_read_entry(node->journal, entry_out, node->entry_buffer,
                              index);
}

/* ---- state.db ----------------------------------------------------------- */

/*
 * Whether the state is a beginning of this log.  What was applied was durable
 * and acknowledged before: where the log does not have it, the log was lost or
 * replaced, and a state made anew would hide it.  A node that knows that its
 * log lost its end fetches it again, and applying compares the hashes then.
 */
static enum status state_check(struct node *node,
                               const struct node_known *known)
{
    const struct state_head *head = state_head(node->state);
    uint8_t leaf[HASH_SIZE];
    struct slice entry;

    if (head->applied_size == 0)
        return ST_OK;
    if (memcmp(head->cluster_id, node->cluster_id, CLUSTER_ID_SIZE) != 0)
        return ST_FILE_FORMAT;
    if (head->applied_size > journal_size(node->journal))
        return known->lost ? ST_OK : ST_LOST;
    if (node_read_entry(node, head->applied_size - 1, &entry) != ST_OK)
        return ST_FILE_FORMAT;
    entry_leaf_hash(leaf, entry);
    return memcmp(leaf, head->applied_leaf, HASH_SIZE) == 0 ? ST_OK : ST_LOST;
}

/* Whether the state was made in another lineage than this node's: of entries
 * that may be lost for good since, which is known and was agreed to. */
static bool state_is_foreign(const struct node *node)
{
    struct row_configuration row;
    uint8_t leaf[HASH_SIZE];
    struct config config;

    if (state_head(node->state)->applied_size == 0)
        return false;
    if (epoch_configuration(node->state, &row) &&
        config_decode(&config, row.configuration) == ST_OK)
        return memcmp(config.lineage, node->lineage, LINEAGE_SIZE) != 0;
    entry_leaf_hash(leaf, slice_of(node->genesis_bytes, node->genesis_size));
    return memcmp(leaf, node->lineage, LINEAGE_SIZE) != 0;
}

/* Without a key what it sealed can be read neither here nor by anybody who is
 * given it from here: this node serves nobody, and leads nobody. */
static enum status state_check_keys(const struct node *node)
{
    struct apply_lacks lacks;
    enum status status = apply_check_keys(&lacks, node->state, node->keyring);

    if (status == ST_OK || status == ST_FILE_FORMAT)
        return status;
    diag_say(
        DIAG_FAILURE,
        status == ST_KEY_MISSING
            ? "%s lacks seal keys that this state needs, %" PRIu64
              " at least, the lowest %" PRIu64
              ": it was lost, or is an older one, and stays as it is: see "
              "OPERATING, seal keys are missing"
            : "%s holds seal keys that do not open, %" PRIu64
              " at least, the lowest %" PRIu64
              ": it is damaged, and stays as it is: see OPERATING, seal keys "
              "are missing",
        FILE_KEYRING_DB, lacks.keys, lacks.first);
    return status;
}

static bool state_lacks_keys(enum status status)
{
    return status == ST_KEY_MISSING || status == ST_SEAL;
}

static enum status state_open_apply(struct node *node)
{
    enum status status = state_check_keys(node);
    struct apply_parts parts = {
        .state = node->state,
        .keyring = node->keyring,
        .search = node->search,
        .directory = node->directory,
        .idempotency = node->idempotency,
        .identity = &node->identity,
        .snapshots = node->snapshots,
        .log = node,
        .read_entry = node_read_entry,
        .failed = node_failed,
    };

    memcpy(parts.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    return status == ST_OK ? apply_open(&node->apply, &parts) : status;
}

static enum status state_try(struct node *node, const char *path,
                             const struct node_known *known, bool *foreign)
{
    enum status status = state_open(&node->state, path);

    if (status != ST_OK)
        return status;
    *foreign = state_is_foreign(node);
    status = *foreign ? ST_FILE_FORMAT : state_check(node, known);
    if (status == ST_OK)
        status = state_open_apply(node);
    if (status != ST_OK) {
        state_close(node->state);
        node->state = NULL;
    }
    return status;
}

static enum node_exit state_open_any(struct node *node,
                                     const struct node_known *known,
                                     bool *foreign_out)
{
    char path[FILES_PATH_SIZE_MAX];
    enum status status;

    if (!files_path(path, node->options.directory, FILE_STATE_DB))
        return node_fail(ST_USAGE, "the path is too long", FILE_STATE_DB);
    status = state_try(node, path, known, foreign_out);
    if (status == ST_FILE_FORMAT) {
        bool none;

        /* The log is the truth; the state is what it says. */
        diag_say(DIAG_WARNING, "%s %s: it is rebuilt from the log", path,
                 *foreign_out ? "is of the lineage before this one"
                              : "does not fit the log");
        /* While the state still tells that this has to be done. */
        if (*foreign_out)
            keyring_lose_acts(node->keyring, journal_size(node->journal));
        database_remove(path);
        status = state_try(node, path, known, &none);
    }
    if (status == ST_LOST) {
        (void)node_fail(status,
                        "this state was made of entries that the log does not "
                        "have, nothing was changed",
                        path);
        return NODE_DAMAGED;
    }
    if (state_lacks_keys(status))
        return NODE_DAMAGED;
    if (status != ST_OK)
        return node_fail(
            files_why(status, node->options.directory, FILE_STATE_DB),
            "opening the state", path);
    return NODE_DRAINED;
}

static void state_end(struct node *node)
{
    apply_close(node->apply);
    node->apply = NULL;
    state_close(node->state);
    node->state = NULL;
    /* It holds commands that the state knows. */
    idempotency_close(node->idempotency);
    node->idempotency = idempotency_open();
}

/* A state made anew, from the snapshot of ${size} or, without, from nothing. */
static enum status state_make(struct node *node, const char *path,
                              uint64_t size)
{
    enum status status;

    database_remove(path);
    status = state_open(&node->state, path);
    if (status == ST_OK && size > 0)
        status = snapshot_load(node->state, node->snapshots, size);
    if (status == ST_OK)
        status = state_open_apply(node);
    if (status != ST_OK && node->state != NULL) {
        state_close(node->state);
        node->state = NULL;
    }
    return status;
}

static enum node_exit state_from_snapshot(struct node *node,
                                          const struct node_known *known)
{
    char path[FILES_PATH_SIZE_MAX];
    uint8_t digest[HASH_SIZE];
    enum status status;
    uint64_t size;
    bool fits = files_path(path, node->options.directory, FILE_STATE_DB);

    INVARIANT(fits);
    if (!node_find_snapshot(node, known, &size, digest))
        return NODE_DRAINED;
    diag_say(DIAG_NOTE,
             "building the state from the snapshot of %" PRIu64 " entries",
             size);
    state_end(node);
    status = state_make(node, path, size);
    if (status == ST_OK) {
        erasure_loaded(node->apply, size, digest);
        return NODE_DRAINED;
    }
    if (state_lacks_keys(status))
        return NODE_DAMAGED;
    diag_say(DIAG_WARNING,
             "the snapshot of %" PRIu64 " entries cannot be read (%s): the "
             "state is rebuilt from the log",
             size, status_info(status)->english);
    status = state_make(node, path, 0);
    return status == ST_OK ? NODE_DRAINED
                           : node_fail(status, "opening the state", path);
}

/*
 * A crash leaves keys of entries that were under way, and no more.  A keyring
 * further ahead belongs to entries that the log lost: its keys are all that
 * still opens other copies of them.
 */
static enum node_exit state_trim_keyring(struct node *node, const char *path)
{
    uint64_t size = journal_size(node->journal);

    if (keyring_end(node->keyring) > size + IDEMPOTENCY_PENDING_MAX) {
        (void)node_fail(ST_LOST,
                        "it has keys of entries that the log does not have, "
                        "nothing was changed",
                        path);
        return NODE_DAMAGED;
    }
    keyring_truncate(node->keyring, size);
    return NODE_DRAINED;
}

/* ---- Replay ------------------------------------------------------------- */

static enum node_exit replay_fail(struct node *node, enum status status,
                                  uint64_t index)
{
    char file[DISK_NAME_SIZE_MAX] = "";
    uint64_t offset = 0;

    if (journal_place(node->journal, file, &offset, index) != ST_OK)
        file[0] = '\0';
    diag_say(DIAG_FAILURE,
             "entry %" PRIu64 " (%s, offset %" PRIu64 ") cannot be applied: "
             "%s. This node stops; the log stays as it is.",
             index, file, offset, status_info(status)->english);
    return status == ST_DIVERGED ? NODE_DIVERGED : NODE_DAMAGED;
}

/* One transaction; ST_END at ${size}. */
static enum status replay_group(struct node *node,
                                struct journal_cursor *cursor, uint64_t size)
{
    enum status status = ST_OK;
    struct slice entry;

    apply_begin(node->apply);
    for (int i = 0; i < GROUP_ENTRIES_MAX && status == ST_OK &&
                    !erasure_waits(node->apply);
         i++) {
        status = apply_size(node->apply) < size
                     ? journal_cursor_next(cursor, &entry)
                     : ST_END;
        if (status == ST_OK)
            status = apply_replay(node->apply, entry);
    }
    /* Also what stands before an entry that is damaged. */
    if (status == ST_OK || status == ST_END || status == ST_CONTENT_GONE ||
        (status == ST_CHECKSUM && !MUTANT(113)))
        apply_commit(node->apply);
    if (status == ST_OK && erasure_waits(node->apply))
        status = erasure_keep(node->apply);
    return status;
}

/* Who lost the act with a lineage may find nobody that has a snapshot. */
static void state_say_lacks(struct node *node)
{
    diag_say(DIAG_WARNING,
             "what entry %" PRIu64 " holds was destroyed since: this node "
             "needs a snapshot of another one, and does not lead without",
             apply_size(node->apply));
    if (keyring_acts_lost(node->keyring) > 0)
        diag_say(DIAG_WARNING,
                 "the act went with the lineage before: if no node of this one "
                 "has a snapshot, see OPERATING, when every member is gone");
}

static enum node_exit replay(struct node *node, const struct node_known *known)
{
    uint64_t from = apply_size(node->apply);
    uint64_t size = journal_size(node->journal);
    time_t said = time(NULL);
    struct journal_cursor *cursor;
    enum status status;

    /* Genesis is committed by what it is. */
    if (size > known->committed && !MUTANT(109))
        size = known->committed > 0 ? known->committed : 1;
    if (from >= size)
        return NODE_DRAINED;
    diag_say(DIAG_NOTE, "replaying entries %" PRIu64 " to %" PRIu64, from,
             size - 1);
    status = journal_cursor_open(&cursor, node->journal, from);
    if (status != ST_OK)
        return node_fail(status, "reading the log", FILE_LOG_DIR);
    while ((status = replay_group(node, cursor, size)) == ST_OK) {
        if (time(NULL) - said < NODE_PROGRESS_S)
            continue;
        said = time(NULL);
        diag_say(DIAG_NOTE, "replayed %" PRIu64 " of %" PRIu64,
                 apply_size(node->apply), size);
    }
    journal_cursor_close(cursor);
    if (status == ST_CONTENT_GONE && known->peers) {
        node->lacks = apply_size(node->apply) + 1;
        state_say_lacks(node);
        return NODE_DRAINED;
    }
    if (status == ST_CHECKSUM && known->peers) {
        diag_say(DIAG_WARNING,
                 "entry %" PRIu64 " is damaged: applied once it is repaired",
                 apply_size(node->apply));
        return NODE_DRAINED;
    }
    if (status != ST_END)
        return replay_fail(node, status, apply_size(node->apply));
    return NODE_DRAINED;
}

/* ---- What a lineage took ------------------------------------------------- */

/* Where the newest lineage that the log tells of began; 0: it tells of none. */
static uint64_t lost_by_log(const struct node *node)
{
    struct row_configuration row = {.index = 0};
    struct config config;
    struct state_scan scan;
    uint64_t size = 0;

    state_scan_key(node->state, &scan, TABLE_CONFIGURATION, &row,
                   (struct state_range){.descending = true});
    while (size == 0 && state_scan_next(&scan, &row)) {
        if (config_decode(&config, row.configuration) == ST_OK &&
            config.why == CONFIG_FORCED)
            size = config.base_size;
    }
    state_scan_close(&scan);
    return size;
}

uint64_t node_lost_below(const struct node *node)
{
    const struct meta_value *meta = &node->meta.value;
    struct config config;
    uint8_t leaf[HASH_SIZE];
    uint64_t size;

    entry_leaf_hash(leaf, slice_of(node->genesis_bytes, node->genesis_size));
    if (memcmp(leaf, node->lineage, LINEAGE_SIZE) == 0)
        return 0;
    if (replica_stored_config(
            &config, slice_of(meta->configuration, meta->configuration_size)) &&
        config.why == CONFIG_FORCED)
        return config.base_size;
    /* A later configuration came before the log did: its begin is not known. */
    size = lost_by_log(node);
    return size != 0 ? size : INT64_MAX;
}

void node_say_lost(void *context, uint64_t count)
{
    (void)context;
    diag_say(DIAG_WARNING,
             "%" PRIu64 " seal keys were taken from another node as destroyed "
             "by acts that this log lost with the lineage before",
             count);
}

/* What acts destroyed that went with a lineage: nobody can make it whole. */
static void state_say_lost(struct node *node)
{
    uint64_t count = keyring_acts_lost(node->keyring);

    if (count > 0)
        diag_say(DIAG_WARNING,
                 "%" PRIu64 " seal keys stay destroyed whose acts this log "
                 "lost with the lineage before: repeat these acts",
                 count);
}

enum node_exit node_open_state(struct node *node,
                               const struct node_known *known)
{
    char path[FILES_PATH_SIZE_MAX];
    enum status status = ST_USAGE;
    enum node_exit exit;
    bool foreign = false;

    if (files_path(path, node->options.directory, FILE_KEYRING_DB))
        status = keyring_open(&node->keyring, path, node->keyring_key.secret,
                              node->cluster_id);
    if (status == ST_SEAL)
        return node_fail(status,
                         "this node's keyring.key does not open it; is it the "
                         "one from before a --rewrap?",
                         path);
    if (status != ST_OK)
        return node_fail(
            files_why(status, node->options.directory, FILE_KEYRING_DB),
            "opening the keyring", path);
    if (node->snapshots != NULL)
        snapshot_drop_parts(node->snapshots);
    node->search = search_open();
    node->directory = directory_open();
    node->idempotency = idempotency_open();
    exit = state_open_any(node, known, &foreign);
    /* The state may yet show that the log is the wrong one; and keys of what
     * was lost open it when it is fetched again. */
    if (exit == NODE_DRAINED && foreign)
        keyring_truncate(node->keyring, journal_size(node->journal));
    else if (exit == NODE_DRAINED && !known->lost)
        exit = state_trim_keyring(node, path);
    if (exit == NODE_DRAINED)
        exit = state_from_snapshot(node, known);
    if (exit == NODE_DRAINED) {
        status = erasure_resume(node->apply);
        if (status != ST_OK)
            exit = node_fail(status, "keeping the state", FILE_STATE_DB);
    }
    if (exit != NODE_DRAINED)
        return exit;
    state_say_lost(node);
    apply_load_search(node->apply);
    exit = replay(node, known);
    if (exit == NODE_DRAINED)
        apply_load_directory(node->apply);
    return exit;
}
