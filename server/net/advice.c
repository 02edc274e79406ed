#include <stdlib.h>
#include <string.h>

#include "server/net/home.h"

/* Where to go instead, as far as this node knows. */
static void send_advice(struct connection *connection, enum status code,
                        const struct pipeline_primary *primary)
{
    struct message_advice advice = {
        .code = (uint16_t)code,
        .node_id = primary->node_id,
        .address = slice_of(primary->address, strlen(primary->address)),
    };

    connection_send(connection, MESSAGE_ADVICE, 0, &advice);
}

bool advice_refuse(struct connection *connection, uint64_t request_id)
{
    struct pipeline_primary primary;

    if (!pipeline_primary_elsewhere(connection->home->net->pipeline, &primary))
        return false;
    connection_error(connection, ST_NOT_PRIMARY, SCOPE_REQUEST, request_id,
                     NULL);
    if (connection->phase == PHASE_OPEN)
        send_advice(connection, ST_NOT_PRIMARY, &primary);
    return true;
}

void advice_draining(struct connection *connection)
{
    struct pipeline_primary primary;

    if (connection->phase == PHASE_OPEN &&
        pipeline_primary_elsewhere(connection->home->net->pipeline, &primary) &&
        primary.address[0] != '\0')
        send_advice(connection, ST_DRAINING, &primary);
}

static void deliver_moved(struct loop *loop, void *context, struct mail *mail)
{
    struct net_loop *home = context;
    struct pipeline_primary primary;
    bool elsewhere = pipeline_primary_elsewhere(home->net->pipeline, &primary);

    MAYBE(loop == home->loop);
    free(mail);
    for (uint32_t i = 0; elsewhere && i < home->slots_used; i++) {
        struct connection *connection = home->slots[i];
        if (connection != NULL && connection->phase == PHASE_OPEN &&
            !connection->leaving)
            send_advice(connection, ST_NOT_PRIMARY, &primary);
    }
    connection_end_pass(home);
}

void advice_moved(void *context)
{
    struct net *net = context;

    for (uint32_t i = 0; i < net->homes_opened; i++) {
        struct mail *mail = calloc(1, sizeof *mail);
        if (mail == NULL)
            continue; /* They hear of it with their next command. */
        mail->deliver = deliver_moved;
        loop_post(net->homes[i].loop, mail);
    }
}
