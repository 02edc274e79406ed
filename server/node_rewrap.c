/*
 * node_rewrap.c: another keyring.key for a stopped node, and what is done at
 * the start where that did not come to its end.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#include "replication/need.h"
#include "server/diag.h"
#include "server/node_private.h"

static enum node_exit rewrap_fail(enum status status,
                                  const struct rewrap_report *report)
{
    (void)node_fail(status, report->fault, report->file);
    return status == ST_DISK_FULL || status == ST_DISK_FAILED ? NODE_DISK
                                                              : NODE_REFUSED;
}

/* Requires: node->disk is taken, and genesis read. */
static enum node_exit rewrap_init(struct rewrap *out,
                                  char path[FILES_PATH_SIZE_MAX],
                                  const struct node *node)
{
    if (!files_path(path, node->options.directory, FILE_KEYRING_DB))
        return node_fail(ST_USAGE, "the path is too long", FILE_KEYRING_DB);
    *out =
        (struct rewrap){.disk = disk_posix_disk(node->disk), .keyring = path};
    memcpy(out->cluster_id, node->cluster_id, CLUSTER_ID_SIZE);
    return NODE_DRAINED;
}

static void settle_say(enum rewrap_found found)
{
    switch (found) {
    case REWRAP_NOTHING:
        return;
    case REWRAP_FINISHED:
        diag_say(DIAG_WARNING,
                 "a --rewrap that was cut off is finished: " FILE_KEYRING_KEY
                 " is the new key, and the former one is overwritten");
        return;
    case REWRAP_UNDONE:
        diag_say(DIAG_WARNING,
                 "a --rewrap that was cut off is taken back: " FILE_KEYRING_KEY
                 " is the key that it was, and the new one is overwritten");
        return;
    }
}

enum node_exit node_rewrap_settle(struct node *node,
                                  enum rewrap_found *found_out)
{
    char path[FILES_PATH_SIZE_MAX];
    struct rewrap_report report;
    struct rewrap rewrap;
    enum node_exit exit;
    enum status status;
    bool is_next;

    *found_out = REWRAP_NOTHING;
    exit = rewrap_init(&rewrap, path, node);
    /* Who may read it, before it counts; where there is locked memory. */
    if (exit == NODE_DRAINED)
        exit = node_read_key_in(&node->keyring_key, &is_next,
                                node->options.directory, FILE_KEYRING_KEY_NEXT,
                                KEYFILE_KEYRING, false);
    keyfile_wipe(&node->keyring_key);
    if (exit != NODE_DRAINED)
        return exit;
    status = rewrap_settle(&report, &rewrap);
    if (status != ST_OK)
        return rewrap_fail(status, &report);
    settle_say(report.found);
    *found_out = report.found;
    return NODE_DRAINED;
}

/* It is read there at each start, and cannot be written from here. */
static enum node_exit rewrap_no_credential(const struct node *node)
{
    char path[FILES_PATH_SIZE_MAX];

    if (node->options.credentials[0] == '\0' ||
        !files_path(path, node->options.credentials, FILE_KEYRING_KEY) ||
        access(path, F_OK) != 0)
        return NODE_DRAINED;
    return node_fail(ST_WRONG_STATE,
                     "a credential cannot be replaced from here: see "
                     "OPERATING, another key for the keyring",
                     path);
}

static enum node_exit rewrap_key(struct node *node)
{
    bool is_there;
    enum node_exit exit =
        node_read_key_in(&node->keyring_key, &is_there, node->options.directory,
                         FILE_KEYRING_KEY, KEYFILE_KEYRING, false);

    if (exit == NODE_DRAINED && !is_there)
        exit = node_fail(ST_NO_FILE,
                         "it must lie in the node's directory; see OPERATING, "
                         "another key for the keyring",
                         FILE_KEYRING_KEY);
    return exit;
}

static enum node_exit rewrap_all(struct node *node)
{
    char path[FILES_PATH_SIZE_MAX];
    struct rewrap_report report;
    enum rewrap_found found;
    struct rewrap rewrap;
    enum status status;
    enum node_exit exit = rewrap_init(&rewrap, path, node);

    if (exit != NODE_DRAINED)
        return exit;
    status = rewrap_run(&report, &rewrap, node->keyring_key.secret);
    if (status == ST_OK) {
        diag_say(DIAG_NOTE,
                 "%" PRIu64 " seal keys are under a new " FILE_KEYRING_KEY
                 "; the former one is overwritten, and opens nothing here",
                 report.rows_count);
        return NODE_DRAINED;
    }
    exit = rewrap_fail(status, &report);
    /* After a failed sync nobody knows what is there: the next start looks. */
    if (status != ST_DISK_FAILED)
        (void)node_rewrap_settle(node, &found);
    return exit;
}

static enum node_exit rewrap_node(struct node *node)
{
    enum rewrap_found found = REWRAP_NOTHING;
    enum node_exit exit = node_take(&node->disk, node->options.directory);

    if (exit == NODE_DRAINED)
        exit = rewrap_no_credential(node);
    if (exit == NODE_DRAINED)
        exit = node_read_genesis(node);
    if (exit == NODE_DRAINED)
        exit = node_rewrap_settle(node, &found);
    /* The rows are under a new key: that is what was asked for. */
    if (exit == NODE_DRAINED && found == REWRAP_FINISHED)
        return exit;
    if (exit == NODE_DRAINED)
        exit = rewrap_key(node);
    return exit == NODE_DRAINED ? rewrap_all(node) : exit;
}

enum node_exit node_rewrap(const struct options *options)
{
    struct node *node = calloc(1, sizeof *node);
    enum node_exit exit;

    NEED(node != NULL);
    /* It holds the node's keys. */
    (void)sodium_mlock(node, sizeof *node);
    node->options = *options;
    exit = rewrap_node(node);
    node_close(node);
    return exit;
}
