#include "client/audit/hidden.h"

#include <string.h>

#include "client/audit/report_parts.h"
#include "protocol/contract.h"

bool hidden_is_about(uint16_t opcode)
{
    return opcode >= OPCODE_ACCESS_SEAL_PROPOSE &&
           opcode <= OPCODE_ACCESS_SEAL_LIFT;
}

/* Seals are numbered from 1 in the order of their proposals; NULL: none of
 * those that are kept here. */
static struct report_hidden *find(struct report *report, uint32_t seal)
{
    return seal >= 1 &&
                   seal <= report_shown(report->hidden_count, REPORT_HIDDEN_MAX)
               ? &report->hidden[seal - 1]
               : NULL;
}

static void decided(struct report *report, const struct report_step *step,
                    const struct op_access_seal_approve *fields,
                    enum report_hiding state)
{
    struct report_hidden *hidden = find(report, fields->seal);

    if (hidden == NULL)
        return;
    hidden->state = state;
    hidden->decided = *step;
    memcpy(hidden->basis, fields->basis.b, HASH_SIZE);
}

static void lifted(struct report *report, const struct report_step *step,
                   uint32_t seal)
{
    struct report_hidden *hidden = find(report, seal);

    if (hidden == NULL)
        return;
    hidden->state = REPORT_HIDING_LIFTED;
    hidden->lifted = *step;
}

static void proposed(struct report *report, const struct report_step *step)
{
    if (report->hidden_count++ < REPORT_HIDDEN_MAX)
        report->hidden[report->hidden_count - 1] = (struct report_hidden){
            .state = REPORT_HIDING_PROPOSED, .proposed = *step};
}

/* What cannot be read was not done: who judges the outcomes sees that. */
static bool decode(const struct authority_act *act, void *out)
{
    struct field_error error;

    return schema_decode(act->operation->fields, out, &error, act->fields,
                         SCHEMA_REFUSE_UNKNOWN) == ST_OK;
}

void hidden_done(struct report *report, const struct authority_act *act,
                 uint64_t person)
{
    const struct report_step step = {
        .index = act->index, .person = person, .time = act->log_time};
    struct op_access_seal_approve approve;
    struct op_access_seal_refuse refuse;
    struct op_access_seal_lift lift;

    REQUIRE(hidden_is_about(act->operation->opcode));
    switch (act->operation->opcode) {
    case OPCODE_ACCESS_SEAL_PROPOSE:
        proposed(report, &step);
        break;
    case OPCODE_ACCESS_SEAL_APPROVE:
        if (decode(act, &approve))
            decided(report, &step, &approve, REPORT_HIDING_APPROVED);
        break;
    case OPCODE_ACCESS_SEAL_REFUSE:
        if (decode(act, &refuse)) {
            approve = (struct op_access_seal_approve){.seal = refuse.seal,
                                                      .basis = refuse.basis};
            decided(report, &step, &approve, REPORT_HIDING_REFUSED);
        }
        break;
    default:
        if (decode(act, &lift))
            lifted(report, &step, lift.seal);
        break;
    }
}
