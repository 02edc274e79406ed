/*
 * format.h: structs of the catalogue as tables for people or as JSON.
 */
#ifndef DEFTER_CLIENT_PROGRAM_FORMAT_H
#define DEFTER_CLIENT_PROGRAM_FORMAT_H

#include <stdio.h>

#include "protocol/schema.h"

struct cJSON;

/* One "name  value" line a field, a table for each list; record blobs of
 * sections are opened. ${indent} blanks before each line. */
void format_text(FILE *out, const struct schema *schema, const void *in,
                 int indent);

/* A JSON object; NULL if memory is short. */
struct cJSON *format_json(const struct schema *schema, const void *in);

/*
 * format_from_json(schema, out, memory, json, why_out):
 * Fill the struct at ${out} from an object with members named like the fields;
 * fields that are missing stay zero.
 *
 * Returns: ST_OK; ST_UNKNOWN_FIELD; ST_BAD_FIELD; ST_TOO_LARGE if ${memory} is
 *          full.  ${why_out} (128 bytes) says which and why.
 * Owns:    texts and lists stand in ${memory}.
 */
NODISCARD enum status format_from_json(const struct schema *schema, void *out,
                                       struct writer *memory,
                                       const struct cJSON *json,
                                       char why_out[128]);

/* Columns that a terminal shows of UTF-8 text (code points, marks not). */
size_t format_width(struct slice text);

#endif
