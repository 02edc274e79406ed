#include "server/cluster/link.h"

#include <event2/event.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "server/cluster/cluster_clock.h"
#include "server/cluster/link_private.h"

const char *link_reason_text(enum link_reason reason)
{
    static const char *const texts[] = {
#define X(name, text) text,
        LINK_REASONS(X)
#undef X
    };

    REQUIRE(reason < LINK_REASONS_COUNT);
    return texts[reason];
}

void link_note(struct links *links, enum link_reason reason,
               const struct link_address *address, const char *detail)
{
    char line[CLUSTER_LINE_SIZE_MAX], where[LINK_ADDRESS_TEXT_SIZE];
    int64_t now_ms = cluster_clock_ms();

    links->counts[reason]++;
    if (links->said_ms[reason] != 0 &&
        now_ms - links->said_ms[reason] < LINK_SAY_S * 1000) {
        links->unsaid[reason]++;
        return;
    }
    link_address_write(where, address);
    if (links->unsaid[reason] > 0)
        (void)snprintf(line, sizeof line,
                       "link with %s: %s%s%s (and %llu times more)", where,
                       link_reason_text(reason), detail[0] == '\0' ? "" : ": ",
                       detail, (unsigned long long)links->unsaid[reason]);
    else
        (void)snprintf(line, sizeof line, "link with %s: %s%s%s", where,
                       link_reason_text(reason), detail[0] == '\0' ? "" : ": ",
                       detail);
    links->said_ms[reason] = now_ms;
    links->unsaid[reason] = 0;
    links->user.say(links->user.context, CLUSTER_WARNING, line);
}

struct link *link_begin(struct links *links, int fd,
                        const struct link_address *address)
{
    struct link *link = calloc(1, sizeof *link);

    if (link == NULL)
        goto fail;
    link->home = links;
    link->fd = fd;
    link->phase = LINK_HANDSHAKE;
    link->fresh = true;
    link->peer = LINK_PEER_NONE;
    link->address = *address;
    link->rx = link->first;
    link->rx_capacity = sizeof link->first;
    link->handshake_deadline_ms =
        cluster_clock_ms() + LINK_HANDSHAKE_S_MAX * 1000;
    link->read_event =
        event_new(links->base, fd, EV_READ | EV_PERSIST, link_readable, link);
    link->write_event =
        event_new(links->base, fd, EV_WRITE, link_writable, link);
    if (link->read_event == NULL || link->write_event == NULL)
        goto fail;
    link->next = links->alive;
    links->alive = link;
    return link;
fail:
    if (link != NULL && link->read_event != NULL)
        event_free(link->read_event);
    free(link);
    (void)close(fd);
    link_note(links, LINK_REASON_memory, address, "");
    return NULL;
}

static void unchain(struct link *link)
{
    struct link **at = &link->home->alive;

    while (*at != link)
        at = &(*at)->next;
    *at = link->next;
}

/* The peer's place is free again. */
static void leave_place(struct link *link, bool dropped)
{
    struct links *links = link->home;
    struct links_place *place;

    if (link->peer == LINK_PEER_NONE) {
        links->waiting--;
        links->strangers -= link->stranger ? 1 : 0;
        return;
    }
    place = &links->places[link->peer];
    if (place->link == link) {
        place->link = NULL;
        place->down_owed = true;
        place->dropped = dropped;
    }
    if (place->dialing == link)
        place->dialing = NULL;
    if (link->dials)
        link_dial_later(links, link->peer);
}

/* Open, and given up at once by either side. */
static bool is_brief(const struct link *link, enum link_reason reason)
{
    return link->phase == LINK_OPEN &&
           (reason == LINK_REASON_dropped || reason == LINK_REASON_closed) &&
           cluster_clock_ms() - link->up_ms < LINK_BRIEF_MS;
}

/* A node that cannot be reached is told of once, and once more when it can; so
 * is one whose links do not last. */
static bool is_said_already(struct link *link, enum link_reason reason)
{
    struct links_place *place;

    if (is_brief(link, reason)) {
        place = &link->home->places[link->peer];
        if (place->brief)
            return true;
        place->brief = true;
        return false;
    }
    if (!link->dials ||
        (reason != LINK_REASON_connect && reason != LINK_REASON_late))
        return false;
    place = &link->home->places[link->peer];
    if (place->failure_said)
        return true;
    place->failure_said = true;
    return false;
}

void link_end(struct link *link, enum link_reason reason, const char *detail)
{
    struct links *links = link->home;

    if (link->phase == LINK_DEAD)
        return;
    if (is_said_already(link, reason))
        links->counts[reason]++;
    else
        link_note(links, reason, &link->address, detail);
    event_free(link->read_event);
    event_free(link->write_event);
    (void)close(link->fd);
    unchain(link);
    leave_place(link, reason == LINK_REASON_dropped);
    link->phase = LINK_DEAD;
    link->next = links->dead;
    links->dead = link;
}

static void link_free(struct link *link)
{
    channel_wipe(&link->channel);
    if (link->plain_size > 0) /* Frames that no record hides yet. */
        sodium_memzero(link->tx + link->tx_to,
                       RECORD_HEADER_SIZE + link->plain_size);
    if (link->rx != link->first)
        free(link->rx);
    free(link->tx);
    sodium_memzero(link->first, sizeof link->first);
    free(link);
}

static bool is_over(int64_t deadline_ms, int64_t now_ms)
{
    return deadline_ms != 0 && deadline_ms <= now_ms;
}

static void tick_link(struct link *link, int64_t now_ms)
{
    if (link->phase == LINK_OPEN)
        link_say_up(link, now_ms);
    if (is_over(link->handshake_deadline_ms, now_ms))
        link_end(link, LINK_REASON_late, "");
    else if (is_over(link->record_deadline_ms, now_ms))
        link_end(link, LINK_REASON_record, "");
    else if (is_over(link->stall_deadline_ms, now_ms))
        link_end(link, LINK_REASON_stalled, "");
}

static void on_tick(evutil_socket_t fd, short what, void *argument)
{
    struct links *links = argument;
    int64_t now_ms = cluster_clock_ms();

    (void)fd;
    (void)what;
    for (struct link *link = links->alive, *next; link != NULL; link = next) {
        next = link->next;
        tick_link(link, now_ms);
    }
    link_listen_tick(links, now_ms);
    link_dial_tick(links, now_ms);
    links_settle(links);
}

static void open_places(struct links *links,
                        const struct links_options *options)
{
    REQUIRE(options->peers_count <= LINKS_PEERS_MAX);
    links->places_count = options->peers_count;
    for (size_t i = 0; i < options->peers_count; i++) {
        const struct links_peer *peer = &options->peers[i];
        struct links_place *place = &links->places[i];
        bool read = link_address_read(&place->address, peer->address);
        int order =
            memcmp(links->identity.node_id, peer->node_id, NODE_ID_SIZE);

        REQUIRE(read && order != 0);
        memcpy(place->node_id, peer->node_id, NODE_ID_SIZE);
        place->archive = peer->archive;
        place->is_dialed = order > 0;
        place->dial_delay_ms = LINK_DIAL_MS_MIN;
    }
}

enum status links_open(struct links **links_out, struct event_base *base,
                       const struct links_options *options,
                       const struct links_identity *identity,
                       const struct links_user *user)
{
    struct timeval period = {0, LINK_TICK_MS * 1000};
    struct links *links = calloc(1, sizeof *links);
    enum status status = ST_EXHAUSTED;

    if (links == NULL)
        return ST_EXHAUSTED;
    links->base = base;
    links->user = *user;
    (void)sodium_mlock(&links->identity, sizeof links->identity);
    links->identity = *identity;
    links->listen_fd = -1;
    open_places(links, options);
    links->plain = malloc(RECORD_PLAINTEXT_SIZE_MAX);
    links->tick_event = event_new(base, -1, EV_PERSIST, on_tick, links);
    if (links->plain == NULL || links->tick_event == NULL)
        goto fail;
    status = link_listen(links, options->address);
    if (status != ST_OK)
        goto fail;
    status = ST_EXHAUSTED;
    if (event_add(links->tick_event, &period) != 0)
        goto fail;
    *links_out = links;
    return ST_OK;
fail:
    links_close(links);
    return status;
}

void links_close(struct links *links)
{
    if (links == NULL)
        return;
    while (links->alive != NULL) {
        struct link *link = links->alive;

        links->alive = link->next;
        event_free(link->read_event);
        event_free(link->write_event);
        (void)close(link->fd);
        link_free(link);
    }
    while (links->dead != NULL) {
        struct link *link = links->dead;

        links->dead = link->next;
        link_free(link);
    }
    if (links->accept_event != NULL)
        event_free(links->accept_event);
    if (links->tick_event != NULL)
        event_free(links->tick_event);
    if (links->listen_fd >= 0)
        (void)close(links->listen_fd);
    free(links->plain);
    (void)sodium_munlock(&links->identity, sizeof links->identity); /* Wipes. */
    free(links);
}

void links_send(struct links *links, size_t peer, uint8_t type,
                struct slice body)
{
    REQUIRE(peer < links->places_count);
    if (links->places[peer].link != NULL)
        link_put(links->places[peer].link, type, body);
}

void links_drop(struct links *links, size_t peer)
{
    REQUIRE(peer < links->places_count);
    if (links->places[peer].link != NULL)
        link_end(links->places[peer].link, LINK_REASON_dropped, "");
}

/* False once nobody is owed a word. */
static bool tell_downs(struct links *links)
{
    bool told = false;

    for (size_t i = 0; i < links->places_count; i++) {
        if (!links->places[i].down_owed)
            continue;
        links->places[i].down_owed = false;
        links->user.down(links->user.context, i);
        told = true;
    }
    return told;
}

void links_settle(struct links *links)
{
    REQUIRE(!links->settling);
    links->settling = true;
    do {
        for (struct link *link = links->alive, *next; link != NULL;
             link = next) {
            next = link->next;
            link_flush(link);
        }
    } while (tell_downs(links));
    while (links->dead != NULL) {
        struct link *link = links->dead;

        links->dead = link->next;
        link_free(link);
    }
    links->settling = false;
}

bool links_is_up(const struct links *links, size_t peer)
{
    REQUIRE(peer < links->places_count);
    return links->places[peer].link != NULL;
}

bool links_receipt_key(const struct links *links, size_t peer,
                       uint8_t out[PUBLIC_KEY_SIZE])
{
    REQUIRE(peer < links->places_count);
    if (!links->places[peer].receipt_known)
        return false;
    memcpy(out, links->places[peer].receipt_key, PUBLIC_KEY_SIZE);
    return true;
}

uint16_t links_port(const struct links *links)
{
    return links->port;
}

uint64_t links_count(const struct links *links, enum link_reason reason)
{
    REQUIRE(reason < LINK_REASONS_COUNT);
    return links->counts[reason];
}
