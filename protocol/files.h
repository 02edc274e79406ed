/*
 * files.h: what the files of a cluster are called (OPERATING, files).
 *
 * `defter init` and `defterd --dev` make them, defterd and the shell read them.
 */
#ifndef DEFTER_PROTOCOL_FILES_H
#define DEFTER_PROTOCOL_FILES_H

/* Kept offline, with whoever answers for the cluster. */
#define FILE_AUTHORITY_DIR "authority"
#define FILE_AUTHORITY_KEY "authority.key" /* KEYFILE_AUTHORITY */
#define FILE_RECOVERY_KEY  "recovery.key"  /* KEYFILE_RECOVERY */

/* The node's directory. */
#define FILE_NODE_DIR    "node"
#define FILE_CHANNEL_KEY "channel.key" /* KEYFILE_CHANNEL */
#define FILE_RECEIPT_KEY "receipt.key" /* KEYFILE_RECEIPT */
#define FILE_LOG_KEY     "log.key"     /* KEYFILE_LOG */
#define FILE_KEYRING_KEY "keyring.key" /* KEYFILE_KEYRING */
/* While another one takes its place (server/store/rewrap.h). */
#define FILE_KEYRING_KEY_PART   "keyring.key.part"
#define FILE_KEYRING_KEY_NEXT   "keyring.key.next"
#define FILE_KEYRING_KEY_FORMER "keyring.key.former"
/* KEYFILE_COSIGNER; older directories have none. */
#define FILE_COSIGNER_KEY "cosigner.key"
#define FILE_NODE_CERT    "node.cert" /* NODECERT_SIZE bytes: for clients */
#define FILE_LINK_CERT    "link.certificate" /* The same, for other nodes. */
#define FILE_GENESIS      "genesis.entry"    /* The log's entry 0. */
#define FILE_NODE_CONF    "defterd.conf"
#define FILE_LOG_DIR      "log"
#define FILE_KEYRING_DB   "keyring.db"
#define FILE_STATE_DB     "state.db"
/* What the node publishes: notes as text (TRANSPARENCY). */
#define FILE_CHECKPOINT             "checkpoint"
#define FILE_CHECKPOINT_WITNESSED   "checkpoint.witnessed"
#define FILE_CHECKPOINT_CONTRADICTS "checkpoint.contradicts"
/* A certificate that the operator laid there by hand; taken and removed. */
#define FILE_INCOMING_CERT "incoming.certificate"

/* What people who use the cluster need. */
#define FILE_CLUSTER_CONF "cluster.conf" /* authority = hex, address = ... */
#define FILE_OPERATOR_KEY "operator.key" /* KEYFILE_SIGNER, the first ADM */
/* What the operator signed last; beside his key, and as precious. */
#define FILE_OPERATOR_STATE "operator.state"
#define FILE_NODES_CONF     "nodes.conf" /* Nodes and their addresses. */

#endif
