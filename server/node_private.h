/*
 * node_private.h: what the files node*.c share.
 */
#ifndef DEFTER_SERVER_NODE_PRIVATE_H
#define DEFTER_SERVER_NODE_PRIVATE_H

#include "protocol/genesis.h"
#include "protocol/nodecert.h"
#include "protocol/tlog_policy.h"
#include "replication/journal.h"
#include "replication/meta.h"
#include "server/cosign/cosign.h"
#include "server/evidence/evidence.h"
#include "server/files.h"
#include "server/node.h"
#include "server/node_confirmed.h"
#include "server/pipeline/apply.h"
#include "server/store/disk_posix.h"
#include "server/store/rewrap.h"

/* An origin, and eight digits of the lineage behind it. */
enum { NODE_ORIGIN_SIZE = 64 + 1 + 8 + 1 };

struct node {
    struct options options;
    struct identity identity; /* The receipt key. */
    struct keyfile channel_key;
    struct keyfile keyring_key;
    uint8_t certificate[NODECERT_SIZE];
    uint8_t link_certificate[NODECERT_SIZE]; /* In a cluster. */
    uint8_t node_id[NODE_ID_SIZE];           /* As both certificates say. */
    bool is_first;                           /* Genesis names it. */
    uint8_t genesis_bytes[GENESIS_SIZE_MAX];
    size_t genesis_size;
    struct op_system_genesis genesis; /* Borrows genesis_bytes. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t lineage[LINEAGE_SIZE]; /* As of this start. */
    char origin[NODE_ORIGIN_SIZE]; /* The log's name, as of this lineage. */
    char log_vkey[NOTE_KEY_SIZE_MAX + 1];
    struct identity log_identity; /* If has_log_key. */
    bool has_log_key;
    struct identity cosigner; /* If has_cosigner. */
    bool has_cosigner;
    struct tlog_policy *policy; /* NULL: none. */
    uint8_t *policy_text;       /* Borrowed by it. */
    struct clock_source clock;

    struct disk_posix *disk;
    struct disk *snapshots; /* Where they are kept; NULL: nowhere. */
    struct meta meta;
    bool meta_open;
    struct journal *journal;
    uint8_t *entry_buffer; /* JOURNAL_READ_SIZE; the apply thread's. */
    struct keyring *keyring;
    struct state *state;
    struct search *search;
    struct directory *directory;
    struct idempotency *idempotency;
    struct apply *apply;
    struct evidence *evidence;
    struct cosign *cosign; /* NULL: nobody else could sign. */
    struct pipeline *pipeline;
    struct net *net;
    bool crowded;                 /* The core thread: no room for commands. */
    struct journal_report report; /* What opening the log found. */
    uint64_t lacks; /* What pipeline_lacks() gives at the beginning. */
    struct node_cluster *cluster; /* NULL: a node that is alone. */
    struct node_escrow *escrow;   /* NULL: none is kept. */
};

/*
 * node_cluster.c: the node as one of several.  Order: node_cluster_open()
 * before the pipeline is opened with node_cluster_log(), node_cluster_start()
 * when it runs; node_cluster_stop() when it has drained.
 */
enum node_exit node_cluster_open(struct node *node);
const struct pipeline_log *node_cluster_log(const struct node *node);
enum node_exit node_cluster_start(struct node *node);
void node_cluster_stop(struct node *node);
void node_cluster_close(struct node *node);
/* Ends the process: nothing may be done any more. */
void node_failed(void *context, enum status status, uint64_t index,
                 const char *what);

/* Keys, certificate and genesis.  Says what is wrong with them. */
enum node_exit node_read_files(struct node *node);
/* The key of ${kind}: among the credentials if it is there, else in the node's
 * directory.  Says what is wrong with it; that it is nowhere is no error.
 * Order: ends with keyfile_wipe(). */
enum node_exit node_read_key(const struct node *node, struct keyfile *out,
                             bool *there_out, const char *name,
                             enum keyfile_kind kind);
/* The same in one directory; ${credential}: of the service manager's. */
enum node_exit node_read_key_in(struct keyfile *out, bool *there_out,
                                const char *directory, const char *name,
                                enum keyfile_kind kind, bool credential);
/* Genesis alone, and the cluster's id. */
enum node_exit node_read_genesis(struct node *node);
/* A file that anybody may read.  Says what is wrong with it. */
enum node_exit node_read_plain(struct node *node, void *out, size_t *size_out,
                               size_t size_max, const char *name);

/* node_rewrap.c: whatever a --rewrap left that did not come to its end is
 * finished or taken back, and this says so.  Order: node->disk is taken and
 * genesis read; the keyring's key is read afterwards. */
enum node_exit node_rewrap_settle(struct node *node,
                                  enum rewrap_found *found_out);

/* node_link.c: what a node of a cluster shows to its peers. */
enum node_exit node_read_link(struct node *node);

/* node_evidence.c: what the node publishes of its log. */
enum node_exit node_read_log_key(struct node *node);
enum node_exit node_open_evidence(struct node *node);
void node_close_evidence(struct node *node);

/*
 * node_cosign.c: signatures of others on this log's checkpoints, and this
 * node's own.  Order: node_open_cosign() behind node_cluster_open(),
 * node_cosign_start() before evidence_start(); node_cosign_stop() behind
 * evidence_stop() and before node_cluster_stop(); node_cosign_close() behind
 * node_cluster_close() and before node_close_evidence().
 */
enum node_exit node_read_cosigner(struct node *node);
/* As evidence_cosigners.find; ${context} is the node. */
bool node_find_cosigner(void *context, struct note_key *key_out,
                        const struct note_signature *line);
enum node_exit node_open_cosign(struct node *node);
enum node_exit node_cosign_start(struct node *node);
void node_cosign_stop(struct node *node);
void node_cosign_close(struct node *node);

/* The name of the log, once its lineage is known. */
void node_name_log(struct node *node);

/* The log: made in the first start, verified in each. */
enum node_exit node_open_log(struct node *node);

/* What of the log may be applied at the start.  Invariant: a single node is not
 * lost, and all of its log is committed. */
struct node_known {
    uint64_t committed; /* Size that is known to be committed. */
    bool peers;         /* What is damaged can be had from other nodes. */
    bool lost; /* The log lacks what this node acknowledged; it is fetched again
                * from other nodes. */
};

/* Keyring and state, replayed to where the log ends or is known to be
 * committed; the rest waits until a primary says so. */
/* The keys first used below this entry may have been destroyed by acts that
 * went with a lineage; 0: this node's is the first.  Order: the state is open.
 */
uint64_t node_lost_below(const struct node *node);
/* pipeline_parts.lost_taken */
void node_say_lost(void *context, uint64_t count);

enum node_exit node_open_state(struct node *node,
                               const struct node_known *known);

/* node_snapshot.c: the newest good snapshot above what the state has; false if
 * there is none. */
bool node_find_snapshot(struct node *node, const struct node_known *known,
                        uint64_t *size_out, uint8_t digest_out[HASH_SIZE]);
/* What the log says of the snapshot of ${size}: ST_OK; ST_DIVERGED if holders
 * attest another one, or contradict each other; ST_END if too few say anything.
 */
enum status node_judge_snapshot(const struct confirmed *confirmed,
                                uint64_t size, const uint8_t digest[HASH_SIZE]);

/*
 * node_escrow.c: the escrow that this node keeps, if its configuration says so.
 * Order: node_escrow_open() behind node_open_known(), node_escrow_start() when
 * the pipeline runs, node_escrow_stop() when it has drained.
 */
enum node_exit node_escrow_open(struct node *node);
void node_escrow_start(struct node *node);
void node_escrow_stop(struct node *node);
void node_escrow_close(struct node *node);
/* Keys were destroyed here: what is in escrow counts no more. */
void node_escrow_buried(void *context);
/* Whether it was written since. */
bool node_escrow_is_clean(void *context);
/* The log's end and the state there, on standard output. */
void node_print_end(struct node *node);

/* Takes ${directory} for this process. */
enum node_exit node_take(struct disk_posix **out, const char *directory);

/* Says that ${what} failed, and gives the exit code for ${status}. */
enum node_exit node_fail(enum status status, const char *what,
                         const char *where);

#endif
