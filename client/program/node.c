#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "client/program/file.h"
#include "client/program/nodes_conf.h"
#include "client/program/program.h"
#include "protocol/enrol.h"
#include "protocol/files.h"
#include "protocol/founding_node.h"
#include "protocol/nodecert.h"

/* `defter node new`: the files of a further node. */
struct making {
    const char *directory;
    const char *cluster; /* Directory that `defter init` made. */
    uint8_t minimum;
    struct nodes_conf nodes;
    struct nodes_conf_row self;
    struct keyfile authority;
    struct identity identity;
    uint8_t genesis[GENESIS_SIZE_MAX];
    size_t genesis_size;
    uint8_t log_key[KEYFILE_SIZE];
    size_t log_key_size;
    struct founding_node_plan plan;
    struct founding_node made;
};

static int usage(void)
{
    return program_usage("node");
}

static int take_address(char out[ADDRESS_SIZE_MAX + 1], const char *option,
                        const char *address)
{
    if (!nodes_conf_address(option, address, true))
        return EXIT_USAGE;
    memcpy(out, address, strlen(address) + 1);
    return EXIT_GOOD;
}

static int take_role(struct making *making, const char *role)
{
    making->self.archive = strcmp(role, "archive") == 0;
    return making->self.archive || strcmp(role, "backup") == 0 ? EXIT_GOOD
                                                               : usage();
}

static int take_minimum(struct making *making, const char *text)
{
    uint64_t number;

    if (!program_number(&number, text, 1, CONFIG_NODES_MAX))
        return usage();
    making->minimum = (uint8_t)number;
    return EXIT_GOOD;
}

static int parse(struct making *making, int argc, char **argv)
{
    static const struct option options[] = {
        {"role", required_argument, NULL, 'r'},
        {"listen", required_argument, NULL, 'l'},
        {"peer-listen", required_argument, NULL, 'p'},
        {"cluster", required_argument, NULL, 'c'},
        {"minimum", required_argument, NULL, 'm'},
        {NULL, 0, NULL, 0}};
    bool has_role = false;
    int code = EXIT_GOOD, option;

    optind = 0;
    while (code == EXIT_GOOD &&
           (option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r') {
            code = take_role(making, optarg);
            has_role = true;
        } else if (option == 'l')
            code = take_address(making->self.address, "--listen", optarg);
        else if (option == 'p')
            code = take_address(making->self.peer_address, "--peer-listen",
                                optarg);
        else if (option == 'c')
            making->cluster = optarg;
        else if (option == 'm')
            code = take_minimum(making, optarg);
        else
            code = usage();
    }
    if (code == EXIT_GOOD &&
        (optind != argc - 2 || strcmp(argv[optind], "new") != 0 || !has_role ||
         making->cluster == NULL || making->self.address[0] == '\0' ||
         making->self.peer_address[0] == '\0'))
        code = usage();
    if (code == EXIT_GOOD)
        making->directory = argv[optind + 1];
    return code;
}

/* Each node has addresses of its own, and there are not too many. */
static int judge_nodes(const struct making *making)
{
    const struct nodes_conf_row *self = &making->self;

    if (making->nodes.count == CONFIG_NODES_MAX)
        return program_fail(EXIT_REFUSED, "%s: a cluster has at most %d nodes",
                            making->nodes.path, CONFIG_NODES_MAX);
    if (strcmp(self->address, self->peer_address) == 0)
        return program_fail(EXIT_USAGE,
                            "clients and nodes need different addresses");
    for (size_t i = 0; i < making->nodes.count; i++) {
        const struct nodes_conf_row *row = &making->nodes.rows[i];
        if (strcmp(row->address, self->address) == 0 ||
            strcmp(row->peer_address, self->peer_address) == 0 ||
            strcmp(row->address, self->peer_address) == 0 ||
            strcmp(row->peer_address, self->address) == 0)
            return program_fail(EXIT_USAGE, "%s: another node has this address",
                                making->nodes.path);
    }
    return EXIT_GOOD;
}

static int fail_at(const char *path, enum status status)
{
    return program_fail(EXIT_REFUSED, "%s: %s", path,
                        status_info(status)->english);
}

/* ${directory}/${inner}/${name} of the cluster's files. */
static bool inner_path(char out[FILE_PATH_SIZE_MAX], const char *directory,
                       const char *inner, const char *name)
{
    char folder[FILE_PATH_SIZE_MAX];

    return file_path(folder, directory, inner) && file_path(out, folder, name);
}

static int read_cluster(struct making *making)
{
    char path[FILE_PATH_SIZE_MAX];
    enum status status;
    int code;

    if (!file_path(path, making->cluster, FILE_NODES_CONF))
        return usage();
    code = nodes_conf_load(&making->nodes, path);
    if (code == EXIT_GOOD)
        code = judge_nodes(making);
    if (code != EXIT_GOOD)
        return code;
    if (!inner_path(path, making->cluster, FILE_AUTHORITY_DIR,
                    FILE_AUTHORITY_KEY))
        return usage();
    status = file_read_key(&making->authority, path, KEYFILE_AUTHORITY);
    if (status != ST_OK)
        return fail_at(path, status);
    if (!inner_path(path, making->cluster, FILE_NODE_DIR, FILE_GENESIS))
        return usage();
    status = file_read(making->genesis, &making->genesis_size, path,
                       sizeof making->genesis, false);
    if (status != ST_OK)
        return fail_at(path, status);
    if (making->self.archive)
        return EXIT_GOOD;
    /* Whoever may be primary signs checkpoints. */
    if (!inner_path(path, making->cluster, FILE_NODE_DIR, FILE_LOG_KEY))
        return usage();
    status = file_read(making->log_key, &making->log_key_size, path,
                       sizeof making->log_key, true);
    return status == ST_OK ? EXIT_GOOD : fail_at(path, status);
}

static struct founding_peer peer_of(const struct nodes_conf_row *row)
{
    struct founding_peer peer = {
        .archive = row->archive,
        .address = slice_of(row->address, strlen(row->address)),
        .peer_address = slice_of(row->peer_address, strlen(row->peer_address))};

    memcpy(peer.node_id, row->node_id, NODE_ID_SIZE);
    return peer;
}

static int make(struct making *making)
{
    struct founding_node_plan *plan = &making->plan;
    enum status status;

    randombytes_buf(plan->channel, KEY_SIZE);
    randombytes_buf(plan->receipt, KEY_SIZE);
    randombytes_buf(plan->keyring, KEY_SIZE);
    randombytes_buf(plan->cosigner, KEY_SIZE);
    randombytes_buf(making->self.node_id, NODE_ID_SIZE);
    identity_init(&making->identity, making->authority.secret);
    plan->self = peer_of(&making->self);
    plan->peers_count = making->nodes.count;
    for (size_t i = 0; i < making->nodes.count; i++)
        plan->peers[i] = peer_of(&making->nodes.rows[i]);
    plan->minimum = making->minimum;
    plan->now_s = (int64_t)time(NULL);
    plan->authority = &making->identity;
    plan->genesis = slice_of(making->genesis, making->genesis_size);
    plan->log_key = slice_of(making->log_key, making->log_key_size);
    status = founding_node_make(&making->made, plan);
    if (status == ST_WRONG_ENV)
        return program_fail(EXIT_REFUSED,
                            "%s: genesis is not of this authority",
                            making->cluster);
    return status == ST_OK ? EXIT_GOOD : fail_at(making->cluster, status);
}

static int write_files(const struct making *making)
{
    enum status status = file_make_directory(making->directory);

    for (size_t i = 0; i < making->made.files_count && status == ST_OK; i++) {
        const struct founding_file *file = &making->made.files[i];
        char path[FILE_PATH_SIZE_MAX];

        if (!file_path(path, making->directory, file->name))
            return usage();
        status = file_write_new(path, file->bytes.data, file->bytes.size,
                                file->is_secret ? 0600 : 0644);
    }
    if (status == ST_EXISTS)
        return program_fail(EXIT_REFUSED,
                            "%s holds a node already; a new one needs a "
                            "directory of its own",
                            making->directory);
    return status == ST_OK ? EXIT_GOOD : fail_at(making->directory, status);
}

/* The entry without which the node may not begin an epoch; its receipt key
 * proves itself. */
static void say_enrolment(const struct making *making, const char *id)
{
    const uint8_t role =
        making->self.archive ? NODECERT_ARCHIVE : NODECERT_SERVER;
    const struct enrol_claim claim = {
        .role = (uint16_t)(ENROL_NODE_ROLES + role), .level = 3};
    char channel[2 * PUBLIC_KEY_SIZE + 1];
    char receipt[2 * PUBLIC_KEY_SIZE + 1];
    char cosigner[2 * PUBLIC_KEY_SIZE + 1];
    char proof[2 * SIGNATURE_SIZE + 1];
    uint8_t signature[SIGNATURE_SIZE], cluster_id[CLUSTER_ID_SIZE];
    struct identity identity;

    identity_cluster_id(cluster_id, making->identity.public_key);
    identity_init(&identity, making->plan.receipt);
    enrol_prove(signature, &claim, cluster_id, &identity);
    identity_wipe(&identity);
    sodium_bin2hex(channel, sizeof channel, making->made.channel_key,
                   PUBLIC_KEY_SIZE);
    sodium_bin2hex(receipt, sizeof receipt, making->made.receipt_key,
                   PUBLIC_KEY_SIZE);
    sodium_bin2hex(cosigner, sizeof cosigner, making->made.cosigner_key,
                   PUBLIC_KEY_SIZE);
    sodium_bin2hex(proof, sizeof proof, signature, SIGNATURE_SIZE);
    printf("Enter it in the log, with the SHA-256 of the paper that orders it "
           "as BASIS;\n%s before that:\n\n"
           "  defter --cluster %s/%s --key %s/%s node.enrol as=1 node_id=%s "
           "role=%u \\\n"
           "      label=%.4s address=%s \\\n"
           "      channel_key=%s \\\n"
           "      receipt_key=%s \\\n"
           "      cosigner_key=%s \\\n"
           "      proof=%s \\\n"
           "      basis=BASIS\n",
           making->self.archive ? "the log refuses what it countersigns"
                                : "it cannot be primary",
           making->cluster, FILE_CLUSTER_CONF, making->cluster,
           FILE_OPERATOR_KEY, id, (unsigned)role, id, making->self.address,
           channel, receipt, cosigner, proof);
}

/* An archive learns everything without being a member. */
static void say_admission(const struct making *making, const char *id)
{
    printf("Start this node, and let it in (with mode = etcd the primary does "
           "so by itself):\n\n"
           "  defterd --config %s/%s\n"
           "  defter --cluster %s/%s --key %s/%s member enrol %s\n",
           making->directory, FILE_NODE_CONF, making->cluster,
           FILE_CLUSTER_CONF, making->cluster, FILE_OPERATOR_KEY, id);
    if (!making->self.archive)
        printf("  defter --cluster %s/%s --key %s/%s member add %s\n",
               making->cluster, FILE_CLUSTER_CONF, making->cluster,
               FILE_OPERATOR_KEY, id);
    puts("");
}

static void say(const struct making *making)
{
    char id[NODES_WORD_SIZE];
    const char *kind = making->self.archive ? "archive" : "backup";

    sodium_bin2hex(id, sizeof id, making->self.node_id, NODE_ID_SIZE);
    printf("Made node %s in %s.\n\n"
           "Add to [cluster] in the configuration of every other node, and "
           "start it anew:\n\n"
           "  peer = %s %s %s %s\n\n",
           id, making->directory, id, kind, making->self.peer_address,
           making->self.address);
    printf("Add to [cluster] in every client's %s:\n\n"
           "  address = %s\n\n",
           FILE_CLUSTER_CONF, making->self.address);
    say_admission(making, id);
    say_enrolment(making, id);
}

int node_run(struct program *program, int argc, char **argv)
{
    struct making making = {.minimum = 2};
    int code = parse(&making, argc, argv);

    (void)program;
    if (code == EXIT_GOOD)
        code = read_cluster(&making);
    if (code == EXIT_GOOD)
        code = make(&making);
    if (code == EXIT_GOOD)
        code = write_files(&making);
    if (code == EXIT_GOOD)
        code = nodes_conf_add(&making.nodes, &making.self);
    if (code == EXIT_GOOD)
        say(&making);
    sodium_memzero(&making, sizeof making);
    return code;
}
