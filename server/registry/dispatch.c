#include "server/registry/dispatch.h"

#include <string.h>

#include "protocol/contract.h"
#include "server/registry/access.h"
#include "server/registry/continuity.h"
#include "server/registry/destroy.h"
#include "server/registry/feed.h"
#include "server/registry/subject.h"

/* Operations below this one may change rows that permissions rest on: keys,
 * sessions, organisations, carriers, duties. */
enum { DISPATCH_OPCODE_SUBJECTS = OPCODE_SUBJECT_OPEN };

/* Longer than a screen: one line an operation, made of the table. */
static enum status dispatch_handle(struct act *act,
                                   const union dispatch_fields *fields,
                                   union dispatch_result *result)
{
    switch ((enum opcode)act->operation->opcode) {
#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    case OPCODE_##UPPER:                                                   \
        return lower(act, &fields->lower, &result->lower);
        OPERATION_LIST(OPERATION)
#undef OPERATION
    }
    return ST_UNKNOWN_OP;
}

/* Known before anything is decided, for what is refused is seen too. */
static struct slice dispatch_file_number(const struct act *act,
                                         const union dispatch_fields *fields)
{
    switch (act->operation->opcode) {
    case OPCODE_SUBJECT_HEAD:
        return fields->subject_head.file_number;
    case OPCODE_SUBJECT_FIND:
        return fields->subject_find.file_number;
    case OPCODE_SUBJECT_COMPLETENESS:
        return fields->subject_completeness.file_number;
    case OPCODE_SECTION_GET:
        return fields->section_get.file_number;
    case OPCODE_SECTION_HISTORY:
        return fields->section_history.file_number;
    case OPCODE_CONSENT_READ:
        return fields->consent_read.file_number;
    default:
        return slice_of(NULL, 0);
    }
}

/* A refused record names its field, so that its author need not guess. */
static bool dispatch_names_field(const struct act *act, enum status code,
                                 union dispatch_result *result)
{
    if (code != ST_BAD_FIELD || act->field == 0)
        return false;
    if (act->operation->opcode == OPCODE_SECTION_PUT) {
        result->section_put = (struct result_section_put){0};
        result->section_put.field = act->field;
        return true;
    }
    if (act->operation->opcode == OPCODE_SECTION_SELF_PUT) {
        result->section_self_put = (struct result_section_self_put){0};
        result->section_self_put.field = act->field;
        return true;
    }
    return false;
}

/* The same of an item whose handler does not come to it any more. */
static uint16_t dispatch_sections(const struct act *act,
                                  const union dispatch_fields *fields)
{
    switch (act->operation->opcode) {
    case OPCODE_SECTION_GET:
        return fields->section_get.sections;
    case OPCODE_SECTION_HISTORY:
        return SECTION_BIT(fields->section_history.section);
    case OPCODE_CONSENT_ASK:
        return fields->consent_ask.sections;
    case OPCODE_CONSENT_READ:
        return fields->consent_read.sections;
    default:
        return 0;
    }
}

static enum status dispatch_decide(struct act *act, uint32_t duty_number,
                                   const union dispatch_fields *fields,
                                   union dispatch_result *result)
{
    enum status code = permit_check(act, duty_number);

    if (code != ST_OK)
        return code;
    if (!continuity_admits(act))
        return ST_WRONG_STATE;
    /* Reads name no version (PROTOCOL, section 6): if_version is a field. */
    if (act->operation->access == ACCESS_READ && act->expect_version != 0)
        return ST_BAD_FIELD;
    code = destroy_check_subject(act);
    if (code != ST_OK)
        return code;
    return dispatch_handle(act, fields, result);
}

static void dispatch_begin(struct act *act, const union dispatch_fields *fields)
{
    act->sections = 0;
    act->consent = 0;
    act->by_subject = 0;
    act->field = 0;
    act->no_access_row = false;
    act->kept = false;
    act->file_number = dispatch_file_number(act, fields);
}

enum status dispatch_item(struct act *act, uint32_t duty_number,
                          const union dispatch_fields *fields,
                          struct writer *result_out)
{
    union dispatch_result result;
    enum status code;

    REQUIRE(act->operation != NULL);
    memset(&result, 0, act->operation->result->struct_size);
    dispatch_begin(act, fields);
    code = dispatch_decide(act, duty_number, fields, &result);
    INVARIANT(status_is_wire(code));
    if (code == ST_OK || dispatch_names_field(act, code, &result))
        schema_encode(act->operation->result, result_out, &result);
    INVARIANT(result_out->status == ST_OK && act->space->status == ST_OK);
    access_note(act, code);
    if (!act->more_items)
        feed_flush(act);
    if (code == ST_OK && act->operation->access == ACCESS_WRITE &&
        act->operation->opcode < DISPATCH_OPCODE_SUBJECTS)
        act->capacity.known = false;
    return code;
}

void dispatch_undone(struct act *act, uint32_t duty_number,
                     const union dispatch_fields *fields)
{
    dispatch_begin(act, fields);
    act->capacity.known = false; /* It may rest on what was undone. */
    /* Only for who he is: it was decided before. */
    MAYBE(permit_check(act, duty_number) == ST_OK);
    act->sections = dispatch_sections(act, fields);
    access_note_undone(act);
}
