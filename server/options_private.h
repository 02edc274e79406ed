/*
 * options_private.h: what the files options*.c share.
 */
#ifndef DEFTER_SERVER_OPTIONS_PRIVATE_H
#define DEFTER_SERVER_OPTIONS_PRIVATE_H

#include "server/options.h"

/* K(name): the keys of [cluster] that are no numbers. */
#define OPTIONS_CLUSTER_WORDS(K) \
    K(listen)                    \
    K(peer)                      \
    K(archive)                   \
    K(mode)                      \
    K(timers)                    \
    K(etcd)                      \
    K(etcd_ca)                   \
    K(etcd_certificate)          \
    K(etcd_key)

/* A file being read. */
struct options_reading {
    struct options *options;
    const char *base;
    char *error;
    bool refused;
};

/* Remembers the first complaint; gives 0, as the reader of files wants it. */
int options_refuse(struct options_reading *reading, const char *section,
                   const char *name, const char *why);

/* A path, below the file's directory unless it begins with '/'. */
int options_path(struct options_reading *reading, char *out,
                 const char *section, const char *name, const char *value);

/* The key of the catalogue; it is there. */
const struct options_key *options_key_find(const char *section,
                                           const char *name);

/* The first number that differs between both and may not change while a node
 * runs; NULL: none. */
const struct options_key *options_numbers_fixed(const struct options *now,
                                                const struct options *next);

/* options_cluster.c */
void options_cluster_defaults(struct options_cluster *cluster);
/* A key of [cluster] that is no number. */
int options_cluster_take(struct options_reading *reading, const char *name,
                         const char *value);
/* Once all is read: whether it goes together. */
bool options_cluster_judge(struct options_reading *reading);

#endif
