/*
 * fz_link.c: what reaches the port for links: a stranger's bytes, or the
 * records of a peer behind its handshake.
 *
 * The input is a byte of choices (1: behind the handshake) and then parts: u16
 * size, bytes.  Behind the handshake each part is sealed as a record, so that
 * the fuzzer meets what lies behind the cipher.
 */
#include <event2/event.h>
#include <sodium.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "protocol/frame.h"
#include "server/cluster/link_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct event_base *base;
static struct links *links;
static size_t ups, downs;

static void on_up(void *context, size_t peer)
{
    INVARIANT(context == NULL && peer == 0);
    ups++;
}

static void on_down(void *context, size_t peer)
{
    INVARIANT(context == NULL && peer == 0);
    downs++;
    INVARIANT(downs == ups);
}

/* The core judges the body; here it is sent back, and some end the link. */
static void on_received(void *context, size_t peer, uint8_t type,
                        struct slice body)
{
    INVARIANT(context == NULL && peer == 0);
    INVARIANT(peer_info(type) != NULL && ups == downs + 1);
    links_send(links, 0, type, body);
    if (body.size > 0 && body.data[0] == 0xff)
        links_drop(links, 0);
}

static void on_say(void *context, enum cluster_level level, const char *line)
{
    INVARIANT(context == NULL);
    MAYBE(level == CLUSTER_NOTE);
    INVARIANT(strlen(line) < CLUSTER_LINE_SIZE_MAX);
}

static void open_links(void)
{
    static struct links_options options = {.address = "127.0.0.1:0",
                                           .peers_count = 1};
    static struct links_identity identity;
    const struct links_user user = {NULL, on_up, on_down, on_received, on_say};

    base = event_base_new();
    INVARIANT(base != NULL);
    memset(options.peers[0].node_id, 2, NODE_ID_SIZE);
    memcpy(options.peers[0].address, "127.0.0.1:1", 12);
    memset(identity.node_id, 1, NODE_ID_SIZE);
    memset(identity.channel_secret, 3, KEY_SIZE);
    INVARIANT(links_open(&links, base, &options, &identity, &user) == ST_OK);
}

/* As an accepted socket is taken; a peer's is let in at once. */
static struct link *begin(int fd, bool is_peer)
{
    static const uint8_t ephemeral[KEY_SIZE] = {7};
    static const struct nodecert cert;
    struct link_address address;
    struct link *link;

    INVARIANT(link_address_read(&address, "127.0.0.1:9"));
    link = link_begin(links, fd, &address);
    INVARIANT(link != NULL);
    links->waiting++;
    channel_serve_link(&link->channel, links->identity.channel_secret,
                       ephemeral, links->identity.certificate);
    INVARIANT(event_add(link->read_event, NULL) == 0);
    if (is_peer) {
        channel_wipe(&link->channel); /* Both directions: a key of zeros. */
        link->channel.state = CHANNEL_OPEN;
        link_admit(link, 0, &cert);
    }
    return link;
}

static void say(struct noise_cipher *cipher, int fd, struct slice part)
{
    static uint8_t record[RECORD_SIZE_MAX + RECORD_HEADER_SIZE];

    if (cipher == NULL) {
        (void)send(fd, part.data, part.size, MSG_DONTWAIT | MSG_NOSIGNAL);
        return;
    }
    INVARIANT(record_seal(cipher, record, part) == ST_OK);
    (void)send(fd, record, part.size + RECORD_OVERHEAD,
               MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Lets the links work, and reads what they say. */
static void turn(int fd)
{
    static uint8_t words[65536];

    (void)event_base_loop(base, EVLOOP_NONBLOCK | EVLOOP_ONCE);
    while (recv(fd, words, sizeof words, MSG_DONTWAIT) > 0)
        continue;
    for (const struct link *link = links->alive; link != NULL;
         link = link->next) {
        INVARIANT(link->rx_capacity == (link->phase == LINK_OPEN
                                            ? (size_t)LINK_RX_SIZE
                                            : sizeof link->first));
        INVARIANT(link->tx_capacity <= 4 * LINK_OUTPUT_SIZE_MAX);
    }
}

static void end(int fd)
{
    (void)close(fd);
    while (links->alive != NULL)
        link_end(links->alive, LINK_REASON_closed, "");
    links_settle(links);
    INVARIANT(links->waiting == 0 && links->strangers == 0);
    INVARIANT(ups == downs);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct noise_cipher cipher = {0};
    bool is_peer;
    int fds[2];

    if (size == 0 || sodium_init() < 0)
        return 0;
    if (base == NULL)
        open_links();
    is_peer = (data[0] & 1) != 0;
    INVARIANT(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) == 0);
    (void)begin(fds[0], is_peer);
    data++;
    size--;
    while (links->alive != NULL && size > 2) {
        size_t part = load_u16(data) % RECORD_PLAINTEXT_SIZE_MAX + 1;

        if (part > size - 2)
            part = size - 2;
        say(is_peer ? &cipher : NULL, fds[1], slice_of(data + 2, part));
        data += 2 + part;
        size -= 2 + part;
        turn(fds[1]);
    }
    turn(fds[1]);
    end(fds[1]);
    return 0;
}
