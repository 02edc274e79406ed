#include <stdio.h>
#include <string.h>

#include "protocol/note.h"
#include "server/diag.h"
#include "server/node_private.h"

enum node_exit node_read_key_in(struct keyfile *out, bool *there_out,
                                const char *directory, const char *name,
                                enum keyfile_kind kind, bool credential)
{
    char path[FILES_PATH_SIZE_MAX];
    enum status status;

    *there_out = false;
    if (!files_path(path, directory, name))
        return node_fail(ST_USAGE, "the path is too long", name);
    status = credential ? files_read_credential(out, path, kind)
                        : files_read_key(out, path, kind);
    *there_out = status != ST_NO_FILE;
    if (status == ST_FILE_MODE)
        return node_fail(status, "chmod 600; a plain file, this user's own",
                         path);
    if (status != ST_OK && *there_out)
        return node_fail(status, "reading a key", path);
    return NODE_DRAINED;
}

enum node_exit node_read_key(const struct node *node, struct keyfile *out,
                             bool *there_out, const char *name,
                             enum keyfile_kind kind)
{
    const struct options *options = &node->options;
    enum node_exit exit = NODE_DRAINED;

    *there_out = false;
    if (options->credentials[0] != '\0')
        exit = node_read_key_in(out, there_out, options->credentials, name,
                                kind, true);
    if (exit == NODE_DRAINED && !*there_out)
        exit = node_read_key_in(out, there_out, options->directory, name, kind,
                                false);
    return exit;
}

/* One without which there is no node. */
static enum node_exit files_key(const struct node *node, struct keyfile *out,
                                const char *name, enum keyfile_kind kind)
{
    bool is_there;
    enum node_exit exit = node_read_key(node, out, &is_there, name, kind);

    if (exit == NODE_DRAINED && !is_there)
        exit = node_fail(ST_NO_FILE, "reading a key", name);
    return exit;
}

enum node_exit node_read_plain(struct node *node, void *out, size_t *size_out,
                               size_t size_max, const char *name)
{
    char path[FILES_PATH_SIZE_MAX];
    enum status status;

    if (!files_path(path, node->options.directory, name))
        return node_fail(ST_USAGE, "the path is too long", name);
    status = files_read(out, size_out, path, size_max, false);
    if (status != ST_OK)
        return node_fail(status, "reading", path);
    return NODE_DRAINED;
}

enum node_exit node_read_genesis(struct node *node)
{
    struct entry entry;
    enum status status;
    enum node_exit exit =
        node_read_plain(node, node->genesis_bytes, &node->genesis_size,
                        sizeof node->genesis_bytes, FILE_GENESIS);

    if (exit != NODE_DRAINED)
        return exit;
    status = genesis_read(&node->genesis, &entry,
                          slice_of(node->genesis_bytes, node->genesis_size));
    if (status != ST_OK)
        return node_fail(status, "genesis", FILE_GENESIS);
    identity_cluster_id(node->cluster_id, node->genesis.authority_key.b);
    return NODE_DRAINED;
}

/* Genesis' origin; of a lineage that was forced, with the first bytes of that:
 * two lineages never have one name. */
static void files_origin(struct node *node)
{
    const struct slice *origin = &node->genesis.origin;
    const uint8_t *lineage = node->lineage;
    uint8_t leaf[HASH_SIZE];
    int size;

    entry_leaf_hash(leaf, slice_of(node->genesis_bytes, node->genesis_size));
    size = snprintf(node->origin, sizeof node->origin, "%.*s",
                    (int)origin->size, (const char *)origin->data);
    if (memcmp(leaf, lineage, LINEAGE_SIZE) != 0)
        (void)snprintf(node->origin + size, sizeof node->origin - (size_t)size,
                       "/%02x%02x%02x%02x", lineage[0], lineage[1], lineage[2],
                       lineage[3]);
}

/* An origin that no note can name leaves the key empty; founding takes none. */
void node_name_log(struct node *node)
{
    struct note_key key;
    struct writer writer;

    files_origin(node);
    node->log_vkey[0] = '\0';
    if (!note_name_valid(slice_of(node->origin, strlen(node->origin))))
        return;
    note_key_init(&key, slice_of(node->origin, strlen(node->origin)),
                  NOTE_ED25519, node->genesis.log_key.b);
    writer_init(&writer, node->log_vkey, sizeof node->log_vkey - 1);
    note_key_write(&writer, &key);
    INVARIANT(writer.status == ST_OK);
    node->log_vkey[writer.used] = '\0';
}

static enum node_exit files_certificate(struct node *node)
{
    struct nodecert certificate;
    size_t size;
    enum node_exit exit =
        node_read_plain(node, node->certificate, &size,
                        sizeof node->certificate, FILE_NODE_CERT);

    if (exit != NODE_DRAINED)
        return exit;
    if (size != NODECERT_SIZE)
        return node_fail(ST_FILE_FORMAT, "certificate", FILE_NODE_CERT);
    nodecert_decode(&certificate, node->certificate);
    memcpy(node->node_id, certificate.node_id, NODE_ID_SIZE);
    node->is_first =
        memcmp(certificate.node_id, node->genesis.node_id.b, NODE_ID_SIZE) == 0;
    if (memcmp(certificate.cluster_id, node->cluster_id, CLUSTER_ID_SIZE) !=
            0 ||
        (!node->is_first && !node->options.cluster.is_there) ||
        memcmp(certificate.channel_key, node->channel_key.public_key,
               PUBLIC_KEY_SIZE) != 0 ||
        memcmp(certificate.receipt_key, node->identity.public_key,
               PUBLIC_KEY_SIZE) != 0)
        return node_fail(ST_CERTIFICATE,
                         "the certificate is of another node or key",
                         FILE_NODE_CERT);
    return NODE_DRAINED;
}

enum node_exit node_read_files(struct node *node)
{
    enum rewrap_found found;
    struct keyfile receipt = {0};
    enum node_exit exit = node_read_genesis(node);

    if (exit == NODE_DRAINED)
        exit = node_rewrap_settle(node, &found);
    if (exit == NODE_DRAINED)
        exit = files_key(node, &node->channel_key, FILE_CHANNEL_KEY,
                         KEYFILE_CHANNEL);
    if (exit == NODE_DRAINED)
        exit = files_key(node, &node->keyring_key, FILE_KEYRING_KEY,
                         KEYFILE_KEYRING);
    if (exit == NODE_DRAINED)
        exit = files_key(node, &receipt, FILE_RECEIPT_KEY, KEYFILE_RECEIPT);
    if (exit != NODE_DRAINED)
        return exit;
    identity_init(&node->identity, receipt.secret);
    keyfile_wipe(&receipt);
    exit = files_certificate(node);
    if (exit == NODE_DRAINED)
        exit = node_read_log_key(node);
    if (exit == NODE_DRAINED)
        exit = node_read_cosigner(node);
    if (exit == NODE_DRAINED && node->options.cluster.is_there)
        exit = node_read_link(node);
    return exit;
}
