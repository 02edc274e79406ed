#include "protocol/founding.h"

#include <string.h>

#include <sodium.h>

#include "protocol/files.h"
#include "protocol/founding_node.h"
#include "protocol/nodecert.h"
#include "protocol/note.h"
#include "protocol/sign_state.h"

enum { FOUNDING_DAY_S = 86400, FOUNDING_US_PER_S = 1000000 };

static const struct {
    enum keyfile_kind kind;
    const char *directory;
    const char *name;
} founding_keys[FOUNDING_KEYS_COUNT] = {
    [FOUNDING_AUTHORITY] = {KEYFILE_AUTHORITY, FILE_AUTHORITY_DIR,
                            FILE_AUTHORITY_KEY},
    [FOUNDING_RECOVERY] = {KEYFILE_RECOVERY, FILE_AUTHORITY_DIR,
                           FILE_RECOVERY_KEY},
    [FOUNDING_CHANNEL] = {KEYFILE_CHANNEL, FILE_NODE_DIR, FILE_CHANNEL_KEY},
    [FOUNDING_RECEIPT] = {KEYFILE_RECEIPT, FILE_NODE_DIR, FILE_RECEIPT_KEY},
    [FOUNDING_LOG] = {KEYFILE_LOG, FILE_NODE_DIR, FILE_LOG_KEY},
    [FOUNDING_KEYRING] = {KEYFILE_KEYRING, FILE_NODE_DIR, FILE_KEYRING_KEY},
    [FOUNDING_COSIGNER] = {KEYFILE_COSIGNER, FILE_NODE_DIR, FILE_COSIGNER_KEY},
    [FOUNDING_OPERATOR] = {KEYFILE_SIGNER, ".", FILE_OPERATOR_KEY},
};

/* Secrets and public parts while the files are made. */
struct founding_work {
    struct founding *out;
    const struct founding_plan *plan;
    struct keyfile keys[FOUNDING_KEYS_COUNT];
    struct identity authority;
};

/* The file of what was written since ${begin}. */
static void founding_add(struct founding_work *work, const char *directory,
                         const char *name, bool is_secret, size_t begin)
{
    struct founding *out = work->out;

    INVARIANT(out->files_count < FOUNDING_FILES_MAX);
    INVARIANT(out->writer.status == ST_OK);
    out->files[out->files_count++] = (struct founding_file){
        directory, name, is_secret,
        slice_of(out->bytes + begin, out->writer.used - begin)};
}

static void founding_add_keys(struct founding_work *work)
{
    struct writer *writer = &work->out->writer;

    for (int i = 0; i < FOUNDING_KEYS_COUNT; i++) {
        size_t begin = writer->used;
        uint8_t *at = writer_reserve(writer, KEYFILE_SIZE);

        INVARIANT(at != NULL);
        keyfile_make(&work->keys[i], founding_keys[i].kind,
                     work->out->cluster_id, work->plan->secrets[i]);
        keyfile_encode(at, &work->keys[i]);
        founding_add(work, founding_keys[i].directory, founding_keys[i].name,
                     true, begin);
    }
}

static void founding_add_certificate(struct founding_work *work)
{
    const struct founding_plan *plan = work->plan;
    struct writer *writer = &work->out->writer;
    struct nodecert certificate = {
        .role = NODECERT_SERVER,
        .serial = 1,
        .not_before_s = plan->now_s,
        .not_after_s =
            plan->now_s + (int64_t)FOUNDING_CERTIFICATE_DAYS * FOUNDING_DAY_S};
    size_t begin = writer->used;
    uint8_t *at = writer_reserve(writer, NODECERT_SIZE);

    INVARIANT(at != NULL);
    memcpy(certificate.cluster_id, work->out->cluster_id, CLUSTER_ID_SIZE);
    memcpy(certificate.node_id, plan->node_id, NODE_ID_SIZE);
    memcpy(certificate.channel_key, work->keys[FOUNDING_CHANNEL].public_key,
           PUBLIC_KEY_SIZE);
    memcpy(certificate.receipt_key, work->keys[FOUNDING_RECEIPT].public_key,
           PUBLIC_KEY_SIZE);
    nodecert_sign(at, &certificate, &work->authority);
    founding_add(work, FILE_NODE_DIR, FILE_NODE_CERT, false, begin);
    if (plan->peer_address.size > 0) {
        const uint8_t *server = at;
        begin = writer->used;
        at = writer_reserve(writer, NODECERT_SIZE);
        INVARIANT(at != NULL);
        founding_node_link(at, server, false, &work->authority);
        founding_add(work, FILE_NODE_DIR, FILE_LINK_CERT, false, begin);
    }
}

static void founding_public(struct bytes32 *out,
                            const struct founding_work *work,
                            enum founding_key key)
{
    memcpy(out->b, work->keys[key].public_key, PUBLIC_KEY_SIZE);
}

static enum status founding_add_genesis(struct founding_work *work)
{
    const struct founding_plan *plan = work->plan;
    struct writer *writer = &work->out->writer;
    struct op_system_genesis fields = {
        .origin = plan->origin,
        .environment = plan->environment,
        .realms = plan->realms,
        .owner = plan->owner,
    };
    uint8_t bytes[GENESIS_SIZE_MAX];
    size_t begin = writer->used;
    size_t size;
    enum status status;

    /* Checkpoints are signed under this name. */
    if (!note_name_valid(plan->origin))
        return ST_BAD_FIELD;
    memcpy(fields.node_id.b, plan->node_id, NODE_ID_SIZE);
    founding_public(&fields.node_channel_key, work, FOUNDING_CHANNEL);
    founding_public(&fields.node_receipt_key, work, FOUNDING_RECEIPT);
    founding_public(&fields.log_key, work, FOUNDING_LOG);
    founding_public(&fields.operator_key, work, FOUNDING_OPERATOR);
    founding_public(&fields.cosigner_key, work, FOUNDING_COSIGNER);
    founding_public(&fields.recovery_key, work, FOUNDING_RECOVERY);
    status = genesis_write(bytes, &size, &fields, &work->authority,
                           plan->now_s * FOUNDING_US_PER_S, &plan->genesis);
    if (status != ST_OK)
        return status;
    writer_bytes(writer, bytes, size);
    founding_add(work, FILE_NODE_DIR, FILE_GENESIS, false, begin);
    return ST_OK;
}

static void founding_text(struct writer *writer, const char *text)
{
    writer_bytes(writer, text, strlen(text));
}

static void founding_hex(struct writer *writer, const uint8_t *bytes,
                         size_t size)
{
    char hex[2 * PUBLIC_KEY_SIZE + 1];

    REQUIRE(size <= PUBLIC_KEY_SIZE);
    sodium_bin2hex(hex, sizeof hex, bytes, size);
    founding_text(writer, hex);
}

static void founding_add_texts(struct founding_work *work)
{
    const struct slice *address = &work->plan->address;
    struct writer *writer = &work->out->writer;
    size_t begin = writer->used;

    founding_text(writer, "# What a client needs of this cluster.\n[cluster]\n"
                          "authority = ");
    founding_hex(writer, work->authority.public_key, PUBLIC_KEY_SIZE);
    founding_text(writer, "\naddress = ");
    writer_bytes(writer, address->data, address->size);
    founding_text(writer, "\nid = ");
    founding_hex(writer, work->out->cluster_id, CLUSTER_ID_SIZE);
    founding_text(writer, "\n");
    founding_add(work, ".", FILE_CLUSTER_CONF, false, begin);

    begin = writer->used;
    founding_text(writer, "# Configuration of one node; docs/OPERATING.md "
                          "documents every key.\n[node]\ndirectory = .\n\n"
                          "[net]\nlisten = ");
    writer_bytes(writer, address->data, address->size);
    founding_text(writer, "\nloops = 2\n");
    if (work->plan->peer_address.size > 0)
        founding_node_section(writer, false, work->plan->peer_address,
                              work->plan->minimum, NULL, 0);
    founding_add(work, FILE_NODE_DIR, FILE_NODE_CONF, false, begin);
}

/* What the operator of several nodes needs. */
static void founding_add_cluster(struct founding_work *work)
{
    const struct founding_plan *plan = work->plan;
    struct writer *writer = &work->out->writer;
    struct founding_peer first = {.address = plan->address,
                                  .peer_address = plan->peer_address};
    struct sign_state nothing;
    size_t begin = writer->used, size;
    uint8_t bytes[SIGN_STATE_SIZE_MAX];

    memcpy(first.node_id, plan->node_id, NODE_ID_SIZE);
    founding_text(writer, "# The nodes of this cluster.\n[nodes]\n");
    founding_node_line(writer, &first);
    founding_add(work, ".", FILE_NODES_CONF, false, begin);
    begin = writer->used;
    sign_state_init(&nothing, SIGN_OPERATOR, work->out->cluster_id);
    sign_state_encode(bytes, &size, &nothing);
    writer_bytes(writer, bytes, size);
    founding_add(work, ".", FILE_OPERATOR_STATE, true, begin);
}

void founding_cluster_id(uint8_t out[CLUSTER_ID_SIZE],
                         const struct founding_plan *plan)
{
    struct identity authority;

    identity_init(&authority, plan->secrets[FOUNDING_AUTHORITY]);
    identity_cluster_id(out, authority.public_key);
    identity_wipe(&authority);
}

enum status founding_make(struct founding *founding,
                          const struct founding_plan *plan)
{
    struct founding_work work = {.out = founding, .plan = plan};
    enum status status = ST_BAD_FIELD;

    memset(founding, 0, sizeof *founding);
    writer_init(&founding->writer, founding->bytes, sizeof founding->bytes);
    identity_init(&work.authority, plan->secrets[FOUNDING_AUTHORITY]);
    identity_cluster_id(founding->cluster_id, work.authority.public_key);
    if (plan->address.size > 0 && plan->address.size <= ADDRESS_SIZE_MAX &&
        plan->peer_address.size <= ADDRESS_SIZE_MAX) {
        founding_add_keys(&work);
        founding_add_certificate(&work);
        status = founding_add_genesis(&work);
    }
    if (status == ST_OK)
        founding_add_texts(&work);
    if (status == ST_OK && plan->peer_address.size > 0)
        founding_add_cluster(&work);
    for (int i = 0; i < FOUNDING_KEYS_COUNT; i++)
        keyfile_wipe(&work.keys[i]);
    identity_wipe(&work.authority);
    if (status != ST_OK)
        founding_wipe(founding);
    return status;
}

void founding_wipe(struct founding *founding)
{
    sodium_memzero(founding, sizeof *founding);
}
