/*
 * etcd_register.c: a register on a real etcd, driven by lines.
 *
 *   etcd_register NODE ENDPOINTS [NAME=VALUE...]
 *
 * NODE is a byte in hex, which fills the node's id; ENDPOINTS have commas
 * between them.  Names: revision, request_ms, poll_ms, ttl_s, cluster (a byte
 * in hex), ca, certificate, key.
 *
 * Lines on standard input:
 *   cas TOKEN REVISION NUMBER VALUE [NODE=INCARNATION]... [NODE=alive]
 *   look    incarnation N    read    healthy 0|1    leave    sleep    end
 *
 * What the register tells comes out as one line each.
 */
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <event2/event.h>

#include "server/cluster/register_etcd.h"

enum { LINE_SIZE = 4096, WORDS_MAX = 16 };

struct program {
    struct event_base *base;
    struct register_etcd *etcd;
    char line[LINE_SIZE];
};

static void fill(uint8_t id[NODE_ID_SIZE], const char *hex)
{
    memset(id, (int)strtoul(hex, NULL, 16), NODE_ID_SIZE);
}

/* ---- What the register tells --------------------------------------------- */

static void say_view(const struct register_view *view)
{
    printf(" %" PRIu64 " %.*s", view->revision,
           view->value_size == 0 ? 1 : (int)view->value_size,
           view->value_size == 0 ? "-" : (const char *)view->value);
}

static void on_ready(void *context)
{
    (void)context;
    puts("ready");
}

static void on_barred(void *context, const char *why)
{
    (void)context;
    printf("barred: %s\n", why);
}

static void on_answered(void *context, const struct register_answer *answer)
{
    static const char *const names[] = {[REGISTER_WON] = "won",
                                        [REGISTER_LOST] = "lost",
                                        [REGISTER_REJECTED] = "rejected",
                                        [REGISTER_UNKNOWN] = "unknown"};

    (void)context;
    printf("answered %" PRIu64 " %s", answer->token, names[answer->outcome]);
    say_view(&answer->view);
    putchar('\n');
}

static void on_registered(void *context,
                          const struct register_incarnation *incarnation)
{
    static const char *const names[] = {
        [REGISTER_INCARNATION_DONE] = "done",
        [REGISTER_INCARNATION_HIGHER] = "higher",
        [REGISTER_INCARNATION_LOOKED] = "looked",
        [REGISTER_INCARNATION_UNKNOWN] = "unknown"};

    (void)context;
    printf("registered %" PRIu64 " %s %" PRIu64 "\n", incarnation->incarnation,
           names[incarnation->outcome], incarnation->registered);
}

static void on_seen(void *context, const struct register_view *view,
                    const struct register_alive *alive)
{
    (void)context;
    printf("seen");
    say_view(view);
    printf(" alive");
    for (size_t i = 0; i < alive->count; i++)
        printf(" %02x", alive->nodes[i][0]);
    putchar('\n');
}

static void on_went_back(void *context, uint64_t revision,
                         const struct register_view *view)
{
    (void)context;
    printf("went back %" PRIu64, revision);
    say_view(view);
    putchar('\n');
}

static void on_reached(void *context, bool answers, const char *why)
{
    (void)context;
    printf("reached %d %s\n", answers, why);
}

/* ---- What it is asked ---------------------------------------------------- */

static void ask_cas(struct program *program, char **words, size_t count)
{
    struct register_proposal proposal = {.token = strtoull(words[1], NULL, 10),
                                         .revision =
                                             strtoull(words[2], NULL, 10),
                                         .number = strtoull(words[3], NULL, 10),
                                         .value_size = strlen(words[4])};
    enum status status;

    memcpy(proposal.value, words[4], proposal.value_size);
    for (size_t i = 5; i < count; i++) {
        const char *value = strchr(words[i], '=') + 1;
        struct register_guard *guard;
        if (strcmp(value, "alive") == 0) {
            proposal.guard_alive = true;
            fill(proposal.alive, words[i]);
            continue;
        }
        guard = &proposal.guards[proposal.guards_count++];
        fill(guard->node_id, words[i]);
        guard->incarnation = strtoull(value, NULL, 10);
    }
    status = register_etcd_cas(program->etcd, &proposal);
    if (status != ST_OK)
        printf("refused %" PRIu64 " %s\n", proposal.token, status_name(status));
}

static void ask(struct program *program, char **words, size_t count)
{
    enum status status = ST_OK;

    if (strcmp(words[0], "cas") == 0 && count >= 5)
        ask_cas(program, words, count);
    else if (strcmp(words[0], "incarnation") == 0 && count == 2)
        status = register_etcd_incarnation(program->etcd,
                                           strtoull(words[1], NULL, 10));
    else if (strcmp(words[0], "look") == 0)
        status = register_etcd_look(program->etcd);
    else if (strcmp(words[0], "read") == 0)
        register_etcd_read(program->etcd);
    else if (strcmp(words[0], "healthy") == 0 && count == 2)
        register_etcd_healthy(program->etcd, words[1][0] == '1');
    else if (strcmp(words[0], "leave") == 0)
        register_etcd_leave(program->etcd);
    else if (strcmp(words[0], "end") == 0)
        (void)event_base_loopbreak(program->base);
    else
        printf("what is %s?\n", words[0]);
    if (status != ST_OK)
        printf("refused %s\n", status_name(status));
}

static void on_line(evutil_socket_t fd, short what, void *argument)
{
    struct program *program = argument;
    char *words[WORDS_MAX], *save = NULL;
    size_t count = 0;

    (void)fd;
    (void)what;
    /* Unbuffered: a line at a time, so that none waits in here unseen. */
    if (fgets(program->line, sizeof program->line, stdin) == NULL) {
        (void)event_base_loopbreak(program->base);
        return;
    }
    for (char *word = strtok_r(program->line, " \n", &save);
         word != NULL && count < WORDS_MAX; word = strtok_r(NULL, " \n", &save))
        words[count++] = word;
    if (count > 0)
        ask(program, words, count);
}

/* ---- The program --------------------------------------------------------- */

static bool take(struct register_etcd_options *options, char *argument)
{
    char *value = strchr(argument, '=');
    unsigned long number;

    if (value == NULL)
        return false;
    *value++ = '\0';
    number = strtoul(value, NULL, 10);
    if (strcmp(argument, "revision") == 0)
        options->revision = number;
    else if (strcmp(argument, "request_ms") == 0)
        options->request_ms = (uint32_t)number;
    else if (strcmp(argument, "poll_ms") == 0)
        options->poll_ms = (uint32_t)number;
    else if (strcmp(argument, "ttl_s") == 0)
        options->ttl_s = (uint32_t)number;
    else if (strcmp(argument, "cluster") == 0)
        fill(options->cluster_id, value);
    else if (strcmp(argument, "ca") == 0)
        options->authority_file = value;
    else if (strcmp(argument, "certificate") == 0)
        options->certificate_file = value;
    else if (strcmp(argument, "key") == 0)
        options->key_file = value;
    else
        return false;
    return true;
}

int main(int argc, char **argv)
{
    static const struct register_etcd_events events = {
        NULL,          on_ready, on_barred,    on_answered,
        on_registered, on_seen,  on_went_back, on_reached};
    struct register_etcd_options options = {
        .connect_ms = REGISTER_CONNECT_MS_DEFAULT,
        .request_ms = REGISTER_REQUEST_MS_DEFAULT,
        .poll_ms = REGISTER_POLL_MS_DEFAULT,
        .ttl_s = REGISTER_TTL_S_DEFAULT};
    static struct program program;
    struct event *input;
    char *save = NULL;
    enum status status;

    (void)signal(SIGPIPE, SIG_IGN);
    (void)setvbuf(stdin, NULL, _IONBF, 0);
    (void)setvbuf(stdout, NULL, _IOLBF, LINE_SIZE);
    if (argc < 3)
        return 3;
    fill(options.node_id, argv[1]);
    for (char *at = strtok_r(argv[2], ",", &save);
         at != NULL && options.endpoints_count < ETCD_ENDPOINTS_MAX;
         at = strtok_r(NULL, ",", &save))
        options.endpoints[options.endpoints_count++] = at;
    for (int i = 3; i < argc; i++)
        if (!take(&options, argv[i]))
            return 3;
    program.base = event_base_new();
    if (program.base == NULL)
        return 2;
    status = register_etcd_open(&program.etcd, program.base, &options, &events);
    if (status != ST_OK) {
        printf("not opened: %s\n", status_name(status));
        event_base_free(program.base);
        return 1;
    }
    input = event_new(program.base, 0, EV_READ | EV_PERSIST, on_line, &program);
    if (input == NULL || event_add(input, NULL) != 0)
        return 2;
    (void)event_base_dispatch(program.base);
    register_etcd_close(program.etcd);
    event_free(input);
    event_base_free(program.base);
    return 0;
}
