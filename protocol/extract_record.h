/*
 * extract_record.h: a record of a section as the lines of its disclosures, and
 * back from such a line to the field that it is of (EXTRACT, section 2).
 *
 * Paths are made of the names in sections.def, which therefore never change.
 */
#ifndef DEFTER_PROTOCOL_EXTRACT_RECORD_H
#define DEFTER_PROTOCOL_EXTRACT_RECORD_H

#include "protocol/catalogue.h"
#include "protocol/extract.h"

/* Who is given the lines, one after the other; they are lent for the call. */
struct extract_lines {
    void *context;
    void (*line)(void *context, struct slice line);
};

/*
 * extract_record_lines(lines, section, record):
 * The state of the section, then every field of ${record} in the order of its
 * table: of a list first how many elements it has, then their fields.  Optional
 * fields that are not there give no line.
 *
 * Requires: 1 <= section <= SECTIONS_COUNT.
 * Returns:  ST_OK; as schema_decode() for bytes that are no such record, and no
 *           line was given.
 */
NODISCARD enum status extract_record_lines(const struct extract_lines *lines,
                                           uint8_t section,
                                           struct slice record);

/* The line of a section that has no record. */
void extract_record_none(const struct extract_lines *lines);

/* Which field a path names. */
struct extract_named {
    const struct field *field; /* Of the record; NULL: the section itself. */
    uint16_t element;          /* Of a list, from 1; 0: the field as a whole. */
    const struct field *part;  /* Of the element, if element != 0. */
};

/*
 * extract_record_named(named_out, section, path):
 * Returns: true; false for a path that this version's tables do not have.
 */
bool extract_record_named(struct extract_named *named_out, uint8_t section,
                          struct slice path);

#endif
