#include "server/pipeline/decode.h"

#include <string.h>

#include "server/registry/dispatch.h"

/* The realm in the header against the table's. */
static bool decode_realm_fits(const struct work *work,
                              const struct operation_info *operation)
{
    uint8_t realm = work->command.header.realm;

    switch (operation->realm) {
    case OP_REALM_SYSTEM:
        return realm == REALM_SYSTEM;
    case OP_REALM_ANY:
        return realm == REALM_PORTAL || realm == REALM_REGISTRY ||
               work->node_made;
    case OP_REALM_P:
        return realm == REALM_PORTAL;
    case OP_REALM_R:
        return realm == REALM_REGISTRY;
    }
    return false;
}

static bool decode_is_system(const struct operation_info *operation)
{
    return operation->realm == OP_REALM_SYSTEM;
}

/* One command is one kind of act: its entry has one category, and what it
 * reads is answered in another way than what it writes. */
static bool decode_mixes(const struct operation_info *first,
                         const struct operation_info *other)
{
    return first->category != other->category ||
           first->access != other->access ||
           decode_is_system(first) != decode_is_system(other);
}

/* An entry of such an operation is the word of the node that led (LOG-FORMAT,
 * section 6): a command with its key, brought by somebody else, must not become
 * one. */
bool decode_is_nodes_own(const struct operation_info *operation)
{
    for (unsigned duty = 1; duty < DUTIES_COUNT; duty++) {
        if (duty != DUTY_SYS && operation->who[duty - 1] != '.')
            return false;
    }
    return true;
}

/* Rows hold numbers of 63 bits: no object has a greater one, and none may be
 * asked for. */
static bool decode_numbers_fit(const struct schema *schema,
                               struct field_error *error, const void *fields)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        const uint8_t *at = (const uint8_t *)fields + rows[i].offset;
        uint64_t number = 0;

        if (rows[i].kind != FIELD_u64 && rows[i].kind != FIELD_voen)
            continue;
        memcpy(&number, at, sizeof number);
        if (number > INT64_MAX) {
            error->tag = rows[i].tag == 0 ? (uint16_t)(i + 1)
                                          : (uint16_t)(rows[i].tag | 0x8000);
            return false;
        }
    }
    return true;
}

static enum status decode_item(const struct work *work,
                               struct field_error *error,
                               const struct command_item *item)
{
    const struct operation_info *operation =
        operation_info(item->clear_part.opcode);
    union dispatch_fields fields;
    enum status status;

    if (operation == NULL)
        return ST_UNKNOWN_OP;
    if (item->clear_part.version != operation->version)
        return ST_OP_VERSION;
    if (!work->node_made && decode_is_nodes_own(operation))
        return ST_NO_DUTY;
    if (work->operation != NULL && decode_mixes(work->operation, operation))
        return ST_MIXED_BATCH;
    if (!decode_realm_fits(work, operation))
        return ST_WRONG_ENV;
    if (item->clear_part.subject > INT64_MAX)
        return ST_BAD_FIELD;
    memset(&fields, 0, operation->fields->struct_size);
    status = schema_decode(operation->fields, &fields, error, item->fields,
                           SCHEMA_REFUSE_UNKNOWN);
    if (status == ST_OK &&
        !decode_numbers_fit(operation->fields, error, &fields))
        status = ST_BAD_FIELD;
    return status;
}

void decode_work(struct work *work)
{
    const struct command *command = &work->command;

    work->operation = operation_info(command->items[0].clear_part.opcode);
    for (uint16_t i = 0; i < command->header.items_count; i++) {
        struct field_error error = {.tag = 0};
        enum status status = decode_item(work, &error, &command->items[i]);

        if (status != ST_OK) {
            work->fault = (struct work_fault){
                .status = status, .tag = error.tag, .item = i};
            return;
        }
    }
}
