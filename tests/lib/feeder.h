/*
 * feeder.h: a body that brings batches through EHIS, over the registry fixture.
 */
#ifndef DEFTER_TESTS_LIB_FEEDER_H
#define DEFTER_TESTS_LIB_FEEDER_H

#include "tests/lib/records.h"
#include "server/registry/subject.h"
#include "tests/lib/registry_fixture.h"

struct feeder {
    struct fixture *fixture;
    struct fixture_actor actor;
    struct records records;
    uint64_t batch;
    uint32_t next;
    struct bytes32 rolling; /* As the body counts it. */
};

/* A body with its own system, the authority for ${sections}. */
void feeder_open(struct feeder *feeder, struct fixture *fixture,
                 uint16_t sections);

/* Begin a batch of all sections under an EHIS name. */
enum status feeder_begin(struct feeder *feeder, const char *name, bool atomic,
                         uint16_t sections);

/* Put ${bytes} as the next record; ${message} may be NULL. */
enum status feeder_put(struct feeder *feeder, uint64_t subject, uint8_t section,
                       struct slice bytes, const char *message);

/* Count the record of the last run as put. */
void feeder_count(struct feeder *feeder);

/* The same with a record. */
enum status feeder_put_record(struct feeder *feeder, uint64_t subject,
                              uint8_t section,
                              const union section_record *record);

/* Commit with what the body counted. */
enum status feeder_commit(struct feeder *feeder,
                          struct result_feed_commit *out);

/* A batch of its own for one record; the record must be taken. */
void feeder_bring(struct feeder *feeder, uint64_t subject, uint8_t section,
                  const union section_record *record);

/* feeder_bring() of a good record. */
void feeder_bring_good(struct feeder *feeder, uint64_t subject,
                       uint8_t section);

#endif
