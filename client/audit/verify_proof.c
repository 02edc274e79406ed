#include "client/audit/verify_proof.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/audit/receipts.h"
#include "client/audit/verify_parts.h"
#include "client/audit/vouch.h"
#include "protocol/entry.h"
#include "protocol/lines.h"
#include "protocol/tlog_proof.h"
#include "protocol/tree.h"

#define VERIFY_PROOF_SUFFIX ".tlog-proof"
#define VERIFY_PROOF_START  "c2sp.org/tlog-proof@"

/* Which entry it is of, as somebody says. */
struct verify_proof {
    const struct verify_options *options;
    struct report *report;
    struct tlog_proof proof;
    struct vouch vouch;
    struct vouch_policy policy;
    bool has_leaf;
};

static bool verify_proof_fault(struct verify_proof *at, uint64_t index,
                               const char *what)
{
    if (report_fault(at->report, REPORT_TAMPERED, index, what))
        (void)snprintf(at->report->fault.file, sizeof at->report->fault.file,
                       "%s", at->options->directory);
    return false;
}

static bool verify_proof_leaf(struct verify_proof *at,
                              const uint8_t leaf[HASH_SIZE])
{
    struct report *report = at->report;

    if (at->has_leaf && memcmp(report->leaf, leaf, HASH_SIZE) != 0) {
        (void)verify_proof_fault(at, at->proof.index,
                                 "it is another entry than the one that was "
                                 "expected");
        report_hashes(report, leaf, report->leaf, HASH_SIZE);
        return false;
    }
    at->has_leaf = true;
    memcpy(report->leaf, leaf, HASH_SIZE);
    return true;
}

/* The entry itself: whoever holds it may show it with the proof. */
static bool verify_proof_entry(struct verify_proof *at, struct slice bytes)
{
    uint8_t leaf[HASH_SIZE];
    struct entry entry;

    if (entry_decode(&entry, bytes) != ST_OK)
        return verify_proof_fault(at, at->proof.index,
                                  "what should be the entry is not well "
                                  "formed");
    if (entry.place.index != at->proof.index) {
        (void)verify_proof_fault(at, at->proof.index,
                                 "the entry has another index than the proof");
        report_numbers(at->report, at->proof.index, entry.place.index);
        return false;
    }
    at->report->bytes = bytes.size;
    entry_leaf_hash(leaf, bytes);
    return verify_proof_leaf(at, leaf);
}

static bool verify_proof_extra(struct verify_proof *at)
{
    uint8_t *bytes;
    size_t size = 0;
    bool good;

    if (at->proof.extra.size == 0)
        return true;
    bytes = malloc(ENTRY_SIZE_MAX);
    if (bytes == NULL)
        return report_lacks_memory(at->report);
    good = lines_read_base64(bytes, &size, ENTRY_SIZE_MAX, at->proof.extra) ==
                   ST_OK
               ? verify_proof_entry(at, slice_of(bytes, size))
               : verify_proof_fault(at, at->proof.index,
                                    "what stands behind \"extra\" is no "
                                    "entry");
    free(bytes);
    return good;
}

static enum status verify_proof_file(struct verify_proof *at)
{
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum status status;

    if (at->options->entry == NULL)
        return ST_OK;
    status = vouch_read_file(&bytes, &size, at->options->entry, ENTRY_SIZE_MAX);
    if (status == ST_EXHAUSTED)
        return status;
    if (status != ST_OK) {
        at->report->unusable = at->options->entry;
        return ST_USAGE;
    }
    (void)verify_proof_entry(at, slice_of(bytes, size));
    free(bytes);
    return ST_OK;
}

/* A receipt names the leaf hash of its entry. */
static enum status verify_proof_receipts(struct verify_proof *at)
{
    struct receipts receipts;
    struct receipts_fault fault;
    enum status status;

    if (at->options->receipts == NULL)
        return ST_OK;
    status = receipts_load(&receipts, &fault, at->options->receipts,
                           at->options->authority);
    if (status == ST_RECEIPT) {
        (void)report_fault(at->report, REPORT_TAMPERED, REPORT_NO_INDEX,
                           fault.what);
        (void)snprintf(at->report->fault.file, sizeof at->report->fault.file,
                       "%s", at->options->receipts);
        at->report->fault.offset = fault.offset;
        status = ST_OK;
    } else if (status != ST_OK && status != ST_EXHAUSTED) {
        status = ST_RECEIPT;
    }
    for (size_t i = 0; i < receipts.count && !at->report->fault.found; i++) {
        if (receipts.rows[i].index != at->proof.index)
            continue;
        at->report->receipts++;
        (void)verify_proof_leaf(at, receipts.rows[i].entry_hash);
    }
    receipts_free(&receipts);
    return status;
}

/* What others say of the entry, and that they say the same. */
static enum status verify_proof_of_what(struct verify_proof *at)
{
    enum status status;

    if (!verify_proof_extra(at))
        return at->report->lacks_memory ? ST_EXHAUSTED : ST_OK;
    status = verify_proof_file(at);
    if (status != ST_OK || at->report->fault.found)
        return status;
    if (at->options->has_leaf && !verify_proof_leaf(at, at->options->leaf))
        return ST_OK;
    return verify_proof_receipts(at);
}

static void verify_proof_checkpoint(struct verify_proof *at)
{
    const struct checkpoint *checkpoint = &at->vouch.checkpoint;
    struct report *report = at->report;
    const char *what =
        vouch_judge(&at->vouch, &at->policy, slice_of("", 0), NULL);

    report->entries = checkpoint->size;
    memcpy(report->root, checkpoint->root, HASH_SIZE);
    report->checkpoints[report->checkpoints_count++] = at->vouch.told;
    if (what != NULL) {
        (void)verify_proof_fault(at, REPORT_NO_INDEX, what);
        return;
    }
    if (!at->has_leaf) {
        report_reason(report, REPORT_REASON_ENTRY);
    } else if (tree_inclusion_check(
                   report->leaf, at->proof.index, checkpoint->size,
                   checkpoint->root,
                   (const uint8_t(*)[HASH_SIZE])at->proof.hashes,
                   at->proof.count) != ST_OK) {
        (void)verify_proof_fault(at, at->proof.index,
                                 "the proof does not lead from the entry to "
                                 "the checkpoint's root");
        return;
    }
    if (!at->vouch.told.is_signed)
        report_reason(report, REPORT_REASON_LOG_KEY);
    else if (!vouch_stands(&at->vouch))
        report_reason(report, REPORT_REASON_QUORUM);
    else if (at->has_leaf)
        report->covered = checkpoint->size;
}

static enum status verify_proof_judge(struct verify_proof *at,
                                      struct slice bytes)
{
    enum status status = verify_silent(
        at->report, at->options,
        VERIFY_OF_HEAD | VERIFY_OF_CHECKPOINT | VERIFY_OF_RESUME, "a proof");

    if (status == ST_OK && !at->options->has_authority)
        status = verify_silent(at->report, at->options, VERIFY_OF_RECEIPTS,
                               "a proof without the authority's key, which "
                               "judges receipts");
    if (status != ST_OK)
        return status;
    status = tlog_proof_read(&at->proof, bytes);
    if (status == ST_OK)
        status = vouch_take(&at->vouch, at->proof.note, at->options->directory);
    if (status == ST_EXHAUSTED)
        return status;
    if (status != ST_OK) {
        (void)verify_proof_fault(at, REPORT_NO_INDEX,
                                 "the proof is not of its format");
        return ST_OK;
    }
    at->report->proven = at->proof.index;
    if (at->options->policy != NULL)
        status = vouch_policy_load(&at->policy, at->options->policy);
    if (status == ST_EXHAUSTED)
        return status;
    if (status != ST_OK) {
        at->report->unusable = at->options->policy;
        at->report->policy_error = at->policy.error;
        return ST_USAGE;
    }
    status = verify_proof_of_what(at);
    if (status == ST_OK && !at->report->fault.found)
        verify_proof_checkpoint(at);
    if (vouch_is_alone(&at->policy))
        report_unchecked(at->report, REPORT_UNCHECKED_WITNESS);
    report_unchecked(at->report, REPORT_UNCHECKED_SIGNER);
    return status;
}

static bool verify_proof_is_one(const char *path, struct slice bytes)
{
    const size_t size = strlen(path);
    const size_t suffix_size = strlen(VERIFY_PROOF_SUFFIX);

    return lines_take(&bytes, VERIFY_PROOF_START) ||
           (size > suffix_size &&
            strcmp(path + size - suffix_size, VERIFY_PROOF_SUFFIX) == 0);
}

enum status verify_proof(struct report *report_out,
                         const struct verify_options *options)
{
    struct verify_proof at = {.options = options, .report = report_out};
    uint8_t *bytes = NULL;
    size_t size = 0;
    enum status status;

    memset(report_out, 0, sizeof *report_out);
    report_out->kind = REPORT_PROOF;
    status =
        vouch_read_file(&bytes, &size, options->directory, TLOG_PROOF_SIZE_MAX);
    if (status == ST_TOO_LARGE)
        return ST_NO_FILE;
    if (status != ST_OK)
        return status;
    status = verify_proof_is_one(options->directory, slice_of(bytes, size))
                 ? verify_proof_judge(&at, slice_of(bytes, size))
                 : ST_NO_FILE;
    vouch_policy_close(&at.policy);
    vouch_close(&at.vouch);
    free(bytes);
    return status;
}
