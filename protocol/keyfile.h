/*
 * keyfile.h: a secret key at rest, as bytes.  Reading and writing the file, and
 * its permissions, are the caller's.
 *
 *    0 magic "DFTKEY1\0"    32 secret[32]
 *    8 u16 kind             64 public[32], zeros for a symmetric kind
 *   10 u16 version = 1      96 u64 XXH3-64 of bytes 0 to 95
 *   12 u32 0
 *   16 cluster_id[16]
 *
 * The checksum finds a slip of the hand or of the disk, nothing more.
 */
#ifndef DEFTER_PROTOCOL_KEYFILE_H
#define DEFTER_PROTOCOL_KEYFILE_H

#include "protocol/bytes.h"
#include "protocol/limits.h"

enum { KEYFILE_VERSION = 1, KEYFILE_SIZE = 104 };

enum keyfile_kind {
    KEYFILE_AUTHORITY = 1, /* Ed25519: the cluster's root; kept offline. */
    KEYFILE_SIGNER = 2,    /* Ed25519: a person, an organisation, a machine. */
    KEYFILE_RECEIPT = 3,   /* Ed25519: a node's receipts and own commands. */
    KEYFILE_LOG = 4,       /* Ed25519: checkpoints. */
    KEYFILE_CHANNEL = 5,   /* X25519: the static key of Noise. */
    KEYFILE_RECOVERY = 6,  /* X25519: what escrowed keys are boxed to. */
    KEYFILE_KEYRING = 7,   /* Symmetric: wraps the seal keys of a node. */
    KEYFILE_SALT = 8,      /* Symmetric: password salts, a cluster secret. */
    KEYFILE_COSIGNER = 9   /* Ed25519: cosignatures of checkpoints, no more. */
};

struct keyfile {
    enum keyfile_kind kind;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t secret[KEY_SIZE];
    uint8_t public_key[PUBLIC_KEY_SIZE];
};

/*
 * keyfile_make(keyfile, kind, cluster_id, secret):
 * Fill ${keyfile}, deriving the public part.
 *
 * Order: ends with keyfile_wipe().
 */
void keyfile_make(struct keyfile *keyfile, enum keyfile_kind kind,
                  const uint8_t *cluster_id, const uint8_t *secret);
void keyfile_wipe(struct keyfile *keyfile);

void keyfile_encode(uint8_t out[KEYFILE_SIZE], const struct keyfile *keyfile);

/*
 * keyfile_decode(keyfile, bytes, kind):
 * Read a key file that must be of ${kind}.
 *
 * Returns: ST_OK; ST_FILE_FORMAT for another size, magic, version or kind, or a
 *          public part that is not the secret's; ST_CHECKSUM.  After a failure
 *          ${keyfile} is wiped.
 */
NODISCARD enum status keyfile_decode(struct keyfile *keyfile,
                                     struct slice bytes,
                                     enum keyfile_kind kind);

/* The kind in words, for people. */
const char *keyfile_kind_text(enum keyfile_kind kind);

#endif
