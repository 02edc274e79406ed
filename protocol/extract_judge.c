#include "protocol/extract_judge.h"

#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/dates.h"
#include "protocol/entry.h"
#include "protocol/tree.h"

#define EXTRACT_FINDING_ROW(name, verdict, english, azerbaijani) \
    {EXTRACT_##verdict, english, azerbaijani},
static const struct {
    enum extract_verdict verdict;
    const char *english;
    const char *azerbaijani;
} findings[EXTRACT_FINDINGS_COUNT] = {EXTRACT_FINDINGS(EXTRACT_FINDING_ROW)};
#undef EXTRACT_FINDING_ROW

#define EXTRACT_UNCHECKED_ROW(name, english, azerbaijani) \
    {english, azerbaijani},
static const char *const uncheckeds[EXTRACT_UNCHECKED_COUNT][2] = {
    EXTRACT_UNCHECKED_LIST(EXTRACT_UNCHECKED_ROW)};
#undef EXTRACT_UNCHECKED_ROW

enum extract_verdict extract_judge_verdict(enum extract_finding finding)
{
    REQUIRE(finding < EXTRACT_FINDINGS_COUNT);
    return findings[finding].verdict;
}

const char *extract_judge_text(enum extract_finding finding)
{
    REQUIRE(finding < EXTRACT_FINDINGS_COUNT);
    return findings[finding].english;
}

const char *extract_judge_text_az(enum extract_finding finding)
{
    REQUIRE(finding < EXTRACT_FINDINGS_COUNT);
    return findings[finding].azerbaijani;
}

const char *extract_judge_unchecked(enum extract_unchecked unchecked,
                                    bool azerbaijani)
{
    REQUIRE(unchecked < EXTRACT_UNCHECKED_COUNT);
    return uncheckeds[unchecked][azerbaijani ? 1 : 0];
}

/* Gives false, so that whoever asks stops. */
static bool found(struct extract_report *report, enum extract_finding finding,
                  size_t line)
{
    report->finding = finding;
    report->line = line;
    return false;
}

/* ---- Who signed, and what ----------------------------------------------- */

/* The certificate is judged as of the receipt's time: an extract outlives the
 * certificate of its node. */
static bool judge_receipt(struct extract_report *report,
                          const struct extract_file *file,
                          const uint8_t *authority_key)
{
    struct nodecert_expected expected = {.role = NODECERT_SERVER};
    size_t line = extract_file_receipt_line(file);

    if (receipt_decode(&report->receipt, file->receipt) != ST_OK)
        return found(report, EXTRACT_FOUND_FORM, line);
    memcpy(expected.authority_key, authority_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(expected.cluster_id, authority_key);
    expected.now_s = report->receipt.committed_at / DATES_US_PER_SECOND;
    if (nodecert_verify(&report->cert, &report->cert_fault, file->certificate,
                        &expected, NULL) != ST_OK)
        return found(report, EXTRACT_FOUND_CERTIFICATE, line + 2);
    if (receipt_verify(&report->receipt, file->receipt, file->signature,
                       expected.cluster_id, report->cert.receipt_key) != ST_OK)
        return found(report, EXTRACT_FOUND_RECEIPT, line);
    return true;
}

static bool judge_result(struct extract_report *report,
                         const struct extract_file *file)
{
    uint8_t hash[HASH_SIZE];

    extract_file_result_hash(file, hash);
    if (report->receipt.code != ST_OK || report->receipt.flags != 0 ||
        memcmp(hash, report->receipt.result_hash, HASH_SIZE) != 0)
        return found(report, EXTRACT_FOUND_RESULT, EXTRACT_LINE_NUMBER);
    return true;
}

/* ---- What is shown ------------------------------------------------------ */

/* Its place among the commitments; their number if it is not there. */
static uint32_t find_commitment(const struct extract_file *file,
                                const uint8_t hash[HASH_SIZE])
{
    uint32_t low = 0, high = file->commitments_count;

    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = memcmp(file->commitments[middle], hash, HASH_SIZE);

        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return file->commitments_count;
}

static bool judge_disclosures(struct extract_report *report,
                              const struct extract_file *file)
{
    uint8_t shown[(EXTRACT_FIELDS_MAX + 7) / 8] = {0};
    struct extract_reading reading = {.rest = file->disclosures};
    size_t before = extract_file_header_lines(file);
    uint8_t hash[HASH_SIZE];

    while (extract_file_next(&reading) == ST_OK) {
        uint32_t at;

        extract_file_commit(&reading, hash);
        at = find_commitment(file, hash);
        if (at == file->commitments_count)
            return found(report, EXTRACT_FOUND_DISCLOSURE,
                         before + reading.line);
        if ((shown[at / 8] & 1u << at % 8) != 0)
            return found(report, EXTRACT_FOUND_TWICE, before + reading.line);
        shown[at / 8] |= (uint8_t)(1u << at % 8);
    }
    return true;
}

/* ---- Where it is in the log --------------------------------------------- */

/* An entry of one item, which issued an extract of this subject. */
static bool is_issue(const struct entry *entry, uint64_t subject)
{
    struct item item;

    if (entry->header.items_count != 1)
        return false;
    entry_item(&item, entry, 0);
    return item.clear_part.opcode == OPCODE_EXTRACT_ISSUE &&
           item.clear_part.subject == subject;
}

static bool judge_entry(struct extract_report *report,
                        const struct extract_file *file,
                        const uint8_t *authority_key)
{
    struct slice bytes = slice_of(file->entry, file->entry_size);
    const struct receipt *receipt = &report->receipt;
    uint8_t leaf[HASH_SIZE], hash[HASH_SIZE], cluster_id[CLUSTER_ID_SIZE];
    uint8_t composed[COMMAND_SIGNED_SIZE];
    struct entry entry;
    size_t line = extract_file_receipt_line(file) + 3;

    if (file->entry_size == 0)
        return true;
    entry_leaf_hash(leaf, bytes);
    if (memcmp(leaf, receipt->entry_hash, HASH_SIZE) != 0)
        return found(report, EXTRACT_FOUND_ENTRY, line);
    if (entry_decode(&entry, bytes) != ST_OK)
        return found(report, EXTRACT_FOUND_FORM, line);
    identity_cluster_id(cluster_id, authority_key);
    entry_compose(&entry, composed, cluster_id);
    command_hash(hash, composed, entry.signature);
    if (entry.place.index != receipt->index ||
        entry.place.epoch != receipt->epoch ||
        entry.place.log_time != receipt->committed_at ||
        memcmp(hash, receipt->command_hash, HASH_SIZE) != 0 ||
        !is_issue(&entry, file->subject))
        return found(report, EXTRACT_FOUND_ENTRY, line);
    memcpy(report->signer, entry.header.key_id, KEY_ID_SIZE);
    return true;
}

/* ---- What the log says of it -------------------------------------------- */

/* A node of the authority stated, in an entry that it signed itself. */
static bool is_nodes_own(struct extract_report *report,
                         const struct attestation *attestation,
                         const uint8_t *certificate,
                         const uint8_t *authority_key)
{
    struct nodecert_expected expected = {.role = NODECERT_SERVER};
    uint8_t hash[HASH_SIZE];
    struct nodecert cert;

    memcpy(expected.authority_key, authority_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(expected.cluster_id, authority_key);
    expected.now_s = attestation->entry.place.log_time / DATES_US_PER_SECOND;
    if (nodecert_verify(&cert, &report->cert_fault, certificate, &expected,
                        NULL) != ST_OK)
        return false;
    memcpy(report->attester, cert.node_id, NODE_ID_SIZE);
    return entry_verify(&attestation->entry, hash, expected.cluster_id,
                        cert.receipt_key) == ST_OK;
}

static bool judge_attestation(struct extract_report *report,
                              const struct extract_file *file,
                              const uint8_t *authority_key)
{
    const struct extract_attested *attested = &file->attested;
    const struct receipt *receipt = &report->receipt;
    size_t line = extract_file_receipt_line(file) + 4;
    struct attestation attestation;

    if (attested->entry_size == 0)
        return true;
    if (attestation_read(&attestation, slice_of(attested->entry,
                                                attested->entry_size)) != ST_OK)
        return found(report, EXTRACT_FOUND_FORM, line);
    if (!is_nodes_own(report, &attestation, attested->certificate,
                      authority_key))
        return found(report, EXTRACT_FOUND_ATTESTER, line + 1);
    if (attestation.entry.place.epoch < receipt->epoch ||
        attestation.entry.place.log_time < receipt->committed_at ||
        attestation_shows(&attestation, &attested->outcome, receipt->index,
                          receipt->result_hash) != ST_OK)
        return found(report, EXTRACT_FOUND_ATTESTATION, line);
    report->attested_at = attestation.entry.place.index;
    return true;
}

/* In the tree of the checkpoint that holds the entry. */
static bool judge_attested(struct extract_report *report,
                           const struct extract_file *file)
{
    const struct extract_attested *attested = &file->attested;
    uint8_t leaf[HASH_SIZE];

    if (attested->entry_size == 0)
        return found(report, EXTRACT_FOUND_RECEIPTED, 0);
    entry_leaf_hash(leaf, slice_of(attested->entry, attested->entry_size));
    return tree_inclusion_check(leaf, report->attested_at,
                                report->checkpoint.size,
                                report->checkpoint.root,
                                (const uint8_t(*)[HASH_SIZE])attested->path,
                                attested->path_count) == ST_OK ||
           found(report, EXTRACT_FOUND_ATTESTED,
                 extract_file_receipt_line(file) + 4);
}

static bool judge_proof(struct extract_report *report,
                        const struct extract_file *file,
                        const struct tlog_policy *policy)
{
    struct tlog_proof proof;
    enum status status;

    if (file->entry_size == 0 || file->proof.size == 0)
        return found(report, EXTRACT_FOUND_NO_PROOF, 0);
    /* Nothing is in it that is not judged: the entry stands above. */
    status = tlog_proof_read(&proof, file->proof);
    if (status != ST_OK || proof.extra.size > 0)
        return found(report, EXTRACT_FOUND_FORM, 0);
    if (proof.index != report->receipt.index)
        return found(report, EXTRACT_FOUND_PROOF, 0);
    if (policy == NULL)
        return found(report, EXTRACT_FOUND_NO_POLICY, 0);
    status = tlog_proof_judge(&report->witnesses, &report->checkpoint, &proof,
                              report->receipt.entry_hash, policy);
    if (status == ST_WITNESSES)
        return found(report, EXTRACT_FOUND_WITNESSES, 0);
    if (status == ST_ORIGIN || status == ST_NO_SUCH || status == ST_BAD_SIG)
        return found(report, EXTRACT_FOUND_CHECKPOINT, 0);
    if (status == ST_PROOF)
        return found(report, EXTRACT_FOUND_PROOF, 0);
    return status == ST_OK || found(report, EXTRACT_FOUND_FORM, 0);
}

/* A policy without a quorum takes the word of whoever has the log's key. */
static uint32_t unchecked_of(enum extract_finding finding,
                             const struct tlog_policy *policy)
{
    uint32_t bits =
        1u << EXTRACT_UNCHECKED_SIGNER | 1u << EXTRACT_UNCHECKED_NOW;

    if (extract_judge_verdict(finding) == EXTRACT_TAMPERED)
        return 0;
    if (policy == NULL || policy->quorum == TLOG_POLICY_NONE)
        bits |= 1u << EXTRACT_UNCHECKED_WITNESS;
    return bits;
}

void extract_judge(struct extract_report *report_out,
                   const struct extract_file *file,
                   const struct extract_trust *trust)
{
    memset(report_out, 0, sizeof *report_out);
    /* Each says what it found where it is false. */
    if (judge_receipt(report_out, file, trust->authority_key) &&
        judge_result(report_out, file) && judge_disclosures(report_out, file) &&
        judge_entry(report_out, file, trust->authority_key) &&
        judge_attestation(report_out, file, trust->authority_key) &&
        judge_proof(report_out, file, trust->policy) &&
        judge_attested(report_out, file))
        report_out->finding = EXTRACT_FOUND_GOOD;
    report_out->unchecked = unchecked_of(report_out->finding, trust->policy);
}
