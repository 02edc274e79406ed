/*
 * net.h: the data port: listener, I/O loops, connections (PROTOCOL, sections 2
 * to 5 and 10).
 *
 *   net_open -> pipeline opened with net_events() -> net_start -> net_drain ->
 *   pipeline_drain -> net_close
 */
#ifndef DEFTER_SERVER_NET_NET_H
#define DEFTER_SERVER_NET_NET_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/limits.h"
#include "protocol/status.h"
#include "server/pipeline/pipeline.h"

enum { NET_LOOPS_MAX = 8 };

/* Limits that a deployment may set; net_defaults() gives those of limits.h. */
struct net_options {
    const char *address; /* "host:port", numeric; port 0: any. */
    uint32_t loops;
    uint32_t connections;
    uint32_t connections_before_login;
    uint32_t connections_per_source; /* Before login. */
    uint32_t connections_per_person;
    uint32_t connections_per_organisation;
    uint32_t handshakes_per_source_burst;
    uint32_t commands_per_second_person;
    uint32_t commands_per_second_body;
    uint32_t memory_mib; /* Of all sessions. */
    uint32_t session_lifetime_person_s;
    uint32_t session_lifetime_machine_s;
    bool portal; /* Realms served. */
    bool registry;
};

/* What the node shows; secrets are wiped by net_close(). */
struct net_identity {
    uint8_t channel_secret[KEY_SIZE];
    uint8_t certificate[NODECERT_SIZE];
    uint8_t node_id[NODE_ID_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    char log_vkey[256]; /* Empty if there is none. */
};

/* N(name): the limits that may change while the node serves, each by itself.
 * They hold for what begins then: connections, logins, commands. */
#define NET_LIVE_OPTIONS(N)         \
    N(connections_before_login)     \
    N(connections_per_source)       \
    N(connections_per_person)       \
    N(connections_per_organisation) \
    N(handshakes_per_source_burst)  \
    N(commands_per_second_person)   \
    N(commands_per_second_body)     \
    N(session_lifetime_person_s)    \
    N(session_lifetime_machine_s)

struct net; /* Opaque. */

void net_defaults(struct net_options *options);

/*
 * net_open(net_out, options, identity):
 * Bind the port and make the loops; nothing is accepted yet.
 *
 * Returns: ST_OK; ST_USAGE for the address; ST_CONNECT if the system refuses
 *          it; ST_EXHAUSTED if memory or descriptors are short.
 * Owns:    copies what it is given, the address' text too.
 */
NODISCARD enum status net_open(struct net **net_out,
                               const struct net_options *options,
                               const struct net_identity *identity);

/* What the pipeline is to call; valid until net_close(). */
struct pipeline_events net_events(struct net *net);

/* Serve.  Returns: ST_OK; ST_EXHAUSTED if a thread is refused. */
NODISCARD enum status net_start(struct net *net, struct pipeline *pipeline);

/* Any thread: NET_LIVE_OPTIONS become those of ${options}. */
void net_set_limits(struct net *net, const struct net_options *options);

uint16_t net_port(const struct net *net);
/* The connections that it takes: what was set, or what descriptors allow. */
uint32_t net_connections_max(const struct net *net);

/*
 * net_drain(net): accept no more, tell every session (ERROR 115, BYE) once its
 * requests are answered; at most ${wait_ms}.
 */
void net_drain(struct net *net, uint32_t wait_ms);

/* Stops the loops and closes what is open.  Order: after pipeline_drain(). */
void net_close(struct net *net);

#endif
