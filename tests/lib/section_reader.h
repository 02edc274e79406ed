/*
 * section_reader.h: reading sections over the registry fixture, and finding a
 * row in what was read.
 */
#ifndef DEFTER_TESTS_LIB_SECTION_READER_H
#define DEFTER_TESTS_LIB_SECTION_READER_H

#include "server/registry/version.h"
#include "tests/lib/registry_fixture.h"

/* Purpose that the tests register. */
enum { READER_PURPOSE = 7 };

/* Own data; ${out} may be NULL. */
enum status section_reader_own(struct fixture *fixture,
                               const struct fixture_actor *actor,
                               uint64_t subject, uint16_t sections,
                               struct result_section_get *out);

/* Staff and participants: with purpose, file and perhaps a consent case. */
enum status section_reader_other(struct fixture *fixture,
                                 const struct fixture_actor *actor,
                                 uint64_t subject, uint16_t sections,
                                 uint32_t consent,
                                 struct result_section_get *out);

/* The ${nth} row (from 0) of ${section}, and its record decoded. */
bool section_reader_find(const struct list *versions, uint8_t section,
                         uint32_t nth, struct version_row *row_out,
                         union section_record *record_out);

#endif
