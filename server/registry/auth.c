#include "protocol/dates.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

/* Machines keep their sessions longer: nobody types their names. */
static int64_t auth_longest_s(const struct act *act)
{
    bool machine =
        act->signer.is_node != 0 || rows_is_machine(act->signer.role);

    return state_setting(act->state, machine ? SETTING_session_machine_s
                                             : SETTING_session_person_s);
}

static bool auth_find(struct act *act, struct row_session *row)
{
    *row = (struct row_session){.key_id = act->signer.key_id};
    return state_get(act->state, TABLE_SESSION, row);
}

enum status auth_open(struct act *act, const struct op_auth_open *in,
                      struct result_auth_open *out)
{
    int64_t lifetime_s = auth_longest_s(act);
    struct row_session row;
    bool exists = auth_find(act, &row);

    if (in->lifetime_s != 0 && in->lifetime_s < lifetime_s)
        lifetime_s = in->lifetime_s;
    row.opened = act->log_time;
    row.until = act->log_time + lifetime_s * DATES_US_PER_SECOND;
    if (exists)
        state_update(act->state, TABLE_SESSION, &row);
    else
        state_insert(act->state, TABLE_SESSION, &row);
    out->until = row.until;
    return ST_OK;
}

enum status auth_close(struct act *act, const struct op_auth_close *in,
                       struct result_auth_close *out)
{
    struct row_session row;

    (void)in;
    (void)out;
    if (!auth_find(act, &row))
        return ST_NO_SESSION;
    state_delete(act->state, TABLE_SESSION, &row);
    return ST_OK;
}

enum status auth_resume(struct act *act, const struct op_auth_resume *in,
                        struct result_auth_resume *out)
{
    struct row_session row;

    (void)in;
    if (!auth_find(act, &row) || row.until <= act->log_time)
        return ST_NO_SESSION;
    out->until = row.until;
    return ST_OK;
}
