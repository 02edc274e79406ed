/*
 * workload: clients that go on whatever happens to the nodes, and write down
 * what they saw (tests/lib/history.h).
 *
 * Each client has one command on its way, a system.ping or a chain.head, and
 * sends the same bytes until a node says what became of them, or --patience is
 * over.  An auditor's key and its --duty are needed for reads.  Ends after
 * --commands, --seconds or SIGTERM, once every command that is out has an end.
 * Exit codes: 0; 1 a node gave a receipt or certificate that does not verify; 3
 * usage.
 */
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "tests/chaos/workload/workload.h"

enum { TURN_MS = 20, PAUSE_MS_MIN = 50, PAUSE_MS_MAX = 1000 };

struct workload;

struct seat {
    struct workload *workload;
    struct defter *client;
    struct workload_op op; /* ${op.command} NULL: none is out. */
    uint32_t number;
    bool again;         /* The same bytes are to be submitted again. */
    int64_t not_before; /* Milliseconds: the next step or command. */
    int64_t pause_ms;   /* Before the next try to connect. */
};

struct workload {
    struct workload_options options;
    struct defter_options client;
    FILE *history;
    uint64_t begun, acked, refused, unknown, connections_lost;
    int broken; /* A status that no honest node causes. */
    bool over;
    struct seat seats[WORKLOAD_CLIENTS_MAX];
};

static volatile sig_atomic_t stopped;

static void on_stop(int number)
{
    (void)number;
    stopped = 1;
}

/* ---- One command's end ---- */

static void forget(struct seat *seat)
{
    struct workload *workload = seat->workload;

    defter_command_free(seat->op.command);
    seat->op = (struct workload_op){.command = NULL};
    seat->again = false;
    seat->not_before = client_steady_ms() + (int64_t)workload->options.pace_ms;
}

/* No answer that says anything came in time. */
static void give_up(struct seat *seat)
{
    struct workload *workload = seat->workload;

    /* Its client still has the command, which goes with it; unless the answer
     * comes while it closes. */
    defter_close(seat->client);
    seat->client = NULL;
    if (seat->op.command == NULL)
        return;
    /* Only what was refused, and not sent again since, is known. */
    if (!seat->again)
        seat->op.doubt = true;
    workload_write_open(workload->history, seat->number, &seat->op);
    if (seat->op.doubt)
        workload->unknown++;
    else
        workload->refused++;
    forget(seat);
}

static bool says_nothing(int code)
{
    return code == ST_IN_PROGRESS || code == ST_UNKNOWN_OUTCOME ||
           code == ST_INTERNAL || code == ST_CORRUPT;
}

/* Refusals that another moment or another node may not repeat. */
static bool passes(int code)
{
    return code == ST_NOT_PRIMARY || code == ST_BUSY || code == ST_NO_QUORUM ||
           code == ST_READ_ONLY || code == ST_LIMIT || code == ST_THROTTLED ||
           code == ST_FULL || code == ST_DRAINING;
}

static void on_error(struct seat *seat, const struct defter_answer *answer)
{
    struct workload *workload = seat->workload;

    seat->op.last_code = answer->code;
    seat->op.doubt = seat->op.doubt || says_nothing(answer->code);
    if (says_nothing(answer->code) || passes(answer->code)) {
        seat->again = true;
        seat->not_before =
            client_steady_ms() + PAUSE_MS_MIN +
            (answer->retry_after_ms < PAUSE_MS_MAX ? answer->retry_after_ms
                                                   : PAUSE_MS_MAX);
        return;
    }
    workload_write_open(workload->history, seat->number, &seat->op);
    if (seat->op.doubt)
        workload->unknown++;
    else
        workload->refused++;
    forget(seat);
}

static void answered(void *context, struct defter_command *command, int status,
                     const struct defter_answer *answer)
{
    struct seat *seat = context;

    MAYBE(command != NULL);
    if (status != ST_OK) {
        seat->workload->broken = status;
        return;
    }
    if (answer->is_error) {
        on_error(seat, answer);
        return;
    }
    if (!answer->has_receipt) {
        seat->workload->broken = ST_RECEIPT;
        return;
    }
    workload_write_acked(seat->workload->history, seat->number, &seat->op,
                         answer);
    seat->workload->acked++;
    forget(seat);
}

/* ---- A new command ---- */

static bool build(struct seat *seat)
{
    struct workload *workload = seat->workload;
    bool reads = randombytes_uniform(100) < workload->options.reads;
    struct defter_item item = {
        .opcode = reads ? OPCODE_CHAIN_HEAD : OPCODE_SYSTEM_PING,
        .duty = reads ? (uint32_t)workload->options.duty : 0};
    struct op_system_ping ping = {.text = slice_of("chaos", 5)};
    uint8_t fields[64];
    struct writer writer;

    writer_init(&writer, fields, sizeof fields);
    if (!reads)
        schema_encode(&schema_op_system_ping, &writer, &ping);
    seat->op = (struct workload_op){
        .name = reads ? "chain.head" : "system.ping", .last_code = ST_TIMEOUT};
    /* chain.head belongs to the system, which has a realm of its own. */
    return defter_command_new(&seat->op.command, reads ? 0 : 'R',
                              DEFTER_RECEIPT) == ST_OK &&
           defter_command_item(seat->op.command, &item, fields, writer.used) ==
               ST_OK;
}

static bool submit(struct seat *seat)
{
    seat->again = false;
    return defter_submit(seat->client, seat->op.command, seat, answered) ==
           ST_OK;
}

static bool begin(struct seat *seat)
{
    struct workload *workload = seat->workload;

    if (seat->client == NULL &&
        defter_open(&seat->client, &workload->client) != ST_OK)
        return false;
    if (!build(seat))
        return false;
    workload->begun++;
    seat->op.invoked_ns = workload_now_ns();
    seat->op.invoked_ms = client_steady_ms();
    return submit(seat);
}

/* ---- Turns ---- */

/* The connection is gone: what was out may have arrived. */
static void on_lost(struct seat *seat, int status)
{
    seat->workload->connections_lost++;
    if (status == ST_RECEIPT || status == ST_CERTIFICATE)
        seat->workload->broken = status;
    if (seat->op.command != NULL) {
        seat->op.doubt = true;
        seat->op.last_code = status;
    }
    seat->not_before = client_steady_ms() + seat->pause_ms;
    seat->pause_ms =
        2 * seat->pause_ms < PAUSE_MS_MAX ? 2 * seat->pause_ms : PAUSE_MS_MAX;
}

/* A command that was sent and is not any more was sent in vain, or not: the
 * library tries again by itself and does not say so. */
static void step(struct seat *seat)
{
    const struct defter_command *command = seat->op.command;
    uint64_t sent = command == NULL ? 0 : command->request_id;
    int status = defter_step(seat->client);

    if (sent != 0 && seat->op.command == command && command->request_id != sent)
        seat->op.doubt = true;
    if (status != ST_OK)
        on_lost(seat, status);
    else if (seat->client->opened)
        seat->pause_ms = PAUSE_MS_MIN;
}

/* What a seat does when nothing came for it. */
static bool move(struct seat *seat, int64_t now_ms)
{
    struct workload *workload = seat->workload;

    if (seat->op.command != NULL &&
        now_ms - seat->op.invoked_ms > (int64_t)workload->options.patience_ms) {
        give_up(seat);
        return true;
    }
    if (now_ms < seat->not_before)
        return true;
    if (seat->op.command == NULL) {
        if (workload->over)
            return true;
        if (!begin(seat))
            return false;
    } else if (seat->again && !submit(seat)) {
        return false;
    }
    step(seat);
    return true;
}

static void turn(struct workload *workload)
{
    static struct pollfd fds[WORKLOAD_CLIENTS_MAX];

    for (uint64_t i = 0; i < workload->options.clients; i++) {
        const struct seat *seat = &workload->seats[i];
        fds[i] = (struct pollfd){.fd = -1, .events = POLLIN};
        if (seat->client == NULL)
            continue;
        fds[i].fd = defter_fd(seat->client);
        if ((defter_wants(seat->client) & DEFTER_WANTS_WRITE) != 0)
            fds[i].events = POLLIN | POLLOUT;
    }
    (void)poll(fds, workload->options.clients,
               workload->options.pace_ms < TURN_MS
                   ? (int)workload->options.pace_ms + 1
                   : TURN_MS);
    for (uint64_t i = 0; i < workload->options.clients; i++) {
        if (fds[i].revents != 0)
            step(&workload->seats[i]);
    }
}

static uint64_t out_count(const struct workload *workload)
{
    uint64_t count = 0;

    for (uint64_t i = 0; i < workload->options.clients; i++)
        count += workload->seats[i].op.command != NULL;
    return count;
}

static bool run(struct workload *workload)
{
    int64_t end_ms =
        workload->options.seconds == 0
            ? INT64_MAX
            : client_steady_ms() + (int64_t)workload->options.seconds * 1000;

    while (workload->broken == 0 &&
           (!workload->over || out_count(workload) > 0)) {
        int64_t now_ms = client_steady_ms();
        for (uint64_t i = 0; i < workload->options.clients; i++) {
            workload->over = stopped != 0 || now_ms >= end_ms ||
                             (workload->options.commands != 0 &&
                              workload->begun >= workload->options.commands);
            if (!move(&workload->seats[i], now_ms))
                return false;
        }
        turn(workload);
    }
    return true;
}

static int finish(struct workload *workload, bool good)
{
    for (uint64_t i = 0; i < workload->options.clients; i++) {
        struct seat *seat = &workload->seats[i];
        if (seat->op.command != NULL)
            give_up(seat);
        defter_close(seat->client);
    }
    good = fclose(workload->history) == 0 && good && workload->broken == 0;
    printf("%llu begun, %llu acked, %llu refused, %llu unknown; %llu "
           "connections lost\n",
           (unsigned long long)workload->begun,
           (unsigned long long)workload->acked,
           (unsigned long long)workload->refused,
           (unsigned long long)workload->unknown,
           (unsigned long long)workload->connections_lost);
    if (workload->broken != 0)
        fprintf(stderr, "workload: a node cannot be believed: %s\n",
                defter_status_name(workload->broken));
    return good ? 0 : 1;
}

int main(int argc, char **argv)
{
    static struct workload workload;
    struct sigaction stop = {.sa_handler = on_stop};
    uint8_t seed[SEED_SIZE];
    bool good;

    if (sodium_init() < 0 ||
        !workload_take(&workload.options, &workload.client, seed, argc, argv))
        return 3;
    workload.history = fopen(workload.options.history, "ae");
    if (workload.history == NULL ||
        setvbuf(workload.history, NULL, _IOLBF, BUFSIZ) != 0) {
        fputs("workload: the history cannot be written\n", stderr);
        return 3;
    }
    (void)sigaction(SIGTERM, &stop, NULL);
    (void)sigaction(SIGINT, &stop, NULL);
    for (uint32_t i = 0; i < workload.options.clients; i++)
        workload.seats[i] = (struct seat){
            .workload = &workload, .number = i + 1, .pause_ms = PAUSE_MS_MIN};
    good = run(&workload);
    sodium_memzero(seed, sizeof seed);
    return finish(&workload, good);
}
