/*
 * etcd_fake_calls.h: the register's calls on etcd_fake, by the whole way: the
 * body that etcd would be sent, the answer in etcd's words, and what the
 * program makes of it.  For simulations, which say when, and whether at all, a
 * call arrives and its answer comes back.
 *
 * Links with defter_cluster.
 */
#ifndef DEFTER_TESTS_LIB_ETCD_FAKE_CALLS_H
#define DEFTER_TESTS_LIB_ETCD_FAKE_CALLS_H

#include "replication/register.h"
#include "tests/lib/etcd_fake.h"

/* Applies ${proposal} now. */
void etcd_fake_cas(struct etcd_fake *fake, struct register_answer *answer,
                   const uint8_t cluster_id[CLUSTER_ID_SIZE],
                   const struct register_proposal *proposal);

/* As it stands now; a simulated stale reading asks an etcd_fake_copy(). */
void etcd_fake_read(struct etcd_fake *fake, struct register_view *view,
                    struct register_alive *alive,
                    const uint8_t cluster_id[CLUSTER_ID_SIZE]);

/* The incarnation that is registered of ${node_id}, 0 for none. */
uint64_t etcd_fake_registered(struct etcd_fake *fake,
                              const uint8_t cluster_id[CLUSTER_ID_SIZE],
                              const uint8_t node_id[NODE_ID_SIZE]);

/* Registers ${incarnation} in the place of ${before}; whether it did. */
bool etcd_fake_register(struct etcd_fake *fake,
                        const uint8_t cluster_id[CLUSTER_ID_SIZE],
                        const uint8_t node_id[NODE_ID_SIZE], uint64_t before,
                        uint64_t incarnation);

/*
 * What a living node does again and again: renew ${lease}, or take a new one
 * for its alive key where that is 0 or gone.  Returns the lease.
 */
uint64_t etcd_fake_live(struct etcd_fake *fake,
                        const uint8_t cluster_id[CLUSTER_ID_SIZE],
                        const uint8_t node_id[NODE_ID_SIZE], uint64_t lease,
                        uint32_t ttl_s);

#endif
