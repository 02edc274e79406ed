#include <string.h>

#include "client/audit/authority_parts.h"

enum { AUTHORITY_PROOF_SIZE = PUBLIC_KEY_SIZE + 16 };

static const char *authority_enrolled(struct authority *authority,
                                      const struct keys_key *from,
                                      const struct bytes32 *public_key,
                                      const struct bytes64 *proof,
                                      uint64_t proved_person)
{
    uint8_t message[AUTHORITY_PROOF_SIZE];
    struct writer writer;
    struct keys_key *key;
    uint32_t number;

    writer_init(&writer, message, sizeof message);
    writer_bytes(&writer, public_key->b, PUBLIC_KEY_SIZE);
    writer_u16(&writer, from->role);
    writer_u8(&writer, from->level);
    writer_u8(&writer, 0);
    writer_u32(&writer, from->organisation);
    writer_u64(&writer, proved_person);
    if (!identity_public_key_acceptable(public_key->b) ||
        identity_verify(public_key->b, proof->b, TAG_ENROL,
                        authority->cluster_id, message,
                        sizeof message) != ST_OK)
        return "enrols a key without a proof that its holder has it";
    number = keys_add(&authority->keys, public_key->b);
    key = &authority->keys.rows[number];
    if (key->state != KEYS_NAMED)
        return "enrols a key that was enrolled before";
    key->state = KEYS_ACTIVE;
    key->role = from->role;
    key->level = from->level;
    key->organisation = from->organisation;
    key->person = from->person;
    key->carrier = from->carrier;
    return NULL;
}

static const char *authority_actor_enrol(struct authority *authority,
                                         struct result_actor_enrol *out,
                                         const struct op_actor_enrol *in)
{
    struct keys_key from = {.role = in->role,
                            .level = in->level,
                            .organisation = in->organisation,
                            .person = in->person};

    if (in->person > authority->persons_count)
        return "enrols a key for a person that nobody enrolled";
    if (in->organisation > authority->organisations_count)
        return "enrols a key for an organisation that nobody enrolled";
    if (in->person == 0)
        from.person = ++authority->persons_count;
    identity_key_id(out->key_id.b, in->public_key.b);
    out->person = from.person;
    return authority_enrolled(authority, &from, &in->public_key, &in->proof,
                              in->person);
}

static const char *authority_key_rotate(struct authority *authority,
                                        struct result_key_rotate *out,
                                        const struct op_key_rotate *in,
                                        uint32_t signer)
{
    struct keys_key from = authority->keys.rows[signer];

    if (from.is_node)
        return "replaces a node's key";
    identity_key_id(out->key_id.b, in->public_key.b);
    authority->keys.rows[signer].state = KEYS_ENDED;
    return authority_enrolled(authority, &from, &in->public_key, &in->proof,
                              from.person);
}

static const char *authority_key_revoke(struct authority *authority,
                                        const struct op_key_revoke *in)
{
    uint32_t number = keys_find(&authority->keys, in->key_id.b);

    if (number == KEYS_NONE || authority->keys.rows[number].state == KEYS_NAMED)
        return "revokes a key that nobody enrolled";
    if (authority->keys.rows[number].is_node)
        return "revokes a node's key";
    authority->keys.rows[number].state = KEYS_ENDED;
    return NULL;
}

static const char *authority_carrier_enrol(struct authority *authority,
                                           struct result_carrier_enrol *out,
                                           const struct op_carrier_enrol *in)
{
    uint32_t number = keys_find(&authority->keys, in->key_id.b);

    if (number == KEYS_NONE ||
        authority->keys.rows[number].state != KEYS_ACTIVE ||
        authority->keys.rows[number].carrier != 0 ||
        authority->carriers_count == UINT16_MAX)
        return "enrols a carrier that cannot be one";
    REQUIRE(authority->carriers_count < authority->carriers_room);
    authority->carriers[authority->carriers_count++] = in->kind;
    out->number = (uint16_t)authority->carriers_count;
    authority->keys.rows[number].carrier = out->number;
    return NULL;
}

static const char *authority_duty_assign(struct authority *authority,
                                         struct result_duty_assign *out,
                                         const struct op_duty_assign *in)
{
    struct authority_duty duty = {.person = in->person,
                                  .organisation = in->organisation,
                                  .duty = in->duty,
                                  .from = in->from,
                                  .to = in->to};

    if (in->person > authority->persons_count ||
        !authority_organisation_active(authority, in->organisation))
        return "assigns a duty to nobody";
    out->assignment = authority_add_duty(authority, &duty);
    return NULL;
}

static const char *authority_duty_ack(struct authority *authority,
                                      uint32_t assignment, uint32_t signer)
{
    struct authority_duty *duty;

    if (assignment == 0 || assignment > authority->duties_count)
        return "acknowledges a duty that nobody assigned";
    duty = &authority->duties[assignment - 1];
    if (duty->person != authority->keys.rows[signer].person ||
        duty->is_active || duty->is_revoked)
        return "acknowledges a duty that was not his to acknowledge";
    duty->is_active = true;
    return NULL;
}

static const char *authority_duty_revoke(struct authority *authority,
                                         uint32_t assignment)
{
    if (assignment == 0 || assignment > authority->duties_count ||
        authority->duties[assignment - 1].is_revoked)
        return "revokes a duty that nobody has";
    authority->duties[assignment - 1].is_active = false;
    authority->duties[assignment - 1].is_revoked = true;
    return NULL;
}

static const char *authority_organisation_change(
    struct authority *authority, const struct op_organisation_change *in)
{
    if (in->organisation > authority->organisations_count)
        return "changes an organisation that nobody enrolled";
    authority->organisations[in->organisation - 1].is_active =
        in->state != AUTHORITY_CLOSED;
    return NULL;
}

static const char *authority_config_change(struct authority *authority,
                                           const struct op_config_change *in)
{
#define SETTING(number, name, initial, low, high, text)                       \
    if (in->setting == (number) && (in->value < (low) || in->value > (high))) \
        return "gives a setting a value that it cannot have";
    SETTING_LIST(SETTING)
#undef SETTING
    if (in->setting == SETTING_utc_offset_minutes)
        authority->utc_offset_minutes = (int32_t)in->value;
    return NULL;
}

/* ---- One act ------------------------------------------------------------ */

union authority_fields {
    struct op_actor_enrol actor_enrol;
    struct op_key_rotate key_rotate;
    struct op_key_revoke key_revoke;
    struct op_carrier_enrol carrier_enrol;
    struct op_organisation_enrol organisation_enrol;
    struct op_organisation_change organisation_change;
    struct op_duty_assign duty_assign;
    struct op_duty_ack duty_ack;
    struct op_duty_revoke duty_revoke;
    struct op_config_change config_change;
    struct op_node_enrol node_enrol;
    struct op_node_retire node_retire;
    struct op_failover_activate failover_activate;
    struct op_system_epoch system_epoch;
    struct op_system_config system_config;
};
union authority_given {
    struct result_actor_enrol actor_enrol;
    struct result_key_rotate key_rotate;
    struct result_carrier_enrol carrier_enrol;
    struct result_organisation_enrol organisation_enrol;
    struct result_duty_assign duty_assign;
    struct result_node_enrol node_enrol;
    struct result_system_ping system_ping;
};

static const char *change_state(struct authority *authority,
                                union authority_given *out,
                                const union authority_fields *in,
                                const struct authority_act *act)
{
    uint16_t opcode = act->operation->opcode;

    if (opcode == OPCODE_ACTOR_ENROL)
        return authority_actor_enrol(authority, &out->actor_enrol,
                                     &in->actor_enrol);
    if (opcode == OPCODE_KEY_ROTATE)
        return authority_key_rotate(authority, &out->key_rotate,
                                    &in->key_rotate, act->signer);
    if (opcode == OPCODE_KEY_REVOKE)
        return authority_key_revoke(authority, &in->key_revoke);
    if (opcode == OPCODE_CARRIER_ENROL)
        return authority_carrier_enrol(authority, &out->carrier_enrol,
                                       &in->carrier_enrol);
    if (opcode == OPCODE_DUTY_ASSIGN)
        return authority_duty_assign(authority, &out->duty_assign,
                                     &in->duty_assign);
    if (opcode == OPCODE_DUTY_ACK)
        return authority_duty_ack(authority, in->duty_ack.assignment,
                                  act->signer);
    if (opcode == OPCODE_DUTY_REVOKE)
        return authority_duty_revoke(authority, in->duty_revoke.assignment);
    if (opcode == OPCODE_ORGANISATION_CHANGE)
        return authority_organisation_change(authority,
                                             &in->organisation_change);
    if (opcode == OPCODE_NODE_ENROL)
        return authority_node_enrol(authority, &out->node_enrol,
                                    &in->node_enrol);
    if (opcode == OPCODE_NODE_RETIRE)
        return authority_node_retire(authority, &in->node_retire);
    if (opcode == OPCODE_SYSTEM_EPOCH)
        return authority_epoch(authority, &in->system_epoch, act);
    if (opcode == OPCODE_SYSTEM_CONFIG)
        return authority_config(authority, &in->system_config, act);
    if (opcode == OPCODE_FAILOVER_ACTIVATE)
        authority_activate(authority, &in->failover_activate);
    else if (opcode == OPCODE_ORGANISATION_ENROL)
        out->organisation_enrol.organisation =
            authority_add_organisation(authority, in->organisation_enrol.kind);
    else if (opcode == OPCODE_CONFIG_CHANGE)
        return authority_config_change(authority, &in->config_change);
    return NULL;
}

/* Results that follow from open items: numbers, key_ids, and nothing. */
static void authority_give(struct authority_result *out,
                           const struct operation_info *operation,
                           const union authority_given *given)
{
    struct writer writer;

    if (operation->seal != SEAL_OPEN)
        return;
    out->is_known = operation->result->fields_count == 0 ||
                    operation->opcode == OPCODE_SYSTEM_PING ||
                    (authority_needs_fields(operation->opcode) &&
                     operation->opcode != OPCODE_FAILOVER_ACTIVATE &&
                     operation->result->struct_size <= sizeof *given);
    if (!out->is_known || operation->result->fields_count == 0)
        return;
    writer_init(&writer, out->buffer, sizeof out->buffer);
    schema_encode(operation->result, &writer, given);
    INVARIANT(writer.status == ST_OK);
    out->bytes = writer_slice(&writer);
}

const char *authority_change(struct authority *authority,
                             struct authority_result *result_out,
                             const struct authority_act *act)
{
    union authority_fields fields;
    union authority_given given;
    struct field_error error;
    const char *complaint = NULL;

    memset(&given, 0, sizeof given);
    if (act->operation->opcode == OPCODE_SYSTEM_PING)
        given.system_ping.index = act->index;
    if (authority_needs_fields(act->operation->opcode)) {
        if (schema_decode(act->operation->fields, &fields, &error, act->fields,
                          SCHEMA_REFUSE_UNKNOWN) != ST_OK)
            return "done with fields that no node could read";
        complaint = change_state(authority, &given, &fields, act);
    }
    if (complaint == NULL)
        authority_give(result_out, act->operation, &given);
    return complaint;
}
