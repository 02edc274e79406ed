#include <stdlib.h>
#include <string.h>

#include "client/audit/authority_parts.h"
#include "protocol/dates.h"

enum { AUTHORITY_ROOM_MIN = 64 };

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
    authority->primary = KEYS_NONE;
}

void authority_free(struct authority *authority)
{
    keys_free(&authority->keys);
    free(authority->duties);
    free(authority->organisations);
    free(authority->carriers);
    free(authority->nodes);
    memset(authority, 0, sizeof *authority);
}

/* The array with room for one element more; NULL, and it is as it was. */
static void *reserve_one(void *array, uint32_t *room, uint32_t count,
                         size_t each)
{
    const uint32_t more = *room == 0 ? AUTHORITY_ROOM_MIN : *room * 2;

    if (count < *room)
        return array;
    array = reallocarray(array, more, each);
    if (array != NULL)
        *room = more;
    return array;
}

enum status authority_reserve(struct authority *authority)
{
    struct authority_duty *duties;
    struct authority_organisation *organisations;
    struct authority_node *nodes;
    uint8_t *carriers;

    duties = reserve_one(authority->duties, &authority->duties_room,
                         authority->duties_count, sizeof *duties);
    if (duties == NULL)
        return ST_EXHAUSTED;
    authority->duties = duties;
    organisations =
        reserve_one(authority->organisations, &authority->organisations_room,
                    authority->organisations_count, sizeof *organisations);
    if (organisations == NULL)
        return ST_EXHAUSTED;
    authority->organisations = organisations;
    carriers = reserve_one(authority->carriers, &authority->carriers_room,
                           authority->carriers_count, sizeof *carriers);
    if (carriers == NULL)
        return ST_EXHAUSTED;
    authority->carriers = carriers;
    nodes = reserve_one(authority->nodes, &authority->nodes_room,
                        authority->nodes_count, sizeof *nodes);
    if (nodes == NULL)
        return ST_EXHAUSTED;
    authority->nodes = nodes;
    return keys_reserve(&authority->keys);
}

uint32_t authority_add_organisation(struct authority *authority, uint8_t kind)
{
    REQUIRE(authority->organisations_count < authority->organisations_room);
    authority->organisations[authority->organisations_count++] =
        (struct authority_organisation){.kind = kind, .is_active = true};
    return authority->organisations_count;
}

uint32_t authority_add_duty(struct authority *authority,
                            const struct authority_duty *duty)
{
    REQUIRE(authority->duties_count < authority->duties_room);
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
    memcpy(authority->operator_key, genesis->operator_key.b, PUBLIC_KEY_SIZE);
    memcpy(authority->authority_key, genesis->authority_key.b, PUBLIC_KEY_SIZE);
    node = keys_add(&authority->keys, genesis->node_receipt_key.b);
    owner = keys_add(&authority->keys, genesis->operator_key.b);
    key = &authority->keys.rows[node];
    key->state = KEYS_ACTIVE;
    key->is_node = true;
    key->level = 3;
    authority_add_node(authority, &genesis->node_id, node,
                       &genesis->cosigner_key);
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
    struct op_node_enrol node;
    struct field_error error;
    uint32_t number;

    if (operation->opcode == OPCODE_ACTOR_ENROL) {
        if (schema_decode(&schema_op_actor_enrol, &enrol, &error, fields,
                          SCHEMA_REFUSE_UNKNOWN) == ST_OK)
            (void)keys_add(&authority->keys, enrol.public_key.b);
    } else if (operation->opcode == OPCODE_KEY_ROTATE) {
        if (schema_decode(&schema_op_key_rotate, &rotate, &error, fields,
                          SCHEMA_REFUSE_UNKNOWN) == ST_OK)
            (void)keys_add(&authority->keys, rotate.public_key.b);
    } else if (operation->opcode == OPCODE_NODE_ENROL) {
        if (schema_decode(&schema_op_node_enrol, &node, &error, fields,
                          SCHEMA_REFUSE_UNKNOWN) != ST_OK)
            return;
        number = keys_add(&authority->keys, node.receipt_key.b);
        authority->keys.rows[number].may_be_node = true;
    }
}

bool authority_needs_fields(uint16_t opcode)
{
    return opcode == OPCODE_ACTOR_ENROL || opcode == OPCODE_KEY_ROTATE ||
           opcode == OPCODE_KEY_REVOKE || opcode == OPCODE_CARRIER_ENROL ||
           opcode == OPCODE_ORGANISATION_ENROL ||
           opcode == OPCODE_ORGANISATION_CHANGE ||
           opcode == OPCODE_DUTY_ASSIGN || opcode == OPCODE_DUTY_ACK ||
           opcode == OPCODE_DUTY_REVOKE || opcode == OPCODE_CONFIG_CHANGE ||
           opcode == OPCODE_NODE_ENROL || opcode == OPCODE_NODE_RETIRE ||
           opcode == OPCODE_FAILOVER_ACTIVATE ||
           opcode == OPCODE_SYSTEM_EPOCH || opcode == OPCODE_SYSTEM_CONFIG;
}

/* ---- May the signer do this? ----------------------------------------------
 */

bool authority_is_primary(const struct authority *authority, uint32_t signer)
{
    return authority->primary == KEYS_NONE || authority->primary == signer;
}

/* A node speaks for the system in its own term, and to begin it; in one that
 * was refused, it does not. */
static enum duty authority_duty_of(const struct authority *authority,
                                   const struct keys_key *key,
                                   const struct authority_act *act)
{
    if (key->is_node)
        return act->operation->opcode == OPCODE_SYSTEM_EPOCH ||
                       (act->is_primary &&
                        authority_is_primary(authority, act->signer))
                   ? DUTY_SYS
                   : DUTY_REP;
    return role_duty(key->role);
}

bool authority_organisation_active(const struct authority *authority,
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
        *duty_out = (uint8_t)authority_duty_of(authority, key, act);
        if (*duty_out != DUTY_USR && !key->is_node &&
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
    if (authority_realm_waits(authority, act))
        return "done in a realm whose failover nobody had let";
    return NULL;
}

const char *authority_done(struct authority *authority,
                           struct authority_result *result_out,
                           const struct authority_act *act)
{
    const char *complaint = authority_permits(authority, act);

    *result_out = (struct authority_result){.is_known = false};
    return complaint != NULL ? complaint
                             : authority_change(authority, result_out, act);
}
