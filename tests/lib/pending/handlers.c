/*
 * Weak stand-ins for handlers, linked last into test programs only, so that a
 * test of one area links before every other area is there.
 */
#include "server/registry/dispatch.h"

#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    __attribute__((weak)) enum status lower(struct act *act,               \
                                            const struct op_##lower *in,   \
                                            struct result_##lower *out)    \
    {                                                                      \
        (void)act;                                                         \
        (void)in;                                                          \
        (void)out;                                                         \
        return ST_UNKNOWN_OP;                                              \
    }
OPERATION_LIST(OPERATION)
#undef OPERATION
