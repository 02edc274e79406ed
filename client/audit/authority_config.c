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
    if (complaint == NULL)
        hold(held, entry);
    return complaint;
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
