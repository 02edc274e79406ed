/*
 * archive_keys.h: the file `keys` of an archive unit (ARCHIVE-FORMAT): the keys
 * that verify its signatures.
 *
 *     defter-archive-keys 1
 *     authority HEX       it signed the genesis
 *     log KEY             c2sp.org/signed-note; it signed the checkpoint
 *     cosigner KEY        any number: nodes of the cluster that may cosign
 *     signer BASE64       Ed25519; the keys of all entries in the unit's
 *                         bundles but entry 0, in the order of their key_ids
 *
 * A signer's key_id is a hash of its key, and stands in the entry: so the list
 * needs nobody's word.  Whether it was allowed to sign, the log says.  That a
 * cosigner is a node of the cluster is the word of whoever wrote the file,
 * until the log's node.enrol says it.
 */
#ifndef DEFTER_PROTOCOL_ARCHIVE_KEYS_H
#define DEFTER_PROTOCOL_ARCHIVE_KEYS_H

#include "protocol/note.h"

/* Reads line after line. */
struct archive_keys {
    uint8_t authority[PUBLIC_KEY_SIZE];
    struct note_key log_key;
    struct slice left;
    size_t cosigners_count; /* Taken so far. */
    size_t signers_count;
    uint8_t key_id[KEY_ID_SIZE]; /* Of the signer taken last. */
};

/*
 * archive_keys_read(keys_out, bytes):
 * Read the beginning; cosigners follow, then signers.
 *
 * Returns: ST_OK; ST_FILE_FORMAT; ST_TOO_LARGE.
 * Owns:    ${*keys_out} borrows ${bytes}.
 */
NODISCARD enum status archive_keys_read(struct archive_keys *keys_out,
                                        struct slice bytes);

/*
 * archive_keys_cosigner(keys, key_out):
 * archive_keys_signer(keys, key_out, key_id_out):
 * Take the next one.
 *
 * Returns: ST_OK; ST_END: no more of these; ST_FILE_FORMAT; ST_TOO_LARGE for
 *          more than ARCHIVE_COSIGNERS_MAX or ARCHIVE_SIGNERS_MAX.
 */
NODISCARD enum status archive_keys_cosigner(struct archive_keys *keys,
                                            struct note_key *key_out);
NODISCARD enum status archive_keys_signer(struct archive_keys *keys,
                                          uint8_t key_out[PUBLIC_KEY_SIZE],
                                          uint8_t key_id_out[KEY_ID_SIZE]);

/*
 * archive_keys_cosigner_of(key_out, origin, node_id, public_key):
 * The key of the node that the log enrolled with this cosigner's key.
 *
 * Returns: ST_OK; ST_BAD_FIELD: its name would be none of a note.
 */
NODISCARD enum status archive_keys_cosigner_of(
    struct note_key *key_out, struct slice origin,
    const uint8_t node_id[NODE_ID_SIZE],
    const uint8_t public_key[PUBLIC_KEY_SIZE]);

/* The file from its beginning, in its order. */
void archive_keys_write(struct writer *writer,
                        const uint8_t authority[PUBLIC_KEY_SIZE],
                        const struct note_key *log_key);
void archive_keys_write_cosigner(struct writer *writer,
                                 const struct note_key *key);
void archive_keys_write_signer(struct writer *writer,
                               const uint8_t key[PUBLIC_KEY_SIZE]);

#endif
