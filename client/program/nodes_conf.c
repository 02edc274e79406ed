#include "client/program/nodes_conf.h"

#include <arpa/inet.h>
#include <event2/util.h>
#include <netinet/in.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#include "client/program/file.h"
#include "client/program/program.h"
#include "client/program/words.h"
#include "protocol/founding_node.h"

enum { NODES_FILE_SIZE_MAX = 4096, NODES_PREFIX_MIN = 4 };

/* The port, -1 if it is no address. */
static int port_of(const char *address)
{
    struct sockaddr_storage name;
    int size = sizeof name;

    if (address == NULL || strlen(address) > ADDRESS_SIZE_MAX ||
        evutil_parse_sockaddr_port(address, (struct sockaddr *)&name, &size) !=
            0)
        return -1;
    if (name.ss_family == AF_INET6)
        return ntohs(((const struct sockaddr_in6 *)&name)->sin6_port);
    return ntohs(((const struct sockaddr_in *)&name)->sin_port);
}

bool nodes_conf_address(const char *option, const char *address, bool fixed)
{
    if (port_of(address) > (fixed ? 0 : -1))
        return true;
    (void)program_fail(EXIT_USAGE,
                       "%s takes a numeric address and a port, not %s", option,
                       address != NULL ? address : "nothing");
    return false;
}

static bool take_row(struct nodes_conf_row *row, const struct words *words)
{
    size_t got;

    if (words->count != 4 || strlen(words->at[0]) != 2 * (size_t)NODE_ID_SIZE ||
        sodium_hex2bin(row->node_id, NODE_ID_SIZE, words->at[0],
                       2 * (size_t)NODE_ID_SIZE, NULL, &got, NULL) != 0 ||
        got != NODE_ID_SIZE)
        return false;
    row->archive = strcmp(words->at[1], "archive") == 0;
    if (!row->archive && strcmp(words->at[1], "backup") != 0)
        return false;
    if (port_of(words->at[2]) <= 0 || port_of(words->at[3]) <= 0)
        return false;
    memcpy(row->address, words->at[2], strlen(words->at[2]) + 1);
    memcpy(row->peer_address, words->at[3], strlen(words->at[3]) + 1);
    return true;
}

static int take_line(void *context, const char *section, const char *name,
                     const char *value)
{
    struct nodes_conf *nodes = context;
    struct nodes_conf_row row = {.archive = false};
    struct words words;
    bool taken = false;

    if (strcmp(section, "nodes") != 0 || strcmp(name, "node") != 0 ||
        nodes->count == CONFIG_NODES_MAX)
        return 0;
    if (!words_split(&words, value))
        return 0;
    taken =
        take_row(&row, &words) && nodes_conf_row(nodes, row.node_id) == NULL;
    words_free(&words);
    if (taken)
        nodes->rows[nodes->count++] = row;
    return taken;
}

int nodes_conf_load(struct nodes_conf *nodes, const char *path)
{
    int line;

    memset(nodes, 0, sizeof *nodes);
    if (strlen(path) >= sizeof nodes->path)
        return program_fail(EXIT_USAGE, "the path is too long");
    memcpy(nodes->path, path, strlen(path) + 1);
    line = file_parse(path, take_line, nodes);
    if (line < 0)
        return program_fail(EXIT_USAGE,
                            "%s: cannot be read; `defter init --peer-listen` "
                            "makes it",
                            path);
    if (line > 0)
        return program_fail(EXIT_USAGE, "%s:%d: not the row of a node", path,
                            line);
    return EXIT_GOOD;
}

static struct founding_peer row_peer(const struct nodes_conf_row *row)
{
    struct founding_peer peer = {
        .archive = row->archive,
        .address = slice_of(row->address, strlen(row->address)),
        .peer_address = slice_of(row->peer_address, strlen(row->peer_address))};

    memcpy(peer.node_id, row->node_id, NODE_ID_SIZE);
    return peer;
}

int nodes_conf_add(struct nodes_conf *nodes, const struct nodes_conf_row *row)
{
    static const char head[] = "# The nodes of this cluster.\n[nodes]\n";
    uint8_t text[NODES_FILE_SIZE_MAX];
    struct writer writer;
    enum status status;

    REQUIRE(nodes->count < CONFIG_NODES_MAX);
    nodes->rows[nodes->count++] = *row;
    writer_init(&writer, text, sizeof text);
    writer_bytes(&writer, head, sizeof head - 1);
    for (size_t i = 0; i < nodes->count; i++) {
        struct founding_peer peer = row_peer(&nodes->rows[i]);
        founding_node_line(&writer, &peer);
    }
    INVARIANT(writer.status == ST_OK);
    status = file_replace(nodes->path, text, writer.used, 0644);
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: %s", nodes->path,
                            status_info(status)->english);
    return EXIT_GOOD;
}

const struct nodes_conf_row *nodes_conf_row(const struct nodes_conf *nodes,
                                            const uint8_t *node_id)
{
    for (size_t i = 0; i < nodes->count; i++) {
        if (memcmp(nodes->rows[i].node_id, node_id, NODE_ID_SIZE) == 0)
            return &nodes->rows[i];
    }
    return NULL;
}

int nodes_conf_named(const struct nodes_conf *nodes,
                     const struct nodes_conf_row **row_out, const char *word)
{
    const struct nodes_conf_row *found = NULL;
    size_t size = strlen(word), count = 0;
    char hex[NODES_WORD_SIZE];

    for (size_t i = 0; i < nodes->count; i++) {
        sodium_bin2hex(hex, sizeof hex, nodes->rows[i].node_id, NODE_ID_SIZE);
        if (size >= NODES_PREFIX_MIN && size < sizeof hex &&
            strncasecmp(hex, word, size) == 0) {
            found = &nodes->rows[i];
            count++;
        }
    }
    if (count != 1)
        return program_fail(EXIT_USAGE, "%s: %s in %s", word,
                            count == 0 ? "no such node"
                                       : "more than one such node",
                            nodes->path);
    *row_out = found;
    return EXIT_GOOD;
}
