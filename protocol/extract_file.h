/*
 * extract_file.h: a signed extract in a file that needs nothing else (EXTRACT,
 * section 4).
 *
 *     defter.extract@v1
 *     number 17
 *     subject 1400057421                    ten digits
 *     sections S01+S06
 *     salt BASE64
 *     commitment BASE64                     1 to EXTRACT_FIELDS_MAX, sorted
 *     receipt BASE64
 *     signature BASE64
 *     certificate BASE64
 *     entry BASE64                          may be missing
 *     attestation BASE64                    and these with it, all or none:
 *     attester BASE64
 *     outcome left|right BASE64             0 to ATTEST_HASHES_MAX
 *     attested BASE64                       0 to PROOF_HASHES_MAX
 *     section S06 EHIS 1 ...                sections in ascending order, each
 *     field BASE64 class number 2           with its fields: salt, then line
 *     an empty line, then a tlog-proof      may be missing
 *
 * There is one way to write each value, and no other is read.
 */
#ifndef DEFTER_PROTOCOL_EXTRACT_FILE_H
#define DEFTER_PROTOCOL_EXTRACT_FILE_H

#include "protocol/attestation.h"
#include "protocol/extract.h"

/* Where the lines of a file are, counted from 1. */
enum {
    EXTRACT_LINE_NUMBER = 2,
    EXTRACT_LINE_SUBJECT,
    EXTRACT_LINE_SECTIONS,
    EXTRACT_LINE_SALT,
    EXTRACT_LINE_COMMITMENTS
};

/* What shows in the log that the extract was given out, and as it is. */
struct extract_attested {
    uint8_t entry[ATTEST_ENTRY_SIZE_MAX];
    size_t entry_size; /* 0: there is none of it. */
    uint8_t certificate[NODECERT_SIZE];
    struct attestation_path outcome; /* From the item to the attestation. */
    uint8_t path[PROOF_HASHES_MAX][HASH_SIZE]; /* From it to the checkpoint. */
    size_t path_count;
};

/*
 * Invariants of one that was read: commitments are sorted, none is there twice;
 * the disclosures are well formed.
 */
struct extract_file {
    uint64_t number;
    uint64_t subject;
    uint16_t sections;
    uint8_t salt[SALT_SIZE]; /* Of the result. */
    const uint8_t (*commitments)[HASH_SIZE];
    uint32_t commitments_count;
    uint8_t receipt[RECEIPT_SIZE];
    uint8_t signature[SIGNATURE_SIZE];
    uint8_t certificate[NODECERT_SIZE];
    uint8_t entry[EXTRACT_ENTRY_SIZE_MAX];
    size_t entry_size;                /* 0: there is none. */
    struct extract_attested attested; /* None without the entry. */
    struct slice disclosures;         /* Lines "section" and "field". */
    uint32_t disclosures_count;
    struct slice proof; /* A tlog-proof, not read; empty: there is none. */
};

/*
 * extract_file_read(file_out, commitments, line_out, bytes):
 * Returns: ST_OK; ST_TOO_LARGE above EXTRACT_FILE_SIZE_MAX or
 *          EXTRACT_FIELDS_MAX; ST_FILE_FORMAT, and ${*line_out} is the line.
 * Owns:    ${*file_out} borrows ${bytes}, and ${commitments}, which holds
 *          EXTRACT_FIELDS_MAX.
 */
NODISCARD enum status extract_file_read(struct extract_file *file_out,
                                        uint8_t (*commitments)[HASH_SIZE],
                                        size_t *line_out, struct slice bytes);

/* Whether ${bytes} begin as such a file does, or hold a line that only such a
 * file has: a commitment, or a field.  It need not be one that reads. */
bool extract_file_is(struct slice bytes);

/* The line of the receipt; signature, certificate, entry, attestation and
 * attester follow it. */
size_t extract_file_receipt_line(const struct extract_file *file);

/* Lines before those of sections and fields. */
size_t extract_file_header_lines(const struct extract_file *file);

/*
 * extract_file_write(writer, file):
 * Requires: the invariants; disclosures_count is not looked at.
 */
void extract_file_write(struct writer *writer, const struct extract_file *file);

/* SHA-256 of the result of extract.issue, as the receipt holds it. */
void extract_file_result_hash(const struct extract_file *file,
                              uint8_t out[HASH_SIZE]);

/* ---- Disclosures -------------------------------------------------------- */

/* Begins with all zeros and rest = file->disclosures. */
struct extract_reading {
    struct slice rest;
    size_t line; /* Lines taken. */
    struct slice section_line;
    struct extract_section section;
    uint8_t salt[SALT_SIZE];
    struct slice field_line;
    struct extract_field field;
};

/*
 * extract_file_next(reading):
 * The next disclosure: section and field are set, line is its place among the
 * lines of disclosures, from 1.
 *
 * Returns: ST_OK; ST_END; ST_FILE_FORMAT, never for a file that was read.
 */
NODISCARD enum status extract_file_next(struct extract_reading *reading);

/* The commitment to the disclosure at hand. */
void extract_file_commit(const struct extract_reading *reading,
                         uint8_t out[HASH_SIZE]);

/*
 * extract_file_choose(writer, file, context, keeps):
 * Write ${file} with those disclosures alone of which ${keeps} is true.
 */
void extract_file_choose(struct writer *writer, const struct extract_file *file,
                         void *context,
                         bool (*keeps)(void *context,
                                       const struct extract_reading *one));

#endif
