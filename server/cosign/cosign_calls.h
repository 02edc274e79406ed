/*
 * cosign_calls.h: what this folder calls of the rest of the node, so that it
 * knows neither the evidence nor the cluster.
 *
 * All are called on the cosign thread, but say() on any; they may be called at
 * any time from cosign_open() to cosign_close() and do not wait for that
 * thread.
 */
#ifndef DEFTER_SERVER_COSIGN_COSIGN_CALLS_H
#define DEFTER_SERVER_COSIGN_COSIGN_CALLS_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"
#include "server/cluster/cluster_say.h"

struct peer_frame;

struct cosign_calls {
    void *context;
    /* As the functions of evidence.h of these names. */
    enum status (*note)(void *context, uint8_t *out, size_t *size_out);
    enum status (*note_witnessed)(void *context, uint8_t *out,
                                  size_t *size_out);
    enum status (*take_note)(void *context, struct slice note);
    enum status (*add_cosignature)(void *context, uint64_t size,
                                   struct slice line);
    enum status (*cosign_begin)(void *context, uint64_t size,
                                const uint8_t root[HASH_SIZE], int64_t time_s);
    enum status (*consistency_between)(void *context,
                                       uint8_t (*hashes_out)[HASH_SIZE],
                                       size_t *count_out, uint64_t older,
                                       uint64_t newer);
    /* The key with which a node cosigns; false if the log enrolled none, or
     * the node is retired. */
    bool (*cosigner_key)(void *context, const uint8_t *node_id,
                         uint8_t key_out[PUBLIC_KEY_SIZE]);
    /* A frame to a node, or to all when ${node_id} is NULL; may be lost. */
    void (*send)(void *context, const uint8_t *node_id,
                 const struct peer_frame *frame);
    int64_t (*wall_s)(void *context);  /* Since 1970. */
    int64_t (*boot_ms)(void *context); /* Since boot. */
    cluster_say *say;
};

#endif
