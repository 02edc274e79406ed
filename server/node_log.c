#include <string.h>
#include <unistd.h>

#include "server/diag.h"
#include "server/node_private.h"

enum { NODE_REPORT_SIZE = 512 };

static struct journal_options log_options(const struct node *node,
                                          uint64_t verify_from)
{
    return (struct journal_options){
        .segment_size = SEGMENT_SIZE,
        .incarnation = node->meta.value.incarnation,
        .epoch = node->meta.value.promised_epoch,
        .verify_from = verify_from,
        .repair = node->options.cluster.is_there,
    };
}

/* Log, then meta: where meta is, all of it is done. */
static enum status log_make(struct node *node)
{
    struct disk *disk = disk_posix_disk(node->disk);
    struct journal_options options = log_options(node, 0);
    struct meta_value value = {.incarnation = 0};
    uint8_t leaf[HASH_SIZE];
    enum status status;

    status = journal_create(disk, &options);
    if (status != ST_OK)
        return status;
    entry_leaf_hash(leaf, slice_of(node->genesis_bytes, node->genesis_size));
    memcpy(value.node_id, node->node_id, NODE_ID_SIZE);
    memcpy(value.cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    memcpy(value.lineage, leaf, sizeof value.lineage);
    return meta_create(disk, &value);
}

/* Keyring and state come after the log: who has them had a log. */
static bool log_was_here(const struct node *node)
{
    static const char *const later[] = {FILE_KEYRING_DB, FILE_STATE_DB};
    char path[FILES_PATH_SIZE_MAX];

    for (size_t i = 0; i < sizeof later / sizeof later[0]; i++) {
        if (files_path(path, node->options.directory, later[i]) &&
            access(path, F_OK) == 0)
            return true;
    }
    return false;
}

static enum node_exit log_open_meta(struct node *node)
{
    struct disk *disk = disk_posix_disk(node->disk);
    enum status status = meta_open(&node->meta, disk);

    if (status == ST_NO_FILE && log_was_here(node))
        return node_fail(ST_LOST,
                         "there is a keyring or a state, but no meta (case C7)",
                         META_FILE);
    if (status == ST_NO_FILE) {
        diag_say(DIAG_NOTE, "first start: making the log");
        status = log_make(node);
        if (status == ST_EXISTS)
            return node_fail(ST_LOST, "there is a log, but no meta (case C7)",
                             META_FILE);
        if (status == ST_OK)
            status = meta_open(&node->meta, disk);
    }
    if (status == ST_DISK_FAILED)
        return node_fail(files_why(status, node->options.directory, META_FILE),
                         "opening it", META_FILE);
    if (status != ST_OK)
        return node_fail(status, "meta (case C7)", META_FILE);
    node->meta_open = true;
    if (memcmp(node->meta.value.cluster_id, node->cluster_id,
               CLUSTER_ID_SIZE) != 0)
        return node_fail(ST_WRONG_ENV, "the log is of another cluster",
                         META_FILE);
    if (memcmp(node->meta.value.node_id, node->node_id, NODE_ID_SIZE) != 0)
        return node_fail(ST_WRONG_ENV, "the log is another node's", META_FILE);
    status = meta_begin(&node->meta);
    if (status != ST_OK)
        return node_fail(status, "counting this start", META_FILE);
    memcpy(node->lineage, node->meta.value.lineage, LINEAGE_SIZE);
    node_name_log(node);
    return NODE_DRAINED;
}

static enum status log_append_genesis(struct node *node)
{
    struct journal_entry entry = {
        .bytes = slice_of(node->genesis_bytes, node->genesis_size)};
    enum status status;

    entry_leaf_hash(entry.leaf, entry.bytes);
    status = journal_append(node->journal, &entry, 1);
    if (status == ST_OK)
        status = journal_sync(node->journal, 1);
    return status;
}

/* The log begins with the genesis that lies beside it. */
static enum node_exit log_check_genesis(struct node *node)
{
    struct slice entry;
    enum status status = ST_OK;

    if (journal_size(node->journal) == 0)
        status = log_append_genesis(node);
    if (status == ST_OK)
        status =
            journal_read_entry(node->journal, &entry, node->entry_buffer, 0);
    if (status != ST_OK)
        return node_fail(status, "entering genesis", FILE_LOG_DIR);
    if (!slice_equal(entry, slice_of(node->genesis_bytes, node->genesis_size)))
        return node_fail(ST_WRONG_ENV, "the log has another genesis",
                         FILE_GENESIS);
    return NODE_DRAINED;
}

static void log_say(const struct journal_report *report)
{
    char text[NODE_REPORT_SIZE];

    journal_describe(text, sizeof text, report);
    diag_say(report->found == JOURNAL_CLEAN ? DIAG_NOTE : DIAG_WARNING,
             "log: %s", text);
}

enum node_exit node_open_log(struct node *node)
{
    struct journal_report *report = &node->report;
    enum status status;
    bool damaged;
    enum node_exit exit = log_open_meta(node);

    if (exit != NODE_DRAINED)
        return exit;
    struct journal_options options = log_options(node, 0);
    status = journal_open(&node->journal, report, disk_posix_disk(node->disk),
                          &options);
    damaged = status == ST_LOST || status == ST_CHAIN_BROKEN ||
              status == ST_FILE_FORMAT || status == ST_CHECKSUM;
    /* What could not be read was not judged, and what could not be written was
     * not cut off. */
    if (status == ST_OK || damaged)
        log_say(report);
    if (damaged) {
        (void)node_fail(status, "the log is damaged, nothing was changed",
                        report->file);
        return NODE_DAMAGED;
    }
    if (status != ST_OK) {
        const char *file =
            report->file[0] != '\0' ? report->file : FILE_LOG_DIR;

        return node_fail(files_why(status, node->options.directory, file),
                         "opening the log", file);
    }
    return log_check_genesis(node);
}
