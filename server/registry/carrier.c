#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

static bool carrier_fits(uint8_t kind, uint8_t role)
{
    return role == (kind == CARRIER_KIND_EHIS ? ROLE_EHIS : ROLE_PORTAL);
}

enum status carrier_enrol(struct act *act, const struct op_carrier_enrol *in,
                          struct result_carrier_enrol *out)
{
    struct row_key key = {.key_id = in->key_id};
    struct row_carrier row = {
        .key_id = in->key_id, .kind = in->kind, .label = in->label};
    uint64_t number;

    if (!state_get(act->state, TABLE_KEY, &key))
        return ST_NO_SUCH;
    if (key.state != KEY_ACTIVE)
        return ST_WRONG_STATE;
    if (!carrier_fits(in->kind, key.role))
        return ST_BAD_FIELD;
    if (key.carrier != 0)
        return ST_EXISTS;
    if (state_count(act->state, TABLE_CARRIER) >= UINT16_MAX)
        return ST_QUOTA;
    number = state_next(act->state, SEQUENCE_CARRIER);
    row.number = (uint16_t)number;
    key.carrier = (uint16_t)number;
    state_insert(act->state, TABLE_CARRIER, &row);
    state_update(act->state, TABLE_KEY, &key);
    out->number = row.number;
    return ST_OK;
}
