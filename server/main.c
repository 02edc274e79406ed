#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <sodium.h>

#include "server/cluster/link_address.h"
#include "server/dev.h"
#include "server/diag.h"
#include "server/files.h"
#include "server/libraries.h"

static void main_help(FILE *out)
{
    (void)fputs("usage: defterd --config FILE   serve one node\n"
                "       defterd --check FILE    judge a configuration only\n"
                "       defterd --resume FILE   let a node that halted start "
                "again, and end\n"
                "       defterd --escrow FILE   put a stopped node's seal keys "
                "into escrow\n"
                "       defterd --restore FILE --from DIR --recovery-key KEY\n"
                "                               take them out, for a log that "
                "was restored\n"
                "       defterd --rewrap FILE   another keyring.key for a "
                "stopped node\n"
                "       defterd --dev DIR [--listen HOST:PORT]\n"
                "                               make and serve a node to try "
                "things out\n"
                "       defterd --version | --help\n\n"
                "exit status: 0 drained, 1 could not start, 2 the log is "
                "damaged, 3 wrong\n"
                "usage or configuration, 4 this node came to something else "
                "than its log,\n"
                "5 its disk is full or fails, 6 it has no memory\n",
                out);
}

static int main_usage(void)
{
    main_help(stderr);
    return NODE_USAGE;
}

/* Signals are taken where main waits for them, never in a thread. */
static void main_block_signals(sigset_t *waited)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigemptyset(waited);
    (void)sigaddset(waited, SIGTERM);
    (void)sigaddset(waited, SIGINT);
    (void)sigaddset(waited, SIGHUP);
    (void)sigaddset(waited, NODE_SIGNAL_ANEW);
    (void)pthread_sigmask(SIG_BLOCK, waited, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* As much as the system lets this process have. */
static void main_raise(__rlimit_resource_t what)
{
    struct rlimit limit;

    if (getrlimit(what, &limit) != 0)
        return;
    limit.rlim_cur = limit.rlim_max;
    (void)setrlimit(what, &limit);
}

/* A core file would hold what the disk must not, and so would the eyes of
 * another process of this user; each connection takes a descriptor, and secrets
 * lie in locked memory. */
static void main_harden(void)
{
    struct rlimit none = {0, 0};

    main_raise(RLIMIT_NOFILE);
    main_raise(RLIMIT_MEMLOCK);
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    (void)umask(S_IRWXG | S_IRWXO);
}

/* What main was asked to do. */
struct main_task {
    const char *config;
    const char *dev;    /* Directory of a development node, */
    const char *listen; /* and its address, or NULL. */
    const char *from;   /* Of a restored node: the escrow's directory, */
    const char *key;    /* and what opens it. */
    bool check;
    bool resume;
    bool escrow;
    bool rewrap;
    bool restore;
};

static void main_add_port(struct sandbox_rules *rules, const char *address)
{
    struct link_address read;
    bool is_read = link_address_read(&read, address);

    if (address[0] != '\0')
        sandbox_add_port(rules, is_read ? link_address_port(&read) : 0);
}

/* Of a file that editors put another one in the place of. */
static const char *main_directory(char out[FILES_PATH_SIZE_MAX],
                                  const char *path)
{
    const char *slash = strrchr(path, '/');
    int size = slash == NULL ? 1 : (int)(slash - path) + 1;

    (void)snprintf(out, FILES_PATH_SIZE_MAX, "%.*s", size,
                   slash == NULL ? "." : path);
    return out;
}

static void main_say(enum sandbox_news news, const char *line)
{
    static const enum diag_level levels[] = {
        [SANDBOX_HOLDS] = DIAG_NOTE,
        [SANDBOX_LACKS] = DIAG_WARNING,
        [SANDBOX_REFUSES] = DIAG_FAILURE,
    };

    diag_say(levels[news], "%s", line);
}

/* Before the first thread begins: what the node opens, it opens again when it
 * begins anew. */
static enum node_exit main_confine(const struct main_task *task,
                                   const struct options *options)
{
    const struct options_cluster *cluster = &options->cluster;
    struct sandbox_rules rules = {.mode = options->sandbox, .say = main_say};
    char directory[FILES_PATH_SIZE_MAX];

    sandbox_add_path(&rules, options->directory, true);
    sandbox_add_path(&rules, main_directory(directory, task->config), false);
    sandbox_add_path(&rules, options->credentials, false);
    sandbox_add_path(&rules, options->escrow.directory, true);
    sandbox_add_path(&rules, options->policy, false);
    sandbox_add_path(&rules, cluster->etcd_ca, false);
    sandbox_add_path(&rules, cluster->etcd_certificate, false);
    sandbox_add_path(&rules, cluster->etcd_key, false);
    if (task->dev != NULL)
        sandbox_add_path(&rules, task->dev, false);
    main_add_port(&rules, options->address);
    main_add_port(&rules, cluster->links.address);
    return sandbox_enter(&rules) == ST_OK ? NODE_DRAINED : NODE_REFUSED;
}

/* The configuration anew: all of the file is read and judged before any of it
 * is used, and whatever is wrong with it, the former one stays whole. */
static void main_reread(const struct main_task *task, struct options *options,
                        struct node *node)
{
    char error[OPTIONS_ERROR_SIZE];
    const struct options_key *fixed;
    struct options next;
    enum status status = options_read(&next, error, task->config);

    if (status != ST_OK) {
        diag_say(DIAG_FAILURE, "%s: %s %s; the former configuration stays",
                 task->config, status_info(status)->english, error);
        return;
    }
    fixed = options_fixed(options, &next);
    if (fixed != NULL) {
        diag_say(DIAG_FAILURE,
                 "%s: [%s] %s cannot change while the node runs; the former "
                 "configuration stays",
                 task->config, fixed->section, fixed->name);
        return;
    }
    /* Addresses and paths are the same; a node that begins anew has these. */
    options->net = next.net;
    options->net.address = options->address;
    node_set_options(node, options);
    diag_say(DIAG_NOTE, "%s: taken", task->config);
}

/* Until the node is to end, or to begin anew. */
static bool main_wait(const struct main_task *task, struct options *options,
                      struct node *node, const sigset_t *waited)
{
    int signal = 0;

    for (;;) {
        (void)sigwait(waited, &signal);
        if (signal == SIGHUP)
            main_reread(task, options, node);
        else if (signal != NODE_SIGNAL_ANEW || node_begins_anew(node))
            return signal == NODE_SIGNAL_ANEW;
    }
}

/* One life of the node. */
static enum node_exit main_live(const struct main_task *task,
                                struct options *options, const sigset_t *waited,
                                bool *again_out)
{
    struct node *node = NULL;

    *again_out = false;
    enum node_exit exit = node_open(&node, options);
    if (exit == NODE_DRAINED)
        exit = node_start(node);
    if (exit == NODE_DRAINED && task->dev != NULL)
        exit = dev_enter(node_pipeline(node), task->dev);
    if (exit == NODE_DRAINED) {
        if (task->dev != NULL)
            dev_say(task->dev);
        *again_out = main_wait(task, options, node, waited);
        node_drain(node);
    }
    node_close(node);
    return exit;
}

static int main_serve(const struct main_task *task, struct options *options)
{
    enum node_exit exit;
    sigset_t waited;
    bool again;

    exit = main_confine(task, options);
    if (exit != NODE_DRAINED)
        return (int)exit;
    main_block_signals(&waited);
    do
        exit = main_live(task, options, &waited, &again);
    while (again && exit == NODE_DRAINED);
    return (int)exit;
}

/* As systemd names it to a service with LoadCredential=. */
static void main_credentials(struct options *options)
{
    const char *directory = getenv("CREDENTIALS_DIRECTORY");

    if (directory != NULL && strlen(directory) < sizeof options->credentials)
        memcpy(options->credentials, directory, strlen(directory) + 1);
}

static int main_run(struct main_task *task)
{
    char error[OPTIONS_ERROR_SIZE];
    static_assert((int)LIBRARIES_WHY_SIZE == (int)OPTIONS_ERROR_SIZE,
                  "one buffer says either");
    char path[FILES_PATH_SIZE_MAX];
    struct options options;

    main_harden();
    if (sodium_init() < 0)
        return NODE_REFUSED;
    if (libraries_check(error) != ST_OK) {
        diag_say(DIAG_FAILURE, "a library may not be worked with: %s", error);
        return NODE_REFUSED;
    }
    if (task->dev != NULL) {
        enum node_exit exit = dev_make(task->dev, task->listen);
        if (exit != NODE_DRAINED)
            return (int)exit;
        if (!files_path(path, task->dev, FILE_NODE_DIR "/" FILE_NODE_CONF))
            return NODE_USAGE;
        task->config = path;
    }
    enum status status = options_read(&options, error, task->config);
    if (status != ST_OK) {
        diag_say(DIAG_FAILURE, "%s: %s %s", task->config,
                 status_info(status)->english, error);
        return NODE_USAGE;
    }
    main_credentials(&options);
    if (task->resume)
        return (int)node_resume(&options);
    if (task->escrow)
        return (int)node_escrow(&options);
    if (task->rewrap)
        return (int)node_rewrap(&options);
    if (task->restore)
        return (int)node_restore(&options, task->from, task->key);
    return task->check ? (int)NODE_DRAINED : main_serve(task, &options);
}

static bool main_take(struct main_task *task, int option)
{
    switch (option) {
    case 'd':
        task->dev = optarg;
        return true;
    case 'l':
        task->listen = optarg;
        return true;
    case 'f':
        task->from = optarg;
        return true;
    case 'y':
        task->key = optarg;
        return true;
    case 'k':
        task->check = true;
        break;
    case 'r':
        task->resume = true;
        break;
    case 'e':
        task->escrow = true;
        break;
    case 'w':
        task->rewrap = true;
        break;
    case 's':
        task->restore = true;
        break;
    case 'c':
        break;
    default:
        return false;
    }
    task->config = optarg;
    return true;
}

/* One thing at a time, and all that belongs to it. */
static bool main_goes_together(const struct main_task *task)
{
    return (task->config == NULL) != (task->dev == NULL) &&
           task->check + task->resume + task->escrow + task->rewrap +
                   task->restore <=
               1 &&
           (task->listen == NULL || task->dev != NULL) &&
           (task->from != NULL) == task->restore &&
           (task->key != NULL) == task->restore;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", required_argument, NULL, 'k'},
        {"resume", required_argument, NULL, 'r'},
        {"escrow", required_argument, NULL, 'e'},
        {"rewrap", required_argument, NULL, 'w'},
        {"restore", required_argument, NULL, 's'},
        {"from", required_argument, NULL, 'f'},
        {"recovery-key", required_argument, NULL, 'y'},
        {"dev", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"version", no_argument, NULL, 'v'},
        {"help", no_argument, NULL, 'h'},
        {NULL, 0, NULL, 0},
    };
    struct main_task task = {.config = NULL};
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'v') {
            (void)puts("defterd " DEFTER_VERSION);
            return NODE_DRAINED;
        }
        if (option == 'h') {
            main_help(stdout);
            return NODE_DRAINED;
        }
        if (!main_take(&task, option))
            return main_usage();
    }
    if (optind != argc || !main_goes_together(&task))
        return main_usage();
    return main_run(&task);
}
