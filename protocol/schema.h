/*
 * schema.h: field lists as data, and the one decoder and encoder for them all.
 *
 * Every body on the wire (frames, items, results, section records) is a list of
 * fixed fields in the order of its table, then a tail of TLVs: u16 tag,
 * u16 size, value, tags strictly increasing (PROTOCOL, section 4).  The tables
 * stand in messages.def, operations.def and sections.def; catalogue.h makes a
 * struct and a schema of each.  This file walks a schema over bytes.
 *
 * Decoded slices and lists borrow the input.  Nothing here allocates.
 */
#ifndef DEFTER_PROTOCOL_SCHEMA_H
#define DEFTER_PROTOCOL_SCHEMA_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

/*
 * Kinds of fields: K(kind, C type, bytes on the wire or 0 if they vary).
 * lo and hi in a field's row bound: numbers their value; enum8 its value;
 * mask16 and mask32 the bits (hi holds them all); str, text, blob and the like
 * their size in bytes; lists their count.
 *
 *   str      UTF-8, no control characters (PROTOCOL, section 1)
 *   name     str that is a person's or place's name: no leading or trailing
 *            blank, at least one letter when not empty
 *   fin      personal number [0-9A-HJ-NP-Z]{7}, or empty when lo is 0
 *   email    local@domain, or empty when lo is 0
 *   phone    E.164: + and 7 to 15 digits, or empty when lo is 0
 *   digits   decimal digits only
 *   username [a-z0-9._-]
 *   date     days since 1970-01-01, i32; time: microseconds since then, i64
 *   money    qepik (1/100 manat), i64
 *   voen     taxpayer number as a number, u64 (check digit: voen.h)
 */
#define FIELD_KIND_LIST(K)         \
    K(u8, uint8_t, 1)              \
    K(bool8, bool, 1)              \
    K(enum8, uint8_t, 1)           \
    K(u16, uint16_t, 2)            \
    K(mask16, uint16_t, 2)         \
    K(u32, uint32_t, 4)            \
    K(mask32, uint32_t, 4)         \
    K(u64, uint64_t, 8)            \
    K(voen, uint64_t, 8)           \
    K(date, int32_t, 4)            \
    K(i64, int64_t, 8)             \
    K(time, int64_t, 8)            \
    K(money, int64_t, 8)           \
    K(bytes8, struct bytes8, 8)    \
    K(bytes16, struct bytes16, 16) \
    K(bytes32, struct bytes32, 32) \
    K(bytes64, struct bytes64, 64) \
    K(str, struct slice, 0)        \
    K(name, struct slice, 0)       \
    K(fin, struct slice, 0)        \
    K(email, struct slice, 0)      \
    K(phone, struct slice, 0)      \
    K(digits, struct slice, 0)     \
    K(username, struct slice, 0)   \
    K(blob, struct slice, 0)

struct bytes8 {
    uint8_t b[8];
};
struct bytes16 {
    uint8_t b[16];
};
struct bytes32 {
    uint8_t b[32];
};
struct bytes64 {
    uint8_t b[64];
};

enum field_kind {
#define K(kind, type, size) FIELD_##kind,
    FIELD_KIND_LIST(K)
#undef K
        FIELD_list
};

struct schema;

/* A list as it stands on the wire, without its count. */
struct list {
    struct slice bytes;
    uint16_t count;
};

/* One row of a table.  tag 0: a fixed field; else an optional TLV. */
struct field {
    const char *name;
    enum field_kind kind;
    uint16_t tag;
    uint16_t offset;         /* Of the member in the struct. */
    uint16_t present_offset; /* Of its has_ member, when tag != 0. */
    int64_t lo;
    int64_t hi;
    const struct schema *element; /* Of a list. */
    const char *note; /* Enum names "a|b|c" from 1, or a help text. */
};

/*
 * Invariants: fixed fields stand before optional ones; tags strictly increase;
 * fields_count <= FIELDS_MAX; elements have fixed fields only.
 */
struct schema {
    const char *name;
    const struct field *(*rows)(void);
    uint16_t fields_count;
    uint16_t struct_size;
};

/* What a decoder found wrong, for ERROR.tag and for refused feed records. */
struct field_error {
    enum status status;
    /* Number of the fixed field from 1, TLV tag + 0x8000, 0 for none.
     * Inside a record that is itself a field: outer << 8 | inner. */
    uint16_t tag;
};

/*
 * Whose bytes they are.  Signed items refuse every unknown TLV.  Frames skip
 * odd ones, and before login hold few.
 */
enum schema_unknown {
    SCHEMA_REFUSE_UNKNOWN,
    SCHEMA_SKIP_ODD,
    SCHEMA_SKIP_ODD_BEFORE_LOGIN
};

/*
 * schema_decode(schema, out, error_out, input, unknown):
 * Fill the struct at ${out} (schema->struct_size bytes) from all of ${input}.
 *
 * Returns: ST_OK; ST_BAD_FIELD for a missing, short, out-of-range or malformed
 *          value, or a TLV beyond the end; ST_UNKNOWN_FIELD; ST_FIELD_ORDER;
 *          ST_TRAILING for one to three bytes left; ST_TOO_LARGE for too many
 *          TLVs.  In frames a TLV beyond the end and bytes left are ST_FRAME.
 *          ${*error_out} says where.
 * Owns:    slices and lists in ${out} borrow ${input}.
 */
NODISCARD enum status schema_decode(const struct schema *schema, void *out,
                                    struct field_error *error_out,
                                    struct slice input,
                                    enum schema_unknown unknown);

/*
 * schema_encode(schema, writer, in):
 * Append the struct at ${in}.  The result decodes to an equal struct.
 *
 * Requires: every value is within its row's bounds (schema_check).
 *           A full writer remembers ST_TOO_LARGE.
 */
void schema_encode(const struct schema *schema, struct writer *writer,
                   const void *in);

/*
 * schema_check(schema, error_out, in):
 * The bounds of every value in the struct at ${in}, elements of lists included.
 *
 * Returns: ST_OK; ST_BAD_FIELD, and ${*error_out} says where.
 */
NODISCARD enum status schema_check(const struct schema *schema,
                                   struct field_error *error_out,
                                   const void *in);

/* The bytes that a value of ${kind} takes on the wire; 0 if they vary. */
size_t schema_kind_size(enum field_kind kind);

/*
 * list_reader: walks the elements of a decoded list.  The list was checked when
 * it was decoded, so that every element decodes.
 */
struct list_reader {
    struct reader reader;
    uint16_t left;
};
void list_reader_init(struct list_reader *reader, const struct list *list);
/* False at the end; else the next element is in ${out}. */
bool list_reader_next(struct list_reader *reader, const struct schema *element,
                      void *out);

/*
 * Building a list for schema_encode: list_begin, then list_add for each
 * element; the elements' bytes are gathered in ${writer}, which must outlive
 * the list and take nothing else in between.
 */
struct list list_begin(const struct writer *writer);
void list_add(struct list *list, struct writer *writer,
              const struct schema *element, const void *in);

#endif
