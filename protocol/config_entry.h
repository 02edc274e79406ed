/*
 * config_entry.h: a configuration as an entry of the log brings it
 * (system.epoch and system.config), judged by what the log held before.
 *
 * The registry decides by this, and the auditor says by the same what no node
 * can have decided.
 */
#ifndef DEFTER_PROTOCOL_CONFIG_ENTRY_H
#define DEFTER_PROTOCOL_CONFIG_ENTRY_H

#include "protocol/config_cert.h"

/* Empty slices: nothing is brought, or held. */
struct config_entry {
    uint64_t index;  /* Of the entry. */
    uint64_t number; /* As the fields say. */
    uint32_t epoch;  /* Of the entry. */
    struct slice bytes;
    struct slice certificate; /* Empty: a register decided. */
    const uint8_t *node_id;   /* Who signed the entry. */
    bool begins;              /* With a term, which may go on with the one
                               * before. */
};
struct config_held {
    struct slice bytes;
    struct slice certificate;
};

/*
 * config_entry_judge(entry, held, cluster_id, keys):
 * Whether ${entry} may bring what it does.  Not every configuration that was
 * won is entered (a primary may lose its term before), so a gap in the numbers
 * is no fault; across it only what always holds is judged.  Where the numbers
 * follow, config_judge() decides.
 *
 * A term that goes on with the very bytes of the one before has an epoch of
 * their grant, and so has what a certificate decided; what a register decided
 * has its own.
 *
 * A forced configuration begins its lineage right behind the entries that it
 * was forced on: its first entry has the index base_size.
 *
 * ${keys} are looked at where there is a certificate that is not the one held;
 * witness_needed is not.
 *
 * Requires: ${held} has what was judged good before.
 * Returns:  NULL; else what is wrong, a sentence without a beginning.
 */
const char *config_entry_judge(const struct config_entry *entry,
                               const struct config_held *held,
                               const uint8_t *cluster_id,
                               const struct config_cert_keys *keys);

/*
 * config_entry_alone(entry, cluster_id, keys):
 * What no node enters, whatever came before it, and though the entry be refused
 * then: bytes that are no configuration, one that does not make its signer
 * primary, or a certificate that the operator did not sign (with FORCED: and
 * the authority).  A witness is not looked at: whether it is one, the log
 * before tells.
 *
 * ${entry->node_id} is NULL where it is not known.
 * Returns: as config_entry_judge().
 */
const char *config_entry_alone(const struct config_entry *entry,
                               const uint8_t *cluster_id,
                               const struct config_cert_keys *keys);

#endif
