/*
 * parse.h: fields from text that a person typed: what render.h writes, and a
 * little more.  Masks take "," and "|" beside "+", and "all"; dates, amounts
 * and the like take "none"; a list of one-field elements takes bare values.
 */
#ifndef DEFTER_PROTOCOL_PARSE_H
#define DEFTER_PROTOCOL_PARSE_H

#include "protocol/schema.h"

/* What to tell the person: both texts are constants, names of a table or NULL.
 */
struct parse_error {
    const char *field; /* The field meant; of a list, its element's field. */
    const char *why;   /* "is not a date (YYYY-MM-DD)" */
    const char *names; /* Where a name was wanted: "a|b|c". */
};

/*
 * parse_value(member, memory, error_out, field, text):
 * Read ${text} as a value of ${field}.
 *
 * Returns: ST_OK; ST_BAD_FIELD, or ST_BAD_VOEN for a taxpayer number, and
 *          ${*error_out} says why; ST_TOO_LARGE if ${memory} is full.
 * Owns:    texts borrow ${text}; bytes and lists stand in ${memory}.
 */
NODISCARD enum status parse_value(void *member, struct writer *memory,
                                  struct parse_error *error_out,
                                  const struct field *field, struct slice text);

/*
 * parse_list(member, memory, error_out, field, text):
 * The same for a field that is a list; it stands in parse_list.c.
 */
NODISCARD enum status parse_list(struct list *member, struct writer *memory,
                                 struct parse_error *error_out,
                                 const struct field *field, struct slice text);

/*
 * parse_assign(schema, inout, memory, error_out, text):
 * Read "name=value" into the struct at ${inout}.
 *
 * Returns: as parse_value(); ST_UNKNOWN_FIELD if the schema has no such name or
 *          there is no "=".
 */
NODISCARD enum status parse_assign(const struct schema *schema, void *inout,
                                   struct writer *memory,
                                   struct parse_error *error_out,
                                   struct slice text);

/* The field called ${name}; NULL if there is none. */
const struct field *parse_find(const struct schema *schema, struct slice name);

#endif
