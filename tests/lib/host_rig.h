/*
 * host_rig.h: hosts (server/cluster/host.h) of a replica that does what the
 * test says, and what they called of the rest of the node.
 */
#ifndef DEFTER_TESTS_LIB_HOST_RIG_H
#define DEFTER_TESTS_LIB_HOST_RIG_H

#include <stdatomic.h>

#include "server/cluster/host.h"
#include "tests/lib/journal_rig.h"

enum { HOST_RIG_LOG_SIZE = 4096 };

extern char host_rig_said[HOST_RIG_LOG_SIZE]; /* Lines. */
extern char host_rig_did[HOST_RIG_LOG_SIZE]; /* What was called, a word each. */
extern atomic_int host_rig_healthy; /* The register was told: 1 yes, 2 no. */
extern bool host_rig_archive;       /* Whether the peer is one. */
extern atomic_bool host_rig_idle;   /* What the pipeline answers. */
extern atomic_int host_rig_nodes;   /* In the newest status told. */
extern atomic_llong host_rig_clock_least, host_rig_clock_most;
extern struct journal_rig host_rig_journal; /* Its disk holds the files. */

/* Any thread: write ${text} down; whether it stands there; until it does. */
void host_rig_note(char log[HOST_RIG_LOG_SIZE], const char *text);
bool host_rig_holds(char log[HOST_RIG_LOG_SIZE], const char *text);
void host_rig_await(char log[HOST_RIG_LOG_SIZE], const char *text);

/* Node ${number}, whose one peer is ${peer} at ${port}. */
struct host *host_rig_open(uint8_t number, uint8_t peer, uint16_t port);
/* Node 1, running, whose peer never comes. */
struct host *host_rig_start(void);
void host_rig_end(struct host *host);

#endif
