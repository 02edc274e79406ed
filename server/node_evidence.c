/*
 * node_evidence.c: the node and what it publishes of its log.
 */
#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "server/diag.h"
#include "server/evidence/tree_files.h"
#include "server/node_private.h"

static void evidence_on_say(void *context, enum evidence_level level,
                            const char *line)
{
    static const enum diag_level levels[] = {
        [EVIDENCE_NOTE] = DIAG_NOTE,
        [EVIDENCE_WARNING] = DIAG_WARNING,
        [EVIDENCE_FAILURE] = DIAG_FAILURE,
    };

    (void)context;
    diag_say(levels[level], "evidence: %s", line);
}

static void evidence_on_checkpoint(void *context,
                                   const struct evidence_checkpoint *checkpoint)
{
    struct node *node = context;

    MAYBE(checkpoint->own);
    if (node->cosign != NULL)
        cosign_published(node->cosign);
}

static void evidence_on_witnessed(void *context,
                                  const struct evidence_checkpoint *checkpoint)
{
    struct node *node = context;

    MAYBE(checkpoint->own);
    if (node->cosign != NULL)
        cosign_witnessed(node->cosign);
}

static int64_t evidence_wall(void *context)
{
    const struct node *node = context;

    return clock_wall(&node->clock);
}

static int64_t evidence_boot(void *context)
{
    const struct node *node = context;

    return clock_boot(&node->clock);
}

/* An archive has none, and never signs. */
enum node_exit node_read_log_key(struct node *node)
{
    struct keyfile key = {0};
    bool is_there;
    enum node_exit exit =
        node_read_key(node, &key, &is_there, FILE_LOG_KEY, KEYFILE_LOG);

    if (exit != NODE_DRAINED || !is_there)
        return exit;
    identity_init(&node->log_identity, key.secret);
    keyfile_wipe(&key);
    node->has_log_key = memcmp(node->log_identity.public_key,
                               node->genesis.log_key.b, PUBLIC_KEY_SIZE) == 0;
    if (node->has_log_key)
        return NODE_DRAINED;
    identity_wipe(&node->log_identity);
    return node_fail(ST_WRONG_ENV, "genesis names another log key",
                     FILE_LOG_KEY);
}

/* Who must have signed before this node calls a checkpoint witnessed. */
static enum node_exit evidence_policy(struct node *node)
{
    const char *path = node->options.policy;
    struct tlog_policy_error error;
    size_t size;
    enum status status;

    if (path[0] == '\0')
        return NODE_DRAINED;
    node->policy = calloc(1, sizeof *node->policy);
    node->policy_text = malloc(TLOG_POLICY_SIZE_MAX);
    NEED(node->policy != NULL && node->policy_text != NULL);
    status =
        files_read(node->policy_text, &size, path, TLOG_POLICY_SIZE_MAX, false);
    if (status != ST_OK)
        return node_fail(status, "reading the policy", path);
    status = tlog_policy_read(node->policy, &error,
                              slice_of(node->policy_text, size));
    if (status == ST_OK)
        return NODE_DRAINED;
    diag_say(DIAG_FAILURE, "%s: line %zu: %s", path, error.line,
             tlog_policy_fault_text(error.fault));
    return NODE_REFUSED;
}

/* Order: the state is at the end of what may be applied. */
enum node_exit node_open_evidence(struct node *node)
{
    enum node_exit exit = evidence_policy(node);
    struct evidence_parts parts = {
        .disk = disk_posix_disk(node->disk),
        .journal = node->journal,
        .origin = node->origin,
        .log_public_key = node->genesis.log_key.b,
        .log_identity = node->has_log_key ? &node->log_identity : NULL,
        .clock_context = node,
        .wall_us = evidence_wall,
        .boot_us = evidence_boot,
        .events = {.context = node,
                   .say = evidence_on_say,
                   .checkpoint = evidence_on_checkpoint,
                   .witnessed = evidence_on_witnessed},
    };
    enum status status;

    if (exit != NODE_DRAINED)
        return exit;
    parts.policy = node->policy;
    parts.cosigners = (struct evidence_cosigners){node, node_find_cosigner};
    if (node->log_vkey[0] == '\0') {
        diag_say(DIAG_WARNING, "the origin of this log is no name: it has no "
                               "checkpoints");
        return NODE_DRAINED;
    }
    status = evidence_open(&node->evidence, &parts, apply_size(node->apply));
    if (status != ST_OK)
        return node_fail(
            files_why(status, node->options.directory, TREE_FILES_DIRECTORY),
            "opening the tree of the log", TREE_FILES_DIRECTORY);
    /* Whoever writes a policy reads it here. */
    diag_say(DIAG_NOTE, "the log's key is %s", node->log_vkey);
    return NODE_DRAINED;
}

void node_close_evidence(struct node *node)
{
    evidence_close(node->evidence);
    free(node->policy);
    free(node->policy_text);
}
