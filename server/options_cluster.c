#include <stdio.h>
#include <string.h>

#include <sodium.h>

#include "replication/replica.h"
#include "server/cluster/link_address.h"
#include "server/options_private.h"

enum { OPTIONS_PEER_SIZE = 256, OPTIONS_MINIMUM = 2 };

void options_cluster_defaults(struct options_cluster *cluster)
{
    memset(cluster, 0, sizeof *cluster);
    cluster->minimum = OPTIONS_MINIMUM;
    cluster->timers = (struct options_timers){
        .beacon_ms = OPTIONS_AS_PRESET,
        .remove_ms = OPTIONS_AS_PRESET,
        .grace_ms = OPTIONS_AS_PRESET,
        .sync_ms = OPTIONS_AS_PRESET,
        .drain_ms = OPTIONS_AS_PRESET,
        .scrub_ms = OPTIONS_AS_PRESET,
    };
}

static int cluster_refuse(struct options_reading *reading, const char *name,
                          const char *why)
{
    return options_refuse(reading, "cluster", name, why);
}

/* Copies an address that reads and, if it is another's, has a port. */
static bool cluster_address(char out[ADDRESS_SIZE_MAX + 1], const char *value,
                            bool is_ours)
{
    struct link_address address;
    size_t size = strlen(value);

    if (size > ADDRESS_SIZE_MAX || !link_address_read(&address, value))
        return false;
    memcpy(out, value, size + 1);
    return is_ours || link_address_port(&address) != 0;
}

static int cluster_listen(struct options_reading *reading, const char *value)
{
    char *out = reading->options->cluster.links.address;

    if (!cluster_address(out, value, true))
        return cluster_refuse(reading, "listen",
                              "not a numeric address and a port");
    return 1;
}

/* The next word of ${*rest}, ended in place; NULL if there is none. */
static char *cluster_word(char **rest)
{
    char *word = *rest + strspn(*rest, " \t");
    size_t size = strcspn(word, " \t");

    if (size == 0)
        return NULL;
    *rest = word + size;
    if (**rest != '\0') {
        **rest = '\0';
        (*rest)++;
    }
    return word;
}

static bool cluster_is_new(const struct links_options *links,
                           const struct links_peer *peer)
{
    for (size_t i = 0; i < links->peers_count; i++) {
        if (memcmp(links->peers[i].node_id, peer->node_id, NODE_ID_SIZE) == 0 ||
            strcmp(links->peers[i].address, peer->address) == 0)
            return false;
    }
    return true;
}

static bool cluster_node_id(uint8_t out[NODE_ID_SIZE], const char *word)
{
    size_t size;
    const char *end;

    return strlen(word) == 2 * NODE_ID_SIZE &&
           sodium_hex2bin(out, NODE_ID_SIZE, word, strlen(word), NULL, &size,
                          &end) == 0 &&
           size == NODE_ID_SIZE && *end == '\0' &&
           !sodium_is_zero(out, NODE_ID_SIZE);
}

/* NODE_ID backup|archive HOST:PORT [HOST:PORT] */
static int cluster_peer(struct options_reading *reading, const char *value)
{
    struct links_options *links = &reading->options->cluster.links;
    struct links_peer peer = {.archive = false};
    char text[OPTIONS_PEER_SIZE];
    char *rest = text;

    if (strlen(value) >= sizeof text)
        return cluster_refuse(reading, "peer", "too long");
    memcpy(text, value, strlen(value) + 1);
    const char *node = cluster_word(&rest), *role = cluster_word(&rest);
    const char *address = cluster_word(&rest);
    const char *client = cluster_word(&rest);
    if (address == NULL || cluster_word(&rest) != NULL)
        return cluster_refuse(reading, "peer",
                              "not NODE backup|archive HOST:PORT [HOST:PORT]");
    if (!cluster_node_id(peer.node_id, node))
        return cluster_refuse(reading, "peer",
                              "a node's number is 32 hexadecimal digits");
    peer.archive = strcmp(role, "archive") == 0;
    if (!peer.archive && strcmp(role, "backup") != 0)
        return cluster_refuse(reading, "peer", "neither backup nor archive");
    if (!cluster_address(peer.address, address, false) ||
        (client != NULL && !cluster_address(peer.client, client, false)))
        return cluster_refuse(reading, "peer",
                              "not a numeric address and a port");
    if (!cluster_is_new(links, &peer))
        return cluster_refuse(reading, "peer", "a node or address named twice");
    if (links->peers_count == LINKS_PEERS_MAX)
        return cluster_refuse(reading, "peer", "too many");
    links->peers[links->peers_count++] = peer;
    return 1;
}

/* One of two words. */
static int cluster_choice(struct options_reading *reading, bool *out,
                          const char *name, const char *value,
                          const char *const words[2], const char *why)
{
    *out = strcmp(value, words[1]) == 0;
    if (!*out && strcmp(value, words[0]) != 0)
        return cluster_refuse(reading, name, why);
    return 1;
}

/* HOST:PORT, HOST:PORT, ... */
static int cluster_etcd(struct options_reading *reading, const char *value)
{
    struct options_cluster *cluster = &reading->options->cluster;
    const char *at = value;

    cluster->etcd_count = 0;
    for (;;) {
        char one[ADDRESS_SIZE_MAX + 1];
        size_t size = strcspn(at, ", ");

        if (cluster->etcd_count == OPTIONS_ETCD_MAX)
            return cluster_refuse(reading, "etcd", "too many");
        if (size > ADDRESS_SIZE_MAX)
            return cluster_refuse(reading, "etcd", "too long");
        memcpy(one, at, size);
        one[size] = '\0';
        if (!cluster_address(cluster->etcd[cluster->etcd_count], one, false))
            return cluster_refuse(reading, "etcd",
                                  "not numeric addresses with ports");
        cluster->etcd_count++;
        at += size;
        if (*at == '\0')
            return 1;
        at += strspn(at, ", ");
    }
}

int options_cluster_take(struct options_reading *reading, const char *name,
                         const char *value)
{
    static const char *const no_yes[] = {"no", "yes"};
    static const char *const modes[] = {"manual", "etcd"};
    static const char *const presets[] = {"lan", "wan"};
    struct options_cluster *cluster = &reading->options->cluster;

    if (strcmp(name, "listen") == 0)
        return cluster_listen(reading, value);
    if (strcmp(name, "peer") == 0)
        return cluster_peer(reading, value);
    if (strcmp(name, "archive") == 0)
        return cluster_choice(reading, &cluster->archive, name, value, no_yes,
                              "neither yes nor no");
    if (strcmp(name, "mode") == 0)
        return cluster_choice(reading, &cluster->automatic, name, value, modes,
                              "neither manual nor etcd");
    if (strcmp(name, "timers") == 0)
        return cluster_choice(reading, &cluster->timers.wan, name, value,
                              presets, "neither lan nor wan");
    if (strcmp(name, "etcd") == 0)
        return cluster_etcd(reading, value);
    if (strcmp(name, "etcd_ca") == 0)
        return options_path(reading, cluster->etcd_ca, "cluster", name, value);
    if (strcmp(name, "etcd_certificate") == 0)
        return options_path(reading, cluster->etcd_certificate, "cluster", name,
                            value);
    if (strcmp(name, "etcd_key") == 0)
        return options_path(reading, cluster->etcd_key, "cluster", name, value);
    return cluster_refuse(reading, name, "no such key");
}

/* ---- Whether it goes together ------------------------------------------- */

static bool cluster_judge_nodes(struct options_reading *reading)
{
    const struct options_cluster *cluster = &reading->options->cluster;
    bool may_lead = !cluster->archive;

    for (size_t i = 0; i < cluster->links.peers_count; i++)
        may_lead = may_lead || !cluster->links.peers[i].archive;
    if (cluster->links.address[0] == '\0')
        return cluster_refuse(reading, "listen", "missing") != 0;
    if (!may_lead)
        return cluster_refuse(reading, "archive",
                              "every node is an archive: none may lead") != 0;
    if (cluster->minimum > cluster->links.peers_count + 1)
        return cluster_refuse(reading, "minimum",
                              "more than there are nodes: name the peers") != 0;
    return true;
}

static bool cluster_judge_etcd(struct options_reading *reading)
{
    const struct options_cluster *cluster = &reading->options->cluster;
    size_t files = (cluster->etcd_ca[0] != '\0' ? 1U : 0U) +
                   (cluster->etcd_certificate[0] != '\0' ? 1U : 0U) +
                   (cluster->etcd_key[0] != '\0' ? 1U : 0U);

    if (cluster->automatic && cluster->etcd_count == 0)
        return cluster_refuse(reading, "etcd", "missing") != 0;
    if (!cluster->automatic && (cluster->etcd_count > 0 || files > 0))
        return cluster_refuse(reading, "etcd", "only with mode = etcd") != 0;
    if (files != 0 && files != 3)
        return cluster_refuse(reading, "etcd_ca",
                              "etcd_ca, etcd_certificate and etcd_key go "
                              "together") != 0;
    return true;
}

static uint32_t cluster_timer(uint32_t given_ms, uint32_t preset_ms)
{
    return given_ms == OPTIONS_AS_PRESET ? preset_ms : given_ms;
}

void options_timers(struct replica_timers *out,
                    const struct options_timers *given)
{
    *out = given->wan ? replica_timers_wan : replica_timers_lan;
    out->beacon_ms = cluster_timer(given->beacon_ms, out->beacon_ms);
    out->remove_ms = cluster_timer(given->remove_ms, out->remove_ms);
    out->grace_ms = cluster_timer(given->grace_ms, out->grace_ms);
    out->sync_ms = cluster_timer(given->sync_ms, out->sync_ms);
    out->drain_ms = cluster_timer(given->drain_ms, out->drain_ms);
    out->scrub_ms = cluster_timer(given->scrub_ms, out->scrub_ms);
}

static bool cluster_judge_timers(struct options_reading *reading)
{
    struct replica_timers timers;

    options_timers(&timers, &reading->options->cluster.timers);
    if (timers.beacon_ms >= timers.remove_ms)
        return cluster_refuse(reading, "remove_ms", "not above beacon_ms") != 0;
    if (timers.remove_ms >= timers.grace_ms)
        return cluster_refuse(reading, "grace_ms", "not above remove_ms") != 0;
    return true;
}

bool options_cluster_judge(struct options_reading *reading)
{
    if (!reading->options->cluster.is_there)
        return true;
    return cluster_judge_nodes(reading) && cluster_judge_etcd(reading) &&
           cluster_judge_timers(reading);
}
