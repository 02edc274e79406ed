/*
 * pipeline_host.h: a host that does what the test says: it holds the groups
 * that a pipeline submits, writes them to the log, commits, or drops them.
 *
 *   struct pipeline_host host;
 *
 *   pipeline_host_open(&host);
 *   pipeline_host_lead(&host);                       EPOCH is written and
 * committed pipeline_host_submit(&host, 7, pipeline_host_ping(&host));
 *   pipeline_host_hold(&host, 1);                    until one group is held
 *   pipeline_host_write(&host);
 *   pipeline_host_commit(&host);
 *   pipeline_host_answer(&host, 7, &answer);         until it is answered
 *   pipeline_host_close(&host);
 *
 * Waits have no end of their own: a test that hangs is ended by ctest.
 */
#ifndef DEFTER_TESTS_LIB_PIPELINE_HOST_H
#define DEFTER_TESTS_LIB_PIPELINE_HOST_H

#include <pthread.h>
#include <stdatomic.h>

#include "server/pipeline/pipeline_log.h"
#include "tests/lib/pipeline_rig.h"

enum { HOST_GROUPS_MAX = 16, HOST_ANSWERS_MAX = 4096, HOST_ENTRIES_MAX = 4096 };

struct pipeline_host_answer {
    bool is_error;
    uint8_t flags;
    uint16_t code;
    uint64_t index; /* Of the receipt. */
};

/* 1 while the newest one's clock is said not to be believed. */
extern atomic_int pipeline_host_doubts;

struct pipeline_host {
    struct rig rig;
    struct pipeline *pipeline;
    struct pipeline_log log;
    uint32_t epoch;
    uint64_t committed;
    uint64_t lost; /* Keys taken as destroyed by an act that the log lost. */
    struct slice configuration; /* With which it leads next; empty: none. */
    bool takes;                 /* Says that it has read each group. */
    atomic_int_fast64_t passed; /* Since the rig's time. */
    atomic_int_fast64_t leapt;  /* The wall clock alone. */

    pthread_mutex_t growth; /* Who holds it keeps the apply thread where it
                             * tells that the log has grown. */
    pthread_mutex_t lock;   /* Guards what follows. */
    struct group *groups[HOST_GROUPS_MAX];
    size_t groups_count;
    bool keyed; /* Some group held was. */
    struct pipeline_host_answer answers[HOST_ANSWERS_MAX]; /* By request_id. */
    unsigned times[HOST_ANSWERS_MAX];
};

/* A node that follows, with genesis alone. */
void pipeline_host_open(struct pipeline_host *host);
/* The same, as another node of the cluster than the one that genesis names. */
void pipeline_host_open_as(struct pipeline_host *host,
                           const struct identity *node);
/* The same, in a lineage that was forced on a log of ${size} entries; NULL: of
 * the node that genesis names. */
void pipeline_host_open_forced(struct pipeline_host *host,
                               const struct identity *node, uint64_t size);
void pipeline_host_close(struct pipeline_host *host);

/* Stop the pipeline; what the rig holds can be looked at then. */
void pipeline_host_stop(struct pipeline_host *host);

void pipeline_host_nap(void);
/* As long as something that must not happen would take. */
void pipeline_host_nap_long(void);

/* ---- The role ----------------------------------------------------------- */

/* pipeline_lead() in a fresh epoch at the log's end. */
void pipeline_host_win(struct pipeline_host *host);
/* The same until commands are sequenced, a first one among them is committed,
 * and everything is attested. */
void pipeline_host_lead(struct pipeline_host *host);
void pipeline_host_follow(struct pipeline_host *host);

/* ---- Groups ------------------------------------------------------------- */

/* Until ${count} groups are held. */
void pipeline_host_hold(struct pipeline_host *host, size_t count);
/* Until one with a command of somebody else than the node is held: the node
 * enters what is due whenever a slow machine lets time go by. */
void pipeline_host_hold_command(struct pipeline_host *host);
size_t pipeline_host_held(struct pipeline_host *host);
/* The groups held, to the log. */
void pipeline_host_write(struct pipeline_host *host);
/* They are read and passed over. */
void pipeline_host_drop(struct pipeline_host *host);
/* Everything in the log, or below ${size}, is committed. */
void pipeline_host_commit(struct pipeline_host *host);
void pipeline_host_commit_to(struct pipeline_host *host, uint64_t size);
/* Until entries below ${size} are applied. */
void pipeline_host_wait_applied(struct pipeline_host *host, uint64_t size);
/* Write and commit whatever comes until entries below ${size} are applied. */
void pipeline_host_run_to(struct pipeline_host *host, uint64_t size);

/* ---- Commands ----------------------------------------------------------- */

struct work *pipeline_host_ping(struct pipeline_host *host);
/* A copy to be sent once more. */
struct work *pipeline_host_again(const struct work *work);
enum status pipeline_host_submit(struct pipeline_host *host,
                                 uint64_t request_id, struct work *work);
/* Until the answer is there; it came once. */
void pipeline_host_answer(struct pipeline_host *host, uint64_t request_id,
                          struct pipeline_host_answer *out);
/* The same, while everything is written and committed. */
void pipeline_host_answer_run(struct pipeline_host *host, uint64_t request_id,
                              struct pipeline_host_answer *out);
unsigned pipeline_host_answered(struct pipeline_host *host,
                                uint64_t request_id);
/* A ping that is answered in the end: its index. */
uint64_t pipeline_host_run_ping(struct pipeline_host *host,
                                uint64_t request_id);

/* ---- What stands in the log --------------------------------------------- */

/* Opcode of the first item of entry ${index}; entries of such an opcode. */
uint16_t pipeline_host_opcode(struct pipeline_host *host, uint64_t index);
size_t pipeline_host_count(struct pipeline_host *host, uint16_t opcode);

/* Commit everything, stop, and see that the log replays to the same digest. */
void pipeline_host_check_replay(struct pipeline_host *host);

/* ---- Between nodes ------------------------------------------------------ */

/* Entries that ${to} lacks, with their keys, as a backup takes them. */
enum status pipeline_host_ship(struct pipeline_host *to,
                               struct pipeline_host *from);

#endif
