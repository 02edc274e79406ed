/*
 * host_private.h: what the files host*.c share.
 */
#ifndef DEFTER_SERVER_CLUSTER_HOST_PRIVATE_H
#define DEFTER_SERVER_CLUSTER_HOST_PRIVATE_H

#include <pthread.h>

#include "server/cluster/disk_thread.h"
#include "server/cluster/host.h"

struct event;

enum {
    HOST_SECOND_MS = 1000,
    HOST_BEAT_MS_MAX = 1000,
    HOST_DRAIN_MS = 20,
    HOST_LEAVE_S = 2,
    HOST_JOBS_AT_ONCE = 64
};

struct host {
    struct host_options options;
    struct host_parts parts;
    struct host_calls calls;
    struct cluster_register reg;
    void *reg_self;
    struct replica *replica;
    struct replica_actions actions;
    struct links *links;
    struct disk_thread *disk_thread;

    struct event_base *base;
    struct event *wake_event;
    struct event *tick_event;   /* The replica's deadline. */
    struct event *beat_event;   /* Health. */
    struct event *second_event; /* The certificate's file. */
    int wake_fd;
    pthread_t thread;
    bool started;
    bool stepping;
    int64_t now_ms;       /* Of the newest event. */
    uint32_t lead_epoch;  /* 0: does not lead. */
    bool clock_checked;   /* In this term, against one other node's. */
    uint64_t config_told; /* Number, in this term. */
    const char *refusal;  /* Of a certificate judged in this step; or NULL. */
    uint8_t *rows;        /* PEER_KEYS_SIZE_MAX. */
    uint8_t *frame;       /* FRAME_BODY_SIZE_MAX. */
    bool healthy;
    bool enrolled;
    bool status_due;   /* What the node is has changed since it was told. */
    bool draining;     /* The replica waits until nothing is under way. */
    uint64_t wish_why; /* What nothing waits for and was told last. */
    uint8_t wish_node[NODE_ID_SIZE];
    bool file_waits;  /* The certificate's file, for an archive. */
    bool file_stuck;  /* It cannot be renamed. */
    bool file_looked; /* Once at least. */
    bool file_seen;   /* By the last look, which found this: */
    enum status file_status;
    uint8_t file_hash[HASH_SIZE];

    pthread_mutex_t lock;
    /* Guarded by lock: mail in the order of posting. */
    struct host_mail *mail_first;
    struct host_mail **mail_last;
    bool stopping; /* Takes no mail any more. */
};

/* host.c */
/* Any thread; false once the host stops: the mail is the caller's again. */
bool host_post(struct host *host, struct host_mail *mail);
/* At the end of each pass that did something. */
void host_settle(struct host *host);

/* host_step.c: the only caller of replica_step(). */
void host_step(struct host *host, struct replica_event *event);

/* host_events.c: what links, register, disk and timers tell. */
struct links_user host_links_user(struct host *host);
struct cluster_register_events host_register_events(struct host *host);
void host_take_jobs(struct host *host);
void host_tick(struct host *host);
void host_beat(struct host *host);
/* What the node is, to whoever is asked for it. */
void host_tell_status(struct host *host, struct replica_status *status_out);

/* Told to the pipeline, often and before it leads: a clock that is thrown
 * forward must not become the log's.  A term's first entry waits for the clock
 * of one other node, where others are members. */
void host_tell_clocks(struct host *host, const struct replica_status *status);

/* host_say.c */
void host_say(struct host *host, const struct replica_action *action);
/* A line of the host's own. */
void host_tell(struct host *host, enum cluster_level level, const char *format,
               ...) __attribute__((format(printf, 3, 4)));

/* host_aside.c: whether it was a frame that is not the replica's, and is dealt
 * with; a link is up. */
bool host_aside_received(struct host *host, size_t peer, uint8_t type,
                         struct slice body);
void host_aside_linked(struct host *host, size_t peer);

/*
 * host_certificate.c
 *
 * host_certify(host, refusal_out, bytes, from_peer):
 * Verify a certificate's signatures and give it to the replica.
 *
 * Returns: ST_OK; ST_FILE_FORMAT; ST_CERTIFICATE, and ${refusal_out} says why;
 *          ST_BUSY if it may be right, but an archive that must be heard first
 *          was not linked since this start.
 */
enum status host_certify(struct host *host,
                         char refusal_out[CLUSTER_LINE_SIZE_MAX],
                         struct slice bytes, bool from_peer);
/* Posts a certificate that a peer sent to this host itself. */
void host_verify(struct host *host, struct slice bytes);
/* Looks for the file. */
void host_look_for_certificate(struct host *host);

#endif
