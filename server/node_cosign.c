/*
 * node_cosign.c: the node and who else signs its log: its own cosigner's key,
 * and what the folder cosign calls.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "server/cluster/host.h"
#include "server/diag.h"
#include "server/node_cluster.h"
#include "server/node_private.h"

/* ---- Files -------------------------------------------------------------- */

/* Directories that are older than these keys have none. */
enum node_exit node_read_cosigner(struct node *node)
{
    static const uint8_t none[PUBLIC_KEY_SIZE];
    const uint8_t *named = node->genesis.cosigner_key.b;
    struct keyfile key = {0};
    bool is_there;
    enum node_exit exit = node_read_key(node, &key, &is_there,
                                        FILE_COSIGNER_KEY, KEYFILE_COSIGNER);

    if (exit != NODE_DRAINED)
        return exit;
    if (!is_there) {
        if (node->options.cluster.is_there)
            diag_say(DIAG_NOTE, "there is no %s: this node cosigns nothing",
                     FILE_COSIGNER_KEY);
        return NODE_DRAINED;
    }
    if (node->is_first && memcmp(named, none, PUBLIC_KEY_SIZE) != 0 &&
        memcmp(named, key.public_key, PUBLIC_KEY_SIZE) != 0) {
        keyfile_wipe(&key);
        return node_fail(ST_WRONG_ENV, "genesis names another cosigner's key",
                         FILE_COSIGNER_KEY);
    }
    identity_init(&node->cosigner, key.secret);
    keyfile_wipe(&key);
    node->has_cosigner = true;
    return NODE_DRAINED;
}

/* The log's name changes with its lineage: no reason not to start. */
static void cosign_judge_policy(const struct node *node)
{
    const struct tlog_policy *policy = node->policy;
    struct slice vkey = slice_of(node->log_vkey, strlen(node->log_vkey));
    char text[NOTE_KEY_SIZE_MAX];
    struct writer writer;

    for (size_t i = 0; i < policy->logs_count; i++) {
        writer_init(&writer, text, sizeof text);
        note_key_write(&writer, &policy->logs[i].key);
        if (slice_equal(writer_slice(&writer), vkey))
            return;
    }
    diag_say(DIAG_WARNING,
             "the policy does not name this log (%s): nothing is witnessed",
             node->log_vkey);
}

/* ---- Whose lines are known ---------------------------------------------- */

static bool is_line_of(struct node *node, struct note_key *key_out,
                       const struct note_signature *line,
                       const uint8_t *node_id)
{
    struct directory_cosigner cosigner;

    return directory_find_cosigner(node->directory, &cosigner, node_id) &&
           cosigner.is_active &&
           cosigner_name(key_out, node->origin, node_id,
                         cosigner.public_key.b) &&
           note_is_of(line, key_out);
}

bool node_find_cosigner(void *context, struct note_key *key_out,
                        const struct note_signature *line)
{
    struct node *node = context;
    const struct links_options *links = &node->options.cluster.links;

    if (!node->options.cluster.is_there)
        return false;
    for (size_t i = 0; i < links->peers_count; i++) {
        if (is_line_of(node, key_out, line, links->peers[i].node_id))
            return true;
    }
    return is_line_of(node, key_out, line, node->node_id);
}

/* ---- What the folder cosign calls --------------------------------------- */

static enum status on_note(void *context, uint8_t *out, size_t *size_out)
{
    struct node *node = context;

    return evidence_note(node->evidence, out, size_out);
}

static enum status on_note_witnessed(void *context, uint8_t *out,
                                     size_t *size_out)
{
    struct node *node = context;

    return evidence_note_witnessed(node->evidence, out, size_out);
}

static enum status on_take_note(void *context, struct slice note)
{
    struct node *node = context;

    return evidence_take_note(node->evidence, note);
}

static enum status on_add_cosignature(void *context, uint64_t size,
                                      struct slice line)
{
    struct node *node = context;

    return evidence_add_cosignature(node->evidence, size, line);
}

static enum status on_cosign_begin(void *context, uint64_t size,
                                   const uint8_t root[HASH_SIZE],
                                   int64_t time_s)
{
    struct node *node = context;

    return evidence_cosign_begin(node->evidence, size, root, time_s);
}

static enum status on_consistency(void *context,
                                  uint8_t (*hashes_out)[HASH_SIZE],
                                  size_t *count_out, uint64_t older,
                                  uint64_t newer)
{
    struct node *node = context;

    return evidence_consistency_between(node->evidence, hashes_out, count_out,
                                        older, newer);
}

static bool on_cosigner_key(void *context, const uint8_t *node_id,
                            uint8_t key_out[PUBLIC_KEY_SIZE])
{
    struct node *node = context;
    struct directory_cosigner cosigner;

    if (!directory_find_cosigner(node->directory, &cosigner, node_id) ||
        !cosigner.is_active)
        return false;
    memcpy(key_out, cosigner.public_key.b, PUBLIC_KEY_SIZE);
    return true;
}

static void on_send(void *context, const uint8_t *node_id,
                    const struct peer_frame *frame)
{
    struct node *node = context;

    if (node->cluster != NULL)
        host_send(node->cluster->host, node_id, frame);
}

static int64_t on_wall_s(void *context)
{
    const struct node *node = context;

    return clock_wall(&node->clock) / 1000000;
}

static int64_t on_boot_ms(void *context)
{
    const struct node *node = context;

    return clock_boot(&node->clock) / 1000;
}

static void on_say(void *context, enum cluster_level level, const char *line)
{
    (void)context;
    diag_say(level == CLUSTER_NOTE      ? DIAG_NOTE
             : level == CLUSTER_WARNING ? DIAG_WARNING
                                        : DIAG_FAILURE,
             "%s", line);
}

static const struct cosign_calls cosign_calls = {
    .note = on_note,
    .note_witnessed = on_note_witnessed,
    .take_note = on_take_note,
    .add_cosignature = on_add_cosignature,
    .cosign_begin = on_cosign_begin,
    .consistency_between = on_consistency,
    .cosigner_key = on_cosigner_key,
    .send = on_send,
    .wall_s = on_wall_s,
    .boot_ms = on_boot_ms,
    .say = on_say,
};

/* ---- Life --------------------------------------------------------------- */

static void cosign_tell(const struct node *node)
{
    char text[NOTE_KEY_SIZE_MAX + 1];
    struct writer writer;
    struct note_key key;

    if (!node->has_cosigner || !node->options.cluster.is_there ||
        !cosigner_name(&key, node->origin, node->node_id,
                       node->cosigner.public_key))
        return;
    writer_init(&writer, text, sizeof text - 1);
    note_key_write(&writer, &key);
    text[writer.used] = '\0';
    diag_say(DIAG_NOTE, "this node cosigns as %s", text);
}

/* Others sign where there are other nodes, or a policy names somebody. */
enum node_exit node_open_cosign(struct node *node)
{
    struct cosign_calls calls = cosign_calls;
    struct cosign_options options = {
        .exchange = {.origin = node->origin,
                     .log_public_key = node->genesis.log_key.b,
                     .node_id = node->node_id,
                     .cosigner = node->has_cosigner ? &node->cosigner : NULL},
        .policy = node->policy};
    enum status status;

    if (node->evidence == NULL ||
        (node->policy == NULL && !node->options.cluster.is_there))
        return NODE_DRAINED;
    if (node->policy != NULL)
        cosign_judge_policy(node);
    cosign_tell(node);
    calls.context = node;
    status = cosign_open(&node->cosign, &options, &calls);
    if (status != ST_OK)
        return node_fail(status, "opening what others sign with",
                         node->options.directory);
    return NODE_DRAINED;
}

enum node_exit node_cosign_start(struct node *node)
{
    if (node->cosign == NULL)
        return NODE_DRAINED;
    if (!node->options.cluster.is_there)
        cosign_lead(node->cosign, true);
    if (cosign_start(node->cosign) != ST_OK)
        return node_fail(ST_EXHAUSTED, "starting a thread",
                         node->options.directory);
    return NODE_DRAINED;
}

void node_cosign_stop(struct node *node)
{
    if (node->cosign != NULL)
        cosign_stop(node->cosign);
}

void node_cosign_close(struct node *node)
{
    node_cosign_stop(node); /* Where the start failed behind it. */
    cosign_close(node->cosign);
    node->cosign = NULL;
}
