/*
 * authority_config.c: whose term it is, and which configurations the terms
 * came with: the rules of successors along the log (LOG-FORMAT, section 11).
 */
#include <string.h>

#include "client/audit/authority_parts.h"
#include "protocol/config_entry.h"

enum { AUTHORITY_NODE_ARCHIVE = 3 };

static const struct authority_node *node_of_key(
    const struct authority *authority, uint32_t key)
{
    for (uint32_t i = 0; i < authority->nodes_count; i++) {
        if (authority->nodes[i].key == key)
            return &authority->nodes[i];
    }
    return NULL;
}

/* The key of an archive that is not retired; NULL if ${node_id} names none. */
static const uint8_t *archive_key(const struct authority *authority,
                                  const uint8_t *node_id)
{
    for (uint32_t i = 0; i < authority->nodes_count; i++) {
        const struct authority_node *node = &authority->nodes[i];
        const struct keys_key *key = &authority->keys.rows[node->key];

        if (memcmp(node->node_id.b, node_id, NODE_ID_SIZE) == 0)
            return key->role == AUTHORITY_NODE_ARCHIVE &&
                           key->state == KEYS_ACTIVE
                       ? key->public_key
                       : NULL;
    }
    return NULL;
}

static void gather_keys(const struct authority *authority,
                        struct config_cert_keys *out, struct slice certificate)
{
    struct config_cert cert;

    memset(out, 0, sizeof *out);
    memcpy(out->operator_key, authority->operator_key, PUBLIC_KEY_SIZE);
    memcpy(out->authority_key, authority->authority_key, PUBLIC_KEY_SIZE);
    if (config_cert_decode(&cert, certificate) != ST_OK)
        return;
    for (size_t i = 0; i < cert.signatures_count; i++) {
        const struct config_signature *signature = &cert.signatures[i];
        const uint8_t *key = archive_key(authority, signature->node_id);

        if (signature->signer != CONFIG_SIGNER_WITNESS || key == NULL)
            continue;
        memcpy(out->witnesses[0].node_id, signature->node_id, NODE_ID_SIZE);
        memcpy(out->witnesses[0].receipt_key, key, PUBLIC_KEY_SIZE);
        out->witnesses_count = 1;
    }
}

static void hold(struct authority_configuration *held,
                 const struct config_entry *entry)
{
    if (entry->bytes.size == 0)
        return;
    memcpy(held->bytes, entry->bytes.data, entry->bytes.size);
    held->size = entry->bytes.size;
    if (entry->certificate.size > 0)
        memcpy(held->certificate, entry->certificate.data,
               entry->certificate.size);
    held->certificate_size = entry->certificate.size;
}

/* The number of the configuration held; 0: none. */
static uint64_t held_number(const struct authority_configuration *held)
{
    struct config config;

    if (held->size == 0)
        return 0;
    return config_decode(&config, slice_of(held->bytes, held->size)) == ST_OK
               ? config.number
               : 0;
}

static void note_coming(struct authority_came *out,
                        const struct authority_configuration *held,
                        const struct config_entry *entry)
{
    uint64_t before = held_number(held);

    *out = (struct authority_came){.is_new = entry->bytes.size > 0 &&
                                             entry->number > before,
                                   .is_certified = entry->certificate.size > 0};
    if (out->is_new && entry->number - before > 1) {
        out->skipped_first = before + 1;
        out->skipped_last = entry->number - 1;
    }
}

static const char *authority_configure(struct authority *authority,
                                       struct config_entry *entry,
                                       uint32_t signer)
{
    struct authority_configuration *held = &authority->configuration;
    const struct config_held before = {
        slice_of(held->bytes, held->size),
        slice_of(held->certificate, held->certificate_size)};
    const struct authority_node *node = node_of_key(authority, signer);
    struct config_cert_keys keys;
    const char *complaint;

    if (node == NULL)
        return "begins an epoch, and is no node";
    entry->node_id = node->node_id.b;
    gather_keys(authority, &keys, entry->certificate);
    complaint =
        config_entry_judge(entry, &before, authority->cluster_id, &keys);
    if (complaint == NULL) {
        note_coming(&authority->came, held, entry);
        hold(held, entry);
    }
    return complaint;
}

/* Its first entry is where it begins; one that was read goes on. */
static const char *forced_read(struct authority *authority,
                               const struct config_entry *entry)
{
    struct config config;

    if (config_decode(&config, entry->bytes) != ST_OK ||
        config.why != CONFIG_FORCED ||
        slice_equal(entry->bytes,
                    slice_of(authority->forced, authority->forced_size)))
        return NULL;
    if (config.base_size != entry->index)
        return "brings a forced configuration elsewhere than where it begins";
    memcpy(authority->forced, entry->bytes.data, entry->bytes.size);
    authority->forced_size = entry->bytes.size;
    return NULL;
}

const char *authority_epoch_read(struct authority *authority,
                                 const struct op_system_epoch *in,
                                 uint64_t index, uint32_t signer)
{
    struct config_entry entry = {.index = index,
                                 .number = in->number,
                                 .epoch = in->epoch,
                                 .bytes = in->configuration,
                                 .begins = true};
    const struct authority_node *node = node_of_key(authority, signer);
    struct config_cert_keys keys;
    const char *complaint;

    if (in->has_certificate)
        entry.certificate = in->certificate;
    if (node != NULL) {
        entry.node_id = node->node_id.b;
        if (authority->keys.rows[signer].role == AUTHORITY_NODE_ARCHIVE)
            return "begins an epoch, and is an archive";
    }
    gather_keys(authority, &keys, entry.certificate);
    complaint = config_entry_alone(&entry, authority->cluster_id, &keys);
    return complaint != NULL ? complaint : forced_read(authority, &entry);
}

const char *authority_epoch(struct authority *authority,
                            const struct op_system_epoch *in,
                            const struct authority_act *act)
{
    struct config_entry entry = {.index = act->index,
                                 .number = in->number,
                                 .epoch = in->epoch,
                                 .bytes = in->configuration,
                                 .begins = true};
    const uint32_t signer = act->signer;
    const char *complaint;

    if (in->has_certificate)
        entry.certificate = in->certificate;
    if (authority->keys.rows[signer].role == AUTHORITY_NODE_ARCHIVE)
        return "begins an epoch, and is an archive";
    if (authority->primary != KEYS_NONE && in->epoch <= authority->epoch)
        return "begins an epoch that was begun before";
    complaint = authority_configure(authority, &entry, signer);
    if (complaint != NULL)
        return complaint;
    if (authority->primary != KEYS_NONE && authority->primary != signer)
        authority->registry_waits = true;
    authority->primary = signer;
    authority->epoch = in->epoch;
    return NULL;
}

const char *authority_config(struct authority *authority,
                             const struct op_system_config *in,
                             const struct authority_act *act)
{
    struct config_entry entry = {.index = act->index,
                                 .number = in->number,
                                 .epoch = in->epoch,
                                 .bytes = in->configuration};

    if (in->has_certificate)
        entry.certificate = in->certificate;
    if (in->epoch != authority->epoch)
        return "brings a configuration in another epoch than its own";
    return authority_configure(authority, &entry, act->signer);
}
