#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/program/file.h"
#include "client/program/nodes_conf.h"
#include "client/program/program.h"
#include "protocol/files.h"
#include "protocol/founding.h"

struct init {
    const char *directory;
    const char *origin;
    const char *owner;
    const char *address;
    const char *peer_address; /* NULL: a single node. */
    uint8_t minimum;
    uint8_t environment;
    uint16_t realms;
    const char *sibling; /* cluster.conf whose env_tag must differ. */
    struct founding_plan plan;
    struct founding founding;
};

static const char *const init_environments[] = {"production", "test",
                                                "training"};

static int usage(void)
{
    return program_usage("init");
}

static int parse_environment(struct init *init, const char *text)
{
    for (uint8_t i = 0; i < 3; i++) {
        if (strcmp(text, init_environments[i]) == 0) {
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

static int parse_minimum(struct init *init, const char *text)
{
    uint64_t number;

    if (!program_number(&number, text, 1, CONFIG_NODES_MAX))
        return usage();
    init->minimum = (uint8_t)number;
    return EXIT_GOOD;
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
        {"peer-listen", required_argument, NULL, 'p'},
        {"minimum", required_argument, NULL, 'm'},
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
        else if (option == 'p')
            init->peer_address = optarg;
        else if (option == 'm')
            code = parse_minimum(init, optarg);
        else if (option == 'e')
            code = parse_environment(init, optarg);
        else if (option == 'r')
            code = parse_realms(init, optarg);
        else
            code = usage();
    }
    if (code == EXIT_GOOD &&
        (!nodes_conf_address("--listen", init->address,
                             init->peer_address != NULL) ||
         (init->peer_address != NULL &&
          !nodes_conf_address("--peer-listen", init->peer_address, true))))
        code = EXIT_USAGE;
    if (code == EXIT_GOOD && init->peer_address != NULL &&
        strcmp(init->peer_address, init->address) == 0)
        code = program_fail(EXIT_USAGE,
                            "clients and nodes need different addresses");
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

/* What is decided, and what is drawn: the environment byte of the new authority
 * differs from the sibling's. */
static int make_plan(struct init *init)
{
    struct founding_plan *plan = &init->plan;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    int avoid = sibling_tag(init);

    if (avoid == -2)
        return program_fail(EXIT_USAGE, "%s: not a cluster.conf",
                            init->sibling);
    do {
        randombytes_buf(plan, sizeof *plan);
        founding_cluster_id(cluster_id, plan);
    } while (cluster_id[0] == avoid);
    plan->origin = slice_of(init->origin, strlen(init->origin));
    plan->owner = slice_of(init->owner, strlen(init->owner));
    plan->address = slice_of(init->address, strlen(init->address));
    plan->peer_address = slice_of(NULL, 0);
    if (init->peer_address != NULL)
        plan->peer_address =
            slice_of(init->peer_address, strlen(init->peer_address));
    plan->minimum = init->minimum;
    plan->environment = init->environment;
    plan->realms = init->realms;
    plan->now_s = (int64_t)time(NULL);
    return EXIT_GOOD;
}

static enum status write_files(const struct init *init)
{
    enum status status = ST_OK;

    for (uint32_t i = 0; i < init->founding.files_count && status == ST_OK;
         i++) {
        const struct founding_file *file = &init->founding.files[i];
        char inner[FILE_PATH_SIZE_MAX], path[FILE_PATH_SIZE_MAX];

        if (!file_path(inner, init->directory, file->directory) ||
            !file_path(path, inner, file->name))
            return ST_USAGE;
        status = file_write_new(path, file->bytes.data, file->bytes.size,
                                file->is_secret ? 0600 : 0644);
    }
    return status;
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

/* Nodes that the first one's configuration names at its very first start need
 * not be let into the cluster later. */
static void say_others(const struct init *init)
{
    const char *directory = init->directory;

    printf("Next, each other node, before the first one starts; it prints "
           "what to do with it:\n\n"
           "  defter node new DIR --role backup|archive --cluster %s \\\n"
           "      --listen HOST:PORT --peer-listen HOST:PORT\n\n"
           "Then:\n\n",
           directory);
}

static void say(const struct init *init)
{
    char id[2 * CLUSTER_ID_SIZE + 1];

    sodium_bin2hex(id, sizeof id, init->founding.cluster_id, CLUSTER_ID_SIZE);
    printf("Made cluster %s in %s:\n\n"
           "  %s/      keep offline: the authority's key and the recovery key\n"
           "  %s/           the first node: keys, certificate, genesis, "
           "configuration\n"
           "  %s    the first administrator's key\n"
           "  %s    what clients need\n"
           "%s\n",
           id, init->directory, FILE_AUTHORITY_DIR, FILE_NODE_DIR,
           FILE_OPERATOR_KEY, FILE_CLUSTER_CONF,
           init->peer_address == NULL
               ? ""
               : "  " FILE_OPERATOR_STATE "  what the operator signed last: "
                 "keep it with his key\n"
                 "  " FILE_NODES_CONF "      the nodes; `defter node new` "
                 "adds\n");
    printf("It is a %s environment; its log is called %s, its owner %s. "
           "Genesis says so\n"
           "for good: --environment, --origin and --owner say otherwise.\n\n",
           init_environments[init->environment - 1], init->origin, init->owner);
    if (init->peer_address == NULL)
        puts("Next:\n");
    else
        say_others(init);
    printf("  defterd --config %s/%s/%s\n"
           "  defter --cluster %s/%s --key %s/%s shell\n",
           init->directory, FILE_NODE_DIR, FILE_NODE_CONF, init->directory,
           FILE_CLUSTER_CONF, init->directory, FILE_OPERATOR_KEY);
}

static int make_all(struct init *init)
{
    enum status status;
    int code = make_plan(init);

    if (code != EXIT_GOOD)
        return code;
    status = founding_make(&init->founding, &init->plan);
    if (status == ST_OK)
        status = make_directories(init);
    if (status == ST_OK)
        status = write_files(init);
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
                        .minimum = 2};
    int code = parse(&init, argc, argv);

    (void)program;
    if (code == EXIT_GOOD)
        code = make_all(&init);
    if (code == EXIT_GOOD)
        say(&init);
    founding_wipe(&init.founding);
    sodium_memzero(&init.plan, sizeof init.plan);
    return code;
}
