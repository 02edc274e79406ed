/*
 * register_etcd_parts.h: what the files of register_etcd share.
 */
#ifndef DEFTER_SERVER_CLUSTER_REGISTER_ETCD_PARTS_H
#define DEFTER_SERVER_CLUSTER_REGISTER_ETCD_PARTS_H

#include "server/cluster/etcd_http.h"
#include "server/cluster/etcd_reply.h"
#include "server/cluster/register_etcd.h"

/* Readings in a row that must agree that the register went back: one alone
 * may come from a member of etcd that is behind. */
enum { REGISTER_BACK_READINGS = 3, REGISTER_RETRY_MS = 1000 };

struct event;

enum register_phase { REGISTER_PROBING, REGISTER_READY, REGISTER_BARRED };

/* A proposal under way. */
struct register_slot {
    struct register_etcd *etcd;
    bool used;
    uint64_t sent; /* etcd->store_revision when it was sent. */
    struct register_proposal proposal;
};

/*
 * Invariants: written implies probed with less than wanted registered;
 *             done implies the register held wanted.
 */
struct register_claim {
    bool under_way;
    bool looking; /* The one under way only asks. */
    bool written; /* Sent, after a probe had shown a lower one. */
    bool done;
    uint64_t wanted;
    uint64_t before; /* What the last probe showed. */
};

/* Invariant: put implies id != 0. */
struct register_lease {
    struct event *timer;
    bool healthy;
    bool busy;     /* A request of the lease is under way. */
    bool put;      /* The alive key is bound to it. */
    bool given_up; /* And etcd has not answered to that. */
    uint64_t id;
};

struct register_etcd {
    struct etcd_http *http;
    struct register_etcd_options options;
    struct register_etcd_events events;
    enum register_phase phase;
    uint64_t store; /* The etcd that passed the self-test. */
    /* The greatest of all revisions that were seen.  What is asked from then on
     * is answered at no lower one, unless etcd went back or a member is behind.
     */
    uint64_t store_revision;
    struct event *poll; /* The next self-test or reading. */
    /* Readings. */
    bool reading;
    uint64_t read_sent; /* store_revision when it was sent. */
    bool read_again;    /* Something changed while one was under way. */
    bool read_asked;    /* By register_etcd_read(). */
    bool seen_any;
    bool reached;
    bool reached_told;
    uint64_t revision; /* Of the newest view. */
    struct register_view view;
    struct register_alive alive;
    unsigned backs; /* Readings in a row that were lower. */
    bool back_told;
    /* The watch, NULL while there is none. */
    struct etcd_request *watch;
    bool watch_told; /* Since the last reading. */
    struct register_slot slots[REGISTER_CALLS_MAX];
    struct register_claim claim;
    struct register_lease lease;
    struct etcd_reply reply; /* For one callback at a time. */
};

/* Sends ${txn}. */
NODISCARD enum status register_send(struct register_etcd *etcd,
                                    const struct etcd_txn *txn, void *context,
                                    etcd_done *done);

/* Whether ${result} is the answer to ${txn}, which is then in etcd->reply.  An
 * answer of another etcd than before is none, and bars. */
bool register_understood(struct register_etcd *etcd,
                         const struct etcd_result *result,
                         const struct etcd_txn *txn);

/* Why ${result} is none, in words. */
void register_explain(char out[ERROR_TEXT_SIZE_MAX + 1],
                      const struct etcd_result *result);

/* No more of this etcd. */
void register_bar(struct register_etcd *etcd, const char *why);

/* A compare that cannot hold has held. */
void register_bar_untested(struct register_etcd *etcd);

/* Reads now, or once more after the reading under way. */
void register_look(struct register_etcd *etcd);

/* Reads in a moment; whatever makes it do so again and again does not spin. */
void register_look_soon(struct register_etcd *etcd);

/* The register surely went back; ${view} is what it holds. */
void register_gone_back(struct register_etcd *etcd,
                        const struct register_view *view);

/* A view that is surely newer than what was seen before. */
void register_newer(struct register_etcd *etcd,
                    const struct register_view *view);

/* Watches from ${revision} on, unless a watch is there. */
void register_watch(struct register_etcd *etcd, uint64_t revision);
void register_watch_end(struct register_etcd *etcd);

/* The lease's timer; and what a reading shows of the alive key. */
NODISCARD enum status register_lease_open(struct register_etcd *etcd,
                                          struct event_base *base);
void register_lease_close(struct register_etcd *etcd);
void register_lease_step(struct register_etcd *etcd);
void register_lease_seen(struct register_etcd *etcd);

#endif
