#include "tests/lib/extract_sample.h"

#include <stdlib.h>

#include "protocol/extract_record.h"
#include "protocol/lines.h"

enum { SAMPLE_USER_KEY = 0xa3, SAMPLE_ENTRIES = 10, SAMPLE_DAY = 20600 };
static const uint8_t sample_key[KEY_SIZE] = {0x5e, 0xa1, 7};

/* The section at hand. */
struct section_context {
    struct extract_sample *sample;
    struct slice section_line;
};

static void take_line(void *context, struct slice line)
{
    struct section_context *section = context;
    struct extract_sample *sample = section->sample;
    struct writer *writer = &sample->disclosures_writer;
    uint8_t salt[SALT_SIZE];

    extract_salt(salt, sample_key, EXTRACT_SAMPLE_INDEX, 0, sample->count);
    lines_write(writer, "field ");
    lines_write_base64(writer, salt, sizeof salt);
    lines_write(writer, " ");
    writer_bytes(writer, line.data, line.size);
    lines_write(writer, "\n");
    extract_commit(sample->commitments[sample->count++], salt,
                   section->section_line, line);
}

static void add_section(struct extract_sample *sample, uint8_t number)
{
    struct extract_section section = {.section = number,
                                      .path = EXTRACT_EHIS,
                                      .version = number + 2u,
                                      .as_of = SAMPLE_DAY,
                                      .received = INT64_C(1766000000000000),
                                      .flags = 1,
                                      .source = 5,
                                      .source_name =
                                          records_text("Dövlət Vergi Xidməti")};
    struct section_context context = {.sample = sample};
    struct extract_lines lines = {.context = &context, .line = take_line};
    uint8_t bytes[EXTRACT_SECTION_LINE_SIZE_MAX];
    union section_record record;
    struct writer writer;

    if (number == SECTION_S12)
        section = (struct extract_section){.section = number};
    writer_init(&writer, bytes, sizeof bytes);
    extract_section_write(&writer, &section);
    context.section_line = writer_slice(&writer);
    lines_write(&sample->disclosures_writer, "section ");
    writer_bytes(&sample->disclosures_writer, bytes, writer.used);
    lines_write(&sample->disclosures_writer, "\n");
    sample->sections |= (uint16_t)(1u << (number - 1));
    if (number == SECTION_S12) {
        extract_record_none(&lines);
        return;
    }
    records_fill(&sample->records, &record, number, EXTRACT_SAMPLE_SUBJECT,
                 SAMPLE_DAY);
    ck_assert_int_eq(
        extract_record_lines(&lines, number,
                             records_encode(&sample->records, number, &record)),
        ST_OK);
}

static int compare(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* The result of extract.issue, as far as the log knows it: its hash. */
static void make_result(struct extract_sample *sample,
                        const struct extract_file *file)
{
    struct signed_log_entry *entry = &sample->log.entries[EXTRACT_SAMPLE_INDEX];

    extract_file_result_hash(file, entry->result_hash);
    entry->has_result_hash = true;
}

/* A log whose entry EXTRACT_SAMPLE_INDEX is extract.issue, and whose entry
 * EXTRACT_SAMPLE_ATTESTED_AT attests it. */
static void make_log(struct extract_sample *sample,
                     const struct extract_file *file)
{
    struct op_extract_issue issue = {.sections = sample->sections};
    struct signed_log *log = &sample->log;

    signed_log_init(log);
    signed_log_key(&sample->user, SAMPLE_USER_KEY);
    while (log->count < SAMPLE_ENTRIES) {
        if (log->count == EXTRACT_SAMPLE_ATTESTED_AT) {
            signed_log_attest(log);
            continue;
        }
        if (log->count != EXTRACT_SAMPLE_INDEX) {
            signed_log_ping(log);
            continue;
        }
        log->subject = EXTRACT_SAMPLE_SUBJECT;
        signed_log_add(log, &sample->user, OPCODE_EXTRACT_ISSUE, 0, &issue,
                       ST_OK);
        make_result(sample, file);
        log->subject = 0;
    }
}

/* Signs what the file holds so far. */
static void make_receipt(struct extract_sample *sample,
                         struct extract_file *file)
{
    uint8_t record[SIGNED_LOG_RECEIPT_SIZE];
    struct receipt receipt;

    signed_log_receipt(&sample->log, record, EXTRACT_SAMPLE_INDEX,
                       &sample->log.node, false);
    ck_assert_int_eq(receipt_decode(&receipt, record), ST_OK);
    extract_file_result_hash(file, receipt.result_hash);
    receipt_sign(&receipt, file->receipt, file->signature,
                 sample->log.cluster_id, &sample->log.node);
    memcpy(file->certificate, record + RECEIPT_SIZE + SIGNATURE_SIZE,
           NODECERT_SIZE);
}

static void log_leaves(const struct extract_sample *sample,
                       uint8_t (*leaves)[HASH_SIZE])
{
    for (size_t i = 0; i < sample->log.count; i++)
        entry_leaf_hash(leaves[i], slice_of(sample->log.entries[i].bytes,
                                            sample->log.entries[i].size));
}

static void log_path(uint8_t (*hashes)[HASH_SIZE], size_t *count_out,
                     const struct extract_sample *sample, uint64_t index)
{
    uint8_t leaves[SIGNED_LOG_ENTRIES_MAX][HASH_SIZE];
    struct tree_leaves tree = {(const uint8_t(*)[HASH_SIZE])leaves,
                               sample->log.count};
    struct tree_source source = {&tree, tree_leaves_read};

    log_leaves(sample, leaves);
    ck_assert_int_eq(tree_inclusion_make(hashes, count_out, &source, index,
                                         sample->log.count),
                     ST_OK);
}

/* The checkpoint of the log as it is. */
static struct slice make_note(struct extract_sample *sample, uint8_t *note,
                              size_t note_size, bool stranger)
{
    struct checkpoint checkpoint = {.origin =
                                        note_key_name(&sample->log_signer.key),
                                    .size = sample->log.count};
    struct writer writer;
    size_t text_size;

    signed_log_root(&sample->log, checkpoint.root, sample->log.count);
    writer_init(&writer, note, note_size);
    checkpoint_write(&writer, &checkpoint);
    text_size = writer.used;
    writer_init(&writer, note, note_size);
    checkpoint_sign(&writer, &checkpoint, &sample->log_signer.key,
                    &sample->log_signer.identity);
    checkpoint_cosign_line(&writer, slice_of(note, text_size),
                           &sample->witness.key, &sample->witness.identity,
                           TLOG_TIME_S);
    if (stranger)
        checkpoint_cosign_line(&writer, slice_of(note, text_size),
                               &sample->stranger.key,
                               &sample->stranger.identity, TLOG_TIME_S);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

struct slice extract_sample_proof(struct extract_sample *sample, bool stranger)
{
    struct tlog_proof proof = {.index = EXTRACT_SAMPLE_INDEX};
    struct writer writer;
    uint8_t note[2048];

    proof.note = make_note(sample, note, sizeof note, stranger);
    log_path(proof.hashes, &proof.count, sample, proof.index);
    writer_init(&writer, sample->proof, sizeof sample->proof);
    tlog_proof_write(&writer, &proof);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

void extract_sample_tie(struct extract_attested *out,
                        const struct extract_sample *sample, uint64_t index)
{
    const struct signed_log_entry *entry = &sample->log.entries[index];
    uint8_t record[SIGNED_LOG_RECEIPT_SIZE];

    memset(out, 0, sizeof *out);
    ck_assert_uint_le(entry->size, sizeof out->entry);
    memcpy(out->entry, entry->bytes, entry->size);
    out->entry_size = entry->size;
    signed_log_receipt(&sample->log, record, index, &sample->log.node, false);
    memcpy(out->certificate, record + RECEIPT_SIZE + SIGNATURE_SIZE,
           NODECERT_SIZE);
    log_path(out->path, &out->path_count, sample, index);
}

void extract_sample_attested(struct extract_attested *out,
                             const struct extract_sample *sample,
                             uint64_t index)
{
    const struct signed_log_entry *entry = &sample->log.entries[index];
    uint8_t leaves[SIGNED_LOG_ENTRIES_MAX][HASH_SIZE];
    struct attestation attestation;
    size_t count = 0, position = 0;

    extract_sample_tie(out, sample, index);
    ck_assert_int_eq(
        attestation_read(&attestation, slice_of(entry->bytes, entry->size)),
        ST_OK);
    for (uint64_t i = attestation.stated.first; i <= attestation.stated.last;
         i++) {
        if (i == EXTRACT_SAMPLE_INDEX)
            position = count;
        signed_log_outcome(&sample->log, leaves[count++], i);
    }
    attestation_paths_make(&out->outcome, &position, 1, leaves, count);
}

static void make_policy(struct extract_sample *sample)
{
    struct tlog_policy_error error;
    struct writer writer;

    writer_init(&writer, sample->policy_bytes, sizeof sample->policy_bytes);
    lines_write(&writer, "log ");
    note_key_write(&writer, &sample->log_signer.key);
    lines_write(&writer, "\nwitness archive ");
    note_key_write(&writer, &sample->witness.key);
    lines_write(&writer, "\nquorum archive\n");
    ck_assert_int_eq(writer.status, ST_OK);
    sample->policy_text = writer_slice(&writer);
    ck_assert_int_eq(
        tlog_policy_read(&sample->policy, &error, sample->policy_text), ST_OK);
    memcpy(sample->trust.authority_key, sample->log.authority.public_key,
           PUBLIC_KEY_SIZE);
    sample->trust.policy = &sample->policy;
}

void extract_sample_make(struct extract_sample *sample, unsigned parts)
{
    static const uint8_t sections[] = {SECTION_S01, SECTION_S06, SECTION_S12};
    struct extract_file file = {.number = 17,
                                .subject = EXTRACT_SAMPLE_SUBJECT};
    struct writer writer;

    memset(sample, 0, sizeof *sample);
    tlog_log(&sample->log_signer);
    tlog_witness(&sample->witness);
    tlog_signer_make(&sample->stranger, "stranger.example", NOTE_COSIGNATURE,
                     99);
    writer_init(&sample->disclosures_writer, sample->disclosures,
                sizeof sample->disclosures);
    for (size_t i = 0; i < sizeof sections; i++)
        add_section(sample, sections[i]);
    qsort(sample->commitments, sample->count, HASH_SIZE, compare);
    file.sections = sample->sections;
    memset(file.salt, 0x33, SALT_SIZE);
    file.commitments = (const uint8_t(*)[HASH_SIZE])sample->commitments;
    file.commitments_count = sample->count;
    file.disclosures = writer_slice(&sample->disclosures_writer);
    make_log(sample, &file);
    make_receipt(sample, &file);
    if ((parts & EXTRACT_SAMPLE_ENTRY) != 0) {
        const struct signed_log_entry *entry =
            &sample->log.entries[EXTRACT_SAMPLE_INDEX];

        ck_assert_uint_le(entry->size, sizeof file.entry);
        memcpy(file.entry, entry->bytes, entry->size);
        file.entry_size = entry->size;
    }
    if ((parts & EXTRACT_SAMPLE_PROOF) != 0)
        file.proof = extract_sample_proof(
            sample, (parts & EXTRACT_SAMPLE_STRANGER) != 0);
    if ((parts & EXTRACT_SAMPLE_ATTESTED) != 0)
        extract_sample_attested(&file.attested, sample,
                                EXTRACT_SAMPLE_ATTESTED_AT);
    writer_init(&writer, sample->bytes, sizeof sample->bytes);
    extract_file_write(&writer, &file);
    ck_assert_int_eq(writer.status, ST_OK);
    sample->file = writer_slice(&writer);
    make_policy(sample);
}

enum extract_finding extract_sample_judge(struct extract_report *report_out,
                                          const struct extract_trust *trust,
                                          struct slice bytes)
{
    static uint8_t commitments[EXTRACT_FIELDS_MAX][HASH_SIZE];
    static struct extract_file file;
    size_t line;

    memset(report_out, 0, sizeof *report_out);
    if (extract_file_read(&file, commitments, &line, bytes) != ST_OK) {
        report_out->line = line;
        return EXTRACT_FOUND_FORM;
    }
    extract_judge(report_out, &file, trust);
    return report_out->finding;
}
