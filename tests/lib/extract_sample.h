/*
 * extract_sample.h: a signed extract as a node would give it out, with
 * everything around it: a log in which it was issued, its checkpoint, signed by
 * the log and by a witness, and a policy that names both.  Nobody in it exists.
 */
#ifndef DEFTER_TESTS_LIB_EXTRACT_SAMPLE_H
#define DEFTER_TESTS_LIB_EXTRACT_SAMPLE_H

#include "protocol/extract_file.h"
#include "protocol/extract_judge.h"
#include "protocol/tlog_policy.h"
#include "tests/lib/records.h"
#include "tests/lib/signed_log.h"
#include "tests/lib/tlog_sample.h"

enum {
    EXTRACT_SAMPLE_TEXT_SIZE = 64 * 1024,
    EXTRACT_SAMPLE_POLICY_SIZE = 2048,
    EXTRACT_SAMPLE_INDEX = 5,
    EXTRACT_SAMPLE_ATTESTED_AT = 8
};
#define EXTRACT_SAMPLE_SUBJECT UINT64_C(1400057421)

/* What goes into the file. */
enum extract_sample_parts {
    EXTRACT_SAMPLE_ENTRY = 1,
    EXTRACT_SAMPLE_PROOF = 2,
    EXTRACT_SAMPLE_STRANGER = 4, /* Signed the checkpoint too; in no policy. */
    EXTRACT_SAMPLE_ATTESTED = 8,
    /* All but what shows the answer in the log. */
    EXTRACT_SAMPLE_RECEIPTED = EXTRACT_SAMPLE_ENTRY | EXTRACT_SAMPLE_PROOF,
    EXTRACT_SAMPLE_WHOLE = EXTRACT_SAMPLE_RECEIPTED | EXTRACT_SAMPLE_ATTESTED
};

struct extract_sample {
    struct signed_log log;
    struct identity user;
    struct tlog_signer log_signer;
    struct tlog_signer witness;
    struct tlog_signer stranger;
    struct records records;
    uint8_t commitments[EXTRACT_FIELDS_MAX][HASH_SIZE];
    uint32_t count;
    uint16_t sections;
    uint8_t disclosures[EXTRACT_SAMPLE_TEXT_SIZE];
    struct writer disclosures_writer;
    uint8_t proof[EXTRACT_SAMPLE_TEXT_SIZE];
    uint8_t bytes[EXTRACT_SAMPLE_TEXT_SIZE];
    struct slice file; /* The extract. */
    uint8_t policy_bytes[EXTRACT_SAMPLE_POLICY_SIZE];
    struct slice policy_text;
    struct tlog_policy policy;
    struct extract_trust trust; /* With the policy. */
};

/* An extract of S01, S06 and S12, of which there is nothing; ${parts} are those
 * of enum extract_sample_parts. */
void extract_sample_make(struct extract_sample *sample, unsigned parts);

/* Entry ${index} of the sample's log as an attestation, and what ties it to the
 * tree of all of its entries; of what it states nothing is read. */
void extract_sample_tie(struct extract_attested *out,
                        const struct extract_sample *sample, uint64_t index);

/* What shows entry EXTRACT_SAMPLE_INDEX in the attestation that is entry
 * ${index} of the sample's log, by the tree of all of its entries. */
void extract_sample_attested(struct extract_attested *out,
                             const struct extract_sample *sample,
                             uint64_t index);

/* The tlog-proof of the log as it is, kept in the sample. */
struct slice extract_sample_proof(struct extract_sample *sample, bool stranger);

/* Read and judge ${bytes}; a file that does not read is EXTRACT_FOUND_FORM. */
enum extract_finding extract_sample_judge(struct extract_report *report_out,
                                          const struct extract_trust *trust,
                                          struct slice bytes);

#endif
