#include "client/program/operator.h"

#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program/cluster.h"
#include "protocol/files.h"

static int usage(const struct operator_job *job)
{
    return program_usage(job->command);
}

static int take_option(struct operator_job *job, int option)
{
    uint64_t number;

    switch (option) {
    case 'n':
        job->nodes_path = optarg;
        return EXIT_GOOD;
    case 's':
        job->state_path = optarg;
        return EXIT_GOOD;
    case 'a':
        job->authority_path = optarg;
        return EXIT_GOOD;
    case 'o':
        job->out_path = optarg;
        return EXIT_GOOD;
    case 'i':
        job->via = optarg;
        return EXIT_GOOD;
    case 'm':
        if (!program_number(&number, optarg, 1, CONFIG_NODES_MAX))
            return usage(job);
        job->minimum = (uint8_t)number;
        return EXIT_GOOD;
    case 'y':
        job->yes = true;
        return EXIT_GOOD;
    case 'd':
        job->no_deliver = true;
        return EXIT_GOOD;
    case 'v':
        if (!program_number(&number, optarg, 60, 366 * 86400))
            return usage(job);
        job->valid_s = (int64_t)number;
        return EXIT_GOOD;
    case 't':
        if (!program_number(&number, optarg, 0, 3600))
            return usage(job);
        job->wait_s = (int64_t)number;
        return EXIT_GOOD;
    case 'w':
        if (job->without_count == CONFIG_NODES_MAX)
            return usage(job);
        job->without[job->without_count++] = optarg;
        return EXIT_GOOD;
    default:
        return usage(job);
    }
}

static int parse(struct operator_job *job, int argc, char **argv)
{
    static const struct option options[] = {
        {"nodes", required_argument, NULL, 'n'},
        {"state", required_argument, NULL, 's'},
        {"authority", required_argument, NULL, 'a'},
        {"out", required_argument, NULL, 'o'},
        {"wait", required_argument, NULL, 't'},
        {"via", required_argument, NULL, 'i'},
        {"minimum", required_argument, NULL, 'm'},
        {"yes", no_argument, NULL, 'y'},
        {"no-deliver", no_argument, NULL, 'd'},
        {"valid", required_argument, NULL, 'v'},
        {"without", required_argument, NULL, 'w'},
        {NULL, 0, NULL, 0}};
    int code = EXIT_GOOD, option;

    optind = 0;
    while (code == EXIT_GOOD &&
           (option = getopt_long(argc, argv, "", options, NULL)) != -1)
        code = take_option(job, option);
    return code;
}

/* "${directory of the path}/${name}". */
static bool beside(char out[FILE_PATH_SIZE_MAX], const char *path,
                   const char *name)
{
    const char *slash = strrchr(path, '/');
    int size =
        snprintf(out, FILE_PATH_SIZE_MAX, "%.*s%s",
                 slash == NULL ? 0 : (int)(slash - path + 1), path, name);

    return size > 0 && size < FILE_PATH_SIZE_MAX;
}

static const char *key_path(const struct operator_job *job)
{
    return job->program.key != NULL ? job->program.key : getenv("DEFTER_KEY");
}

static int read_key(struct operator_job *job)
{
    static char state_path[FILE_PATH_SIZE_MAX];
    uint8_t seed[SEED_SIZE];
    int code;

    if (key_path(job) == NULL)
        return program_fail(EXIT_USAGE,
                            "name the operator's key with --key FILE");
    code = cluster_seed(seed, key_path(job));
    if (code != EXIT_GOOD)
        return code;
    identity_init(&job->identity, seed);
    sodium_memzero(seed, sizeof seed);
    if (job->state_path != NULL)
        return EXIT_GOOD;
    if (!beside(state_path, key_path(job), FILE_OPERATOR_STATE))
        return program_fail(EXIT_USAGE, "the path is too long");
    job->state_path = state_path;
    return EXIT_GOOD;
}

static int read_nodes(struct operator_job *job)
{
    const char *cluster = job->program.cluster;
    char path[FILE_PATH_SIZE_MAX];

    if (cluster == NULL)
        cluster = getenv("DEFTER_CLUSTER");
    if (cluster == NULL)
        cluster = FILE_CLUSTER_CONF;
    if (job->nodes_path != NULL)
        return nodes_conf_load(&job->nodes, job->nodes_path);
    if (!beside(path, cluster, FILE_NODES_CONF))
        return program_fail(EXIT_USAGE, "the path is too long");
    return nodes_conf_load(&job->nodes, path);
}

static int read_view(struct operator_job *job)
{
    const struct nodes_conf_row *row;

    job->view.nodes_count = job->nodes.count;
    for (size_t at = 0; at < job->nodes.count; at++) {
        struct succession_node *node = &job->view.nodes[at];
        memcpy(node->node_id, job->nodes.rows[at].node_id, NODE_ID_SIZE);
        node->archive = job->nodes.rows[at].archive;
        job->known[at].row = &job->nodes.rows[at];
    }
    for (size_t i = 0; i < job->without_count; i++) {
        int code = nodes_conf_named(&job->nodes, &row, job->without[i]);
        if (code != EXIT_GOOD)
            return code;
        job->known[row - job->nodes.rows].left_out = true;
    }
    return EXIT_GOOD;
}

int operator_begin(struct operator_job *job, const struct program *program,
                   int argc, char **argv, int *words_out)
{
    struct cluster cluster;
    int code;

    memset(job, 0, sizeof *job);
    job->program = *program;
    job->command = argv[0];
    job->valid_s = OPERATOR_VALID_S;
    job->wait_s = OPERATOR_WAIT_S;
    code = parse(job, argc, argv);
    *words_out = optind;
    if (code == EXIT_GOOD)
        code = cluster_load(&cluster, program);
    if (code == EXIT_GOOD) {
        memcpy(job->authority_key, cluster.authority_key, PUBLIC_KEY_SIZE);
        memcpy(job->view.cluster_id, cluster.cluster_id, CLUSTER_ID_SIZE);
        code = read_key(job);
    }
    if (code == EXIT_GOOD)
        code = read_nodes(job);
    if (code == EXIT_GOOD)
        code = read_view(job);
    return code;
}

void operator_end(struct operator_job *job)
{
    for (size_t at = 0; at < CONFIG_NODES_MAX; at++)
        defter_close(job->known[at].client);
    sign_store_close(job->store);
    identity_wipe(&job->identity);
}

/* A line that a person typed; false at the end of the input. */
static bool read_line(char *out, size_t size)
{
    if (fgets(out, (int)size, stdin) == NULL)
        return false;
    out[strcspn(out, "\n")] = '\0';
    return true;
}

int operator_confirm(const struct operator_job *job)
{
    const struct program *program = &job->program;
    bool forced = job->wish.why == CONFIG_FORCED;
    const char *wanted =
        forced ? job->name : OPERATOR_WORDS(program, "yes", "bəli");
    char typed[OPERATOR_NAME_SIZE + 2];

    /* Nothing is lost on a word that a script said beforehand. */
    if (job->yes && !forced)
        return EXIT_GOOD;
    fprintf(stderr,
            forced ? OPERATOR_WORDS(program,
                                    "Type the cluster's name, %s, to sign: ",
                                    "İmzalamaq üçün klasterin adını yazın "
                                    "(%s): ")
                   : OPERATOR_WORDS(program, "Type %s to sign: ",
                                    "İmzalamaq üçün %s yazın: "),
            wanted);
    if (read_line(typed, sizeof typed) && strcmp(typed, wanted) == 0)
        return EXIT_GOOD;
    return program_fail(
        EXIT_REFUSED, "%s%s",
        OPERATOR_WORDS(program, "nothing was signed", "heç nə imzalanmadı"),
        !job->named
            ? ""
            : OPERATOR_WORDS(program,
                             "; the node is named to the primary, which "
                             "waits for it: `defter member settle` "
                             "undoes that",
                             "; qovşağın adı əsas qovşağa verilib və o "
                             "gözlənilir: `defter member settle` bunu "
                             "ləğv edir"));
}
