/*
 * records.h: good records of every section, for tests to spoil.
 */
#ifndef DEFTER_TESTS_LIB_RECORDS_H
#define DEFTER_TESTS_LIB_RECORDS_H

#include "server/registry/section_check.h"

enum { RECORDS_SIZE_MAX = 8192 };

#define RECORDS_BODY "Some body" /* As the registry fixture names bodies. */
#define RECORDS_FIN  "5ABCDE7"

/* Memory of one record: the elements of its lists, then its bytes. */
struct records {
    uint8_t list_bytes[2][RECORDS_SIZE_MAX];
    struct writer lists[2];
    uint8_t bytes[RECORDS_SIZE_MAX];
    struct writer writer;
};

struct slice records_text(const char *text);

/* The valid taxpayer number of ${kind} with the ${n}-th serial. */
uint64_t records_voen(uint32_t n, uint8_t kind);

/*
 * A record of ${section} that a body named RECORDS_BODY may bring about
 * ${subject}, whose last digit gives its kind; ${today} bounds its dates.  The
 * memory of the former record is used again.
 */
void records_fill(struct records *records, union section_record *out,
                  uint8_t section, uint64_t subject, int32_t today);

/* A list of one more ${element}; ${slot} 0, or 1 for extensions. */
void records_list(struct records *records, struct list *list, int slot,
                  const struct schema *schema, const void *element);

/* The record's bytes; lent until the next call. */
struct slice records_encode(struct records *records, uint8_t section,
                            const union section_record *record);

#endif
