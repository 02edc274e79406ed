#include <errno.h>
#include <event2/event.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server/cluster/cluster_clock.h"
#include "server/cluster/link_private.h"

static const char link_agent[] = "defterd " DEFTER_VERSION;

/* Half as long to one and a half times as long, so that nodes which lost each
 * other at the same instant do not all come back at the same one. */
void link_dial_later(struct links *links, size_t peer)
{
    struct links_place *place = &links->places[peer];
    uint32_t delay_ms = place->dial_delay_ms;

    place->dial_at_ms = cluster_clock_ms() + delay_ms / 2 +
                        (int64_t)randombytes_uniform(delay_ms + 1);
    place->dial_delay_ms =
        delay_ms * 2 < LINK_DIAL_MS_MAX ? delay_ms * 2 : LINK_DIAL_MS_MAX;
}

void link_greet(struct link *link)
{
    struct links *links = link->home;
    struct nodecert_expected expected = {
        .role = NODECERT_SERVER,
        .now_s = cluster_clock_wall_us() / 1000000,
    };
    struct hello hello = {
        .has_agent = true,
        .agent = slice_of(link_agent, sizeof link_agent - 1),
        .has_certificate = true,
        .certificate =
            slice_of(links->identity.link_certificate, NODECERT_SIZE),
    };
    uint8_t ephemeral[KEY_SIZE], bytes[CHANNEL_CLIENT_FIRST_SIZE];
    struct writer writer;

    memcpy(expected.authority_key, links->identity.authority_key,
           PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, links->identity.cluster_id, CLUSTER_ID_SIZE);
    writer_init(&writer, bytes, sizeof bytes);
    randombytes_buf(ephemeral, sizeof ephemeral);
    channel_connect(&link->channel, &writer, links->identity.channel_secret,
                    ephemeral, &expected, &hello);
    sodium_memzero(ephemeral, sizeof ephemeral);
    link->phase = LINK_HANDSHAKE;
    link_write(link, writer_slice(&writer));
}

static void dial(struct links *links, size_t peer)
{
    struct links_place *place = &links->places[peer];
    int fd = socket(place->address.name.ss_family,
                    SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct link *link = fd < 0 ? NULL : link_begin(links, fd, &place->address);

    if (link == NULL) {
        link_dial_later(links, peer);
        return;
    }
    link->dials = true;
    link->peer = peer;
    link->phase = LINK_CONNECTING;
    place->dialing = link;
    link_set_options(fd);
    if (connect(fd, (const struct sockaddr *)&place->address.name,
                place->address.size) != 0 &&
        errno != EINPROGRESS) {
        link_end(link, LINK_REASON_connect, strerror(errno));
        return;
    }
    /* Writable once it is connected, or has failed. */
    if (event_add(link->write_event, NULL) != 0)
        link_end(link, LINK_REASON_memory, "");
}

void link_dial_tick(struct links *links, int64_t now_ms)
{
    for (size_t i = 0; i < links->places_count; i++) {
        struct links_place *place = &links->places[i];

        if (place->is_dialed && place->link == NULL && place->dialing == NULL &&
            place->dial_at_ms <= now_ms)
            dial(links, i);
    }
}
