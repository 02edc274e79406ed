/*
 * authority_node.c: which nodes the log has, and whether the registry's realm
 * waits for its failover to be let (PROTOCOL, section 12.7).
 */
#include <string.h>

#include "client/audit/authority_parts.h"
#include "protocol/enrol.h"

enum { AUTHORITY_REALM_REGISTRY = 2 };

static struct authority_node *node_find(struct authority *authority,
                                        const struct bytes16 *node_id)
{
    for (uint32_t i = 0; i < authority->nodes_count; i++) {
        if (memcmp(&authority->nodes[i].node_id, node_id, sizeof *node_id) == 0)
            return &authority->nodes[i];
    }
    return NULL;
}

void authority_add_node(struct authority *authority,
                        const struct bytes16 *node_id, uint32_t key,
                        const struct bytes32 *cosigner_key)
{
    REQUIRE(authority->nodes_count < authority->nodes_room);
    authority->nodes[authority->nodes_count++] = (struct authority_node){
        .node_id = *node_id, .key = key, .cosigner_key = *cosigner_key};
}

static bool node_has_cosigner(const struct authority *authority,
                              const struct op_node_enrol *in)
{
    if (memcmp(&in->cosigner_key, &in->receipt_key, PUBLIC_KEY_SIZE) == 0)
        return true;
    for (uint32_t i = 0; i < authority->nodes_count; i++) {
        if (memcmp(&authority->nodes[i].cosigner_key, &in->cosigner_key,
                   sizeof in->cosigner_key) == 0)
            return true;
    }
    return false;
}

const char *authority_node_enrol(struct authority *authority,
                                 struct result_node_enrol *out,
                                 const struct op_node_enrol *in)
{
    struct enrol_claim claim = {.role = (uint16_t)(ENROL_NODE_ROLES + in->role),
                                .level = 3};
    static const struct bytes32 none;
    struct keys_key *key;
    uint32_t number;

    if (node_find(authority, &in->node_id) != NULL)
        return "enrols a node that was enrolled before";
    if (enrol_check(&claim, in->proof.b, authority->cluster_id,
                    in->receipt_key.b) != ST_OK)
        return "enrols a key without a proof that its holder has it";
    if (in->has_cosigner_key && node_has_cosigner(authority, in))
        return "enrols a cosigner's key that is another key already";
    number = keys_add(&authority->keys, in->receipt_key.b);
    key = &authority->keys.rows[number];
    if (key->state != KEYS_NAMED)
        return "enrols a key that was enrolled before";
    key->state = KEYS_ACTIVE;
    key->is_node = true;
    key->level = 3;
    key->role = in->role;
    authority_add_node(authority, &in->node_id, number,
                       in->has_cosigner_key ? &in->cosigner_key : &none);
    identity_key_id(out->key_id.b, in->receipt_key.b);
    return NULL;
}

const char *authority_node_retire(struct authority *authority,
                                  const struct op_node_retire *in)
{
    const struct authority_node *node = node_find(authority, &in->node_id);

    if (node == NULL || authority->keys.rows[node->key].state != KEYS_ACTIVE)
        return "retires a node that there is not";
    if (node->key == authority->primary)
        return "retires the primary";
    authority->keys.rows[node->key].state = KEYS_ENDED;
    return NULL;
}

void authority_activate(struct authority *authority,
                        const struct op_failover_activate *in)
{
    if (in->for_realm == AUTHORITY_REALM_REGISTRY)
        authority->registry_waits = false;
}

bool authority_realm_waits(const struct authority *authority,
                           const struct authority_act *act)
{
    uint16_t opcode = act->operation->opcode;

    return act->realm == 'R' && authority->registry_waits &&
           opcode != OPCODE_AUTH_OPEN && opcode != OPCODE_AUTH_CLOSE &&
           opcode != OPCODE_AUTH_RESUME;
}
