#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

/* Only participants supply sections. */
static bool organisation_may_supply(uint8_t kind, uint16_t sections)
{
    return sections == 0 || rows_is_participant(kind);
}

enum status organisation_enrol(struct act *act,
                               const struct op_organisation_enrol *in,
                               struct result_organisation_enrol *out)
{
    struct row_organisation row = {.kind = in->kind,
                                   .state = ORGANISATION_ACTIVE,
                                   .name = in->name,
                                   .voen = in->voen,
                                   .sections = in->sections,
                                   .ehis_code = in->ehis_code,
                                   .basis = in->basis};

    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (in->kind == ORGANISATION_OWNER) /* There is one, from the genesis. */
        return ST_EXISTS;
    if (!organisation_may_supply(in->kind, in->sections))
        return ST_BAD_FIELD;
    row.number = (uint32_t)state_next(act->state, SEQUENCE_ORGANISATION);
    state_insert(act->state, TABLE_ORGANISATION, &row);
    out->organisation = row.number;
    return ST_OK;
}

enum status organisation_change(struct act *act,
                                const struct op_organisation_change *in,
                                struct result_organisation_change *out)
{
    struct row_organisation row = {.number = in->organisation};

    (void)out;
    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (!state_get(act->state, TABLE_ORGANISATION, &row))
        return ST_NO_SUCH;
    if (row.kind == ORGANISATION_OWNER && in->state != ORGANISATION_ACTIVE)
        return ST_WRONG_STATE;
    if (!organisation_may_supply(row.kind, in->sections))
        return ST_BAD_FIELD;
    row.sections = in->sections;
    row.state = in->state;
    row.basis = in->basis;
    state_update(act->state, TABLE_ORGANISATION, &row);
    return ST_OK;
}
