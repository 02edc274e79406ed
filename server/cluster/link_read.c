#include <errno.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/peer_wire.h"
#include "server/cluster/cluster_clock.h"
#include "server/cluster/link_private.h"

static void take_record(struct link *link, struct slice plain)
{
    const struct links *links = link->home;
    struct slice rest = plain;

    while (link->phase == LINK_OPEN) {
        struct slice body;
        uint8_t type;
        enum status status = peer_wire_next(&type, &body, &rest);

        if (status == ST_END)
            return;
        if (status != ST_OK) {
            link_end(link, LINK_REASON_frame, status_info(status)->english);
            return;
        }
        links->user.received(links->user.context, link->peer, type, body);
    }
}

/* A peer that speaks is worth dialing at once, if it goes away; not so one of
 * which nothing was wanted. */
static void note_life(struct link *link)
{
    struct links_place *place = &link->home->places[link->peer];

    if (link->fresh && !place->dropped)
        place->dial_delay_ms = LINK_DIAL_MS_MIN;
    link->fresh = false;
    link->record_deadline_ms = 0;
}

/* Whole records of what has come; gives how much is done with. */
static size_t take_records(struct link *link)
{
    struct links *links = link->home;
    size_t used = 0;

    while (link->phase == LINK_OPEN) {
        struct slice rest = {link->rx + used, link->rx_size - used};
        size_t size, plain_size;
        enum status status = record_measure(&size, rest, RECORD_SIZE_MAX);

        if (status == ST_AGAIN)
            break;
        if (status == ST_OK)
            status = record_open(&link->channel.receiver, links->plain,
                                 &plain_size, slice_of(rest.data, size));
        if (status != ST_OK) {
            link_end(link, LINK_REASON_record, status_info(status)->english);
            break;
        }
        note_life(link);
        take_record(link, slice_of(links->plain, plain_size));
        sodium_memzero(links->plain, plain_size);
        used += size;
    }
    return used;
}

/* The server's certificate is good; is it that of the node that was meant? */
static void take_answer(struct link *link, struct slice last)
{
    if (!link_is_meant(link))
        return;
    link_write(link, last);
    if (link->phase == LINK_HANDSHAKE)
        link_admit(link, link->peer, &link->channel.certificate);
}

static enum link_reason reason_of(enum status status)
{
    switch ((int)status) {
    case ST_VERSION:
    case ST_REJECTED:
        return LINK_REASON_version;
    case ST_CERTIFICATE:
        return LINK_REASON_certificate;
    default:
        return LINK_REASON_handshake;
    }
}

/* Gives how much is done with. */
static size_t take_handshake(struct link *link)
{
    uint8_t out[CHANNEL_OUTPUT_SIZE_MAX];
    struct writer writer;
    size_t used;
    enum status status;

    writer_init(&writer, out, sizeof out);
    status = channel_step(&link->channel, &used, &writer,
                          slice_of(link->rx, link->rx_size));
    if (status == ST_OK && link->dials) {
        take_answer(link, writer_slice(&writer));
        return used;
    }
    if (writer.used > 0)
        link_write(link, writer_slice(&writer));
    if (link->phase != LINK_HANDSHAKE)
        return used;
    if (status == ST_OK) {
        link_judge(link);
    } else if (status != ST_AGAIN) {
        link_flush(link); /* The word to another version. */
        link_end(link, reason_of(status),
                 status == ST_CERTIFICATE
                     ? nodecert_fault_text(link->channel.fault)
                     : status_info(status)->english);
    } else if (link->rx_size == link->rx_capacity) {
        link_end(link, LINK_REASON_handshake, "too long");
    }
    return used;
}

static void take_input(struct link *link)
{
    size_t used = 0;

    if (link->phase == LINK_HANDSHAKE) {
        used = take_handshake(link);
        if (link->phase == LINK_DEAD)
            return;
        memmove(link->rx, link->rx + used, link->rx_size - used);
        link->rx_size -= used;
    }
    if (link->phase != LINK_OPEN)
        return;
    used = take_records(link);
    if (link->phase == LINK_DEAD)
        return;
    memmove(link->rx, link->rx + used, link->rx_size - used);
    link->rx_size -= used;
    if (link->rx_size > 0 && link->record_deadline_ms == 0)
        link->record_deadline_ms =
            cluster_clock_ms() + LINK_RECORD_S_MAX * 1000;
}

static void read_input(struct link *link, int fd)
{
    ssize_t got;

    INVARIANT(link->rx_size < link->rx_capacity);
    got = recv(fd, link->rx + link->rx_size, link->rx_capacity - link->rx_size,
               MSG_DONTWAIT);
    if (got < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (got <= 0) {
        link_end(link, LINK_REASON_closed, got < 0 ? strerror(errno) : "");
        return;
    }
    link->rx_size += (size_t)got;
    take_input(link);
}

void link_readable(int fd, short what, void *argument)
{
    struct link *link = argument;
    struct links *links = link->home;

    (void)what;
    read_input(link, fd);
    links_settle(links);
}
