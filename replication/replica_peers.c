#include <stdlib.h>
#include <string.h>

#include "replication/need.h"
#include "replication/replica_parts.h"
#include "replication/sometimes.h"

/* ---- What others are told ----------------------------------------------- */

static uint16_t peers_flags(const struct replica *replica)
{
    return (uint16_t)((replica->lost ? PEER_LOST : 0) |
                      (replica->options.archive ? PEER_ARCHIVE : 0) |
                      (replica_has_holes(replica) ? PEER_DAMAGED : 0));
}

static void peers_own_hello(const struct replica *replica,
                            struct peer_hello *out, struct writer *space)
{
    const struct replica_log *log = &replica->log;

    out->version = PEER_VERSION;
    memcpy(out->cluster_id.b, replica->options.cluster_id, CLUSTER_ID_SIZE);
    memcpy(out->lineage.b, replica->options.lineage, LINEAGE_SIZE);
    out->incarnation = replica->incarnation;
    out->promised = replica->promised;
    out->config_number = replica->configured ? replica->config.number : 0;
    out->size = log->end.size;
    memcpy(out->leaf.b, log->end.leaf, HASH_SIZE);
    out->committed = log->committed;
    out->flags = peers_flags(replica);
    out->time = replica->wall_us;
    out->epochs = replica_log_epochs(log, space);
}

void replica_hello(struct replica *replica, size_t peer)
{
    uint8_t bytes[REPLICA_EPOCHS_SIZE];
    struct peer_frame frame = {.type = PEER_HELLO};
    struct writer space;

    /* Who is not registered takes no part (R25). */
    if (!replica->registered || !replica->peers[peer].linked)
        return;
    writer_init(&space, bytes, sizeof bytes);
    peers_own_hello(replica, &frame.hello, &space);
    replica->peers[peer].flags_told = frame.hello.flags;
    replica_send(replica, peer, &frame);
    replica_tell_config(replica, peer);
}

void replica_tell_flags(struct replica *replica)
{
    uint16_t flags = peers_flags(replica);

    for (size_t i = 0; i < replica->peers_count; i++) {
        if (replica->peers[i].flags_told != flags)
            replica_hello(replica, i);
    }
}

void replica_tell_config(struct replica *replica, size_t peer)
{
    struct peer_frame frame = {.type = PEER_CONFIG};

    if (!replica->configured || !replica->registered)
        return;
    frame.config.revision = replica->revision;
    frame.config.value = slice_of(replica->config_bytes, replica->config_size);
    frame.config.certificate =
        slice_of(replica->certificate, replica->certificate_size);
    replica_send(replica, peer, &frame);
}

/* ---- Links -------------------------------------------------------------- */

void replica_keys_forget(struct replica_peer *peer)
{
    for (size_t i = 0; i < peer->keys_count; i++)
        free((void *)(uintptr_t)peer->keys[i].data);
    peer->keys_count = 0;
}

static void peers_reset(struct replica *replica, size_t at)
{
    struct replica_peer *peer = &replica->peers[at];

    replica_stream_end(replica, at);
    replica_keys_forget(peer);
    peer->linked = false;
    peer->greeted = false;
    peer->sealed = false;
    if (replica->adopt_peer == at && !replica->adopted)
        replica->adopt_peer = SIZE_MAX;
}

void replica_link_up(struct replica *replica, size_t peer)
{
    REQUIRE(peer < replica->peers_count);
    peers_reset(replica, peer);
    replica->peers[peer].linked = true;
    replica_hello(replica, peer);
}

void replica_link_down(struct replica *replica, size_t peer)
{
    REQUIRE(peer < replica->peers_count);
    peers_reset(replica, peer);
}

void replica_break(struct replica *replica, size_t peer, enum status why)
{
    replica_say(replica, NOTE_PEER, replica->peers[peer].node_id,
                (uint64_t)why);
    replica_act(replica, REPLICA_DROP_LINK)->peer = peer;
    peers_reset(replica, peer);
}

/* ---- HELLO -------------------------------------------------------------- */

void replica_peer_epochs(struct replica_peer *peer, const struct list *epochs)
{
    struct list_reader reader;
    struct peer_epoch row;

    peer->epochs_count = 0;
    list_reader_init(&reader, epochs);
    while (peer->epochs_count < PEER_EPOCHS_MAX &&
           list_reader_next(&reader, &schema_peer_epoch, &row)) {
        struct journal_epoch *out = &peer->epochs[peer->epochs_count];

        /* A table that does not rise ends where it falls. */
        if (peer->epochs_count > 0 &&
            (row.epoch <= out[-1].epoch || row.first <= out[-1].first))
            return;
        out->epoch = row.epoch;
        out->first = row.first;
        memcpy(out->leaf, row.leaf.b, HASH_SIZE);
        peer->epochs_count++;
    }
}

/* Beside the clock that is never set: this node's own wall clock may leap
 * before the peer is heard again. */
static void peers_note_clock(struct replica *replica, struct replica_peer *peer,
                             int64_t time)
{
    if (time > INT64_MAX / 2 || time < INT64_MIN / 2)
        return;
    peer->clock_us = time - replica->now_ms * 1000;
}

static void peers_take_hello(struct replica *replica, struct replica_peer *peer,
                             const struct peer_hello *hello)
{
    peer->greeted = true;
    peer->foreign_told = false;
    peer->incarnation = hello->incarnation;
    peer->flags = hello->flags;
    peer->promised = hello->promised;
    peer->config_number = hello->config_number;
    peer->size = hello->size;
    peer->committed = hello->committed;
    replica_peer_epochs(peer, &hello->epochs);
    peers_note_clock(replica, peer, hello->time);
    if (hello->promised > replica->seen_epoch)
        replica->seen_epoch = hello->promised;
    if ((hello->flags & (PEER_LOST | PEER_DAMAGED)) == 0)
        peer->flags_ms = 0;
    else if (peer->flags_ms == 0)
        peer->flags_ms = replica->now_ms;
}

/* A start that is older than one that was seen: its disk was put back. */
static bool peers_is_older(const struct replica *replica,
                           const struct replica_peer *peer,
                           uint64_t incarnation, uint64_t *seen_out)
{
    const struct config_member *member =
        replica->configured ? config_member(&replica->config, peer->node_id)
                            : NULL;

    *seen_out = peer->incarnation;
    if (member != NULL && member->incarnation > *seen_out)
        *seen_out = member->incarnation;
    return incarnation < *seen_out;
}

static void peers_tell_older(struct replica *replica, size_t at, uint64_t seen)
{
    struct peer_frame frame = {.type = PEER_REFUSED};

    frame.refused.reason = PEER_REFUSED_OLDER;
    frame.refused.promised = replica->promised;
    frame.refused.size = seen;
    replica_send(replica, at, &frame);
}

static void peers_on_hello(struct replica *replica, size_t at,
                           const struct peer_hello *hello)
{
    struct replica_peer *peer = &replica->peers[at];
    uint64_t seen;

    if (memcmp(hello->cluster_id.b, replica->options.cluster_id,
               CLUSTER_ID_SIZE) != 0 ||
        ((hello->flags & PEER_ARCHIVE) != 0) != peer->archive) {
        replica_break(replica, at, ST_WRONG_ENV);
        return;
    }
    if (memcmp(hello->lineage.b, replica->options.lineage, LINEAGE_SIZE) != 0) {
        replica_foreign(replica, at, hello->lineage.b);
        return;
    }
    if (!replica_epoch_fits(replica, hello->promised)) {
        replica_break(replica, at, ST_LIMIT);
        return;
    }
    if (peers_is_older(replica, peer, hello->incarnation, &seen)) {
        peers_tell_older(replica, at, seen);
        return;
    }
    /* What another start of it acknowledged, this one may not have. */
    if (hello->incarnation != peer->incarnation && !MUTANT(26)) {
        replica_peer_falls_behind(replica, peer);
        peer->matched = 0;
    }
    peers_take_hello(replica, peer, hello);
    if (hello->config_number > 0 &&
        (!replica->configured || hello->config_number > replica->config.number))
        replica_read_register(replica);
    if (replica_won(replica)) {
        struct peer_frame frame = {.type = PEER_NEWEPOCH};

        frame.newepoch.epoch = replica->epoch;
        replica_send(replica, at, &frame);
    }
    /* Whatever it was sent before it said this, it may not have taken. */
    if (replica_leads(replica)) {
        SOMETIMES(greeted_while_leading);
        replica_stream_begin(replica, at);
        /* What it has may count again. */
        replica_commit(replica);
    }
}

/* ---- Frames ------------------------------------------------------------- */

static void peers_on_keys(struct replica *replica, size_t at,
                          const struct peer_keys *keys)
{
    struct replica_peer *peer = &replica->peers[at];
    uint8_t *copy;

    if (peer->keys_count == REPLICA_KEYS_MAX) {
        replica_break(replica, at, ST_LIMIT);
        return;
    }
    copy = malloc(keys->rows.size);
    NEED(copy != NULL);
    memcpy(copy, keys->rows.data, keys->rows.size);
    peer->keys[peer->keys_count++] = slice_of(copy, keys->rows.size);
}

/* Before the operator's first certificate: what genesis' node begins with. */
static void peers_on_first(struct replica *replica, size_t at,
                           const struct peer_config *config)
{
    struct config first;

    if (replica->configured ||
        memcmp(replica->peers[at].node_id, replica->options.founder,
               NODE_ID_SIZE) != 0 ||
        config_decode(&first, config->value) != ST_OK ||
        config_judge(&first, NULL, slice_of(NULL, 0)) != CONFIG_GOOD ||
        memcmp(first.primary, replica->options.founder, NODE_ID_SIZE) != 0)
        return;
    replica_configure(replica, config->value, slice_of(NULL, 0), 0);
}

static void peers_on_config(struct replica *replica, size_t at,
                            const struct peer_config *config)
{
    /* A register is asked itself; of a certificate the signatures speak. */
    if (replica->options.automatic) {
        if (config->revision > replica->revision)
            replica_read_register(replica);
    } else if (config->certificate.size == 0) {
        peers_on_first(replica, at, config);
    } else {
        uint8_t *copy = replica_space(replica, config->certificate.size);

        memcpy(copy, config->certificate.data, config->certificate.size);
        replica_act(replica, REPLICA_VERIFY)->certificate =
            slice_of(copy, config->certificate.size);
    }
}

static void peers_on_beacon_ok(struct replica *replica, size_t at,
                               const struct peer_beacon_ok *ok)
{
    peers_note_clock(replica, &replica->peers[at], ok->time);
}

static void peers_dispatch(struct replica *replica, size_t at,
                           const struct peer_frame *frame)
{
    switch (frame->type) {
    case PEER_HELLO:
        peers_on_hello(replica, at, &frame->hello);
        break;
    case PEER_APPEND:
        replica_on_append(replica, at, frame);
        break;
    case PEER_APPENDED:
        replica_on_appended(replica, at, &frame->appended);
        break;
    case PEER_REFUSED:
        replica_on_refused(replica, at, &frame->refused);
        break;
    case PEER_BEACON:
        peers_note_clock(replica, &replica->peers[at], frame->beacon.time);
        replica_on_beacon(replica, at, &frame->beacon);
        break;
    case PEER_BEACON_OK:
        peers_on_beacon_ok(replica, at, &frame->beacon_ok);
        break;
    case PEER_NEWEPOCH:
        replica_on_newepoch(replica, at, frame->newepoch.epoch);
        break;
    case PEER_SEALED:
        replica_on_sealed(replica, at, &frame->sealed);
        break;
    case PEER_FETCH:
        replica_on_fetch(replica, at, &frame->fetch);
        break;
    case PEER_FETCHED:
        replica_on_fetched(replica, at, frame);
        break;
    case PEER_CONFIG:
        peers_on_config(replica, at, &frame->config);
        break;
    case PEER_SCRUB:
        replica_on_scrub(replica, at, &frame->scrub);
        break;
    case PEER_SCRUBBED:
        replica_on_scrubbed(replica, at, &frame->scrubbed);
        break;
    case PEER_KEYS:
        peers_on_keys(replica, at, &frame->keys);
        break;
    case PEER_CHECKPOINT:
    case PEER_COSIGNED:
    case PEER_CONFIRM:
    case PEER_SNAPSHOT_ASK:
    case PEER_SNAPSHOT:
        /* The host's own: what is committed depends on none of them. */
        replica_break(replica, at, ST_TYPE);
        break;
    }
}

void replica_received(struct replica *replica, size_t at, uint8_t type,
                      struct slice body)
{
    struct peer_frame frame;
    enum status status;

    REQUIRE(at < replica->peers_count);
    struct replica_peer *peer = &replica->peers[at];
    /* What a link brought before it was dropped; and who takes no part yet
     * only hears who the others are. */
    if (!peer->linked || (!replica->registered && type != PEER_HELLO))
        return;
    status = peer_decode(&frame, type, body);
    if (status == ST_OK && !peer->greeted && frame.type != PEER_HELLO)
        status = ST_STATE;
    if (status != ST_OK) {
        replica_break(replica, at, status);
        return;
    }
    peers_dispatch(replica, at, &frame);
    /* A greeting that is refused is no sign of life. */
    if (peer->greeted)
        peer->heard_ms = replica->now_ms;
}
