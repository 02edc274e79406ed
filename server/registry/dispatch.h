/*
 * dispatch.h: from a decoded item to its handler, and the permission to get
 * there (PROTOCOL, section 6, steps 10 to 13; PROTOCOL, section 12).
 */
#ifndef DEFTER_SERVER_REGISTRY_DISPATCH_H
#define DEFTER_SERVER_REGISTRY_DISPATCH_H

#include "server/registry/act.h"

/* Every handler's prototype, made of the operations table. */
#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    enum status lower(struct act *act, const struct op_##lower *in,        \
                      struct result_##lower *out);
OPERATION_LIST(OPERATION)
#undef OPERATION

/* Large enough for the struct of any operation's fields or result. */
union dispatch_fields {
#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    struct op_##lower lower;
    OPERATION_LIST(OPERATION)
#undef OPERATION
};
union dispatch_result {
#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    struct result_##lower lower;
    OPERATION_LIST(OPERATION)
#undef OPERATION
};

/*
 * permit_check(act, duty_number):
 * Step 10: key active, session, level, carrier, duty, matrix.  Fills the
 * signer's row and his capacity (duty, assignment, organisation, scope, kind of
 * carrier, letter).  The genesis at index 0 is signed by the authority, which
 * has no key here, and is exempt.
 *
 * Requires: place, signer.key_id, carrier and item of ${act} are set; capacity
 *           is zero for the first item of a command.
 * Returns:  ST_OK; ST_KEY_INACTIVE, also for a key that is not there;
 *           ST_NO_SESSION; ST_LEVEL; ST_NO_DUTY.
 */
NODISCARD enum status permit_check(struct act *act, uint32_t duty_number);

/*
 * dispatch_item(act, fields, result_out):
 * Steps 10 to 13 for one item: permit_check, the handler, the access row.
 * ${fields} are the decoded fields of act->operation.  The encoded result is
 * appended to ${result_out} where the code is ST_OK (others leave it unchanged,
 * except section writes refused by ST_BAD_FIELD, which name the field).
 *
 * Requires: as permit_check(); act->space is empty, and it and ${result_out}
 *           have room for RESULT_SIZE_MAX more bytes.
 * Returns:  the decision; below 1000.
 */
enum status dispatch_item(struct act *act, uint32_t duty_number,
                          const union dispatch_fields *fields,
                          struct writer *result_out);

/*
 * dispatch_undone(act, duty_number, fields):
 * Leaves of an item that was done, and that its batch has undone, the access
 * row: with ST_NOT_DONE.
 *
 * Requires: as dispatch_item().
 */
void dispatch_undone(struct act *act, uint32_t duty_number,
                     const union dispatch_fields *fields);

#endif
