/*
 * catalogue.h: structs and schemas made of the tables.
 *
 * messages.def    the frames
 * operations.def  the operations: request fields, result fields, permissions
 * sections.def    the records of sections S01 to S13
 *
 * A table `NAME_FIELDS(F, L, O, P)` lists its fields:
 *   F(kind, name, lo, hi, note)       fixed field
 *   L(ELEMENT, element, name, hi, note)  fixed list of at most hi elements
 *   O(tag, kind, name, lo, hi, note)  optional field; the struct has has_name
 *   P(tag, ELEMENT, element, name, hi, note)  optional list
 * and becomes `struct name` and `schema_name`.
 */
#ifndef DEFTER_PROTOCOL_CATALOGUE_H
#define DEFTER_PROTOCOL_CATALOGUE_H

#include "protocol/schema.h"

#define CATALOGUE_TYPE_u8       uint8_t
#define CATALOGUE_TYPE_bool8    bool
#define CATALOGUE_TYPE_enum8    uint8_t
#define CATALOGUE_TYPE_u16      uint16_t
#define CATALOGUE_TYPE_mask16   uint16_t
#define CATALOGUE_TYPE_u32      uint32_t
#define CATALOGUE_TYPE_mask32   uint32_t
#define CATALOGUE_TYPE_u64      uint64_t
#define CATALOGUE_TYPE_voen     uint64_t
#define CATALOGUE_TYPE_date     int32_t
#define CATALOGUE_TYPE_i64      int64_t
#define CATALOGUE_TYPE_time     int64_t
#define CATALOGUE_TYPE_money    int64_t
#define CATALOGUE_TYPE_bytes8   struct bytes8
#define CATALOGUE_TYPE_bytes16  struct bytes16
#define CATALOGUE_TYPE_bytes32  struct bytes32
#define CATALOGUE_TYPE_bytes64  struct bytes64
#define CATALOGUE_TYPE_str      struct slice
#define CATALOGUE_TYPE_name     struct slice
#define CATALOGUE_TYPE_fin      struct slice
#define CATALOGUE_TYPE_email    struct slice
#define CATALOGUE_TYPE_phone    struct slice
#define CATALOGUE_TYPE_digits   struct slice
#define CATALOGUE_TYPE_username struct slice
#define CATALOGUE_TYPE_blob     struct slice

#define CATALOGUE_MEMBER_F(kind, name, lo, hi, note) CATALOGUE_TYPE_##kind name;

#define CATALOGUE_MEMBER_L(UPPER, lower, name, hi, note) struct list name;
#define CATALOGUE_MEMBER_O(tag, kind, name, lo, hi, note) \
    bool has_##name;                                      \
    CATALOGUE_TYPE_##kind name;
#define CATALOGUE_MEMBER_P(tag, UPPER, lower, name, hi, note) \
    bool has_##name;                                          \
    struct list name;

/* Bounds of dates and times: 1900-01-01 to 2200-12-31. */
#define DATE_LO       (-25567)
#define DATE_HI       84370
#define TIME_LO       0
#define TIME_HI       (INT64_C(86400000000) * DATE_HI)
#define U32_HI        INT64_C(4294967295)
#define ANY_HI        INT64_MAX
#define SECTIONS_MASK 0x1fff

#include "protocol/sections.def"
#include "protocol/messages.def"
#include "protocol/operations.def"

/* The names in PROOF_KINDS and PROOF_WHICH. */
enum proof_kind {
    PROOF_ENTRY = 1,
    PROOF_COMMAND,
    PROOF_CONSISTENCY,
    PROOF_BYTES,
    PROOF_OUTCOME
};
enum proof_which { PROOF_BEST = 1, PROOF_NEWEST };

/* An empty table still makes a struct: C has none without members. */
#define CATALOGUE_STRUCT(lower, UPPER)                                        \
    struct lower {                                                            \
        UPPER##_FIELDS(CATALOGUE_MEMBER_F, CATALOGUE_MEMBER_L,                \
                       CATALOGUE_MEMBER_O, CATALOGUE_MEMBER_P) char padding_; \
    };                                                                        \
    extern const struct schema schema_##lower;

#define ELEMENT(lower, UPPER) CATALOGUE_STRUCT(lower, UPPER)
SECTION_ELEMENT_LIST(ELEMENT)
MESSAGE_ELEMENT_LIST(ELEMENT)
PEER_ELEMENT_LIST(ELEMENT)
OPERATION_ELEMENT_LIST(ELEMENT)
#undef ELEMENT

/* struct record_s01 ... record_s13 and their schemas. */
#define SECTION(number, lower, UPPER, english, azerbaijani) \
    CATALOGUE_STRUCT(record_##lower, RECORD_##UPPER)
SECTION_LIST(SECTION)
#undef SECTION

/* struct message_ping ... */
#define MESSAGE(number, lower, UPPER, route, when) \
    CATALOGUE_STRUCT(message_##lower, MESSAGE_##UPPER)
MESSAGE_LIST(MESSAGE)
#undef MESSAGE

/* struct peer_append ... */
#define PEER(number, lower, UPPER, english) \
    CATALOGUE_STRUCT(peer_##lower, PEER_##UPPER)
PEER_LIST(PEER)
#undef PEER

/* struct op_consent_ask and struct result_consent_ask ... */
#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    CATALOGUE_STRUCT(op_##lower, OP_##UPPER)                               \
    CATALOGUE_STRUCT(result_##lower, RESULT_##UPPER)
OPERATION_LIST(OPERATION)
#undef OPERATION

#define QUERY(number, lower, UPPER, name, english) \
    CATALOGUE_STRUCT(query_##lower, QUERY_##UPPER) \
    CATALOGUE_STRUCT(rows_##lower, ROWS_##UPPER)
QUERY_LIST(QUERY)
#undef QUERY

enum message_number {
#define MESSAGE(number, lower, UPPER, route, when) MESSAGE_##UPPER = number,
    MESSAGE_LIST(MESSAGE)
#undef MESSAGE
};

enum peer_number {
#define PEER(number, lower, UPPER, english) PEER_##UPPER = number,
    PEER_LIST(PEER)
#undef PEER
};

struct peer_info {
    uint8_t number;
    const char *name;
    const char *english;
    const struct schema *schema;
};
const struct peer_info *peer_info(uint8_t number);
const struct peer_info *peer_list(uint32_t *count_out);

enum message_route { ROUTE_C, ROUTE_S, ROUTE_BOTH };
/* When a frame may come: CHAN before login, OPEN after it, ANY in both. */
enum message_when { WHEN_CHAN, WHEN_OPEN, WHEN_ANY };

struct message_info {
    uint8_t number;
    const char *name;
    enum message_route route;
    enum message_when when;
    const struct schema *schema;
};
const struct message_info *message_info(uint8_t number);
const struct message_info *message_list(uint32_t *count_out);

enum opcode {
#define OPERATION(number, lower, UPPER, name, version, realm, category,    \
                  access, seal, level, carrier, who, english, azerbaijani) \
    OPCODE_##UPPER = number,
    OPERATION_LIST(OPERATION)
#undef OPERATION
};

/* SETTING_voen_strict and the others of the settings table. */
enum setting {
#define SETTING(number, name, initial, lo, hi, text) SETTING_##name = number,
    SETTING_LIST(SETTING)
#undef SETTING
};

enum query_number {
#define QUERY(number, lower, UPPER, name, english) QUERY_##UPPER = number,
    QUERY_LIST(QUERY)
#undef QUERY
};

/* SYSTEM: realm 0; ANY: P or R as the header says. */
enum operation_realm { OP_REALM_SYSTEM, OP_REALM_ANY, OP_REALM_P, OP_REALM_R };
enum operation_access { ACCESS_READ, ACCESS_WRITE };

/*
 * What seals an item (LOG-FORMAT, section 3).
 *   OPEN              not sealed
 *   SUBJECT_RECORD    the subject's record key
 *   SUBJECT_EVIDENCE  the subject's evidence key (consents, cases)
 *   ORGANISATION      the signer's organisation
 *   PERSON            the signer's own key owner
 *   PERSON_NAMED      the key owner whose key_id is the first field
 *   CREDENTIAL        a new key at each use, owner as PERSON
 *   CLUSTER           cluster secrets, never disclosed
 */
enum operation_seal {
    SEAL_OPEN,
    SEAL_SUBJECT_RECORD,
    SEAL_SUBJECT_EVIDENCE,
    SEAL_ORGANISATION,
    SEAL_PERSON,
    SEAL_PERSON_NAMED,
    SEAL_CREDENTIAL,
    SEAL_CLUSTER
};
/* Which carrier an operation demands (R-1.5: bodies' data come by EHIS). */
enum operation_carrier { CARRIER_ANY, CARRIER_EHIS };

struct operation_info {
    uint16_t opcode;
    const char *name; /* Dotted: "consent.ask". */
    uint16_t version;
    enum operation_realm realm;
    uint8_t category; /* Journal category 1 to 8. */
    enum operation_access access;
    enum operation_seal seal;
    uint8_t level; /* Least assurance level of the key. */
    enum operation_carrier carrier;
    /* One letter a duty, in the order of DUTY_LIST from 1. */
    const char *who;
    const char *english;
    const char *azerbaijani;
    const struct schema *fields;
    const struct schema *result;
};
const struct operation_info *operation_info(uint16_t opcode);
const struct operation_info *operation_named(struct slice name);
const struct operation_info *operation_list(uint32_t *count_out);

struct query_info {
    uint16_t number;
    const char *name;
    const char *english;
    const struct schema *fields;
    const struct schema *rows;
};
const struct query_info *query_info(uint16_t number);
const struct query_info *query_list(uint32_t *count_out);

enum duty {
#define DUTY(number, UPPER, english, azerbaijani) DUTY_##UPPER = number,
    DUTY_LIST(DUTY)
#undef DUTY
        DUTIES_COUNT
};
enum role {
#define ROLE(number, UPPER, english) ROLE_##UPPER = number,
    ROLE_LIST(ROLE)
#undef ROLE
};
enum section {
#define SECTION(number, lower, UPPER, english, azerbaijani) \
    SECTION_##UPPER = number,
    SECTION_LIST(SECTION)
#undef SECTION
};
enum bye_code {
#define BYE(number, UPPER, english) BYE_##UPPER = number,
    BYE_LIST(BYE)
#undef BYE
};
enum feature_bit {
#define FEATURE(bit, UPPER, english) FEATURE_##UPPER = bit,
    FEATURE_LIST(FEATURE)
#undef FEATURE
};
/* Name of a duty ("REG"), role, or code of a BYE; "?" outside the list. */
const char *duty_name(uint32_t duty);
const char *role_name(uint32_t role);
/* The duty of a key that acts under no assignment (PROTOCOL, section 12):
 * DUTY_USR for people, who then act for themselves, and for a number that is no
 * role. */
enum duty role_duty(uint32_t role);
const char *bye_name(uint32_t code);

struct section_info {
    uint8_t number;   /* 1 to 13; bit number-1 of a section mask. */
    const char *name; /* "S01". */
    const char *english;
    const char *azerbaijani;
    const struct schema *record;
};
const struct section_info *section_info(uint32_t number);

#endif
