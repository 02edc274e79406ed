/*
 * node.h: one node, wired: files, log, keyring, state, pipeline, network.
 *
 *   node_open -> node_serve -> node_close
 */
#ifndef DEFTER_SERVER_NODE_H
#define DEFTER_SERVER_NODE_H

#include "replication/need.h"
#include "server/options.h"

/* Exit codes of defterd. */
enum node_exit {
    NODE_DRAINED = 0,
    NODE_REFUSED = 1, /* Could not start; the diagnostics say why. */
    NODE_DAMAGED = 2, /* The log is damaged: it stays as it is. */
    NODE_USAGE = 3,
    NODE_DIVERGED = 4, /* This node came to something else than the log says. */
    /* Its disk is full, fails, or gives back something else than was written;
     * the log has what counts. */
    NODE_DISK = 5,
    /* No memory is left; the log has what counts. */
    NODE_MEMORY = NEED_STATUS
};

/* Sent to the process when the node must be closed and opened again. */
#define NODE_SIGNAL_ANEW SIGUSR1

struct node; /* Opaque. */

/*
 * node_resume(options):
 * Take a halted node's halt away, because a person has decided so: what it kept
 * of the cause is moved to divergent/, and the next start is like any other.
 * Says what it did.
 *
 * Returns: NODE_DRAINED; NODE_REFUSED: it is not halted, or it runs.
 */
enum node_exit node_resume(const struct options *options);

/*
 * node_escrow(options):
 * Bring the state of a stopped node to the end of its log, and put its seal
 * keys into the escrow of its configuration.  Prints size, leaf and state
 * digest on standard output.
 *
 * Returns: NODE_DRAINED; NODE_USAGE: there is no section [escrow]; as
 *          node_open().
 */
enum node_exit node_escrow(const struct options *options);

/*
 * node_restore(options, escrow, key):
 * Make a node of a log that was restored from the archive (`log/` is there, and
 * no keyring): the seal keys come out of the escrow in the directory ${escrow},
 * which the recovery key in the file ${key} opens, and the state out of the
 * log.  A node of a number that never served gets its meta and mark.  Prints as
 * node_escrow().
 *
 * Returns: NODE_DRAINED; NODE_REFUSED, and where the escrow does not open
 *          nothing was written; NODE_DAMAGED; NODE_DIVERGED; NODE_DISK.
 */
enum node_exit node_restore(const struct options *options, const char *escrow,
                            const char *key);

/*
 * node_rewrap(options):
 * Put a new key in the place of a stopped node's keyring.key, and its seal keys
 * under that; the former one is overwritten.  What an earlier call left is
 * finished, and that is all then, or taken back before.  Says what it did.
 *
 * Returns: NODE_DRAINED; NODE_REFUSED: the node runs, the key is a credential
 *          or does not open the keyring, or there is a key that was not made
 *          here; NODE_DISK.  The node starts after it as before it, with the
 *          former key or the new one.
 */
enum node_exit node_rewrap(const struct options *options);

/*
 * node_open(node_out, options):
 * Take the node's directory and bring the state to the end of the log; in the
 * first start make log and meta from genesis.  Says what it finds.
 *
 * Returns: NODE_DRAINED if it is ready; else the exit code to end with.
 * Owns:    gives ${*node_out}; close with node_close().
 */
enum node_exit node_open(struct node **node_out, const struct options *options);

/*
 * node_start(node): enter the new epoch, then listen.
 * node_drain(node): finish what was taken, then stop.
 */
enum node_exit node_start(struct node *node);
void node_drain(struct node *node);

/* Accepts NULL. */
void node_close(struct node *node);

/* Whether it is to be opened again once it is closed: it began a new lineage,
 * in which nothing of this start counts. */
bool node_begins_anew(const struct node *node);

/* After node_start(): what may change while it runs becomes as in ${options}.
 * Requires: options_fixed() has found nothing that may not. */
void node_set_options(struct node *node, const struct options *options);

/* Lent until node_close(); after node_start(). */
struct pipeline *node_pipeline(struct node *node);

/* Port that is listened on. */
uint16_t node_port(const struct node *node);

#endif
