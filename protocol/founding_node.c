#include "protocol/founding_node.h"

#include <string.h>

#include <sodium.h>

#include "protocol/files.h"
#include "protocol/nodecert.h"

enum { NODE_DAY_S = 86400, NODE_SERIAL_SERVER = 1, NODE_SERIAL_LINK = 2 };

static void node_text(struct writer *out, const char *text)
{
    writer_bytes(out, text, strlen(text));
}

static void node_id_text(struct writer *out, const uint8_t *node_id)
{
    char hex[2 * NODE_ID_SIZE + 1];

    sodium_bin2hex(hex, sizeof hex, node_id, NODE_ID_SIZE);
    node_text(out, hex);
}

static void node_slice(struct writer *out, struct slice text)
{
    writer_bytes(out, text.data, text.size);
}

void founding_node_peer(struct writer *out, const struct founding_peer *peer)
{
    node_text(out, "peer = ");
    node_id_text(out, peer->node_id);
    node_text(out, peer->archive ? " archive " : " backup ");
    node_slice(out, peer->peer_address);
    if (peer->address.size > 0) {
        node_text(out, " ");
        node_slice(out, peer->address);
    }
    node_text(out, "\n");
}

void founding_node_line(struct writer *out, const struct founding_peer *peer)
{
    node_text(out, "node = ");
    node_id_text(out, peer->node_id);
    node_text(out, peer->archive ? " archive " : " backup ");
    node_slice(out, peer->address);
    node_text(out, " ");
    node_slice(out, peer->peer_address);
    node_text(out, "\n");
}

void founding_node_section(struct writer *out, bool archive,
                           struct slice listen, uint8_t minimum,
                           const struct founding_peer *peers,
                           size_t peers_count)
{
    char digit[2] = {(char)('0' + minimum), '\0'};

    REQUIRE(minimum >= 1 && minimum <= CONFIG_NODES_MAX);
    node_text(out, "\n[cluster]\nlisten = ");
    node_slice(out, listen);
    node_text(out, archive ? "\narchive = yes" : "");
    node_text(out, "\nmode = manual\nminimum = ");
    node_text(out, digit);
    node_text(out, "\n");
    for (size_t i = 0; i < peers_count; i++)
        founding_node_peer(out, &peers[i]);
}

void founding_node_link(uint8_t out[NODECERT_SIZE],
                        const uint8_t server[NODECERT_SIZE], bool archive,
                        const struct identity *authority)
{
    struct nodecert certificate;

    nodecert_decode(&certificate, server);
    certificate.role = archive ? NODECERT_ARCHIVE : NODECERT_BACKUP;
    certificate.serial = NODE_SERIAL_LINK;
    nodecert_sign(out, &certificate, authority);
}

static void node_add(struct founding_node *out, const char *name,
                     bool is_secret, size_t begin)
{
    INVARIANT(out->files_count < FOUNDING_NODE_FILES_MAX);
    INVARIANT(out->writer.status == ST_OK);
    out->files[out->files_count++] = (struct founding_file){
        ".", name, is_secret,
        slice_of(out->bytes + begin, out->writer.used - begin)};
}

static void node_add_key(struct founding_node *out, const char *name,
                         enum keyfile_kind kind, const uint8_t *cluster_id,
                         const uint8_t *secret, uint8_t *public_out)
{
    size_t begin = out->writer.used;
    uint8_t *at = writer_reserve(&out->writer, KEYFILE_SIZE);
    struct keyfile key;

    INVARIANT(at != NULL);
    keyfile_make(&key, kind, cluster_id, secret);
    keyfile_encode(at, &key);
    if (public_out != NULL)
        memcpy(public_out, key.public_key, PUBLIC_KEY_SIZE);
    keyfile_wipe(&key);
    node_add(out, name, true, begin);
}

static void node_add_certificates(struct founding_node *out,
                                  const struct founding_node_plan *plan,
                                  const uint8_t *cluster_id)
{
    struct nodecert certificate = {
        .role = NODECERT_SERVER,
        .serial = NODE_SERIAL_SERVER,
        .not_before_s = plan->now_s,
        .not_after_s =
            plan->now_s + (int64_t)FOUNDING_CERTIFICATE_DAYS * NODE_DAY_S};
    size_t begin = out->writer.used;
    uint8_t *server = writer_reserve(&out->writer, NODECERT_SIZE);
    uint8_t *link;

    INVARIANT(server != NULL);
    memcpy(certificate.cluster_id, cluster_id, CLUSTER_ID_SIZE);
    memcpy(certificate.node_id, plan->self.node_id, NODE_ID_SIZE);
    memcpy(certificate.channel_key, out->channel_key, PUBLIC_KEY_SIZE);
    memcpy(certificate.receipt_key, out->receipt_key, PUBLIC_KEY_SIZE);
    nodecert_sign(server, &certificate, plan->authority);
    node_add(out, FILE_NODE_CERT, false, begin);
    begin = out->writer.used;
    link = writer_reserve(&out->writer, NODECERT_SIZE);
    INVARIANT(link != NULL);
    founding_node_link(link, server, plan->self.archive, plan->authority);
    node_add(out, FILE_LINK_CERT, false, begin);
}

static void node_add_rest(struct founding_node *out,
                          const struct founding_node_plan *plan)
{
    struct writer *writer = &out->writer;
    size_t begin = writer->used;

    node_slice(writer, plan->genesis);
    node_add(out, FILE_GENESIS, false, begin);
    if (plan->log_key.size > 0) {
        begin = writer->used;
        node_slice(writer, plan->log_key);
        node_add(out, FILE_LOG_KEY, true, begin);
    }
    begin = writer->used;
    node_text(writer, "# Configuration of one node; docs/OPERATING.md "
                      "documents every key.\n[node]\ndirectory = .\n\n"
                      "[net]\nlisten = ");
    node_slice(writer, plan->self.address);
    node_text(writer, "\nloops = 2\n");
    founding_node_section(writer, plan->self.archive, plan->self.peer_address,
                          plan->minimum, plan->peers, plan->peers_count);
    node_add(out, FILE_NODE_CONF, false, begin);
}

static enum status node_judge(const struct founding_node_plan *plan,
                              uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    const struct founding_peer *self = &plan->self;
    struct op_system_genesis fields;
    struct entry entry;
    enum status status;

    if (self->address.size == 0 || self->address.size > ADDRESS_SIZE_MAX ||
        self->peer_address.size == 0 ||
        self->peer_address.size > ADDRESS_SIZE_MAX)
        return ST_BAD_FIELD;
    status = genesis_read(&fields, &entry, plan->genesis);
    if (status != ST_OK)
        return status;
    if (memcmp(fields.authority_key.b, plan->authority->public_key,
               PUBLIC_KEY_SIZE) != 0)
        return ST_WRONG_ENV;
    identity_cluster_id(cluster_id, plan->authority->public_key);
    return ST_OK;
}

enum status founding_node_make(struct founding_node *out,
                               const struct founding_node_plan *plan)
{
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    enum status status;

    REQUIRE(plan->peers_count < CONFIG_NODES_MAX);
    memset(out, 0, sizeof *out);
    writer_init(&out->writer, out->bytes, sizeof out->bytes);
    status = node_judge(plan, cluster_id);
    if (status != ST_OK)
        return status;
    node_add_key(out, FILE_CHANNEL_KEY, KEYFILE_CHANNEL, cluster_id,
                 plan->channel, out->channel_key);
    node_add_key(out, FILE_RECEIPT_KEY, KEYFILE_RECEIPT, cluster_id,
                 plan->receipt, out->receipt_key);
    node_add_key(out, FILE_KEYRING_KEY, KEYFILE_KEYRING, cluster_id,
                 plan->keyring, NULL);
    node_add_key(out, FILE_COSIGNER_KEY, KEYFILE_COSIGNER, cluster_id,
                 plan->cosigner, out->cosigner_key);
    node_add_certificates(out, plan, cluster_id);
    node_add_rest(out, plan);
    return ST_OK;
}

void founding_node_wipe(struct founding_node *out)
{
    sodium_memzero(out, sizeof *out);
}
