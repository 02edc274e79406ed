#include "protocol/note.h"

#include <string.h>

#include <sodium.h>

#include "protocol/assumptions.h"
#include "protocol/lines.h"
#include "protocol/text.h"

#define NOTE_DASH "\xe2\x80\x94 " /* U+2014 and a space. */

enum { NOTE_BLOB_SIZE = NOTE_KEYID_SIZE + SIGNATURE_SIZE };

static_assert((int)NOTE_KEY_SIZE_MAX ==
                  NOTE_NAME_SIZE_MAX + 1 + 2 * NOTE_KEYID_SIZE + 1 +
                      LINES_BASE64_SIZE(1 + PUBLIC_KEY_SIZE),
              "the longest key that is written");
static_assert(NOTE_SIGNATURES_MAX >= 64, "as many witnesses as a policy has");

/* ---- Names ------------------------------------------------------------ */

/* The property White_Space of Unicode, without the controls. */
static bool name_point_is_space(uint32_t point)
{
    return point == 0x20 || point == 0x85 || point == 0xa0 || point == 0x1680 ||
           (point >= 0x2000 && point <= 0x200a) || point == 0x2028 ||
           point == 0x2029 || point == 0x202f || point == 0x205f ||
           point == 0x3000;
}

bool note_name_valid(struct slice name)
{
    size_t used = 0;
    uint32_t point;
    enum status status;

    if (name.size == 0 || name.size > NOTE_NAME_SIZE_MAX)
        return false;
    while ((status = text_next(name, &used, &point)) == ST_OK) {
        if (point < 0x20 || point == '+' || name_point_is_space(point))
            return false;
    }
    return status == ST_END;
}

/* ---- Keys ------------------------------------------------------------- */

static void note_keyid(uint8_t out[NOTE_KEYID_SIZE], struct slice name,
                       uint8_t type, const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    const uint8_t middle[2] = {'\n', type};
    crypto_hash_sha256_state state;
    uint8_t hash[HASH_SIZE];

    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, name.data, name.size);
    crypto_hash_sha256_update(&state, middle, sizeof middle);
    crypto_hash_sha256_update(&state, public_key, PUBLIC_KEY_SIZE);
    crypto_hash_sha256_final(&state, hash);
    memcpy(out, hash, NOTE_KEYID_SIZE);
}

void note_key_init(struct note_key *key, struct slice name, enum note_type type,
                   const uint8_t public_key[PUBLIC_KEY_SIZE])
{
    REQUIRE(note_name_valid(name));
    memset(key, 0, sizeof *key);
    memcpy(key->name, name.data, name.size);
    key->type = type;
    memcpy(key->public_key, public_key, PUBLIC_KEY_SIZE);
    note_keyid(key->keyid, name, (uint8_t)type, public_key);
}

struct slice note_key_name(const struct note_key *key)
{
    return slice_of(key->name, strlen(key->name));
}

/* Lower-case digits alone: there is one way to write a keyid. */
static bool read_keyid(uint8_t out[NOTE_KEYID_SIZE], struct slice text)
{
    static const char digits[] = "0123456789abcdef";

    memset(out, 0, NOTE_KEYID_SIZE);
    if (text.size != 2 * (size_t)NOTE_KEYID_SIZE)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        const char *at = memchr(digits, text.data[i], sizeof digits - 1);

        if (at == NULL)
            return false;
        out[i / 2] = (uint8_t)(out[i / 2] << 4 | (at - digits));
    }
    return true;
}

enum status note_key_read(struct note_key *key_out, struct slice text)
{
    uint8_t typed[1 + PUBLIC_KEY_SIZE];
    uint8_t keyid[NOTE_KEYID_SIZE];
    struct slice name, digits;
    size_t size;

    if (!lines_split(&name, &text, '+') || !lines_split(&digits, &text, '+') ||
        !note_name_valid(name) || !read_keyid(keyid, digits) ||
        text.size < LINES_BASE64_SIZE(1) || !lines_base64_valid(text))
        return ST_FILE_FORMAT;
    /* The first group holds the type, whatever follows. */
    if (lines_read_base64(typed, &size, sizeof typed,
                          slice_of(text.data, LINES_BASE64_SIZE(1))) != ST_OK)
        return ST_FILE_FORMAT;
    if (typed[0] != NOTE_ED25519 && typed[0] != NOTE_COSIGNATURE)
        return ST_KEY_TYPE;
    if (lines_read_exact(typed, sizeof typed, text) != ST_OK)
        return ST_FILE_FORMAT;
    note_key_init(key_out, name, (enum note_type)typed[0], typed + 1);
    return memcmp(key_out->keyid, keyid, sizeof keyid) == 0 ? ST_OK
                                                            : ST_FILE_FORMAT;
}

void note_key_write(struct writer *writer, const struct note_key *key)
{
    char digits[2 * NOTE_KEYID_SIZE + 1];
    uint8_t typed[1 + PUBLIC_KEY_SIZE] = {(uint8_t)key->type};

    memcpy(typed + 1, key->public_key, PUBLIC_KEY_SIZE);
    (void)sodium_bin2hex(digits, sizeof digits, key->keyid, NOTE_KEYID_SIZE);
    lines_write(writer, key->name);
    lines_write(writer, "+");
    lines_write(writer, digits);
    lines_write(writer, "+");
    lines_write_base64(writer, typed, sizeof typed);
}

/* ---- Notes ------------------------------------------------------------ */

/* UTF-8 in which "\n" is the only control character. */
static bool note_characters_valid(struct slice bytes)
{
    size_t used = 0;
    uint32_t point;
    enum status status;

    while ((status = text_next(bytes, &used, &point)) == ST_OK) {
        if (point < 0x20 && point != '\n')
            return false;
    }
    return status == ST_END;
}

/* Splits at the last empty line; false if there is none. */
static bool note_split(struct slice *text_out, struct slice *lines_out,
                       struct slice bytes)
{
    for (size_t at = bytes.size; at >= 2; at--) {
        if (bytes.data[at - 1] == '\n' && bytes.data[at - 2] == '\n') {
            *text_out = slice_of(bytes.data, at - 1);
            *lines_out = slice_of(bytes.data + at, bytes.size - at);
            return true;
        }
    }
    return false;
}

static enum status note_read_line(struct note_signature *out, struct slice line)
{
    uint8_t first[2 * LINES_BASE64_SIZE(1)];
    size_t size;

    if (!lines_take(&line, NOTE_DASH) || !lines_split(&out->name, &line, ' ') ||
        !note_name_valid(out->name) || !lines_base64_valid(line))
        return ST_FILE_FORMAT;
    out->base64 = line;
    /* Two groups hold the keyid and the first byte of any signature. */
    if (line.size < sizeof first ||
        lines_read_base64(first, &size, sizeof first,
                          slice_of(line.data, sizeof first)) != ST_OK ||
        size <= NOTE_KEYID_SIZE)
        return ST_FILE_FORMAT;
    memcpy(out->keyid, first, NOTE_KEYID_SIZE);
    return ST_OK;
}

enum status note_read(struct note *note_out, struct slice bytes)
{
    struct slice lines, line;
    enum status status;

    note_out->count = 0;
    if (bytes.size > NOTE_SIZE_MAX)
        return ST_TOO_LARGE;
    if (!note_characters_valid(bytes) ||
        !note_split(&note_out->text, &lines, bytes))
        return ST_FILE_FORMAT;
    while ((status = lines_next(&line, &lines)) == ST_OK) {
        if (note_out->count == NOTE_SIGNATURES_MAX)
            return ST_TOO_LARGE;
        status = note_read_line(&note_out->signatures[note_out->count], line);
        if (status != ST_OK)
            return status;
        note_out->count++;
    }
    if (status != ST_END || note_out->count == 0)
        return ST_FILE_FORMAT;
    return ST_OK;
}

bool note_is_of(const struct note_signature *line, const struct note_key *key)
{
    return memcmp(line->keyid, key->keyid, NOTE_KEYID_SIZE) == 0 &&
           slice_equal(line->name, note_key_name(key));
}

enum status note_verify(const struct note *note, const struct note_key *key)
{
    enum status status = ST_NO_SUCH;

    REQUIRE(key->type == NOTE_ED25519);
    for (size_t i = 0; i < note->count; i++) {
        const struct note_signature *line = &note->signatures[i];
        uint8_t blob[NOTE_BLOB_SIZE];

        if (!note_is_of(line, key))
            continue;
        if (lines_read_exact(blob, sizeof blob, line->base64) != ST_OK ||
            crypto_sign_verify_detached(blob + NOTE_KEYID_SIZE, note->text.data,
                                        note->text.size, key->public_key) != 0)
            return ST_BAD_SIG;
        status = ST_OK;
    }
    return status;
}

void note_write_line(struct writer *writer, const struct note_key *key,
                     const void *signature, size_t size)
{
    uint8_t blob[NOTE_KEYID_SIZE + NOTE_SIGNATURE_SIZE_MAX];

    REQUIRE(size <= NOTE_SIGNATURE_SIZE_MAX);
    memcpy(blob, key->keyid, NOTE_KEYID_SIZE);
    memcpy(blob + NOTE_KEYID_SIZE, signature, size);
    lines_write(writer, NOTE_DASH);
    lines_write(writer, key->name);
    lines_write(writer, " ");
    lines_write_base64(writer, blob, NOTE_KEYID_SIZE + size);
    lines_write(writer, "\n");
}

void note_sign_line(struct writer *writer, const struct note_key *key,
                    const struct identity *identity, struct slice text)
{
    uint8_t signature[SIGNATURE_SIZE];

    REQUIRE(key->type == NOTE_ED25519);
    REQUIRE(memcmp(key->public_key, identity->public_key, PUBLIC_KEY_SIZE) ==
            0);
    REQUIRE(text.size > 0 && text.data[text.size - 1] == '\n');
    crypto_sign_detached(signature, NULL, text.data, text.size,
                         identity->secret);
    note_write_line(writer, key, signature, sizeof signature);
}
