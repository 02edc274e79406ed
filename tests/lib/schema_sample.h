/*
 * schema_sample.h: structs of any schema, filled with the least or the greatest
 * values that the schema's rows allow.
 */
#ifndef DEFTER_TESTS_LIB_SCHEMA_SAMPLE_H
#define DEFTER_TESTS_LIB_SCHEMA_SAMPLE_H

#include "protocol/schema.h"

enum sample_extent {
    SAMPLE_LEAST,   /* Empty lists, shortest texts, no TLV. */
    SAMPLE_MODEST,  /* Every TLV, two elements, texts of at most 24 bytes. */
    SAMPLE_GREATEST /* Every bound reached. */
};

/*
 * schema_sample_fill(schema, out, memory, extent):
 * Fills the struct at ${out}.  Texts and lists are written to ${memory}.
 */
void schema_sample_fill(const struct schema *schema, void *out,
                        struct writer *memory, enum sample_extent extent);

/* Calls ${visit} with every schema of the catalogue, elements included. */
void schema_sample_each(void (*visit)(const struct schema *schema));

#endif
