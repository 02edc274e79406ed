#include "server/registry/access_seal.h"

#include <string.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

bool access_seal_is_about(uint16_t opcode)
{
    return opcode >= OPCODE_ACCESS_SEAL_PROPOSE &&
           opcode <= OPCODE_ACCESS_SEAL_LIST;
}

bool access_seal_hides(const struct act *act,
                       const struct row_access_seal *seal)
{
    return seal->state == SEAL_LIVE && act->log_time < seal->until;
}

/* ---- Covering ----------------------------------------------------------- */

static bool is_coverable(const struct row_access *access)
{
    const struct operation_info *operation = operation_info(access->opcode);

    /* A use of a consent shows in the subject's list of consents, and the
     * subject was promised to see it. */
    return operation != NULL && operation->access == ACCESS_READ &&
           operation->realm == OP_REALM_R && access->organisation != 0 &&
           access->by_subject == 0 && access->consent == 0;
}

static bool covers(struct act *act, const struct row_access_seal *seal,
                   const struct row_access *access,
                   struct access_seal_asker asker)
{
    static const struct bytes16 any;
    struct bytes16 file_tag;

    if (!access_seal_hides(act, seal) ||
        seal->organisation != access->organisation ||
        (seal->purpose != 0 && seal->purpose != access->purpose) ||
        asker.person == seal->proposed_by || asker.person == seal->decided_by)
        return false;
    if (memcmp(&seal->file_tag, &any, sizeof any) == 0)
        return true;
    act_tag(act, &file_tag, TAG_FILE, asker.file_number);
    return memcmp(&seal->file_tag, &file_tag, sizeof file_tag) == 0;
}

/* The one that ends last; number 0 if none covers it. */
static struct row_access_seal find(struct act *act,
                                   const struct row_access *access,
                                   struct access_seal_asker asker)
{
    struct row_access_seal row = {.subject = access->subject};
    struct row_access_seal found = {.number = 0};
    struct state_scan scan;

    state_scan_open(act->state, &scan, INDEX_ACCESS_SEAL_BY_SUBJECT, &row,
                    (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &row)) {
        if (covers(act, &row, access, asker) &&
            (found.number == 0 || row.until > found.until))
            found = row;
    }
    state_scan_close(&scan);
    return found;
}

void access_seal_cover(struct act *act, const struct row_access *access,
                       struct access_seal_asker asker)
{
    struct row_sealed_access row = {.subject = access->subject,
                                    .number = access->number};
    struct row_access_seal seal;

    /* Every access asks, and in most registers nothing was sealed. */
    if (state_count(act->state, TABLE_ACCESS_SEAL) == 0 ||
        !is_coverable(access))
        return;
    seal = find(act, access, asker);
    if (seal.number == 0)
        return;
    row.seal = seal.number;
    state_insert(act->state, TABLE_SEALED_ACCESS, &row);
    seal.accesses++;
    state_update(act->state, TABLE_ACCESS_SEAL, &seal);
}

/* ---- What is covered ---------------------------------------------------- */

bool access_seal_of(struct act *act, struct row_access_seal *seal_out,
                    const struct row_access *access)
{
    struct row_sealed_access row = {.subject = access->subject,
                                    .number = access->number};
    bool found;

    if (state_count(act->state, TABLE_SEALED_ACCESS) == 0 ||
        !state_get(act->state, TABLE_SEALED_ACCESS, &row))
        return false;
    *seal_out = (struct row_access_seal){.number = row.seal};
    found = state_get(act->state, TABLE_ACCESS_SEAL, seal_out);
    INVARIANT(found);
    return true;
}

uint32_t access_seal_hidden(struct act *act, uint64_t subject)
{
    struct row_access_seal row = {.subject = subject};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_open(act->state, &scan, INDEX_ACCESS_SEAL_BY_SUBJECT, &row,
                    (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &row)) {
        if (access_seal_hides(act, &row))
            count += row.accesses;
    }
    state_scan_close(&scan);
    return count;
}

/* ---- Two persons -------------------------------------------------------- */

static enum status propose_check(struct act *act,
                                 const struct op_access_seal_propose *in)
{
    struct row_subject subject = {.voen = in->subject};
    struct row_organisation organisation = {.number = in->organisation};
    struct row_purpose purpose = {.number = in->for_purpose};
    int64_t days = state_setting(act->state, SETTING_seal_days);

    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (act->subject != 0 || in->subject > INT64_MAX ||
        in->until <= act->log_time ||
        in->until - act->log_time > days * DATES_US_PER_DAY)
        return ST_BAD_FIELD;
    if (!state_get(act->state, TABLE_SUBJECT, &subject) ||
        !state_get(act->state, TABLE_ORGANISATION, &organisation) ||
        (in->for_purpose != 0 &&
         !state_get(act->state, TABLE_PURPOSE, &purpose)))
        return ST_NO_SUCH;
    return ST_OK;
}

enum status access_seal_propose(struct act *act,
                                const struct op_access_seal_propose *in,
                                struct result_access_seal_propose *out)
{
    struct row_access_seal row = {.subject = in->subject,
                                  .organisation = in->organisation,
                                  .purpose = in->for_purpose,
                                  .state = SEAL_PROPOSED,
                                  .basis = in->basis,
                                  .until = in->until,
                                  .proposed_by = act->signer.person,
                                  .proposed = act->log_time};
    enum status status = propose_check(act, in);

    if (status != ST_OK)
        return status;
    act_tag(act, &row.file_tag, TAG_FILE, in->file_number);
    row.number = (uint32_t)state_next(act->state, SEQUENCE_ACCESS_SEAL);
    row.record = act_keep(act);
    state_insert(act->state, TABLE_ACCESS_SEAL, &row);
    out->seal = row.number;
    return ST_OK;
}

static enum status decide(struct act *act, uint32_t number, enum seal_state to)
{
    struct row_access_seal row = {.number = number};

    if (!state_get(act->state, TABLE_ACCESS_SEAL, &row))
        return ST_NO_SUCH;
    if (act->signer.person == row.proposed_by)
        return ST_SELF_APPROVE;
    if (row.state != SEAL_PROPOSED || act->log_time >= row.until)
        return ST_WRONG_STATE;
    row.state = (uint8_t)to;
    row.decided_by = act->signer.person;
    row.decided = act->log_time;
    state_update(act->state, TABLE_ACCESS_SEAL, &row);
    return ST_OK;
}

enum status access_seal_approve(struct act *act,
                                const struct op_access_seal_approve *in,
                                struct result_access_seal_approve *out)
{
    (void)out;
    return decide(act, in->seal, SEAL_LIVE);
}

enum status access_seal_refuse(struct act *act,
                               const struct op_access_seal_refuse *in,
                               struct result_access_seal_refuse *out)
{
    (void)out;
    return decide(act, in->seal, SEAL_REFUSED);
}

/* To show more takes one person. */
enum status access_seal_lift(struct act *act,
                             const struct op_access_seal_lift *in,
                             struct result_access_seal_lift *out)
{
    struct row_access_seal row = {.number = in->seal};

    (void)out;
    if (!state_get(act->state, TABLE_ACCESS_SEAL, &row))
        return ST_NO_SUCH;
    if (!access_seal_hides(act, &row))
        return ST_WRONG_STATE;
    row.state = SEAL_LIFTED;
    row.lifted_by = act->signer.person;
    row.lifted = act->log_time;
    state_update(act->state, TABLE_ACCESS_SEAL, &row);
    return ST_OK;
}
