/*
 * pipeline_host.h: a host that does what the test says: it holds the groups
 * that a pipeline submits, writes them to the log, commits, or drops them.
 *
 *   struct host host;
 *
 *   host_open(&host);
 *   host_lead(&host);                       EPOCH is written and committed
 *   host_submit(&host, 7, host_ping(&host));
 *   host_hold(&host, 1);                    until one group is held
 *   host_write(&host);
 *   host_commit(&host);
 *   host_answer(&host, 7, &answer);         until it is answered
 *   host_close(&host);
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

struct host_answer {
    bool is_error;
    uint8_t flags;
    uint16_t code;
    uint64_t index; /* Of the receipt. */
};

struct host {
    struct rig rig;
    struct pipeline *pipeline;
    struct pipeline_log log;
    uint32_t epoch;
    uint64_t committed;
    bool takes;                 /* Says that it has read each group. */
    atomic_int_fast64_t passed; /* Since the rig's time. */
    atomic_int_fast64_t leapt;  /* The wall clock alone. */

    pthread_mutex_t growth; /* Who holds it keeps the apply thread where it
                             * tells that the log has grown. */
    pthread_mutex_t lock;   /* Guards what follows. */
    struct group *groups[HOST_GROUPS_MAX];
    size_t groups_count;
    bool keyed;                                   /* Some group held was. */
    struct host_answer answers[HOST_ANSWERS_MAX]; /* By request_id. */
    unsigned times[HOST_ANSWERS_MAX];
};

/* A node that follows, with genesis alone. */
void host_open(struct host *host);
void host_close(struct host *host);

/* Stop the pipeline; what the rig holds can be looked at then. */
void host_stop(struct host *host);

void host_nap(void);
/* As long as something that must not happen would take. */
void host_nap_long(void);

/* ---- The role ------------------------------------------------------------ */

/* pipeline_lead() in a fresh epoch at the log's end. */
void host_win(struct host *host);
/* The same until commands are sequenced, a first one among them is committed,
 * and everything is attested. */
void host_lead(struct host *host);
void host_follow(struct host *host);

/* ---- Groups -------------------------------------------------------------- */

/* Until ${count} groups are held. */
void host_hold(struct host *host, size_t count);
size_t host_held(struct host *host);
/* The groups held, to the log. */
void host_write(struct host *host);
/* They are read and passed over. */
void host_drop(struct host *host);
/* Everything in the log, or below ${size}, is committed. */
void host_commit(struct host *host);
void host_commit_to(struct host *host, uint64_t size);
/* Until entries below ${size} are applied. */
void host_wait_applied(struct host *host, uint64_t size);
/* Write and commit whatever comes until entries below ${size} are applied. */
void host_run_to(struct host *host, uint64_t size);

/* ---- Commands ------------------------------------------------------------ */

struct work *host_ping(struct host *host);
/* A copy to be sent once more. */
struct work *host_again(const struct work *work);
enum status host_submit(struct host *host, uint64_t request_id,
                        struct work *work);
/* Until the answer is there; it came once. */
void host_answer(struct host *host, uint64_t request_id,
                 struct host_answer *out);
/* The same, while everything is written and committed. */
void host_answer_run(struct host *host, uint64_t request_id,
                     struct host_answer *out);
unsigned host_answered(struct host *host, uint64_t request_id);
/* A ping that is answered in the end: its index. */
uint64_t host_run_ping(struct host *host, uint64_t request_id);

/* ---- What stands in the log ---------------------------------------------- */

/* Opcode of the first item of entry ${index}; entries of such an opcode. */
uint16_t host_opcode(struct host *host, uint64_t index);
size_t host_count(struct host *host, uint16_t opcode);

/* Commit everything, stop, and see that the log replays to the same digest. */
void host_check_replay(struct host *host);

/* ---- Between nodes ------------------------------------------------------- */

/* Entries that ${to} lacks, with their keys, as a backup takes them. */
enum status host_ship(struct host *to, struct host *from);

#endif
