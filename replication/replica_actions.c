#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "replication/replica_parts.h"

enum { ARENA_BLOCK_SIZE = 256 * 1024 };

/* Blocks that are filled one after the other; the first stays for the next
 * step. */
struct replica_arena {
    struct replica_arena *next;
    size_t size;
    size_t used;
    uint8_t bytes[];
};

void replica_actions_init(struct replica_actions *actions)
{
    memset(actions, 0, sizeof *actions);
}

static void arena_free(struct replica_arena *arena)
{
    while (arena != NULL) {
        struct replica_arena *next = arena->next;

        free(arena);
        arena = next;
    }
}

void replica_actions_reset(struct replica_actions *actions)
{
    actions->count = 0;
    if (actions->arena == NULL)
        return;
    arena_free(actions->arena->next);
    actions->arena->next = NULL;
    actions->arena->used = 0;
}

void replica_actions_wipe(struct replica_actions *actions)
{
    arena_free(actions->arena);
    free(actions->list);
    memset(actions, 0, sizeof *actions);
}

struct replica_action *replica_act(struct replica *replica,
                                   enum replica_action_type type)
{
    struct replica_actions *actions = replica->actions;

    REQUIRE(actions != NULL);
    if (actions->count == actions->capacity) {
        actions->capacity = actions->capacity * 2 + 16;
        actions->list =
            realloc(actions->list, actions->capacity * sizeof *actions->list);
        NEED(actions->list != NULL);
    }
    struct replica_action *action = &actions->list[actions->count++];
    memset(action, 0, sizeof *action);
    action->type = type;
    return action;
}

uint8_t *replica_space(struct replica *replica, size_t size)
{
    struct replica_actions *actions = replica->actions;
    struct replica_arena *arena = actions->arena;

    /* The newest block stands behind the first. */
    if (arena != NULL && arena->next != NULL)
        arena = arena->next;
    if (arena == NULL || arena->size - arena->used < size) {
        size_t room = size > ARENA_BLOCK_SIZE ? size : ARENA_BLOCK_SIZE;
        struct replica_arena *block = malloc(sizeof *block + room);

        NEED(block != NULL);
        *block = (struct replica_arena){.size = room};
        if (actions->arena == NULL) {
            actions->arena = block;
        } else {
            block->next = actions->arena->next;
            actions->arena->next = block;
        }
        arena = block;
    }
    uint8_t *at = arena->bytes + arena->used;
    arena->used += size;
    return at;
}

/* Gives the unused end of the newest space back. */
static void space_return(struct replica *replica, size_t size)
{
    struct replica_arena *arena = replica->actions->arena;

    if (arena->next != NULL)
        arena = arena->next;
    REQUIRE(arena->used >= size);
    arena->used -= size;
}

void replica_send(struct replica *replica, size_t peer,
                  const struct peer_frame *frame)
{
    struct replica_action *action;
    struct writer writer;

    REQUIRE(peer < replica->peers_count);
    if (!replica->peers[peer].linked)
        return;
    writer_init(&writer, replica_space(replica, FRAME_BODY_SIZE_MAX),
                FRAME_BODY_SIZE_MAX);
    peer_encode(&writer, frame);
    INVARIANT(writer.status == ST_OK);
    space_return(replica, FRAME_BODY_SIZE_MAX - writer.used);
    action = replica_act(replica, REPLICA_SEND);
    action->peer = peer;
    action->send.type = (uint8_t)frame->type;
    action->send.body = writer_slice(&writer);
}

void replica_say(struct replica *replica, enum replica_note note,
                 const uint8_t *node_id, uint64_t number)
{
    struct replica_action *action = replica_act(replica, REPLICA_SAY);

    action->say.note = note;
    action->say.number = number;
    action->say.text = "";
    if (node_id != NULL)
        memcpy(action->say.node_id, node_id, NODE_ID_SIZE);
}

/* ---- Halting ------------------------------------------------------------ */

static void halt_tell(struct replica *replica)
{
    replica->halt_told = true;
    replica_say(replica, NOTE_HALT, NULL, (uint64_t)replica->halt);
    replica_set_role(replica, REPLICA_HALTED);
    replica_act(replica, REPLICA_HALT)->halt = replica->halt;
}

static void halt_keep_evidence(struct replica *replica, uint64_t index,
                               struct slice evidence)
{
    struct replica_job *job = replica_job_new(replica, STORAGE_HALT);
    struct halt_note *note = &job->job.halt;

    REQUIRE(evidence.size <= HALT_EVIDENCE_SIZE_MAX);
    note->cause = (uint32_t)replica->halt;
    note->index = index;
    note->time_us = replica->wall_us;
    if (evidence.size > 0) {
        job->bytes = replica_bytes(evidence.size);
        memcpy(job->bytes, evidence.data, evidence.size);
        note->evidence = slice_of(job->bytes, evidence.size);
    }
    replica_job_give(replica, job);
}

void replica_halt(struct replica *replica, enum replica_halt halt,
                  uint64_t index, struct slice evidence)
{
    if (replica->halt != HALT_NONE)
        return;
    replica->halt = halt;
    halt_keep_evidence(replica, index, evidence);
    halt_tell(replica);
}

void replica_halt_again(struct replica *replica)
{
    if (!replica->halt_told)
        halt_tell(replica);
}
