#include <stdlib.h>
#include <string.h>

#include "server/net/home.h"

/* Whose share it is: the carrier's, whichever key it came with, or the key's.
 */
static void name_holder(const struct connection *connection,
                        uint8_t name_out[USAGE_NAME_SIZE])
{
    const struct directory_key *session = &connection->session;

    memcpy(name_out, session->key_id.b, USAGE_NAME_SIZE);
    if (session->carrier == 0)
        return;
    memcpy(name_out, "carrier:", 8);
    memset(name_out + 8, 0, USAGE_NAME_SIZE - 8);
    memcpy(name_out + 8, &session->carrier, sizeof session->carrier);
    name_out[15] = session->carrier_kind;
}

static enum usage_memory kind_of(enum memory_class class)
{
    return class == MEMORY_ANSWERS ? USAGE_ANSWERS : USAGE_SESSIONS;
}

/* Of the share and of the class, or of neither. */
static bool take_share(struct connection *connection, enum memory_class class,
                       size_t size)
{
    struct net *net = connection->home->net;
    size_t limit = 2 * memory_share(&net->memory, class);
    uint8_t name[USAGE_NAME_SIZE];

    name_holder(connection, name);
    if (!usage_hold(net->keys, name, kind_of(class), size, limit))
        return false;
    if (memory_take(&net->memory, class, size))
        return true;
    usage_let_go(net->keys, name, kind_of(class), size);
    return false;
}

static void give_share(struct connection *connection, enum memory_class class,
                       size_t size)
{
    struct net *net = connection->home->net;
    uint8_t name[USAGE_NAME_SIZE];

    name_holder(connection, name);
    usage_let_go(net->keys, name, kind_of(class), size);
    memory_give(&net->memory, class, size);
}

static bool is_session(const struct connection *connection)
{
    return connection->requests != NULL;
}

bool connection_hold(struct connection *connection, size_t size)
{
    struct net *net = connection->home->net;
    bool held = is_session(connection)
                    ? take_share(connection, MEMORY_SESSIONS, size)
                    : memory_take(&net->memory, MEMORY_BEFORE_LOGIN, size);

    if (!held) {
        HOME_LIMIT(net, memory);
        return false;
    }
    connection->held_size += size;
    return true;
}

void connection_let_go(struct connection *connection, size_t size)
{
    INVARIANT(connection->held_size >= size);
    connection->held_size -= size;
    if (is_session(connection))
        give_share(connection, MEMORY_SESSIONS, size);
    else
        memory_give(&connection->home->net->memory, MEMORY_BEFORE_LOGIN, size);
}

bool connection_promote(struct connection *connection, size_t size)
{
    struct memory *memory = &connection->home->net->memory;

    REQUIRE(connection->requests == NULL);
    if (memory_is_tight(memory, MEMORY_SESSIONS) ||
        !take_share(connection, MEMORY_SESSIONS,
                    connection->held_size + size)) {
        HOME_LIMIT(connection->home->net, memory);
        return false;
    }
    connection->requests = calloc(1, size);
    if (connection->requests == NULL) {
        give_share(connection, MEMORY_SESSIONS, connection->held_size + size);
        return false;
    }
    memory_give(memory, MEMORY_BEFORE_LOGIN, connection->held_size);
    connection->held_size += size;
    return true;
}

bool connection_owe(struct connection *connection, size_t size)
{
    if (!take_share(connection, MEMORY_ANSWERS, size)) {
        HOME_LIMIT(connection->home->net, memory);
        return false;
    }
    connection->owed_size += size;
    return true;
}

void connection_owe_less(struct connection *connection, size_t size)
{
    INVARIANT(connection->owed_size >= size);
    connection->owed_size -= size;
    give_share(connection, MEMORY_ANSWERS, size);
}

size_t connection_share_held(const struct connection *connection,
                             enum memory_class class)
{
    uint8_t name[USAGE_NAME_SIZE];

    name_holder(connection, name);
    return usage_held(connection->home->net->keys, name, kind_of(class));
}

static bool is_heavy(const struct connection *connection)
{
    return is_session(connection) && connection->stall_deadline_us != 0 &&
           connection->owed_size + connection->tx_capacity >
               MEMORY_TIGHT_FREE_SIZE;
}

void connection_close_heaviest(struct net_loop *home)
{
    struct connection *heaviest = NULL;
    size_t most = 0;

    for (uint32_t i = 0; i < home->slots_used; i++) {
        struct connection *connection = home->slots[i];
        size_t held;

        if (connection == NULL || !is_heavy(connection))
            continue;
        held = connection_share_held(connection, MEMORY_SESSIONS) +
               connection_share_held(connection, MEMORY_ANSWERS);
        if (held > most) {
            most = held;
            heaviest = connection;
        }
    }
    if (heaviest == NULL)
        return;
    HOME_LIMIT(home->net, memory);
    connection_kill(heaviest);
}
