#include <string.h>

#include "server/cluster/etcd_reply.h"

static void view_pair(struct register_view *view, const struct etcd_pair *pair)
{
    memset(view, 0, sizeof *view);
    if (pair == NULL)
        return;
    view->revision = pair->revision;
    view->value_size = pair->value_size;
    memcpy(view->value, pair->value, pair->value_size);
}

void etcd_reply_view(struct register_view *view, const struct etcd_reply *reply,
                     const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    struct etcd_key key = etcd_key_of(cluster_id, ETCD_CONFIG);

    view_pair(view, etcd_reply_find(reply, &key));
}

static bool is_proposed(const struct register_view *view,
                        const struct register_proposal *proposal)
{
    return slice_equal(slice_of(view->value, view->value_size),
                       slice_of(proposal->value, proposal->value_size));
}

static enum register_outcome outcome_of_failure(
    const struct register_view *view, const struct register_proposal *proposal)
{
    if (view->revision == proposal->revision)
        return REGISTER_REJECTED;
    if (view->revision < proposal->revision)
        return REGISTER_UNKNOWN;
    return is_proposed(view, proposal) ? REGISTER_WON : REGISTER_LOST;
}

void etcd_reply_cas(struct register_answer *answer,
                    const struct etcd_reply *reply,
                    const uint8_t cluster_id[CLUSTER_ID_SIZE],
                    const struct register_proposal *proposal)
{
    answer->token = proposal->token;
    if (reply->succeeded) {
        answer->outcome = REGISTER_WON;
        answer->view.revision = reply->revision;
        answer->view.value_size = proposal->value_size;
        memcpy(answer->view.value, proposal->value, proposal->value_size);
        return;
    }
    etcd_reply_view(&answer->view, reply, cluster_id);
    answer->outcome = outcome_of_failure(&answer->view, proposal);
}

/* The node whose alive key this is; false for a key of another form. */
static bool read_node(uint8_t node_id[NODE_ID_SIZE], const char *hex)
{
    static const char digits[] = "0123456789abcdef";

    if (strlen(hex) != 2 * NODE_ID_SIZE ||
        strspn(hex, digits) != 2 * NODE_ID_SIZE)
        return false;
    for (size_t i = 0; i < NODE_ID_SIZE; i++) {
        long high = strchr(digits, hex[2 * i]) - digits;
        long low = strchr(digits, hex[2 * i + 1]) - digits;
        node_id[i] = (uint8_t)(high << 4 | low);
    }
    return true;
}

void etcd_reply_alive(struct register_alive *alive,
                      const struct etcd_reply *reply,
                      const uint8_t cluster_id[CLUSTER_ID_SIZE])
{
    struct etcd_key all = etcd_key_all_alive(cluster_id);
    size_t size = strlen(all.text);

    memset(alive, 0, sizeof *alive);
    for (size_t i = 0; i < reply->pairs_count; i++) {
        const char *key = reply->pairs[i].key.text;
        if (strncmp(key, all.text, size) == 0 &&
            alive->count < REGISTER_NODES_MAX &&
            read_node(alive->nodes[alive->count], key + size))
            alive->count++;
    }
}

enum status etcd_reply_incarnation(uint64_t *incarnation_out,
                                   const struct etcd_reply *reply,
                                   const uint8_t cluster_id[CLUSTER_ID_SIZE],
                                   const uint8_t node_id[NODE_ID_SIZE])
{
    struct etcd_key key = etcd_key_incarnation(cluster_id, node_id);
    const struct etcd_pair *pair = etcd_reply_find(reply, &key);
    uint64_t number = 0;

    *incarnation_out = 0;
    if (pair == NULL)
        return ST_OK;
    for (size_t i = 0; i < pair->value_size; i++) {
        uint64_t digit = (uint64_t)pair->value[i] - '0';
        if (pair->value[i] < '0' || pair->value[i] > '9' ||
            number > (UINT64_MAX - digit) / 10)
            return ST_BAD_FIELD;
        number = number * 10 + digit;
    }
    /* Written as this program writes it: a guard compares bytes. */
    if (pair->value_size == 0 || pair->value[0] == '0')
        return ST_BAD_FIELD;
    *incarnation_out = number;
    return ST_OK;
}
