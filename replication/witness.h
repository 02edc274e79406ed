/*
 * witness.h: an archive countersigns certificates: the first that it sees of
 * each number, and no other (REPLICATION).
 *
 * So an operator who was deceived, or whose state file was copied, still cannot
 * make two successors of one configuration that nodes would accept.
 */
#ifndef DEFTER_REPLICATION_WITNESS_H
#define DEFTER_REPLICATION_WITNESS_H

#include "protocol/sign_state.h"
#include "replication/disk.h"

#define WITNESS_FILE "witness.state"

struct witness {
    struct disk *disk;
    struct sign_state state; /* Durable. */
};

/*
 * witness_create(disk, cluster_id):
 * Set up an archive that has countersigned nothing.  Order: when the node is
 * set up and never again: whoever lost this file lost his memory, and becomes
 * another node.
 *
 * Returns: ST_OK; ST_DISK_FULL; ST_DISK_FAILED.
 */
NODISCARD enum status witness_create(struct disk *disk,
                                     const uint8_t *cluster_id);

/*
 * witness_open(witness, disk, cluster_id):
 * Returns: ST_OK; ST_NO_FILE, ST_FILE_FORMAT, ST_CHECKSUM, ST_WRONG_ENV: the
 *          archive countersigns nothing; ST_DISK_FAILED.
 * Owns:    keeps ${disk}; there is nothing to close.
 */
NODISCARD enum status witness_open(struct witness *witness, struct disk *disk,
                                   const uint8_t *cluster_id);

/* What an archive judges a certificate by. */
struct witness_view {
    struct slice config;             /* The newest configuration known here. */
    struct config_cert_keys keys;    /* Of operator and authority. */
    int64_t now_s;                   /* This node's wall clock. */
    const struct identity *identity; /* Its receipt key. */
};

/*
 * witness_sign(witness, signature_out, certificate, view):
 * Countersign ${certificate}, which the operator has signed.  What was signed
 * once is signed again, whatever has become known since.
 *
 * Returns: ST_OK; ST_FILE_FORMAT; ST_WRONG_ENV; ST_BAD_SIG: the operator's
 *          signature is missing or wrong, or the certificate has expired;
 *          ST_WRONG_STATE: it may not follow the configuration known here;
 *          ST_EXISTS: another of this number, or a later one, was
 * countersigned; ST_DISK_FULL; ST_DISK_FAILED, and the process must not go on.
 */
NODISCARD enum status witness_sign(struct witness *witness,
                                   uint8_t signature_out[SIGNATURE_SIZE],
                                   struct slice certificate,
                                   const struct witness_view *view);

#endif
