#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/program/file.h"
#include "client/program/program.h"
#include "protocol/files.h"
#include "protocol/genesis.h"
#include "protocol/nodecert.h"

enum { CERTIFICATE_DAYS = 90, DAY_S = 86400 };

struct init {
    const char *directory;
    const char *origin;
    const char *owner;
    const char *address;
    uint8_t environment;
    uint16_t realms;
    const char *sibling; /* cluster.conf whose env_tag must differ. */
    int64_t now_s;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct identity authority;
    struct keyfile keys[7];
};

/* Keys made by init, in the order of struct init's array. */
static const struct {
    enum keyfile_kind kind;
    const char *directory;
    const char *name;
} key_files[] = {
    {KEYFILE_AUTHORITY, FILE_AUTHORITY_DIR, FILE_AUTHORITY_KEY},
    {KEYFILE_RECOVERY, FILE_AUTHORITY_DIR, FILE_RECOVERY_KEY},
    {KEYFILE_CHANNEL, FILE_NODE_DIR, FILE_CHANNEL_KEY},
    {KEYFILE_RECEIPT, FILE_NODE_DIR, FILE_RECEIPT_KEY},
    {KEYFILE_LOG, FILE_NODE_DIR, FILE_LOG_KEY},
    {KEYFILE_KEYRING, FILE_NODE_DIR, FILE_KEYRING_KEY},
    {KEYFILE_SIGNER, ".", FILE_OPERATOR_KEY},
};
enum {
    KEY_AUTHORITY,
    KEY_RECOVERY,
    KEY_CHANNEL,
    KEY_RECEIPT,
    KEY_LOG,
    KEY_KEYRING,
    KEY_OPERATOR,
    KEYS_COUNT
};
static_assert(sizeof key_files / sizeof key_files[0] == KEYS_COUNT, "one each");

static int usage(void)
{
    return program_fail(
        EXIT_USAGE,
        "usage: defter init DIR [--origin NAME] [--owner NAME]\n"
        "         [--environment production|test|training] [--realms PR]\n"
        "         [--listen HOST:PORT] [--sibling CLUSTER.CONF]");
}

static int parse_environment(struct init *init, const char *text)
{
    static const char *const names[] = {"production", "test", "training"};

    for (uint8_t i = 0; i < 3; i++) {
        if (strcmp(text, names[i]) == 0) {
            init->environment = (uint8_t)(i + 1);
            return EXIT_GOOD;
        }
    }
    return usage();
}

static int parse_realms(struct init *init, const char *text)
{
    init->realms = 0;
    for (; *text != '\0'; text++) {
        if (*text != 'P' && *text != 'R')
            return usage();
        init->realms |= *text == 'P' ? 1 : 2;
    }
    return init->realms == 0 ? usage() : EXIT_GOOD;
}

static int parse(struct init *init, int argc, char **argv)
{
    static const struct option options[] = {
        {"origin", required_argument, NULL, 'o'},
        {"owner", required_argument, NULL, 'w'},
        {"environment", required_argument, NULL, 'e'},
        {"realms", required_argument, NULL, 'r'},
        {"listen", required_argument, NULL, 'l'},
        {"sibling", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    int code = EXIT_GOOD, option;

    optind = 0; /* The GNU way to begin anew. */
    while (code == EXIT_GOOD &&
           (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'o')
            init->origin = optarg;
        else if (option == 'w')
            init->owner = optarg;
        else if (option == 'l')
            init->address = optarg;
        else if (option == 's')
            init->sibling = optarg;
        else if (option == 'e')
            code = parse_environment(init, optarg);
        else if (option == 'r')
            code = parse_realms(init, optarg);
        else
            code = usage();
    }
    if (code == EXIT_GOOD && optind != argc - 1)
        code = usage();
    if (code == EXIT_GOOD)
        init->directory = argv[optind];
    return code;
}

/* First byte of the sibling's cluster number, -1 if there is no sibling. */
static int sibling_tag(const struct init *init)
{
    uint8_t text[4096], key[PUBLIC_KEY_SIZE], id[CLUSTER_ID_SIZE];
    size_t size, got;
    char *at;

    if (init->sibling == NULL)
        return -1;
    if (file_read(text, &size, init->sibling, sizeof text - 1, false) != ST_OK)
        return -2;
    text[size] = '\0';
    at = strstr((char *)text, "authority = ");
    if (at == NULL ||
        sodium_hex2bin(key, sizeof key, at + 12, 64, NULL, &got, NULL) != 0 ||
        got != sizeof key)
        return -2;
    identity_cluster_id(id, key);
    return id[0];
}

/* A new authority, whose environment byte differs from the sibling's. */
static int make_keys(struct init *init)
{
    int avoid = sibling_tag(init);
    uint8_t secret[KEY_SIZE];

    if (avoid == -2)
        return program_fail(EXIT_USAGE, "%s: not a cluster.conf",
                            init->sibling);
    do {
        randombytes_buf(secret, sizeof secret);
        identity_init(&init->authority, secret);
        identity_cluster_id(init->cluster_id, init->authority.public_key);
    } while (init->cluster_id[0] == avoid);
    keyfile_make(&init->keys[KEY_AUTHORITY], KEYFILE_AUTHORITY,
                 init->cluster_id, secret);
    for (int i = KEY_RECOVERY; i < KEYS_COUNT; i++) {
        randombytes_buf(secret, sizeof secret);
        keyfile_make(&init->keys[i], key_files[i].kind, init->cluster_id,
                     secret);
    }
    sodium_memzero(secret, sizeof secret);
    return EXIT_GOOD;
}

static bool path_of(char out[FILE_PATH_SIZE_MAX], const struct init *init,
                    const char *directory, const char *name)
{
    char inner[FILE_PATH_SIZE_MAX];

    return file_path(inner, init->directory, directory) &&
           file_path(out, inner, name);
}

static enum status write_file(const struct init *init, const char *directory,
                              const char *name, const void *bytes, size_t size,
                              unsigned mode)
{
    char path[FILE_PATH_SIZE_MAX];

    if (!path_of(path, init, directory, name))
        return ST_USAGE;
    return file_write_new(path, bytes, size, mode);
}

static enum status write_keys(const struct init *init)
{
    enum status status = ST_OK;

    for (int i = 0; i < KEYS_COUNT && status == ST_OK; i++) {
        char path[FILE_PATH_SIZE_MAX];
        if (!path_of(path, init, key_files[i].directory, key_files[i].name))
            return ST_USAGE;
        status = file_write_key(&init->keys[i], path);
    }
    return status;
}

static enum status write_certificate(const struct init *init,
                                     const uint8_t node_id[NODE_ID_SIZE])
{
    struct nodecert certificate = {
        .role = NODECERT_SERVER,
        .serial = 1,
        .not_before_s = init->now_s,
        .not_after_s = init->now_s + (int64_t)CERTIFICATE_DAYS * DAY_S};
    uint8_t bytes[NODECERT_SIZE];

    memcpy(certificate.cluster_id, init->cluster_id, CLUSTER_ID_SIZE);
    memcpy(certificate.node_id, node_id, NODE_ID_SIZE);
    memcpy(certificate.channel_key, init->keys[KEY_CHANNEL].public_key,
           PUBLIC_KEY_SIZE);
    memcpy(certificate.receipt_key, init->keys[KEY_RECEIPT].public_key,
           PUBLIC_KEY_SIZE);
    nodecert_sign(bytes, &certificate, &init->authority);
    return write_file(init, FILE_NODE_DIR, FILE_NODE_CERT, bytes, sizeof bytes,
                      0644);
}

static enum status write_genesis(const struct init *init,
                                 const uint8_t node_id[NODE_ID_SIZE])
{
    struct op_system_genesis fields = {
        .origin = slice_of(init->origin, strlen(init->origin)),
        .environment = init->environment,
        .realms = init->realms,
        .owner = slice_of(init->owner, strlen(init->owner)),
    };
    struct genesis_random random;
    uint8_t bytes[GENESIS_SIZE_MAX];
    size_t size;
    enum status status;

    memcpy(fields.node_id.b, node_id, NODE_ID_SIZE);
    memcpy(fields.node_channel_key.b, init->keys[KEY_CHANNEL].public_key,
           PUBLIC_KEY_SIZE);
    memcpy(fields.node_receipt_key.b, init->keys[KEY_RECEIPT].public_key,
           PUBLIC_KEY_SIZE);
    memcpy(fields.log_key.b, init->keys[KEY_LOG].public_key, PUBLIC_KEY_SIZE);
    memcpy(fields.operator_key.b, init->keys[KEY_OPERATOR].public_key,
           PUBLIC_KEY_SIZE);
    memcpy(fields.recovery_key.b, init->keys[KEY_RECOVERY].public_key,
           PUBLIC_KEY_SIZE);
    randombytes_buf(&random, sizeof random);
    status = genesis_write(bytes, &size, &fields, &init->authority,
                           init->now_s * 1000000, &random);
    if (status == ST_OK)
        status =
            write_file(init, FILE_NODE_DIR, FILE_GENESIS, bytes, size, 0644);
    return status;
}

static enum status write_texts(const struct init *init)
{
    char text[1024], authority[2 * PUBLIC_KEY_SIZE + 1];
    char id[2 * CLUSTER_ID_SIZE + 1];
    int size;
    enum status status;

    sodium_bin2hex(authority, sizeof authority, init->authority.public_key,
                   PUBLIC_KEY_SIZE);
    sodium_bin2hex(id, sizeof id, init->cluster_id, CLUSTER_ID_SIZE);
    size = snprintf(text, sizeof text,
                    "# What a client needs of this cluster.\n[cluster]\n"
                    "authority = %s\naddress = %s\nid = %s\n",
                    authority, init->address, id);
    status = write_file(init, ".", FILE_CLUSTER_CONF, text, (size_t)size, 0644);
    if (status != ST_OK)
        return status;
    size = snprintf(text, sizeof text,
                    "# Configuration of one node; docs/OPERATING.md documents "
                    "every key.\n[node]\ndirectory = .\n\n"
                    "[net]\nlisten = %s\nloops = 2\n",
                    init->address);
    return write_file(init, FILE_NODE_DIR, FILE_NODE_CONF, text, (size_t)size,
                      0644);
}

static enum status make_directories(const struct init *init)
{
    static const char *const names[] = {FILE_AUTHORITY_DIR, FILE_NODE_DIR};
    enum status status = file_make_directory(init->directory);

    for (size_t i = 0; i < 2 && status == ST_OK; i++) {
        char path[FILE_PATH_SIZE_MAX];
        status = file_path(path, init->directory, names[i])
                     ? file_make_directory(path)
                     : ST_USAGE;
    }
    return status;
}

static void say(const struct init *init)
{
    char id[2 * CLUSTER_ID_SIZE + 1];

    sodium_bin2hex(id, sizeof id, init->cluster_id, CLUSTER_ID_SIZE);
    printf("Made cluster %s in %s:\n\n"
           "  %s/   keep offline: the authority's key and the recovery key\n"
           "  %s/        the first node: keys, certificate, genesis, "
           "configuration\n"
           "  %s  the first administrator's key\n"
           "  %s  what clients need\n\n"
           "Next:\n\n"
           "  defterd --config %s/%s/%s\n"
           "  defter --cluster %s/%s --key %s/%s shell\n",
           id, init->directory, FILE_AUTHORITY_DIR, FILE_NODE_DIR,
           FILE_OPERATOR_KEY, FILE_CLUSTER_CONF, init->directory, FILE_NODE_DIR,
           FILE_NODE_CONF, init->directory, FILE_CLUSTER_CONF, init->directory,
           FILE_OPERATOR_KEY);
}

static int make_all(struct init *init)
{
    uint8_t node_id[NODE_ID_SIZE];
    enum status status;
    int code = make_keys(init);

    if (code != EXIT_GOOD)
        return code;
    randombytes_buf(node_id, sizeof node_id);
    status = make_directories(init);
    if (status == ST_OK)
        status = write_keys(init);
    if (status == ST_OK)
        status = write_certificate(init, node_id);
    if (status == ST_OK)
        status = write_genesis(init, node_id);
    if (status == ST_OK)
        status = write_texts(init);
    if (status == ST_EXISTS)
        return program_fail(EXIT_REFUSED,
                            "%s holds a cluster already; a new one needs a "
                            "directory of its own",
                            init->directory);
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s: %s", init->directory,
                            status_info(status)->english);
    return EXIT_GOOD;
}

int init_run(struct program *program, int argc, char **argv)
{
    struct init init = {.origin = "defter.local/log",
                        .owner = "KOBİA",
                        .address = "127.0.0.1:7840",
                        .environment = 2,
                        .realms = 3,
                        .now_s = (int64_t)time(NULL)};
    int code = parse(&init, argc, argv);

    (void)program;
    if (code == EXIT_GOOD)
        code = make_all(&init);
    if (code == EXIT_GOOD)
        say(&init);
    for (int i = 0; i < KEYS_COUNT; i++)
        keyfile_wipe(&init.keys[i]);
    identity_wipe(&init.authority);
    return code;
}
