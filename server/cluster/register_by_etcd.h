/*
 * register_by_etcd.h: etcd as the register that the host sees.
 */
#ifndef DEFTER_SERVER_CLUSTER_REGISTER_BY_ETCD_H
#define DEFTER_SERVER_CLUSTER_REGISTER_BY_ETCD_H

#include "protocol/config.h"
#include "server/cluster/register.h"
#include "server/cluster/register_etcd.h"

/* Lent until the register is closed. */
struct register_by_etcd {
    struct register_etcd_options etcd;
    char endpoints[ETCD_ENDPOINTS_MAX][ETCD_ENDPOINT_SIZE_MAX + 1];
    uint8_t nodes[CONFIG_NODES_MAX][NODE_ID_SIZE]; /* Whose life is told of. */
    size_t nodes_count;
};

struct cluster_register register_by_etcd(struct register_by_etcd *options);

#endif
