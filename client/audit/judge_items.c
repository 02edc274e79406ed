#include "client/audit/hidden.h"
#include "client/audit/judge_parts.h"

enum { JUDGE_SEAL_EPOCH_SHIFT = 32 };

/* ---- The operations table -------------------------------------------------
 */

static bool judge_realm_fits(const struct judge *judge,
                             const struct judging *judging,
                             const struct operation_info *operation)
{
    uint8_t realm = judging->entry->header.realm;

    switch (operation->realm) {
    case OP_REALM_SYSTEM:
        return realm == REALM_SYSTEM;
    case OP_REALM_ANY:
        return realm == REALM_PORTAL || realm == REALM_REGISTRY ||
               (realm == REALM_SYSTEM && judge_is_primary(judge, judging));
    case OP_REALM_P:
        return realm == REALM_PORTAL;
    case OP_REALM_R:
        return realm == REALM_REGISTRY;
    }
    return false;
}

static bool judge_table(struct judge *judge, const struct judging *judging,
                        const struct operation_info *operation,
                        const struct item *item)
{
    const struct entry_place *place = &judging->entry->place;

    if (operation->category != place->category)
        return judge_tampered_numbers(
            judge, judging, "its category is not that of its operation",
            operation->category, place->category);
    if (!judge_realm_fits(judge, judging, operation))
        return judge_tampered(judge, judging,
                              "its realm is not that of its operation");
    if ((operation->seal == SEAL_OPEN) != (item->seal_key == 0))
        return judge_tampered(judge, judging,
                              operation->seal == SEAL_OPEN
                                  ? "an item is sealed that must be open"
                                  : "an item is open that must be sealed");
    if (item->seal_key >> JUDGE_SEAL_EPOCH_SHIFT > place->epoch)
        return judge_tampered(judge, judging,
                              "an item is sealed under a key of an epoch that "
                              "has not begun");
    return true;
}

/* ---- Items ----------------------------------------------------------------
 */

static bool judge_attestation(struct judge *judge,
                              const struct judging *judging,
                              const struct item *item)
{
    struct op_system_attest stated;
    struct field_error error;
    struct decisions_fault fault;

    if (!judging->is_timely || !judge_is_primary(judge, judging))
        return true;
    if (schema_decode(&schema_op_system_attest, &stated, &error,
                      item_fields(item), SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return judge_tampered(judge, judging,
                              "an attestation that cannot be read");
    if (!decisions_stands(&judge->decisions, &stated, judging->signer))
        return true;
    if (decisions_attested(&judge->decisions, &fault,
                           judging->entry->place.index, &stated))
        return true;
    if (fault.status != ST_OK)
        return judge_give_up(judge, fault.status);
    return judge_fault(judge, REPORT_TAMPERED, fault.index,
                       fault.has_place ? fault.place : judging->place,
                       fault.what);
}

static void judge_count(struct judge *judge, const struct item *item,
                        const struct operation_info *operation)
{
    struct report *report = judge->report;
    uint32_t count;

    report->items++;
    if (item->seal_key != 0)
        report->sealed_items++;
    if (operation == NULL)
        report->unknown_items++;
    else
        report->by_operation[operation - operation_list(&count)]++;
}

static bool judge_item(struct judge *judge, const struct judging *judging,
                       const struct item *item, uint16_t number)
{
    const struct item_clear *clear = &item->clear_part;
    const struct operation_info *operation = operation_info(clear->opcode);
    struct authority_act act = {.index = judging->entry->place.index,
                                .item = number,
                                .carrier = judging->entry->place.carrier,
                                .realm = judging->entry->header.realm,
                                .signer = judging->signer,
                                .duty = clear->duty,
                                .log_time = judging->entry->place.log_time,
                                .is_timely = judging->is_timely,
                                .is_primary = judge_is_primary(judge, judging),
                                .operation = operation};
    enum status status;

    if (operation != NULL && operation->version != clear->version)
        operation = NULL;
    judge_count(judge, item, operation);
    if (operation == NULL) {
        decisions_give_up(&judge->decisions);
        return true;
    }
    if (!judge_table(judge, judging, operation, item))
        return false;
    if (item->seal_key == 0 && archive_records_needs(clear->opcode))
        act.fields = item_fields(item);
    if (item->seal_key == 0 && authority_needs_fields(clear->opcode)) {
        act.fields = item_fields(item);
        status = authority_reserve(&judge->authority);
        if (status != ST_OK)
            return judge_give_up(judge, status);
        authority_learn(&judge->authority, operation, act.fields);
    } else if (item->seal_key == 0 && hidden_is_about(clear->opcode)) {
        act.fields = item_fields(item);
    }
    status = decisions_wait(&judge->decisions, &act, judging->place);
    if (status != ST_OK)
        return judge_give_up(judge, status);
    return clear->opcode != OPCODE_SYSTEM_ATTEST ||
           judge_attestation(judge, judging, item);
}

bool judge_items(struct judge *judge, const struct judging *judging)
{
    struct slice rest = judging->entry->items;
    struct item item;

    for (uint16_t i = 0; entry_next_item(&item, &rest); i++) {
        if (!judge_item(judge, judging, &item, i))
            return false;
    }
    return true;
}
