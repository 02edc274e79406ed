/*
 * archive_records.h: which archive units a log says that there are: the archive
 * records of `archive.prepare`, and the manifests of `archive.seal`, as far as
 * attestations say that they were done.
 */
#ifndef DEFTER_CLIENT_AUDIT_ARCHIVE_RECORDS_H
#define DEFTER_CLIENT_AUDIT_ARCHIVE_RECORDS_H

#include "client/audit/authority.h"
#include "protocol/archive_unit.h"

struct archive_record {
    uint32_t number;
    uint64_t index; /* Of the entry that prepared it. */
    uint64_t first;
    uint64_t last;
    uint64_t bytes;
    uint8_t leaf_before[HASH_SIZE];
    uint8_t leaf_after[HASH_SIZE];
    uint8_t root[HASH_SIZE];
    uint64_t categories[CATEGORY_MAX + 1];
    uint64_t sealed; /* Index of the entry that sealed it; 0: none did. */
    uint8_t manifest[HASH_SIZE];
};

/* Invariant: numbers are 1, 2, 3, ... and their entries follow each other. */
struct archive_records {
    struct archive_record *rows;
    size_t count;
    size_t room;
};

/* Accepts what was only zeroed. */
void archive_records_free(struct archive_records *records);

/* Whether the records want the fields of that operation. */
bool archive_records_needs(uint16_t opcode);

/*
 * archive_records_decided(records, act, code):
 * An item was decided, in the order of the log.  What does not fit those before
 * is passed over: no server takes it.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 */
NODISCARD enum status archive_records_decided(struct archive_records *records,
                                              const struct authority_act *act,
                                              uint16_t code);

/*
 * archive_records_other(what_out, records, unit, hash):
 * Hold a unit, whose manifest has the SHA-256 ${hash}, against all records that
 * have an entry or the number of it: its number alone nobody signed.
 *
 * Returns: NULL if it fits them; else the first that it does not fit, one that
 *          was sealed before others, and what is wrong.
 */
const struct archive_record *archive_records_other(
    const char **what_out, const struct archive_records *records,
    const struct archive_unit *unit, const uint8_t hash[HASH_SIZE]);

/*
 * archive_records_fit(record, unit, hash):
 * Hold a unit, whose manifest has the SHA-256 ${hash}, against its record.
 *
 * Returns: NULL if they fit; else what is wrong.
 */
const char *archive_records_fit(const struct archive_record *record,
                                const struct archive_unit *unit,
                                const uint8_t hash[HASH_SIZE]);

#endif
