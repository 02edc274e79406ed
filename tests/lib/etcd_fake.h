/*
 * etcd_fake.h: etcd in memory, for tests and simulations.
 *
 * It is given the bodies that etcd_text.h writes and answers in etcd's words.
 * Where etcd ignores a field that it does not know, or takes what is missing
 * for zero, the fake refuses: a body must have exactly the fields that this
 * program means to write.  It has no clock, no thread and no chance in it.
 *
 * It has no watch: who simulates polls.
 */
#ifndef DEFTER_TESTS_LIB_ETCD_FAKE_H
#define DEFTER_TESTS_LIB_ETCD_FAKE_H

#include "protocol/bytes.h"

struct etcd_fake; /* Opaque. */

struct etcd_fake *etcd_fake_new(void);
void etcd_fake_free(struct etcd_fake *fake);

/* All of it, as a backup would have it. */
struct etcd_fake *etcd_fake_copy(const struct etcd_fake *fake);

/*
 * etcd_fake_post(fake, out, path, body):
 * Do what ${body} asks and write the answer to ${out}.
 *
 * Returns: the HTTP status; 400 for a body of another form.
 */
uint32_t etcd_fake_post(struct etcd_fake *fake, struct writer *out,
                        const char *path, struct slice body);

/* Time passes for the leases; those that run out take their keys along. */
void etcd_fake_advance(struct etcd_fake *fake, uint32_t ms);

/* The TTL of every lease starts anew, as after a change of etcd's leader. */
void etcd_fake_change_leader(struct etcd_fake *fake);

uint64_t etcd_fake_revision(const struct etcd_fake *fake);

/* Bodies that were refused for their form; a program that is right has none. */
uint64_t etcd_fake_refusals(const struct etcd_fake *fake);

#endif
