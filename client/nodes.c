#include "client/nodes.h"

#include <event2/util.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

bool nodes_address_reads(const char *address)
{
    struct sockaddr_storage name;
    int size = sizeof name;

    if (evutil_parse_sockaddr_port(address, (struct sockaddr *)&name, &size) !=
        0)
        return false;
    return name.ss_family == AF_INET6
               ? ((const struct sockaddr_in6 *)&name)->sin6_port != 0
               : ((const struct sockaddr_in *)&name)->sin_port != 0;
}

static uint32_t find(const struct nodes *nodes, const char *address)
{
    uint32_t i = 0;

    while (i < nodes->count && strcmp(nodes->at[i].address, address) != 0)
        i++;
    return i;
}

/* A terminated copy; false if it is too long or has a zero inside. */
static bool copy_address(char out[ADDRESS_SIZE_MAX + 1], const char *bytes,
                         size_t size)
{
    if (size > ADDRESS_SIZE_MAX || memchr(bytes, '\0', size) != NULL)
        return false;
    memcpy(out, bytes, size);
    out[size] = '\0';
    return nodes_address_reads(out);
}

enum status nodes_open(struct nodes *nodes, const char *text)
{
    *nodes = (struct nodes){.advised = NODES_MAX};
    for (;;) {
        char address[ADDRESS_SIZE_MAX + 1];
        size_t size;
        text += strspn(text, " \t");
        size = strcspn(text, ", \t");
        if (!copy_address(address, text, size))
            return ST_USAGE;
        if (find(nodes, address) == nodes->count) {
            if (nodes->count == ADDRESSES_MAX)
                return ST_USAGE;
            memcpy(nodes->at[nodes->count++].address, address, size + 1);
        }
        text += size;
        text += strspn(text, " \t");
        if (*text == '\0')
            break;
        if (*text++ != ',')
            return ST_USAGE;
    }
    nodes->given = nodes->count;
    return ST_OK;
}

const char *nodes_address(const struct nodes *nodes)
{
    return nodes->at[nodes->now].address;
}

void nodes_advise(struct nodes *nodes, struct slice address)
{
    char text[ADDRESS_SIZE_MAX + 1];
    uint32_t i;

    if (address.size == 0 ||
        !copy_address(text, (const char *)address.data, address.size))
        return;
    i = find(nodes, text);
    if (i == nodes->count) {
        /* One place for all that were only named: hence one try a round. */
        bool tried =
            nodes->count > nodes->given && nodes->at[nodes->given].tried;
        i = nodes->given;
        if (tried || nodes->now == i)
            return;
        nodes->count = nodes->given + 1;
        nodes->at[i] = (struct node_entry){.tried = false};
        memcpy(nodes->at[i].address, text, strlen(text) + 1);
    }
    nodes->advised = i;
}

static void begin_round(struct nodes *nodes)
{
    for (uint32_t i = 0; i < nodes->count; i++)
        nodes->at[i].tried = false;
}

void nodes_worked(struct nodes *nodes)
{
    begin_round(nodes);
    nodes->worked = nodes->now;
    nodes->advised = NODES_MAX;
    for (uint32_t i = 0; i < nodes->count; i++)
        nodes->at[i].status = 0;
}

/* Which to call: NODES_MAX if all were tried. */
static uint32_t choose(const struct nodes *nodes)
{
    if (nodes->advised < nodes->count && !nodes->at[nodes->advised].tried)
        return nodes->advised;
    if (!nodes->at[nodes->worked].tried)
        return nodes->worked;
    for (uint32_t i = 1; i <= nodes->given; i++) {
        uint32_t next = (nodes->now + i) % nodes->given;
        if (!nodes->at[next].tried)
            return next;
    }
    return NODES_MAX;
}

bool nodes_fail(struct nodes *nodes, int status, const char *reason)
{
    struct node_entry *node = &nodes->at[nodes->now];
    uint32_t next;

    REQUIRE(status != ST_OK);
    node->tried = true;
    node->status = status;
    snprintf(node->reason, sizeof node->reason, "%s", reason);
    next = choose(nodes);
    if (next != NODES_MAX) {
        if (next == nodes->advised)
            nodes->advised = NODES_MAX; /* It was good for one try. */
        nodes->now = next;
        return true;
    }
    begin_round(nodes);
    nodes->now = choose(nodes);
    nodes->advised = NODES_MAX;
    ENSURE(nodes->now < nodes->count);
    return false;
}

/* The more a status says of all nodes, the more it counts. */
static int weight(int status)
{
    switch (status) {
    case ST_OK:
        return 0;
    case ST_CERTIFICATE:
    case ST_REJECTED:
        return 1;
    default:
        return 2;
    case ST_AUTH:
        return 3;
    case ST_NOT_PRIMARY:
        return 4;
    }
}

int nodes_verdict(const struct nodes *nodes)
{
    int verdict = ST_OK;

    for (uint32_t i = 0; i < nodes->count; i++) {
        if (weight(nodes->at[i].status) > weight(verdict))
            verdict = nodes->at[i].status;
    }
    return verdict;
}

void nodes_reasons(const struct nodes *nodes, char *out)
{
    size_t used = 0;

    out[0] = '\0';
    for (uint32_t i = 0; i < nodes->count; i++) {
        const struct node_entry *node = &nodes->at[i];
        if (node->status == 0)
            continue;
        used +=
            (size_t)snprintf(out + used, NODES_REASON_SIZE - used, "%s%s: %s",
                             used > 0 ? "; " : "", node->address, node->reason);
    }
    ENSURE(used < NODES_REASON_SIZE);
}
