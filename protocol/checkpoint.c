#include "protocol/checkpoint.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"
#include "protocol/lines.h"
#include "protocol/tree.h"

#define COSIGN_START "cosignature/v1\ntime "

enum {
    COSIGN_TIME_SIZE = 8,
    COSIGN_BLOB_SIZE = NOTE_KEYID_SIZE + COSIGN_TIME_SIZE + SIGNATURE_SIZE,
    COSIGN_MESSAGE_SIZE_MAX = CHECKPOINT_TEXT_SIZE_MAX + 64
};
static_assert(COSIGN_TIME_SIZE + SIGNATURE_SIZE == (int)NOTE_SIGNATURE_SIZE_MAX,
              "a cosignature is the longest blob that is written");

/* ---- The text --------------------------------------------------------- */

void checkpoint_write(struct writer *writer,
                      const struct checkpoint *checkpoint)
{
    REQUIRE(note_name_valid(checkpoint->origin));
    REQUIRE(checkpoint->size <= TREE_SIZE_MAX);
    writer_bytes(writer, checkpoint->origin.data, checkpoint->origin.size);
    lines_write(writer, "\n");
    lines_write_number(writer, checkpoint->size);
    lines_write(writer, "\n");
    lines_write_base64(writer, checkpoint->root, HASH_SIZE);
    lines_write(writer, "\n");
}

enum status checkpoint_read(struct checkpoint *checkpoint_out,
                            struct slice text)
{
    struct slice size, root, line;
    enum status status;

    if (text.size > CHECKPOINT_TEXT_SIZE_MAX)
        return ST_TOO_LARGE;
    if (lines_next(&checkpoint_out->origin, &text) != ST_OK ||
        checkpoint_out->origin.size == 0 || lines_next(&size, &text) != ST_OK ||
        lines_read_number(&checkpoint_out->size, size, TREE_SIZE_MAX) !=
            ST_OK ||
        lines_next(&root, &text) != ST_OK ||
        lines_read_exact(checkpoint_out->root, HASH_SIZE, root) != ST_OK)
        return ST_FILE_FORMAT;
    while ((status = lines_next(&line, &text)) == ST_OK) {
        if (line.size == 0)
            return ST_FILE_FORMAT;
    }
    return status == ST_END ? ST_OK : ST_FILE_FORMAT;
}

/* ---- The log's signature ---------------------------------------------- */

void checkpoint_sign(struct writer *writer, const struct checkpoint *checkpoint,
                     const struct note_key *key,
                     const struct identity *identity)
{
    uint8_t text[CHECKPOINT_TEXT_SIZE_MAX];
    struct writer text_writer;

    REQUIRE(slice_equal(checkpoint->origin, note_key_name(key)));
    writer_init(&text_writer, text, sizeof text);
    checkpoint_write(&text_writer, checkpoint);
    ENSURE(text_writer.status == ST_OK);
    writer_bytes(writer, text, text_writer.used);
    lines_write(writer, "\n");
    note_sign_line(writer, key, identity, writer_slice(&text_writer));
}

enum status checkpoint_open(struct checkpoint *checkpoint_out,
                            struct note *note_out, struct slice bytes,
                            const struct note_key *log_key)
{
    enum status status = note_read(note_out, bytes);

    if (status != ST_OK)
        return status;
    status = checkpoint_read(checkpoint_out, note_out->text);
    if (status != ST_OK)
        return status;
    if (!slice_equal(checkpoint_out->origin, note_key_name(log_key)))
        return ST_ORIGIN;
    return note_verify(note_out, log_key);
}

/* ---- Cosignatures ----------------------------------------------------- */

/* What a cosigner signs; false if the text is over the limit. */
static bool cosign_message(struct writer *message, uint64_t time_s,
                           struct slice text)
{
    if (text.size > CHECKPOINT_TEXT_SIZE_MAX)
        return false;
    lines_write(message, COSIGN_START);
    lines_write_number(message, time_s);
    lines_write(message, "\n");
    writer_bytes(message, text.data, text.size);
    ENSURE(message->status == ST_OK);
    return true;
}

/* Of these formats, only here and in bundles are integers big-endian. */
static void cosign_store_time(uint8_t out[COSIGN_TIME_SIZE], uint64_t time_s)
{
    for (unsigned i = 0; i < COSIGN_TIME_SIZE; i++)
        out[i] = (uint8_t)(time_s >> 8 * (COSIGN_TIME_SIZE - 1 - i));
}

static uint64_t cosign_load_time(const uint8_t from[COSIGN_TIME_SIZE])
{
    uint64_t time_s = 0;

    for (unsigned i = 0; i < COSIGN_TIME_SIZE; i++)
        time_s = time_s << 8 | from[i];
    return time_s;
}

void checkpoint_cosign_line(struct writer *writer, struct slice text,
                            const struct note_key *key,
                            const struct identity *identity, uint64_t time_s)
{
    uint8_t message[COSIGN_MESSAGE_SIZE_MAX];
    uint8_t signature[COSIGN_TIME_SIZE + SIGNATURE_SIZE];
    struct writer message_writer;

    REQUIRE(key->type == NOTE_COSIGNATURE);
    REQUIRE(memcmp(key->public_key, identity->public_key, PUBLIC_KEY_SIZE) ==
            0);
    REQUIRE(text.size > 0 && text.size <= CHECKPOINT_TEXT_SIZE_MAX);
    REQUIRE(text.data[text.size - 1] == '\n');
    REQUIRE(time_s <= CHECKPOINT_TIME_MAX);
    writer_init(&message_writer, message, sizeof message);
    INVARIANT(cosign_message(&message_writer, time_s, text));
    cosign_store_time(signature, time_s);
    crypto_sign_detached(signature + COSIGN_TIME_SIZE, NULL, message,
                         message_writer.used, identity->secret);
    note_write_line(writer, key, signature, sizeof signature);
}

static enum status cosign_verify(uint64_t *time_s_out,
                                 const struct note_signature *line,
                                 struct slice text, const struct note_key *key)
{
    uint8_t message[COSIGN_MESSAGE_SIZE_MAX];
    uint8_t blob[COSIGN_BLOB_SIZE];
    struct writer writer;

    if (lines_read_exact(blob, sizeof blob, line->base64) != ST_OK)
        return ST_BAD_SIG;
    *time_s_out = cosign_load_time(blob + NOTE_KEYID_SIZE);
    if (*time_s_out > CHECKPOINT_TIME_MAX)
        return ST_BAD_SIG;
    writer_init(&writer, message, sizeof message);
    if (!cosign_message(&writer, *time_s_out, text))
        return ST_TOO_LARGE;
    return crypto_sign_verify_detached(
               blob + NOTE_KEYID_SIZE + COSIGN_TIME_SIZE, message, writer.used,
               key->public_key) == 0
               ? ST_OK
               : ST_BAD_SIG;
}

enum status checkpoint_cosigned(uint64_t *time_s_out, const struct note *note,
                                const struct note_key *key)
{
    enum status found = ST_NO_SUCH;

    REQUIRE(key->type == NOTE_COSIGNATURE);
    *time_s_out = 0;
    for (size_t i = 0; i < note->count; i++) {
        uint64_t time_s;
        enum status status;

        if (!note_is_of(&note->signatures[i], key))
            continue;
        status = cosign_verify(&time_s, &note->signatures[i], note->text, key);
        if (status != ST_OK)
            return status;
        if (time_s > *time_s_out)
            *time_s_out = time_s;
        found = ST_OK;
    }
    return found;
}
