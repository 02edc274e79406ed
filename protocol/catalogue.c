#include "protocol/catalogue.h"

#include <stddef.h>
#include <string.h>

/*
 * offsetof needs the name of the struct, which a field's row does not know.
 * Each table's rows therefore stand in a function of their own, where the local
 * type `self` names the struct.
 */
#define ROW_F(kind, name, lo, hi, note)                               \
    {#name, FIELD_##kind, 0,   (uint16_t)offsetof(self, name), 0, lo, \
     hi,    NULL,         note},
#define ROW_L(UPPER, lower, name, hi, note)                             \
    {#name, FIELD_list,      0,   (uint16_t)offsetof(self, name), 0, 0, \
     hi,    &schema_##lower, note},
#define ROW_O(tag, kind, name, lo, hi, note) \
    {#name,                                  \
     FIELD_##kind,                           \
     tag,                                    \
     (uint16_t)offsetof(self, name),         \
     (uint16_t)offsetof(self, has_##name),   \
     lo,                                     \
     hi,                                     \
     NULL,                                   \
     note},
#define ROW_P(tag, UPPER, lower, name, hi, note) \
    {#name,                                      \
     FIELD_list,                                 \
     tag,                                        \
     (uint16_t)offsetof(self, name),             \
     (uint16_t)offsetof(self, has_##name),       \
     0,                                          \
     hi,                                         \
     &schema_##lower,                            \
     note},
#define ONE_F(kind, name, lo, hi, note)          +1
#define ONE_L(UPPER, lower, name, hi, note)      +1
#define ONE_O(tag, kind, name, lo, hi, note)     +1
#define ONE_P(tag, UPPER, lower, name, hi, note) +1

#define SCHEMA(lower, UPPER)                                                   \
    static const struct field *rows_of_##lower(void)                           \
    {                                                                          \
        typedef struct lower self;                                             \
        static const struct field rows[] = {                                   \
            UPPER##_FIELDS(ROW_F, ROW_L, ROW_O, ROW_P){"", FIELD_u8, 0, 0, 0,  \
                                                       0, 0, NULL, ""}};       \
        (void)sizeof(self);                                                    \
        return rows;                                                           \
    }                                                                          \
    const struct schema schema_##lower = {                                     \
        #lower, rows_of_##lower, 0 UPPER##_FIELDS(ONE_F, ONE_L, ONE_O, ONE_P), \
        sizeof(struct lower)};                                                 \
    static_assert((0 UPPER##_FIELDS(ONE_F, ONE_L, ONE_O, ONE_P)) <=            \
                      FIELDS_MAX,                                              \
                  #lower " has too many fields");                              \
    static_assert(sizeof(struct lower) <= BODY_STRUCT_SIZE_MAX,                \
                  #lower " is too large in memory");

#define ELEMENT(lower, UPPER)                                      \
    SCHEMA(lower, UPPER)                                           \
    static_assert(sizeof(struct lower) <= ELEMENT_STRUCT_SIZE_MAX, \
                  #lower " is too large for an element");
SECTION_ELEMENT_LIST(ELEMENT)
MESSAGE_ELEMENT_LIST(ELEMENT)
PEER_ELEMENT_LIST(ELEMENT)
OPERATION_ELEMENT_LIST(ELEMENT)
#undef ELEMENT

#define SECTION(number, lower, UPPER, english, azerbaijani) \
    SCHEMA(record_##lower, RECORD_##UPPER)
SECTION_LIST(SECTION)
#undef SECTION

#define MESSAGE(number, lower, UPPER, route, when) \
    SCHEMA(message_##lower, MESSAGE_##UPPER)
MESSAGE_LIST(MESSAGE)
#undef MESSAGE

#define PEER(number, lower, UPPER, english) SCHEMA(peer_##lower, PEER_##UPPER)
PEER_LIST(PEER)
#undef PEER

#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    SCHEMA(op_##lower, OP_##UPPER)                                         \
    SCHEMA(result_##lower, RESULT_##UPPER)
OPERATION_LIST(OPERATION)
#undef OPERATION

#define QUERY(number, lower, UPPER, name, english) \
    SCHEMA(query_##lower, QUERY_##UPPER)           \
    SCHEMA(rows_##lower, ROWS_##UPPER)
QUERY_LIST(QUERY)
#undef QUERY

static const struct message_info messages[] = {
#define MESSAGE(number, lower, UPPER, route, when) \
    {number, #UPPER, ROUTE_##route, WHEN_##when, &schema_message_##lower},
    MESSAGE_LIST(MESSAGE)
#undef MESSAGE
};

static const struct peer_info peers[] = {
#define PEER(number, lower, UPPER, english) \
    {number, #UPPER, english, &schema_peer_##lower},
    PEER_LIST(PEER)
#undef PEER
};

static const struct operation_info operations[] = {
#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    {number,                                                               \
     name,                                                                 \
     version,                                                              \
     OP_REALM_##realm,                                                     \
     category,                                                             \
     ACCESS_##access,                                                      \
     SEAL_##seal,                                                          \
     level,                                                                \
     CARRIER_##carrier,                                                    \
     who,                                                                  \
     english,                                                              \
     azerbaijani,                                                          \
     &schema_op_##lower,                                                   \
     &schema_result_##lower},
    OPERATION_LIST(OPERATION)
#undef OPERATION
};

static const struct query_info queries[] = {
#define QUERY(number, lower, UPPER, name, english) \
    {number, name, english, &schema_query_##lower, &schema_rows_##lower},
    QUERY_LIST(QUERY)
#undef QUERY
};

static const struct section_info sections[] = {
#define SECTION(number, lower, UPPER, english, azerbaijani) \
    {number, #UPPER, english, azerbaijani, &schema_record_##lower},
    SECTION_LIST(SECTION)
#undef SECTION
};

static const char *const duty_names[] = {"?",
#define DUTY(number, UPPER, english, azerbaijani) #UPPER,
                                         DUTY_LIST(DUTY)
#undef DUTY
};

static const char *const role_names[] = {"?",
#define ROLE(number, UPPER, english) #UPPER,
                                         ROLE_LIST(ROLE)
#undef ROLE
};

static const char *const bye_names[] = {
#define BYE(number, UPPER, english) #UPPER,
    BYE_LIST(BYE)
#undef BYE
};

#define COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

static_assert(COUNT_OF(sections) == SECTIONS_COUNT, "thirteen sections");
static_assert(COUNT_OF(duty_names) == DUTIES_COUNT, "duties are numbered on");

const struct message_info *message_list(uint32_t *count_out)
{
    *count_out = (uint32_t)COUNT_OF(messages);
    return messages;
}

const struct message_info *message_info(uint8_t number)
{
    for (size_t i = 0; i < COUNT_OF(messages); i++) {
        if (messages[i].number == number)
            return &messages[i];
    }
    return NULL;
}

const struct peer_info *peer_list(uint32_t *count_out)
{
    *count_out = (uint32_t)COUNT_OF(peers);
    return peers;
}

const struct peer_info *peer_info(uint8_t number)
{
    for (size_t i = 0; i < COUNT_OF(peers); i++) {
        if (peers[i].number == number)
            return &peers[i];
    }
    return NULL;
}

const struct operation_info *operation_list(uint32_t *count_out)
{
    *count_out = (uint32_t)COUNT_OF(operations);
    return operations;
}

const struct operation_info *operation_info(uint16_t opcode)
{
    size_t low = 0, high = COUNT_OF(operations);

    while (low < high) { /* The table is sorted by opcode: a test holds it. */
        size_t middle = low + (high - low) / 2;
        if (operations[middle].opcode == opcode)
            return &operations[middle];
        if (operations[middle].opcode < opcode)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

const struct operation_info *operation_named(struct slice name)
{
    for (size_t i = 0; i < COUNT_OF(operations); i++) {
        if (strlen(operations[i].name) == name.size &&
            memcmp(operations[i].name, name.data, name.size) == 0)
            return &operations[i];
    }
    return NULL;
}

const struct query_info *query_list(uint32_t *count_out)
{
    *count_out = (uint32_t)COUNT_OF(queries);
    return queries;
}

const struct query_info *query_info(uint16_t number)
{
    for (size_t i = 0; i < COUNT_OF(queries); i++) {
        if (queries[i].number == number)
            return &queries[i];
    }
    return NULL;
}

const struct section_info *section_info(uint32_t number)
{
    return number >= 1 && number <= SECTIONS_COUNT ? &sections[number - 1]
                                                   : NULL;
}

const char *duty_name(uint32_t duty)
{
    return duty_names[duty < COUNT_OF(duty_names) ? duty : 0];
}

const char *role_name(uint32_t role)
{
    return role_names[role < COUNT_OF(role_names) ? role : 0];
}

const char *bye_name(uint32_t code)
{
    return code < COUNT_OF(bye_names) ? bye_names[code] : "?";
}

enum duty role_duty(uint32_t role)
{
    switch ((enum role)role) {
    case ROLE_PORTAL:
        return DUTY_PRT;
    case ROLE_EHIS:
        return DUTY_EHS;
    case ROLE_PAYMENT:
        return DUTY_PAY;
    case ROLE_COORDINATOR:
        return DUTY_COR;
    case ROLE_CLOUD:
        return DUTY_CLD;
    case ROLE_PROVIDER:
        return DUTY_BPR;
    case ROLE_AUDITOR:
    case ROLE_USER:
    case ROLE_PARTICIPANT:
    case ROLE_STAFF:
        return DUTY_USR;
    }
    return DUTY_USR;
}
