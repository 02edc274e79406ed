/*
 * note.h: signed notes and the keys that verify them (TRANSPARENCY, sections 2
 * and 3; c2sp.org/signed-note).
 *
 *     text, ends in "\n"
 *     "\n"
 *     1 to NOTE_SIGNATURES_MAX times
 *         "— " name " " base64(keyid[4] ‖ signature) "\n"
 *
 * What is signed is the text with its last "\n"; the last empty line separates
 * it.  The text is UTF-8 without control characters.  A key is written
 *
 *     name "+" keyid, 8 digits "+" base64(type ‖ public key)
 *
 * keyid = the first 4 bytes of H(name ‖ "\n" ‖ type ‖ public key).
 *
 * The process must have called sodium_init() once before it signs or verifies.
 */
#ifndef DEFTER_PROTOCOL_NOTE_H
#define DEFTER_PROTOCOL_NOTE_H

#include "protocol/bytes.h"
#include "protocol/identity.h"
#include "protocol/limits.h"

/* The types that are spoken here; lines of others are skipped. */
enum note_type {
    NOTE_ED25519 = 1,    /* Over the text. */
    NOTE_COSIGNATURE = 4 /* Over a time and the text (checkpoint.h). */
};

struct note_key {
    char name[NOTE_NAME_SIZE_MAX + 1]; /* Ends in a NUL. */
    enum note_type type;
    uint8_t keyid[NOTE_KEYID_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];
};

/* ---- Keys ------------------------------------------------------------- */

/* UTF-8 of 1 to NOTE_NAME_SIZE_MAX bytes, without spaces, controls and "+". */
bool note_name_valid(struct slice name);

/*
 * note_key_init(key, name, type, public_key):
 * Requires: note_name_valid(name).
 */
void note_key_init(struct note_key *key, struct slice name, enum note_type type,
                   const uint8_t public_key[PUBLIC_KEY_SIZE]);

struct slice note_key_name(const struct note_key *key);

/*
 * note_key_read(key_out, text):
 * Read a key from all of ${text}.
 *
 * Returns: ST_OK; ST_KEY_TYPE for a well-formed key of a type not spoken here;
 *          ST_FILE_FORMAT for anything else, also a keyid that is not the
 *          key's.
 */
NODISCARD enum status note_key_read(struct note_key *key_out,
                                    struct slice text);

/* At most NOTE_KEY_SIZE_MAX bytes. */
void note_key_write(struct writer *writer, const struct note_key *key);

/* ---- Notes ------------------------------------------------------------ */

/* One signature line.  Its blob, keyid and signature, is still base64. */
struct note_signature {
    struct slice name;
    struct slice base64;
    uint8_t keyid[NOTE_KEYID_SIZE];
};

struct note {
    struct slice text; /* With its last "\n". */
    struct note_signature signatures[NOTE_SIGNATURES_MAX];
    size_t count; /* At least 1. */
};

/*
 * note_read(note_out, bytes):
 * Find text and signature lines.  Nothing is verified yet.
 *
 * Returns: ST_OK; ST_TOO_LARGE above NOTE_SIZE_MAX or NOTE_SIGNATURES_MAX;
 *          ST_FILE_FORMAT.
 * Owns:    ${*note_out} borrows from ${bytes}.
 */
NODISCARD enum status note_read(struct note *note_out, struct slice bytes);

/* Whether the line has this key's name and keyid; not that it verifies. */
bool note_is_of(const struct note_signature *line, const struct note_key *key);

/*
 * note_verify(note, key):
 * Requires: key->type == NOTE_ED25519.
 * Returns:  ST_OK if ${key} signed the text; ST_NO_SUCH if no line is of this
 *           key; ST_BAD_SIG if one is, and does not verify: then nobody may
 *           rely on this note.
 */
NODISCARD enum status note_verify(const struct note *note,
                                  const struct note_key *key);

/*
 * note_write_line(writer, key, signature, size):
 * A signature line; ${signature} is what follows the keyid.
 */
void note_write_line(struct writer *writer, const struct note_key *key,
                     const void *signature, size_t size);

/*
 * note_sign_line(writer, key, identity, text):
 * Sign ${text} and write the line.  The log's key must sign nothing but texts:
 * there is no tag that would tell a note from another message.
 *
 * Requires: key->type == NOTE_ED25519, and it is ${identity}'s; ${text} ends in
 *           "\n".
 */
void note_sign_line(struct writer *writer, const struct note_key *key,
                    const struct identity *identity, struct slice text);

#endif
