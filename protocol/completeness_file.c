#include "protocol/completeness_file.h"

#include <string.h>

#include <sodium.h>

#include "protocol/dates.h"
#include "protocol/lines.h"
#include "protocol/voen.h"

static const char first_line[] = "defter.completeness@v1\n";

/* The value of the next line, which begins with ${word}. */
static bool take_value(struct slice *value_out, struct slice *rest,
                       const char *word)
{
    return lines_next(value_out, rest) == ST_OK && lines_take(value_out, word);
}

static bool take_number(uint64_t *out, struct slice *rest, const char *word)
{
    struct slice value;

    return take_value(&value, rest, word) &&
           lines_read_number(out, value, INT64_MAX) == ST_OK;
}

static bool take_bytes(uint8_t *out, size_t size, struct slice *rest,
                       const char *word)
{
    struct slice value;

    return take_value(&value, rest, word) &&
           lines_read_exact(out, size, value) == ST_OK;
}

static bool take_subject(uint64_t *out, struct slice *rest)
{
    struct slice value;

    *out = 0;
    if (!take_value(&value, rest, "subject ") || value.size != VOEN_DIGITS)
        return false;
    for (size_t i = 0; i < VOEN_DIGITS; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return false;
        *out = *out * 10 + value.data[i] - '0';
    }
    return completeness_names(*out);
}

enum status completeness_file_read(struct completeness_file *out,
                                   struct slice bytes)
{
    struct slice rest = bytes;

    memset(out, 0, sizeof *out);
    if (!lines_take(&rest, first_line) || !take_subject(&out->subject, &rest) ||
        !take_number(&out->sum.count, &rest, "count ") ||
        !take_bytes(out->sum.rolling, HASH_SIZE, &rest, "rolling ") ||
        !take_number(&out->size, &rest, "size ") ||
        !take_bytes(out->salt, SALT_SIZE, &rest, "salt ") ||
        !take_bytes(out->receipt, RECEIPT_SIZE, &rest, "receipt ") ||
        !take_bytes(out->signature, SIGNATURE_SIZE, &rest, "signature ") ||
        !take_bytes(out->certificate, NODECERT_SIZE, &rest, "certificate ") ||
        rest.size > 0)
        return ST_FILE_FORMAT;
    return ST_OK;
}

static void write_number(struct writer *writer, const char *word,
                         uint64_t value)
{
    lines_write(writer, word);
    lines_write_number(writer, value);
    lines_write(writer, "\n");
}

static void write_bytes(struct writer *writer, const char *word,
                        const void *bytes, size_t size)
{
    lines_write(writer, word);
    lines_write_base64(writer, bytes, size);
    lines_write(writer, "\n");
}

void completeness_file_write(struct writer *writer,
                             const struct completeness_file *file)
{
    uint8_t digits[VOEN_DIGITS];

    lines_write(writer, first_line);
    voen_format(digits, file->subject);
    lines_write(writer, "subject ");
    writer_bytes(writer, digits, sizeof digits);
    lines_write(writer, "\n");
    write_number(writer, "count ", file->sum.count);
    write_bytes(writer, "rolling ", file->sum.rolling, HASH_SIZE);
    write_number(writer, "size ", file->size);
    write_bytes(writer, "salt ", file->salt, SALT_SIZE);
    write_bytes(writer, "receipt ", file->receipt, RECEIPT_SIZE);
    write_bytes(writer, "signature ", file->signature, SIGNATURE_SIZE);
    write_bytes(writer, "certificate ", file->certificate, NODECERT_SIZE);
}

/* SHA-256 of the result as subject.completeness gives it. */
static void result_hash(const struct completeness_file *file,
                        uint8_t out[HASH_SIZE])
{
    uint8_t bytes[SALT_SIZE + 8 + 8 + HASH_SIZE + 8];
    struct writer writer;

    writer_init(&writer, bytes, sizeof bytes);
    writer_bytes(&writer, file->salt, SALT_SIZE);
    writer_u64(&writer, file->subject);
    writer_u64(&writer, file->sum.count);
    writer_bytes(&writer, file->sum.rolling, HASH_SIZE);
    writer_u64(&writer, file->size);
    ENSURE(writer.status == ST_OK && writer.used == sizeof bytes);
    crypto_hash_sha256(out, bytes, sizeof bytes);
}

enum status completeness_file_judge(
    struct receipt *receipt_out, const struct completeness_file *file,
    const uint8_t authority_key[PUBLIC_KEY_SIZE])
{
    struct nodecert_expected expected = {.role = NODECERT_SERVER};
    enum nodecert_fault fault;
    uint8_t hash[HASH_SIZE];
    struct nodecert cert;

    if (receipt_decode(receipt_out, file->receipt) != ST_OK)
        return ST_RECEIPT;
    memcpy(expected.authority_key, authority_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(expected.cluster_id, authority_key);
    expected.now_s = receipt_out->committed_at / DATES_US_PER_SECOND;
    if (nodecert_verify(&cert, &fault, file->certificate, &expected, NULL) !=
        ST_OK)
        return ST_CERTIFICATE;
    if (receipt_verify(receipt_out, file->receipt, file->signature,
                       expected.cluster_id, cert.receipt_key) != ST_OK)
        return ST_RECEIPT;
    result_hash(file, hash);
    if (receipt_out->code != ST_OK || receipt_out->flags != 0 ||
        receipt_out->index != file->size ||
        memcmp(hash, receipt_out->result_hash, HASH_SIZE) != 0)
        return ST_RECEIPT;
    return ST_OK;
}
