#include "client/audit/authority.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/dates.h"

/* As ORGANISATION_KINDS and the carriers' kinds are numbered. */
enum { AUTHORITY_OWNER = 1, AUTHORITY_CARRIER_EHIS = 1, AUTHORITY_CLOSED = 2 };
enum { AUTHORITY_PROOF_SIZE = PUBLIC_KEY_SIZE + 16, AUTHORITY_ROOM_MIN = 64 };

static int32_t authority_initial_offset(void)
{
    int32_t offset = 0;

#define SETTING(number, name, initial, lo, hi, text) \
    if ((number) == SETTING_utc_offset_minutes)      \
        offset = (initial);
    SETTING_LIST(SETTING)
#undef SETTING
    return offset;
}

void authority_init(struct authority *authority)
{
    memset(authority, 0, sizeof *authority);
    keys_init(&authority->keys);
    authority->utc_offset_minutes = authority_initial_offset();
}

void authority_free(struct authority *authority)
{
    keys_free(&authority->keys);
    free(authority->duties);
    free(authority->organisations);
    free(authority->carriers);
    memset(authority, 0, sizeof *authority);
}

/* Room for one element more. */
static void *authority_grow(void *array, uint32_t *room, uint32_t count,
                            size_t each)
{
    if (count < *room)
        return array;
    *room = *room == 0 ? AUTHORITY_ROOM_MIN : *room * 2;
    array = realloc(array, *room * each);
    INVARIANT(array != NULL);
    return array;
}

static uint32_t authority_add_organisation(struct authority *authority,
                                           uint8_t kind)
{
    authority->organisations = authority_grow(
        authority->organisations, &authority->organisations_room,
        authority->organisations_count, sizeof *authority->organisations);
    authority->organisations[authority->organisations_count++] =
        (struct authority_organisation){.kind = kind, .is_active = true};
    return authority->organisations_count;
}

static uint32_t authority_add_duty(struct authority *authority,
                                   const struct authority_duty *duty)
{
    authority->duties =
        authority_grow(authority->duties, &authority->duties_room,
                       authority->duties_count, sizeof *authority->duties);
    authority->duties[authority->duties_count++] = *duty;
    return authority->duties_count;
}

void authority_begin(struct authority *authority,
                     const struct op_system_genesis *genesis)
{
    struct authority_duty duty = {.duty = DUTY_ADM, .is_active = true};
    struct keys_key *key;
    uint32_t node, owner;

    identity_cluster_id(authority->cluster_id, genesis->authority_key.b);
    node = keys_add(&authority->keys, genesis->node_receipt_key.b);
    owner = keys_add(&authority->keys, genesis->operator_key.b);
    key = &authority->keys.rows[node];
    key->state = KEYS_ACTIVE;
    key->is_node = true;
    key->level = 3;
    if (owner != node) {
        key = &authority->keys.rows[owner];
        key->state = KEYS_ACTIVE;
        key->role = ROLE_STAFF;
        key->level = 3;
        key->person = ++authority->persons_count;
        key->organisation =
            authority_add_organisation(authority, AUTHORITY_OWNER);
        duty.person = key->person;
        duty.organisation = key->organisation;
        (void)authority_add_duty(authority, &duty);
    }
}

void authority_learn(struct authority *authority,
                     const struct operation_info *operation,
                     struct slice fields)
{
    struct op_actor_enrol enrol;
    struct op_key_rotate rotate;
    struct field_error error;

    if (operation->opcode == OPCODE_ACTOR_ENROL) {
        if (schema_decode(&schema_op_actor_enrol, &enrol, &error, fields,
                          SCHEMA_REFUSE_UNKNOWN) == ST_OK)
            (void)keys_add(&authority->keys, enrol.public_key.b);
    } else if (operation->opcode == OPCODE_KEY_ROTATE) {
        if (schema_decode(&schema_op_key_rotate, &rotate, &error, fields,
                          SCHEMA_REFUSE_UNKNOWN) == ST_OK)
            (void)keys_add(&authority->keys, rotate.public_key.b);
    }
}

bool authority_needs_fields(uint16_t opcode)
{
    return opcode == OPCODE_ACTOR_ENROL || opcode == OPCODE_KEY_ROTATE ||
           opcode == OPCODE_KEY_REVOKE || opcode == OPCODE_CARRIER_ENROL ||
           opcode == OPCODE_ORGANISATION_ENROL ||
           opcode == OPCODE_ORGANISATION_CHANGE ||
           opcode == OPCODE_DUTY_ASSIGN || opcode == OPCODE_DUTY_ACK ||
           opcode == OPCODE_DUTY_REVOKE || opcode == OPCODE_CONFIG_CHANGE;
}

/* ---- May the signer do this? ----------------------------------------------
 */

static enum duty authority_duty_of(const struct keys_key *key)
{
    if (key->is_node)
        return DUTY_SYS;
    switch ((enum role)key->role) {
    case ROLE_PORTAL:
        return DUTY_PRT;
    case ROLE_EHIS:
        return DUTY_EHS;
    case ROLE_PAYMENT:
        return DUTY_PAY;
    case ROLE_COORDINATOR:
        return DUTY_COR;
    case ROLE_CLOUD:
        return DUTY_CLD;
    case ROLE_PROVIDER:
        return DUTY_BPR;
    case ROLE_AUDITOR:
    case ROLE_USER:
    case ROLE_PARTICIPANT:
    case ROLE_STAFF:
        return DUTY_USR;
    }
    return DUTY_USR;
}

static bool authority_organisation_active(const struct authority *authority,
                                          uint32_t number)
{
    return number != 0 && number <= authority->organisations_count &&
           authority->organisations[number - 1].is_active;
}

/* The duty under which the act was done. */
static const char *authority_capacity(const struct authority *authority,
                                      uint8_t *duty_out,
                                      const struct authority_act *act)
{
    const struct keys_key *key = &authority->keys.rows[act->signer];
    const struct authority_duty *duty;
    int32_t today;

    if (act->duty == 0) {
        *duty_out = (uint8_t)authority_duty_of(key);
        if (*duty_out != DUTY_USR && *duty_out != DUTY_SYS &&
            !authority_organisation_active(authority, key->organisation))
            return "done for an organisation that is not active";
        return NULL;
    }
    if (act->duty > authority->duties_count)
        return "done under a duty that nobody assigned";
    duty = &authority->duties[act->duty - 1];
    today = dates_day_at(act->log_time, authority->utc_offset_minutes);
    *duty_out = duty->duty;
    if (duty->person != key->person || duty->organisation != key->organisation)
        return "done under a duty of somebody else";
    if (!duty->is_active || today < duty->from ||
        (duty->to != 0 && today > duty->to))
        return "done under a duty that was not active";
    if (!authority_organisation_active(authority, duty->organisation))
        return "done for an organisation that is not active";
    return NULL;
}

static const char *authority_permits(const struct authority *authority,
                                     const struct authority_act *act)
{
    const struct operation_info *operation = act->operation;
    const struct keys_key *key = &authority->keys.rows[act->signer];
    const char *complaint;
    uint8_t duty = 0;

    if (key->state != KEYS_ACTIVE)
        return "done with a key that was not active";
    if (!act->is_timely)
        return "done outside the time that its signer gave";
    if (key->level < operation->level)
        return "done with a key of too low an assurance level";
    complaint = authority_capacity(authority, &duty, act);
    if (complaint != NULL)
        return complaint;
    if (duty == 0 || duty >= DUTIES_COUNT || operation->who[duty - 1] == '.')
        return "done under a duty that does not allow it";
    if (act->carrier > authority->carriers_count)
        return "carried by a carrier that is not enrolled";
    if (operation->carrier == CARRIER_EHIS &&
        (act->carrier == 0 ||
         authority->carriers[act->carrier - 1] != AUTHORITY_CARRIER_EHIS))
        return "done without the carrier that it needs";
    return NULL;
}

/* ---- What it changes ------------------------------------------------------
 */

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
    authority->carriers =
        authority_grow(authority->carriers, &authority->carriers_room,
                       authority->carriers_count, sizeof *authority->carriers);
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

/* ---- One act --------------------------------------------------------------
 */

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
};
union authority_given {
    struct result_actor_enrol actor_enrol;
    struct result_key_rotate key_rotate;
    struct result_carrier_enrol carrier_enrol;
    struct result_organisation_enrol organisation_enrol;
    struct result_duty_assign duty_assign;
    struct result_system_ping system_ping;
};

static const char *authority_change(struct authority *authority,
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
    if (opcode == OPCODE_ORGANISATION_ENROL)
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
                     operation->result->struct_size <= sizeof *given);
    if (!out->is_known || operation->result->fields_count == 0)
        return;
    writer_init(&writer, out->buffer, sizeof out->buffer);
    schema_encode(operation->result, &writer, given);
    INVARIANT(writer.status == ST_OK);
    out->bytes = writer_slice(&writer);
}

const char *authority_done(struct authority *authority,
                           struct authority_result *result_out,
                           const struct authority_act *act)
{
    union authority_fields fields;
    union authority_given given;
    struct field_error error;
    const char *complaint = authority_permits(authority, act);

    *result_out = (struct authority_result){.is_known = false};
    if (complaint != NULL)
        return complaint;
    memset(&given, 0, sizeof given);
    if (act->operation->opcode == OPCODE_SYSTEM_PING)
        given.system_ping.index = act->index;
    if (authority_needs_fields(act->operation->opcode)) {
        if (schema_decode(act->operation->fields, &fields, &error, act->fields,
                          SCHEMA_REFUSE_UNKNOWN) != ST_OK)
            return "done with fields that no node could read";
        complaint = authority_change(authority, &given, &fields, act);
    }
    if (complaint == NULL)
        authority_give(result_out, act->operation, &given);
    return complaint;
}
