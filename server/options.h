/*
 * options.h: the configuration of one node (docs/OPERATING.md documents every
 * key).  An INI file, read whole before anything of it is used; a key that is
 * not known is an error.
 */
#ifndef DEFTER_SERVER_OPTIONS_H
#define DEFTER_SERVER_OPTIONS_H

#include "server/cluster/link.h"
#include "server/net/net.h"
#include "sandbox/sandbox.h"

enum {
    OPTIONS_PATH_SIZE_MAX = 1024,
    OPTIONS_ERROR_SIZE = 256,
    OPTIONS_ETCD_MAX = 5,
    OPTIONS_AS_PRESET = UINT32_MAX
};

/* Milliseconds; OPTIONS_AS_PRESET: what the preset says. */
struct options_timers {
    bool wan; /* The preset. */
    uint32_t beacon_ms;
    uint32_t remove_ms;
    uint32_t grace_ms;
    uint32_t sync_ms;
    uint32_t drain_ms;
    uint32_t scrub_ms;
};

/* The preset with what was given in its place. */
struct replica_timers;
void options_timers(struct replica_timers *out,
                    const struct options_timers *given);

/* The section [cluster].  Without it the node is alone. */
struct options_cluster {
    bool is_there;
    bool archive;   /* This node is one. */
    bool automatic; /* etcd decides; else certificates. */
    struct links_options links;
    uint32_t minimum; /* Of the first configuration. */
    struct options_timers timers;
    char etcd[OPTIONS_ETCD_MAX][ADDRESS_SIZE_MAX + 1];
    size_t etcd_count;
    /* PEM files, all of them or none. */
    char etcd_ca[OPTIONS_PATH_SIZE_MAX];
    char etcd_certificate[OPTIONS_PATH_SIZE_MAX];
    char etcd_key[OPTIONS_PATH_SIZE_MAX];
};

/* The section [escrow].  Without a directory there is none. */
struct options_escrow {
    char directory[OPTIONS_PATH_SIZE_MAX];
    bool has_recovery_key; /* Else genesis' one. */
    uint8_t recovery_key[PUBLIC_KEY_SIZE];
    uint32_t period_s;
};

struct options {
    char directory[OPTIONS_PATH_SIZE_MAX]; /* Of the node. */
    /* Where key files may lie instead, given by who started the process (see
     * OPERATING, keys); empty: nowhere. */
    char credentials[OPTIONS_PATH_SIZE_MAX];
    enum sandbox_mode sandbox;
    char address[ADDRESS_SIZE_MAX + 1]; /* net.address points here. */
    struct net_options net;
    struct options_cluster cluster;
    char policy[OPTIONS_PATH_SIZE_MAX]; /* [evidence]; empty: none. */
    struct options_escrow escrow;
};

/* Every key with its meaning, for the test that the manual names them all. */
struct options_key {
    const char *section;
    const char *name;
};
const struct options_key *options_keys(unsigned *count_out);

/* What stands where the file says nothing. */
void options_defaults(struct options *options);

/*
 * options_parse(options, error, text, base):
 * Read the text of a configuration file that lies in the directory ${base}.
 *
 * Returns: ST_OK; ST_USAGE, and ${error} (OPTIONS_ERROR_SIZE bytes) says which
 *          line is wrong and why, in printable ASCII.
 */
NODISCARD enum status options_parse(struct options *options, char *error,
                                    const char *text, const char *base);

/* options_parse() of a file.  Returns also: ST_NO_FILE; ST_TOO_LARGE;
 * ST_FILE_FORMAT if it is no plain file, or has a zero byte in it;
 * ST_DISK_FAILED if it cannot be opened or read whole. */
NODISCARD enum status options_read(struct options *options, char *error,
                                   const char *path);

/* Whether the key may change while a node runs. */
bool options_is_live(const struct options_key *key);

/*
 * options_fixed(now, next):
 * Returns: the first key that differs between both and may not change while a
 *          node runs; NULL if ${next} may take the place of ${now}.
 */
const struct options_key *options_fixed(const struct options *now,
                                        const struct options *next);

#endif
