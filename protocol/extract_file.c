#include "protocol/extract_file.h"

#include <string.h>

#include <sodium.h>

#include "protocol/catalogue.h"
#include "protocol/lines.h"
#include "protocol/voen.h"

static const char first_line[] = "defter.extract@v1";

/* ---- Header ------------------------------------------------------------- */

/* What is left, and where it is. */
struct header {
    struct slice rest;
    size_t line; /* Lines taken. */
};

/* The value of the next line, which begins with ${word} and a blank. */
static enum status take_value(struct slice *value_out, struct header *header,
                              const char *word)
{
    enum status status;

    header->line++;
    status = lines_next(value_out, &header->rest);
    if (status != ST_OK || !lines_take(value_out, word))
        return ST_FILE_FORMAT;
    return ST_OK;
}

static enum status take_bytes(struct header *header, const char *word,
                              uint8_t *out, size_t size)
{
    struct slice value;
    enum status status = take_value(&value, header, word);

    return status == ST_OK ? lines_read_exact(out, size, value) : status;
}

static enum status take_number(struct header *header, uint64_t *out)
{
    struct slice value;
    enum status status = take_value(&value, header, "number ");

    if (status == ST_OK)
        status = lines_read_number(out, value, INT64_MAX);
    return status == ST_OK && *out == 0 ? ST_FILE_FORMAT : status;
}

static enum status take_subject(struct header *header, uint64_t *out)
{
    struct slice value;
    enum status status = take_value(&value, header, "subject ");

    *out = 0;
    if (status != ST_OK || value.size != VOEN_DIGITS)
        return ST_FILE_FORMAT;
    for (size_t i = 0; i < VOEN_DIGITS; i++) {
        if (value.data[i] < '0' || value.data[i] > '9')
            return ST_FILE_FORMAT;
        *out = *out * 10 + value.data[i] - '0';
    }
    return ST_OK;
}

static void write_sections(struct writer *writer, uint16_t sections)
{
    bool first = true;

    for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
        if ((sections & 1u << (section - 1)) == 0)
            continue;
        lines_write(writer, first ? "" : "+");
        lines_write(writer, section_info(section)->name);
        first = false;
    }
}

static enum status take_sections(struct header *header, uint16_t *out)
{
    uint8_t again[SECTIONS_COUNT * 4];
    struct slice value, rest, name;
    struct writer writer;
    enum status status = take_value(&value, header, "sections ");

    *out = 0;
    if (status != ST_OK)
        return status;
    rest = value;
    while (rest.size > 0) {
        if (!lines_split(&name, &rest, '+')) {
            name = rest;
            rest = slice_of(NULL, 0);
        }
        for (uint8_t section = 1; section <= SECTIONS_COUNT; section++) {
            if (lines_equal(name, section_info(section)->name))
                *out |= (uint16_t)(1u << (section - 1));
        }
    }
    writer_init(&writer, again, sizeof again);
    write_sections(&writer, *out);
    return *out != 0 && slice_equal(writer_slice(&writer), value)
               ? ST_OK
               : ST_FILE_FORMAT;
}

static enum status take_commitments(struct extract_file *file,
                                    uint8_t (*commitments)[HASH_SIZE],
                                    struct header *header)
{
    struct slice peek;
    uint32_t count = 0;

    for (;;) {
        peek = header->rest;
        if (!lines_take(&peek, "commitment "))
            break;
        if (count == EXTRACT_FIELDS_MAX)
            return ST_TOO_LARGE;
        if (take_bytes(header, "commitment ", commitments[count], HASH_SIZE) !=
            ST_OK)
            return ST_FILE_FORMAT;
        if (count > 0 &&
            memcmp(commitments[count - 1], commitments[count], HASH_SIZE) >= 0)
            return ST_FILE_FORMAT;
        count++;
    }
    file->commitments = (const uint8_t(*)[HASH_SIZE])commitments;
    file->commitments_count = count;
    header->line += count == 0 ? 1 : 0;
    return count > 0 ? ST_OK : ST_FILE_FORMAT;
}

static enum status take_entry(struct extract_file *file, struct header *header)
{
    struct slice peek = header->rest, value;
    enum status status;

    if (!lines_take(&peek, "entry "))
        return ST_OK;
    status = take_value(&value, header, "entry ");
    if (status == ST_OK)
        status = lines_read_base64(file->entry, &file->entry_size,
                                   sizeof file->entry, value);
    return status == ST_OK && file->entry_size > 0 ? ST_OK : ST_FILE_FORMAT;
}

/* ---- The attestation ---------------------------------------------------- */

/* "left BASE64" or "right BASE64", each hash of the path. */
static enum status take_outcome(struct attestation_path *path,
                                struct header *header)
{
    struct slice peek, value;

    for (;;) {
        peek = header->rest;
        if (!lines_take(&peek, "outcome "))
            return ST_OK;
        if (take_value(&value, header, "outcome ") != ST_OK ||
            path->count == ATTEST_HASHES_MAX)
            return ST_FILE_FORMAT;
        if (lines_take(&value, "left "))
            path->lefts |= (uint16_t)(1u << path->count);
        else if (!lines_take(&value, "right "))
            return ST_FILE_FORMAT;
        if (lines_read_exact(path->hashes[path->count], HASH_SIZE, value) !=
            ST_OK)
            return ST_FILE_FORMAT;
        path->count++;
    }
}

static enum status take_attested(struct extract_file *file,
                                 struct header *header)
{
    struct extract_attested *attested = &file->attested;
    struct slice peek = header->rest, value;
    enum status status;

    if (file->entry_size == 0 || !lines_take(&peek, "attestation "))
        return ST_OK;
    status = take_value(&value, header, "attestation ");
    if (status == ST_OK)
        status = lines_read_base64(attested->entry, &attested->entry_size,
                                   sizeof attested->entry, value);
    if (status == ST_OK && attested->entry_size == 0)
        status = ST_FILE_FORMAT;
    if (status == ST_OK)
        status = take_bytes(header, "attester ", attested->certificate,
                            NODECERT_SIZE);
    if (status == ST_OK)
        status = take_outcome(&attested->outcome, header);
    while (status == ST_OK) {
        peek = header->rest;
        if (!lines_take(&peek, "attested "))
            return ST_OK;
        if (attested->path_count == PROOF_HASHES_MAX) {
            header->line++;
            return ST_FILE_FORMAT;
        }
        status = take_bytes(header, "attested ",
                            attested->path[attested->path_count++], HASH_SIZE);
    }
    return ST_FILE_FORMAT;
}

static enum status take_header(struct extract_file *file,
                               uint8_t (*commitments)[HASH_SIZE],
                               struct header *header)
{
    struct slice first;
    enum status status;

    header->line = 1;
    status = lines_next(&first, &header->rest);
    if (status != ST_OK || !lines_equal(first, first_line))
        return ST_FILE_FORMAT;
    status = take_number(header, &file->number);
    if (status == ST_OK)
        status = take_subject(header, &file->subject);
    if (status == ST_OK)
        status = take_sections(header, &file->sections);
    if (status == ST_OK)
        status = take_bytes(header, "salt ", file->salt, SALT_SIZE);
    if (status == ST_OK)
        status = take_commitments(file, commitments, header);
    if (status == ST_OK)
        status = take_bytes(header, "receipt ", file->receipt, RECEIPT_SIZE);
    if (status == ST_OK)
        status =
            take_bytes(header, "signature ", file->signature, SIGNATURE_SIZE);
    if (status == ST_OK)
        status = take_bytes(header, "certificate ", file->certificate,
                            NODECERT_SIZE);
    if (status == ST_OK)
        status = take_entry(file, header);
    if (status == ST_OK)
        status = take_attested(file, header);
    return status;
}

/* ---- Disclosures -------------------------------------------------------- */

/* The section that follows stands behind the one before: by number, and of one
 * number the subject's own last. */
static bool follows(const struct extract_section *before,
                    const struct extract_section *now)
{
    return before->section < now->section ||
           (before->section == now->section && before->path != EXTRACT_NONE &&
            before->path != EXTRACT_SELF && now->path == EXTRACT_SELF);
}

static enum status next_field(struct extract_reading *reading,
                              struct slice line)
{
    struct slice salt;

    if (!lines_take(&line, "field ") || reading->section.section == 0 ||
        !lines_split(&salt, &line, ' ') ||
        lines_read_exact(reading->salt, SALT_SIZE, salt) != ST_OK)
        return ST_FILE_FORMAT;
    reading->field_line = line;
    return extract_field_read(&reading->field, line);
}

enum status extract_file_next(struct extract_reading *reading)
{
    struct extract_section before = reading->section;
    struct slice line;
    enum status status = lines_next(&line, &reading->rest);

    if (status == ST_END)
        return ST_END;
    reading->line++;
    if (status != ST_OK || !lines_take(&line, "section "))
        return status != ST_OK ? status : next_field(reading, line);
    reading->section_line = line;
    if (extract_section_read(&reading->section, line) != ST_OK ||
        !follows(&before, &reading->section))
        return ST_FILE_FORMAT;
    /* None without a field. */
    reading->line++;
    status = lines_next(&line, &reading->rest);
    return status == ST_OK ? next_field(reading, line) : ST_FILE_FORMAT;
}

void extract_file_commit(const struct extract_reading *reading,
                         uint8_t out[HASH_SIZE])
{
    extract_commit(out, reading->salt, reading->section_line,
                   reading->field_line);
}

/* Up to the empty line or the end. */
static enum status take_disclosures(struct extract_file *file,
                                    struct header *header)
{
    struct slice rest = header->rest, line;
    struct extract_reading reading = {.line = 0};
    enum status status = ST_OK;

    file->disclosures = header->rest;
    while ((status = lines_next(&line, &rest)) == ST_OK && line.size > 0)
        continue;
    if (status == ST_OK) {
        file->disclosures.size = header->rest.size - rest.size - 1;
        file->proof = rest;
        if (rest.size == 0)
            status = ST_FILE_FORMAT;
    } else if (status == ST_END) {
        status = ST_OK;
    }
    reading.rest = file->disclosures;
    if (status == ST_OK) {
        while ((status = extract_file_next(&reading)) == ST_OK)
            file->disclosures_count++;
    }
    header->line += reading.line;
    return status == ST_END ? ST_OK : ST_FILE_FORMAT;
}

enum status extract_file_read(struct extract_file *file_out,
                              uint8_t (*commitments)[HASH_SIZE],
                              size_t *line_out, struct slice bytes)
{
    struct header header = {.rest = bytes};
    enum status status = ST_TOO_LARGE;

    memset(file_out, 0, sizeof *file_out);
    *line_out = 0;
    if (bytes.size > EXTRACT_FILE_SIZE_MAX)
        return status;
    status = take_header(file_out, commitments, &header);
    if (status == ST_OK)
        status = take_disclosures(file_out, &header);
    *line_out = header.line;
    return status;
}

/* Other lines are of statements of completeness, too. */
static bool is_own_line(struct slice line)
{
    uint8_t bytes[HASH_SIZE];
    struct slice salt;

    if (lines_take(&line, "commitment "))
        return lines_read_exact(bytes, HASH_SIZE, line) == ST_OK;
    return lines_take(&line, "field ") && lines_split(&salt, &line, ' ') &&
           lines_read_exact(bytes, SALT_SIZE, salt) == ST_OK;
}

bool extract_file_is(struct slice bytes)
{
    struct slice start = bytes, line;

    if (lines_take(&start, first_line) && lines_take(&start, "\n"))
        return true;
    while (lines_next(&line, &bytes) == ST_OK) {
        if (is_own_line(line))
            return true;
    }
    return false;
}

size_t extract_file_receipt_line(const struct extract_file *file)
{
    return (size_t)EXTRACT_LINE_COMMITMENTS + file->commitments_count;
}

size_t extract_file_header_lines(const struct extract_file *file)
{
    const struct extract_attested *attested = &file->attested;
    size_t lines = extract_file_receipt_line(file) + 2;

    if (file->entry_size > 0)
        lines++;
    if (attested->entry_size > 0)
        lines += 2 + attested->outcome.count + attested->path_count;
    return lines;
}

/* ---- Writing ------------------------------------------------------------ */

static void write_bytes(struct writer *writer, const char *word,
                        const void *bytes, size_t size)
{
    lines_write(writer, word);
    lines_write_base64(writer, bytes, size);
    lines_write(writer, "\n");
}

static void write_attested(struct writer *writer,
                           const struct extract_attested *attested)
{
    const struct attestation_path *outcome = &attested->outcome;

    if (attested->entry_size == 0)
        return;
    write_bytes(writer, "attestation ", attested->entry, attested->entry_size);
    write_bytes(writer, "attester ", attested->certificate, NODECERT_SIZE);
    for (size_t i = 0; i < outcome->count; i++)
        write_bytes(writer,
                    (outcome->lefts & 1u << i) != 0 ? "outcome left "
                                                    : "outcome right ",
                    outcome->hashes[i], HASH_SIZE);
    for (size_t i = 0; i < attested->path_count; i++)
        write_bytes(writer, "attested ", attested->path[i], HASH_SIZE);
}

static void write_header(struct writer *writer, const struct extract_file *file)
{
    uint8_t digits[VOEN_DIGITS];

    lines_write(writer, first_line);
    lines_write(writer, "\nnumber ");
    lines_write_number(writer, file->number);
    lines_write(writer, "\nsubject ");
    voen_format(digits, file->subject);
    writer_bytes(writer, digits, sizeof digits);
    lines_write(writer, "\nsections ");
    write_sections(writer, file->sections);
    lines_write(writer, "\n");
    write_bytes(writer, "salt ", file->salt, SALT_SIZE);
    for (uint32_t i = 0; i < file->commitments_count; i++)
        write_bytes(writer, "commitment ", file->commitments[i], HASH_SIZE);
    write_bytes(writer, "receipt ", file->receipt, RECEIPT_SIZE);
    write_bytes(writer, "signature ", file->signature, SIGNATURE_SIZE);
    write_bytes(writer, "certificate ", file->certificate, NODECERT_SIZE);
    if (file->entry_size > 0)
        write_bytes(writer, "entry ", file->entry, file->entry_size);
    write_attested(writer, &file->attested);
}

static void write_proof(struct writer *writer, const struct extract_file *file)
{
    if (file->proof.size == 0)
        return;
    lines_write(writer, "\n");
    writer_bytes(writer, file->proof.data, file->proof.size);
}

void extract_file_write(struct writer *writer, const struct extract_file *file)
{
    write_header(writer, file);
    writer_bytes(writer, file->disclosures.data, file->disclosures.size);
    write_proof(writer, file);
}

void extract_file_choose(struct writer *writer, const struct extract_file *file,
                         void *context,
                         bool (*keeps)(void *context,
                                       const struct extract_reading *one))
{
    struct extract_reading reading = {.rest = file->disclosures};
    struct slice written = {NULL, 0}; /* The section line last written. */

    write_header(writer, file);
    while (extract_file_next(&reading) == ST_OK) {
        if (!keeps(context, &reading))
            continue;
        if (written.data != reading.section_line.data) {
            lines_write(writer, "section ");
            writer_bytes(writer, reading.section_line.data,
                         reading.section_line.size);
            lines_write(writer, "\n");
            written = reading.section_line;
        }
        lines_write(writer, "field ");
        lines_write_base64(writer, reading.salt, SALT_SIZE);
        lines_write(writer, " ");
        writer_bytes(writer, reading.field_line.data, reading.field_line.size);
        lines_write(writer, "\n");
    }
    write_proof(writer, file);
}

/* ---- The result --------------------------------------------------------- */

static void hash_u16(crypto_hash_sha256_state *hash, size_t value)
{
    uint8_t bytes[2];

    store_u16(bytes, (uint16_t)value);
    crypto_hash_sha256_update(hash, bytes, sizeof bytes);
}

static void hash_u64(crypto_hash_sha256_state *hash, uint64_t value)
{
    uint8_t bytes[8];

    store_u64(bytes, value);
    crypto_hash_sha256_update(hash, bytes, sizeof bytes);
}

void extract_file_result_hash(const struct extract_file *file,
                              uint8_t out[HASH_SIZE])
{
    uint32_t count = file->commitments_count;
    crypto_hash_sha256_state hash;

    crypto_hash_sha256_init(&hash);
    crypto_hash_sha256_update(&hash, file->salt, SALT_SIZE);
    hash_u64(&hash, file->number);
    hash_u64(&hash, file->subject);
    hash_u16(&hash, file->sections);
    hash_u16(&hash,
             (count + EXTRACT_HASHES_PART_MAX - 1) / EXTRACT_HASHES_PART_MAX);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t left = count - i;

        if (i % EXTRACT_HASHES_PART_MAX == 0)
            hash_u16(&hash,
                     (size_t)HASH_SIZE * (left < EXTRACT_HASHES_PART_MAX
                                              ? left
                                              : EXTRACT_HASHES_PART_MAX));
        crypto_hash_sha256_update(&hash, file->commitments[i], HASH_SIZE);
    }
    crypto_hash_sha256_final(&hash, out);
}
