#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "protocol/frame.h"
#include "protocol/peer_wire.h"
#include "server/cluster/cluster_clock.h"
#include "server/cluster/link_private.h"

static size_t waiting(const struct link *link)
{
    return link->tx_to - link->tx_from + link->plain_size;
}

/* The record that is being gathered begins behind what is sealed. */
static size_t gathered(const struct link *link)
{
    return link->plain_size == 0 ? 0 : RECORD_HEADER_SIZE + link->plain_size;
}

/* Room for ${size} bytes behind what is there, moving or growing it: what is
 * moved is less than half of the buffer, so it is paid for by what went. */
static bool grow_tx(struct link *link, size_t size)
{
    size_t used = link->tx_to + gathered(link);
    size_t kept = used - link->tx_from;
    size_t capacity = link->tx_capacity;
    uint8_t *tx;

    if (used + size <= capacity)
        return true;
    if (kept + size <= capacity && link->tx_from >= capacity / 2) {
        memmove(link->tx, link->tx + link->tx_from, kept);
    } else {
        capacity = capacity == 0 ? LINK_TX_SIZE_MIN : capacity;
        while (capacity < kept + size || capacity == link->tx_capacity)
            capacity *= 2;
        tx = malloc(capacity);
        if (tx == NULL)
            return false;
        if (kept > 0)
            memcpy(tx, link->tx + link->tx_from, kept);
        if (link->plain_size > 0)
            sodium_memzero(link->tx + link->tx_to, gathered(link));
        free(link->tx);
        link->tx = tx;
        link->tx_capacity = capacity;
    }
    link->tx_to -= link->tx_from;
    link->tx_from = 0;
    return true;
}

static void seal(struct link *link)
{
    uint8_t *record;
    struct slice plain;

    if (link->plain_size == 0)
        return;
    record = link->tx + link->tx_to;
    plain = slice_of(record + RECORD_HEADER_SIZE, link->plain_size);
    if (record_seal(&link->channel.sender, record, plain) != ST_OK) {
        link_end(link, LINK_REASON_record, "the key is used up");
        return;
    }
    link->tx_to += plain.size + RECORD_OVERHEAD;
    link->plain_size = 0;
    ENSURE(link->tx_to <= link->tx_capacity);
}

void link_write(struct link *link, struct slice bytes)
{
    REQUIRE(link->phase == LINK_HANDSHAKE && link->plain_size == 0);
    if (!grow_tx(link, bytes.size)) {
        link_end(link, LINK_REASON_memory, "");
        return;
    }
    memcpy(link->tx + link->tx_to, bytes.data, bytes.size);
    link->tx_to += bytes.size;
}

void link_put(struct link *link, uint8_t type, struct slice body)
{
    size_t size = FRAME_HEADER_SIZE + body.size;
    struct writer writer;

    REQUIRE(link->phase == LINK_OPEN);
    REQUIRE(size <= FRAME_SIZE_MAX);
    if (waiting(link) + size > LINK_OUTPUT_SIZE_MAX) {
        link_end(link, LINK_REASON_full, "");
        return;
    }
    if (size > RECORD_PLAINTEXT_SIZE_MAX - link->plain_size)
        seal(link);
    if (link->phase != LINK_OPEN)
        return;
    if (!grow_tx(link, size + RECORD_OVERHEAD)) {
        link_end(link, LINK_REASON_memory, "");
        return;
    }
    writer_init(&writer,
                link->tx + link->tx_to + RECORD_HEADER_SIZE + link->plain_size,
                size);
    peer_wire_write(&writer, type, body);
    ENSURE(writer.status == ST_OK && writer.used == size);
    link->plain_size += size;
}

/* A buffer that was needed once is not kept for ever. */
static void shrink(struct link *link)
{
    link->tx_from = link->tx_to = 0;
    link->stall_deadline_ms = 0;
    if (link->tx_capacity > LINK_TX_SIZE_MIN) {
        free(link->tx);
        link->tx = NULL;
        link->tx_capacity = 0;
    }
}

void link_flush(struct link *link)
{
    if (link->phase != LINK_HANDSHAKE && link->phase != LINK_OPEN)
        return;
    seal(link);
    while (link->phase != LINK_DEAD && link->tx_from < link->tx_to) {
        ssize_t sent =
            send(link->fd, link->tx + link->tx_from,
                 link->tx_to - link->tx_from, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
            if (link->stall_deadline_ms == 0)
                link->stall_deadline_ms =
                    cluster_clock_ms() + LINK_STALL_S_MAX * 1000;
            if (event_add(link->write_event, NULL) != 0)
                link_end(link, LINK_REASON_memory, "");
            return;
        }
        if (sent < 0) {
            link_end(link, LINK_REASON_closed, strerror(errno));
            return;
        }
        link->tx_from += (size_t)sent;
        link->stall_deadline_ms = 0;
    }
    if (link->phase != LINK_DEAD && link->tx_to > 0)
        shrink(link);
}

/* The attempt to connect has ended, well or not. */
static void connected(struct link *link, int fd)
{
    int error = 0;
    socklen_t size = sizeof error;

    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) != 0)
        error = errno;
    if (error != 0) {
        link_end(link, LINK_REASON_connect, strerror(error));
        return;
    }
    if (event_add(link->read_event, NULL) != 0) {
        link_end(link, LINK_REASON_memory, "");
        return;
    }
    link_greet(link);
}

void link_writable(int fd, short what, void *argument)
{
    struct link *link = argument;
    struct links *links = link->home;

    (void)what;
    if (link->phase == LINK_CONNECTING)
        connected(link, fd);
    links_settle(links); /* Flushes it, and whoever else waits. */
}
