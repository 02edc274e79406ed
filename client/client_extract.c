/*
 * client_extract.c: signed extracts and statements of completeness, put
 * together from what a node answers, and checked on the way.
 */
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "client/client_state.h"
#include "protocol/catalogue.h"
#include "protocol/completeness_file.h"
#include "protocol/extract_file.h"
#include "protocol/extract_judge.h"
#include "protocol/voen.h"

static_assert((int)DEFTER_COMPLETENESS_SIZE >= (int)COMPLETENESS_FILE_SIZE_MAX,
              "a caller has room for a statement");

enum {
    EXTRACT_QUESTION_SIZE_MAX = 256,
    EXTRACT_LISTED = PAGE_ROWS_MAX,
    COMPLETENESS_TRIES = 3
};

/* One extract in the making. */
struct making {
    struct defter *client;
    uint64_t subject;
    const uint8_t *signer; /* Seed; NULL: the login's key. */
    struct extract_file file;
    uint8_t (*commitments)[HASH_SIZE]; /* EXTRACT_FIELDS_MAX of them. */
    uint8_t *text;                     /* The disclosures. */
    uint8_t *proof;
    struct receipt receipt;
};

static bool make_room(struct making *making)
{
    size_t text_size =
        (size_t)EXTRACT_TEXT_PARTS_MAX * EXTRACT_TEXT_PART_SIZE_MAX;

    making->commitments = calloc(EXTRACT_FIELDS_MAX, HASH_SIZE);
    making->text = malloc(text_size);
    making->proof = malloc(TLOG_PROOF_SIZE_MAX);
    return making->commitments != NULL && making->text != NULL &&
           making->proof != NULL;
}

/* What it was about is nobody else's. */
static void give_room_back(struct making *making)
{
    if (making->text != NULL)
        sodium_memzero(making->text, (size_t)EXTRACT_TEXT_PARTS_MAX *
                                         EXTRACT_TEXT_PART_SIZE_MAX);
    free(making->commitments);
    free(making->text);
    free(making->proof);
}

/* ---- Asking ------------------------------------------------------------- */

/* One sealed read about the subject.  0 and an answer, whatever its code. */
static int ask(struct making *making, enum opcode opcode, uint32_t duty,
               uint32_t purpose, const void *fields,
               struct defter_answer *answer_out)
{
    struct defter_item item = {.opcode = (uint16_t)opcode,
                               .duty = duty,
                               .purpose = purpose,
                               .subject = making->subject};
    struct defter_command *command;
    uint8_t bytes[EXTRACT_QUESTION_SIZE_MAX];
    struct writer writer;
    int status = defter_command_new(&command, 'R', DEFTER_RECEIPT);

    if (status != ST_OK)
        return client_fail(making->client, status, "out of memory");
    if (making->signer != NULL)
        defter_command_signer(command, making->signer);
    writer_init(&writer, bytes, sizeof bytes);
    schema_encode(operation_info((uint16_t)opcode)->fields, &writer, fields);
    ENSURE(writer.status == ST_OK);
    status = defter_command_item(command, &item, bytes, writer.used);
    if (status == ST_OK)
        status = defter_call(making->client, command, answer_out);
    defter_command_free(command);
    return status;
}

/* The fields of a sealed result, and its salt. */
static int take_result(struct making *making, const struct schema *schema,
                       void *out, uint8_t salt[SALT_SIZE],
                       const struct defter_answer *answer)
{
    struct field_error error;

    if (answer->result_size < SALT_SIZE ||
        schema_decode(schema, out, &error,
                      slice_of(answer->result + SALT_SIZE,
                               answer->result_size - SALT_SIZE),
                      SCHEMA_SKIP_ODD) != ST_OK)
        return client_fail(making->client, ST_BAD_FIELD,
                           "the node's answer does not read");
    memcpy(salt, answer->result, SALT_SIZE);
    return ST_OK;
}

/* What signs an answer, as a file keeps it. */
static int take_receipt(struct making *making, uint8_t receipt[RECEIPT_SIZE],
                        uint8_t signature[SIGNATURE_SIZE],
                        uint8_t certificate[NODECERT_SIZE],
                        const struct defter_answer *answer)
{
    struct defter *client = making->client;

    if (!answer->has_receipt || client->session == NULL ||
        receipt_decode(&making->receipt, answer->receipt) != ST_OK)
        return client_fail(client, ST_RECEIPT, "no receipt came");
    memcpy(receipt, answer->receipt, RECEIPT_SIZE);
    memcpy(signature, answer->signature, SIGNATURE_SIZE);
    memcpy(certificate, session_certificate_bytes(client->session),
           NODECERT_SIZE);
    return ST_OK;
}

/* ---- Issuing and opening ------------------------------------------------ */

/* An answer given again has no result: the extract is the one of its entry. */
static int find_number(struct making *making, uint64_t index)
{
    struct op_extract_list in = {.limit = EXTRACT_LISTED};
    struct result_extract_list out;
    struct defter_answer answer;
    struct list_reader reader;
    struct extract_row row;
    uint8_t salt[SALT_SIZE];

    do {
        int status = ask(making, OPCODE_EXTRACT_LIST, 0, 0, &in, &answer);

        if (status == ST_OK && answer.code != ST_OK)
            status = answer.code;
        if (status == ST_OK)
            status = take_result(making, &schema_result_extract_list, &out,
                                 salt, &answer);
        if (status != ST_OK)
            return status;
        list_reader_init(&reader, &out.extracts);
        while (list_reader_next(&reader, &schema_extract_row, &row)) {
            if (row.index != index)
                continue;
            making->file.number = row.number;
            return ST_OK;
        }
        in.before = out.next;
    } while (in.before != 0);
    return client_fail(making->client, ST_NO_SUCH,
                       "the extract that was issued is not listed");
}

static int issue(struct making *making, struct defter_answer *answer_out)
{
    struct op_extract_issue in = {.sections = making->file.sections};
    struct result_extract_issue out;
    uint8_t salt[SALT_SIZE];
    int status = ask(making, OPCODE_EXTRACT_ISSUE, 0, 0, &in, answer_out);

    if (status != ST_OK || answer_out->code != ST_OK)
        return status;
    status = take_receipt(making, making->file.receipt, making->file.signature,
                          making->file.certificate, answer_out);
    if (status == ST_OK && answer_out->omitted)
        return find_number(making, answer_out->index);
    if (status == ST_OK)
        status = take_result(making, &schema_result_extract_issue, &out, salt,
                             answer_out);
    making->file.number = status == ST_OK ? out.number : 0;
    return status;
}

static int compare_hashes(const void *a, const void *b)
{
    return memcmp(a, b, HASH_SIZE);
}

/* The commitments follow from the disclosures; that they are the ones which
 * were signed, the receipt shows. */
static int commit(struct making *making)
{
    struct extract_file *file = &making->file;
    struct extract_reading reading = {.rest = file->disclosures};
    uint8_t hash[HASH_SIZE];
    enum status status;
    uint32_t count = 0;

    while ((status = extract_file_next(&reading)) == ST_OK &&
           count < EXTRACT_FIELDS_MAX)
        extract_file_commit(&reading, making->commitments[count++]);
    if (status != ST_END)
        return client_fail(making->client, ST_FILE_FORMAT,
                           "what the node discloses does not read");
    qsort(making->commitments, count, HASH_SIZE, compare_hashes);
    file->commitments = (const uint8_t(*)[HASH_SIZE])making->commitments;
    file->commitments_count = count;
    file->disclosures_count = count;
    extract_file_result_hash(file, hash);
    if (memcmp(hash, making->receipt.result_hash, HASH_SIZE) != 0)
        return client_fail(making->client, ST_RECEIPT,
                           "what the node discloses is not what it signed");
    return ST_OK;
}

static int open_it(struct making *making)
{
    struct op_extract_open in = {.number = making->file.number};
    struct result_extract_open out;
    struct defter_answer answer;
    struct list_reader reader;
    struct text_part part;
    uint8_t salt[SALT_SIZE];
    struct writer text;
    int status = ask(making, OPCODE_EXTRACT_OPEN, 0, 0, &in, &answer);

    if (status == ST_OK && answer.code != ST_OK)
        status = client_fail(making->client, answer.code,
                             "the extract was issued and does not open");
    if (status == ST_OK)
        status = take_result(making, &schema_result_extract_open, &out, salt,
                             &answer);
    if (status != ST_OK)
        return status;
    writer_init(&text, making->text,
                (size_t)EXTRACT_TEXT_PARTS_MAX * EXTRACT_TEXT_PART_SIZE_MAX);
    list_reader_init(&reader, &out.parts);
    while (list_reader_next(&reader, &schema_text_part, &part))
        writer_bytes(&text, part.text.data, part.text.size);
    ENSURE(text.status == ST_OK); /* The schema bounds parts and number. */
    memcpy(making->file.salt, out.salt.b, SALT_SIZE);
    making->file.disclosures = writer_slice(&text);
    return commit(making);
}

/* ---- The file ------------------------------------------------------------ */

/* The whole file; what nobody would believe is not given out. */
static int finish(struct making *making, uint8_t **file_out, size_t *size_out)
{
    struct extract_trust trust = {.policy = NULL};
    struct extract_report report;
    struct writer writer;
    uint8_t *bytes;

    memcpy(trust.authority_key, making->client->authority_key, PUBLIC_KEY_SIZE);
    extract_judge(&report, &making->file, &trust);
    if (extract_judge_verdict(report.finding) == EXTRACT_TAMPERED)
        return client_fail(making->client, ST_RECEIPT,
                           extract_judge_text(report.finding));
    bytes = malloc(EXTRACT_FILE_SIZE_MAX);
    if (bytes == NULL)
        return client_fail(making->client, ST_INTERNAL, "out of memory");
    writer_init(&writer, bytes, EXTRACT_FILE_SIZE_MAX);
    extract_file_write(&writer, &making->file);
    ENSURE(writer.status == ST_OK); /* limits.h: the largest one fits. */
    *file_out = bytes;
    *size_out = writer.used;
    return ST_OK;
}

int defter_extract(struct defter *client, uint64_t subject, uint16_t sections,
                   const uint8_t *signer_seed, struct defter_answer *answer_out,
                   uint8_t **file_out, size_t *size_out)
{
    struct making making = {.client = client,
                            .subject = subject,
                            .signer = signer_seed,
                            .file = {.subject = subject, .sections = sections}};
    int status = ST_OK;

    *file_out = NULL;
    *size_out = 0;
    if (subject > VOEN_MAX || sections == 0 || (sections & ~SECTIONS_MASK) != 0)
        return client_fail(client, ST_USAGE,
                           "no such taxpayer number, or no such sections");
    if (!make_room(&making))
        status = client_fail(client, ST_INTERNAL, "out of memory");
    if (status == ST_OK)
        status = issue(&making, answer_out);
    if (status == ST_OK && answer_out->code == ST_OK)
        status = open_it(&making);
    if (status == ST_OK && answer_out->code == ST_OK) {
        /* What is missing the file says by itself. */
        (void)client_tie(client, &making.file, making.proof, &making.receipt);
        status = finish(&making, file_out, size_out);
    }
    /* It has been overwritten by later calls. */
    answer_out->result = NULL;
    answer_out->result_size = 0;
    give_room_back(&making);
    return status;
}

int defter_extract_attest(struct defter *client, const uint8_t *file,
                          size_t size, uint8_t **file_out, size_t *size_out)
{
    struct making making = {.client = client};
    size_t line;
    int status = ST_INTERNAL;

    *file_out = NULL;
    *size_out = 0;
    if (make_room(&making))
        status = (int)extract_file_read(&making.file, making.commitments, &line,
                                        slice_of(file, size));
    if (status != ST_OK ||
        receipt_decode(&making.receipt, making.file.receipt) != ST_OK)
        status = client_fail(client, status != ST_OK ? status : ST_FILE_FORMAT,
                             "this is no extract");
    if (status == ST_OK)
        status = defter_connect(client);
    if (status == ST_OK) {
        making.file.attested.entry_size = 0;
        status =
            client_tie(client, &making.file, making.proof, &making.receipt);
        if (status == ST_NO_SUCH)
            (void)client_fail(client, status,
                              "the node does not remember it, or another one "
                              "attested it: have a new one issued");
        else if (status == ST_BUSY)
            (void)client_fail(client, status, "it is not attested yet");
    }
    if (status == ST_OK)
        status = finish(&making, file_out, size_out);
    give_room_back(&making);
    return status;
}

void defter_extract_free(uint8_t *file, size_t size)
{
    if (file != NULL)
        sodium_memzero(file, size);
    free(file);
}

/* ---- Whether one still holds -------------------------------------------- */

int defter_extract_check(struct defter *client, const uint8_t *file,
                         size_t size, const uint8_t *signer_seed,
                         struct defter_answer *answer_out,
                         uint16_t *superseded_out)
{
    struct making making = {.client = client, .signer = signer_seed};
    struct op_extract_verify in;
    struct result_extract_verify out;
    uint8_t salt[SALT_SIZE];
    size_t line;
    int status = ST_INTERNAL;

    *superseded_out = 0;
    if (make_room(&making))
        status = (int)extract_file_read(&making.file, making.commitments, &line,
                                        slice_of(file, size));
    if (status == ST_OK) {
        making.subject = making.file.subject;
        in.number = making.file.number;
        extract_root(in.root.b, making.file.commitments,
                     making.file.commitments_count);
        status = ask(&making, OPCODE_EXTRACT_VERIFY, 0, 0, &in, answer_out);
    } else {
        (void)client_fail(client, status, "this is no extract");
    }
    if (status == ST_OK && answer_out->code == ST_OK) {
        status = take_result(&making, &schema_result_extract_verify, &out, salt,
                             answer_out);
        *superseded_out = status == ST_OK ? out.superseded : 0;
    }
    give_room_back(&making);
    return status;
}

/* ---- Completeness ------------------------------------------------------- */

int defter_completeness(struct defter *client, const struct defter_item *item,
                        const char *file_number, const uint8_t *signer_seed,
                        struct defter_answer *answer_out, uint8_t *file_out,
                        size_t *size_out)
{
    struct making making = {
        .client = client, .subject = item->subject, .signer = signer_seed};
    struct op_subject_completeness in = {
        .file_number = slice_of(file_number, strlen(file_number))};
    struct result_subject_completeness out;
    struct completeness_file file;
    struct receipt receipt;
    struct writer writer;
    int status, tries = COMPLETENESS_TRIES;

    *size_out = 0;
    if (in.file_number.size > 64)
        return client_fail(client, ST_USAGE, "the file's number is too long");
    /* An answer given again has no result; the question can be put anew. */
    do
        status = ask(&making, OPCODE_SUBJECT_COMPLETENESS, item->duty,
                     item->purpose, &in, answer_out);
    while (status == ST_OK && answer_out->omitted && --tries > 0);
    if (status != ST_OK || answer_out->code != ST_OK)
        return status;
    status = take_receipt(&making, file.receipt, file.signature,
                          file.certificate, answer_out);
    if (status == ST_OK)
        status = take_result(&making, &schema_result_subject_completeness, &out,
                             file.salt, answer_out);
    if (status != ST_OK)
        return status;
    file.subject = out.subject;
    file.sum.count = out.count;
    memcpy(file.sum.rolling, out.rolling.b, HASH_SIZE);
    file.size = out.size;
    if (file.subject != item->subject ||
        completeness_file_judge(&receipt, &file, client->authority_key) !=
            ST_OK)
        return client_fail(client, ST_RECEIPT,
                           "what the node states is not what it signed");
    writer_init(&writer, file_out, DEFTER_COMPLETENESS_SIZE);
    completeness_file_write(&writer, &file);
    ENSURE(writer.status == ST_OK);
    *size_out = writer.used;
    return ST_OK;
}
