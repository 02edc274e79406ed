/*
 * node_command.h: commands that the node itself signs (EPOCH, attestations,
 * refusals, deadlines).
 */
#ifndef DEFTER_SERVER_PIPELINE_NODE_COMMAND_H
#define DEFTER_SERVER_PIPELINE_NODE_COMMAND_H

#include "protocol/identity.h"
#include "server/pipeline/work.h"

struct node_signer {
    const struct identity *identity; /* The node's receipt key. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint32_t duty; /* 0: by the key itself, as the node acts. */
};

/* One command of the node; ends in node_command_finish(). */
struct node_command;

/*
 * node_command_begin(signer):
 * Aborts if there is no memory.
 */
struct node_command *node_command_begin(const struct node_signer *signer);

/* Adds an item of ${opcode} with the fields of its struct. */
void node_command_add(struct node_command *command, uint16_t opcode,
                      const void *fields);

/*
 * node_command_finish(command, wall):
 * Sign, and make the work of it; ${command} is gone.
 * Requires: at least one item was added and all fit an entry.
 */
struct work *node_command_finish(struct node_command *command, int64_t wall);

#endif
