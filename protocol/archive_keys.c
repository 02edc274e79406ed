#include "protocol/archive_keys.h"

#include <string.h>

#include "protocol/lines.h"

#define ARCHIVE_KEYS_START "defter-archive-keys 1\n"
#define ARCHIVE_COSIGNER   "/node/"

enum { ARCHIVE_COSIGNER_ID_SIZE = 4 }; /* Of its node_id, in its name. */

enum status archive_keys_read(struct archive_keys *keys_out, struct slice bytes)
{
    struct slice line;

    memset(keys_out, 0, sizeof *keys_out);
    if (bytes.size > ARCHIVE_KEYS_SIZE_MAX)
        return ST_TOO_LARGE;
    if (!lines_take(&bytes, ARCHIVE_KEYS_START) ||
        lines_next(&line, &bytes) != ST_OK ||
        !lines_take(&line, "authority ") ||
        lines_read_hex(keys_out->authority, PUBLIC_KEY_SIZE, line) != ST_OK ||
        lines_next(&line, &bytes) != ST_OK || !lines_take(&line, "log ") ||
        note_key_read(&keys_out->log_key, line) != ST_OK ||
        keys_out->log_key.type != NOTE_ED25519)
        return ST_FILE_FORMAT;
    keys_out->left = bytes;
    return ST_OK;
}

enum status archive_keys_cosigner_of(struct note_key *key_out,
                                     struct slice origin,
                                     const uint8_t node_id[NODE_ID_SIZE],
                                     const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    uint8_t bytes[NOTE_NAME_SIZE_MAX];
    struct writer name;

    writer_init(&name, bytes, sizeof bytes);
    writer_bytes(&name, origin.data, origin.size);
    lines_write(&name, ARCHIVE_COSIGNER);
    lines_write_hex(&name, node_id, ARCHIVE_COSIGNER_ID_SIZE);
    if (name.status != ST_OK || !note_name_valid(writer_slice(&name)))
        return ST_BAD_FIELD;
    note_key_init(key_out, writer_slice(&name), NOTE_COSIGNATURE, public_key);
    return ST_OK;
}

/* The next line without its ${label}; ST_END if it has another one. */
static enum status archive_keys_next(struct archive_keys *keys,
                                     struct slice *line_out, const char *label)
{
    struct slice left = keys->left;
    enum status status = lines_next(line_out, &left);

    if (status != ST_OK)
        return status;
    if (!lines_take(line_out, label))
        return ST_END;
    keys->left = left;
    return ST_OK;
}

enum status archive_keys_cosigner(struct archive_keys *keys,
                                  struct note_key *key_out)
{
    struct slice line;
    enum status status = archive_keys_next(keys, &line, "cosigner ");

    if (status != ST_OK)
        return status;
    if (++keys->cosigners_count > ARCHIVE_COSIGNERS_MAX)
        return ST_TOO_LARGE;
    return note_key_read(key_out, line) == ST_OK &&
                   key_out->type == NOTE_COSIGNATURE
               ? ST_OK
               : ST_FILE_FORMAT;
}

enum status archive_keys_signer(struct archive_keys *keys,
                                uint8_t key_out[PUBLIC_KEY_SIZE],
                                uint8_t key_id_out[KEY_ID_SIZE])
{
    struct slice line;
    enum status status = archive_keys_next(keys, &line, "signer ");

    if (status == ST_END && keys->left.size > 0)
        return ST_FILE_FORMAT;
    if (status != ST_OK)
        return status;
    if (keys->signers_count >= ARCHIVE_SIGNERS_MAX)
        return ST_TOO_LARGE;
    if (lines_read_exact(key_out, PUBLIC_KEY_SIZE, line) != ST_OK)
        return ST_FILE_FORMAT;
    identity_key_id(key_id_out, key_out);
    if (keys->signers_count++ > 0 &&
        memcmp(keys->key_id, key_id_out, KEY_ID_SIZE) >= 0)
        return ST_FILE_FORMAT;
    memcpy(keys->key_id, key_id_out, KEY_ID_SIZE);
    return ST_OK;
}

void archive_keys_write(struct writer *writer,
                        const uint8_t authority[PUBLIC_KEY_SIZE],
                        const struct note_key *log_key)
{
    REQUIRE(log_key->type == NOTE_ED25519);
    lines_write(writer, ARCHIVE_KEYS_START "authority ");
    lines_write_hex(writer, authority, PUBLIC_KEY_SIZE);
    lines_write(writer, "\nlog ");
    note_key_write(writer, log_key);
    lines_write(writer, "\n");
}

void archive_keys_write_cosigner(struct writer *writer,
                                 const struct note_key *key)
{
    REQUIRE(key->type == NOTE_COSIGNATURE);
    lines_write(writer, "cosigner ");
    note_key_write(writer, key);
    lines_write(writer, "\n");
}

void archive_keys_write_signer(struct writer *writer,
                               const uint8_t key[PUBLIC_KEY_SIZE])
{
    lines_write(writer, "signer ");
    lines_write_base64(writer, key, PUBLIC_KEY_SIZE);
    lines_write(writer, "\n");
}
