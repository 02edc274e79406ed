/*
 * options_live.c: what of the configuration may change while a node runs.
 */
#include <string.h>

#include "server/options_private.h"

bool options_is_live(const struct options_key *key)
{
    static const char *const names[] = {
#define N(name) #name,
        NET_LIVE_OPTIONS(N)
#undef N
    };

    if (strcmp(key->section, "net") != 0)
        return false;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        if (strcmp(key->name, names[i]) == 0)
            return true;
    }
    return false;
}

static bool live_same_peer(const struct links_peer *a,
                           const struct links_peer *b)
{
    return memcmp(a->node_id, b->node_id, NODE_ID_SIZE) == 0 &&
           a->archive == b->archive && strcmp(a->address, b->address) == 0 &&
           strcmp(a->client, b->client) == 0;
}

static bool live_same_peers(const struct links_options *a,
                            const struct links_options *b)
{
    if (a->peers_count != b->peers_count)
        return false;
    for (size_t i = 0; i < a->peers_count; i++) {
        if (!live_same_peer(&a->peers[i], &b->peers[i]))
            return false;
    }
    return true;
}

static bool live_same_etcd(const struct options_cluster *a,
                           const struct options_cluster *b)
{
    if (a->etcd_count != b->etcd_count)
        return false;
    for (size_t i = 0; i < a->etcd_count; i++) {
        if (strcmp(a->etcd[i], b->etcd[i]) != 0)
            return false;
    }
    return true;
}

const struct options_key *options_fixed(const struct options *now,
                                        const struct options *next)
{
    const struct options_cluster *a = &now->cluster, *b = &next->cluster;
    const struct {
        struct options_key key;
        bool is_same;
    } words[] = {
        {{"node", "directory"}, strcmp(now->directory, next->directory) == 0},
        {{"node", "sandbox"}, now->sandbox == next->sandbox},
        {{"net", "listen"}, strcmp(now->address, next->address) == 0},
        {{"evidence", "policy"}, strcmp(now->policy, next->policy) == 0},
        {{"escrow", "directory"},
         strcmp(now->escrow.directory, next->escrow.directory) == 0},
        {{"escrow", "recovery_key"},
         now->escrow.has_recovery_key == next->escrow.has_recovery_key &&
             memcmp(now->escrow.recovery_key, next->escrow.recovery_key,
                    PUBLIC_KEY_SIZE) == 0},
        {{"cluster", "listen"},
         a->is_there == b->is_there &&
             strcmp(a->links.address, b->links.address) == 0},
        {{"cluster", "peer"}, live_same_peers(&a->links, &b->links)},
        {{"cluster", "archive"}, a->archive == b->archive},
        {{"cluster", "mode"}, a->automatic == b->automatic},
        {{"cluster", "timers"}, a->timers.wan == b->timers.wan},
        {{"cluster", "etcd"}, live_same_etcd(a, b)},
        {{"cluster", "etcd_ca"}, strcmp(a->etcd_ca, b->etcd_ca) == 0},
        {{"cluster", "etcd_certificate"},
         strcmp(a->etcd_certificate, b->etcd_certificate) == 0},
        {{"cluster", "etcd_key"}, strcmp(a->etcd_key, b->etcd_key) == 0},
    };

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (words[i].is_same)
            continue;
        /* The catalogue's, which outlives this call. */
        return options_key_find(words[i].key.section, words[i].key.name);
    }
    return options_numbers_fixed(now, next);
}
