#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <sodium.h>

#include "server/diag.h"
#include "server/node.h"

static int main_usage(void)
{
    (void)fputs("usage: defterd --config FILE   serve one node\n"
                "       defterd --check FILE    judge a configuration only\n"
                "       defterd --version\n",
                stderr);
    return NODE_USAGE;
}

/* Signals are taken where main waits for them, never in a thread. */
static void main_block_signals(sigset_t *waited)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    (void)sigemptyset(waited);
    (void)sigaddset(waited, SIGTERM);
    (void)sigaddset(waited, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, waited, NULL);
    (void)sigaction(SIGPIPE, &ignore, NULL);
}

/* A core file would hold what the disk must not. */
static void main_harden(void)
{
    struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)umask(S_IRWXG | S_IRWXO);
}

static int main_serve(const struct options *options)
{
    struct node *node = NULL;
    sigset_t waited;
    int signal;

    main_block_signals(&waited);
    enum node_exit exit = node_open(&node, options);
    if (exit == NODE_DRAINED)
        exit = node_start(node);
    if (exit == NODE_DRAINED) {
        (void)sigwait(&waited, &signal);
        node_drain(node);
    }
    node_close(node);
    return (int)exit;
}

int main(int argc, char **argv)
{
    static const struct option known[] = {
        {"config", required_argument, NULL, 'c'},
        {"check", required_argument, NULL, 'k'},
        {"version", no_argument, NULL, 'v'},
        {NULL, 0, NULL, 0},
    };
    char error[OPTIONS_ERROR_SIZE];
    struct options options;
    const char *path = NULL;
    bool check = false;
    int option;

    while ((option = getopt_long(argc, argv, "", known, NULL)) != -1) {
        if (option == 'v') {
            (void)puts("defterd " DEFTER_VERSION);
            return NODE_DRAINED;
        }
        if (option != 'c' && option != 'k')
            return main_usage();
        check = option == 'k';
        path = optarg;
    }
    if (path == NULL || optind != argc)
        return main_usage();
    enum status status = options_read(&options, error, path);
    if (status != ST_OK) {
        diag_say(DIAG_FAILURE, "%s: %s %s", path, status_info(status)->english,
                 error);
        return NODE_USAGE;
    }
    if (check)
        return NODE_DRAINED;
    main_harden();
    if (sodium_init() < 0)
        return NODE_REFUSED;
    return main_serve(&options);
}
