/*
 * bench_w10.c: what honest clients feel of hostile ones (profile W10).
 *
 *   bench_w10 AUTHORITY-KEY PORT KEYS-FOLDER RATE SECONDS ROUNDS
 *
 * Honest sessions send RATE signed commands a second, each when it is due,
 * whether or not earlier ones were answered; a latency counts from when it was
 * due.  In each round first alone, then beside hostile processes that make a
 * fifth of all traffic, each from an address of its own.  In the later rounds
 * some of them are under penalties that they began with in the first.
 */
#include <check.h>
#include <inttypes.h>
#include <poll.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "protocol/keyfile.h"
#include "tests/lib/records.h"
#include "tests/lib/wire_command.h"

enum {
    US = 1000000,
    SESSIONS = 32,
    WINDOW = 64, /* Requests of a session under way, at most. */
    SAMPLES_MAX = 1 << 20,
    HOSTILE_OF_HONEST = 4, /* One hostile act for so many honest commands. */
    SETTLE_US = US,
    WORDS = 7,
    ROUNDS_MAX = 100,
    PRIO_LEAST = 19
};

static char **own_words;
static uint16_t port;
static uint8_t authority_key[PUBLIC_KEY_SIZE];
static uint8_t cluster_id[CLUSTER_ID_SIZE];
static const char *keys_folder;
static struct wire_command command;
static struct wire_answer answer;

static int64_t now_us(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * US + now.tv_nsec / 1000;
}

__attribute__((noreturn)) static void give_up(const char *what)
{
    fprintf(stderr, "bench_w10: %s\n", what);
    exit(1);
}

static void read_key(struct identity *out, const char *name)
{
    uint8_t bytes[KEYFILE_SIZE];
    struct keyfile file;
    char path[512];
    FILE *stream;

    (void)snprintf(path, sizeof path, "%s/%s.key", keys_folder, name);
    stream = fopen(path, "rb");
    if (stream == NULL || fread(bytes, sizeof bytes, 1, stream) != 1 ||
        keyfile_decode(&file, slice_of(bytes, sizeof bytes), KEYFILE_SIGNER) !=
            ST_OK)
        give_up(path);
    (void)fclose(stream);
    identity_init(out, file.secret);
    keyfile_wipe(&file);
}

/* ---- Hostile ------------------------------------------------------------ */

struct hostile {
    const char *name;
    const char *key;
    uint16_t role;
    void (*act)(struct hostile *hostile);
    struct identity identity;
    struct wire wire;
    struct slice replayed;
    uint32_t times;
};

static bool is_in(struct hostile *hostile)
{
    if (hostile->wire.fd >= 0)
        return true;
    if (wire_try_login(&hostile->wire, port, authority_key, &hostile->identity,
                       hostile->role))
        return true;
    wire_close(&hostile->wire);
    return false;
}

static void hear(struct hostile *hostile)
{
    if (!wire_answer(&hostile->wire, &answer))
        wire_close(&hostile->wire);
}

/* A handshake that costs the node its Diffie-Hellmans and ends in noise. */
static void act_handshake(struct hostile *hostile)
{
    uint8_t first[PREFACE_SIZE + 2 + HANDSHAKE_MSG1_SIZE] = {'D', 'F', 'T', '1',
                                                             1};
    uint8_t third[2 + HANDSHAKE_MSG3_SIZE_MIN] = {HANDSHAKE_MSG3_SIZE_MIN};
    uint8_t second[2 + HANDSHAKE_MSG2_SIZE];

    wire_connect(&hostile->wire, port);
    first[PREFACE_SIZE] = HANDSHAKE_MSG1_SIZE;
    randombytes_buf(first + PREFACE_SIZE + 2, HANDSHAKE_MSG1_SIZE);
    randombytes_buf(third + 2, HANDSHAKE_MSG3_SIZE_MIN);
    wire_send_raw(&hostile->wire, first, sizeof first);
    if (recv(hostile->wire.fd, second, sizeof second, MSG_WAITALL) > 0) {
        wire_send_raw(&hostile->wire, third, sizeof third);
        (void)recv(hostile->wire.fd, second, sizeof second, 0);
    }
    wire_close(&hostile->wire);
}

/* A frame longer than its record. */
static void act_frame(struct hostile *hostile)
{
    uint8_t plain[FRAME_HEADER_SIZE] = {0xff, 0xff, 0xff, 0xff,
                                        MESSAGE_COMMAND};

    if (!is_in(hostile))
        return;
    wire_send_record(&hostile->wire, slice_of(plain, sizeof plain));
    hear(hostile);
    wire_close(&hostile->wire);
}

static void act_signature(struct hostile *hostile)
{
    struct slice body;

    if (!is_in(hostile))
        return;
    body = wire_command_ping(&command, cluster_id, &hostile->identity, "x");
    command.buffer[COMMAND_HEADER_SIZE] ^= 1;
    wire_send_command(&hostile->wire, body);
    hear(hostile);
}

static void act_replay(struct hostile *hostile)
{
    if (!is_in(hostile))
        return;
    if (hostile->replayed.size == 0)
        hostile->replayed = wire_command_ping(&command, cluster_id,
                                              &hostile->identity, "again");
    wire_send_command(&hostile->wire, hostile->replayed);
    hear(hostile);
}

static void act_enumerate(struct hostile *hostile)
{
    struct op_section_get get = {.sections = 1};

    if (!is_in(hostile))
        return;
    wire_command_begin(&command, cluster_id);
    command.clear.subject = records_voen(hostile->times, 1);
    wire_command_item(&command, OPCODE_SECTION_GET, &get);
    wire_send_command(&hostile->wire,
                      wire_command_sign(&command, &hostile->identity));
    hear(hostile);
}

/* Asks and never reads; once nothing more goes in it begins anew. */
static void act_slow(struct hostile *hostile)
{
    const struct timeval wait = {0, 1000};
    struct message_query query = {.query = QUERY_STATUS, .version = 1};

    if (!is_in(hostile))
        return;
    (void)setsockopt(hostile->wire.fd, SOL_SOCKET, SO_SNDTIMEO, &wait,
                     sizeof wait);
    if (!wire_try_send(&hostile->wire, MESSAGE_QUERY, &query))
        wire_close(&hostile->wire);
}

#define HOSTILE(name_, key_, role_, act_)                      \
    {                                                          \
        .name = name_, .key = key_, .role = role_, .act = act_ \
    }
static struct hostile hostiles[] = {
    HOSTILE("handshakes", "operator", ROLE_STAFF, act_handshake),
    HOSTILE("frames", "portal", ROLE_PORTAL, act_frame),
    HOSTILE("signatures", "officer", ROLE_STAFF, act_signature),
    HOSTILE("replays", "asker", ROLE_PARTICIPANT, act_replay),
    HOSTILE("enumeration", "auditor", ROLE_AUDITOR, act_enumerate),
    HOSTILE("slow readers", "operator", ROLE_STAFF, act_slow),
};
enum { HOSTILES = sizeof hostiles / sizeof hostiles[0] };

static void wait_until(int64_t due_us)
{
    int64_t left_us = due_us - now_us();
    struct timespec pause = {left_us / US, left_us % US * 1000};

    if (left_us > 0)
        (void)nanosleep(&pause, NULL);
}

/* SIGTERM came.  It is never taken: it would end a read in the middle. */
static bool is_over(void)
{
    sigset_t waiting;

    (void)sigpending(&waiting);
    return sigismember(&waiting, SIGTERM) == 1;
}

static uint32_t rate, seconds, rounds;
static struct hostile *hostile_one; /* NULL in the honest process. */

static void hostile_run(struct hostile *hostile, uint32_t each_second)
{
    int64_t due_us = now_us();
    sigset_t term;

    (void)sigemptyset(&term);
    (void)sigaddset(&term, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &term, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    read_key(&hostile->identity, hostile->key);
    hostile->wire.fd = -1;
    while (!is_over()) {
        hostile->act(hostile);
        hostile->times++;
        due_us += US / each_second;
        if (due_us < now_us()) /* What it was kept from is not made up. */
            due_us = now_us();
        wait_until(due_us);
    }
    fprintf(stderr, "  %-14s %6u acts\n", hostile->name, hostile->times);
}

static struct hostile *hostile_find(const char *name)
{
    for (int i = 0; i < HOSTILES; i++) {
        if (strcmp(hostiles[i].name, name) == 0)
            return &hostiles[i];
    }
    give_up(name);
}

/* ---- Honest ------------------------------------------------------------- */

struct session {
    struct wire wire;
    int64_t due_us[WINDOW]; /* By request number; 0: none under way. */
    uint32_t waiting;
};

static struct identity honest;
static struct session sessions[SESSIONS];
static struct pollfd fds[SESSIONS];
static uint32_t samples[SAMPLES_MAX];

struct figures {
    uint32_t done;
    uint32_t held_up; /* Due while the session's window was full. */
    double per_second;
    uint32_t p50_us, p99_us;
};

static bool has_more(const struct wire *wire)
{
    return wire->rest.size > 0 ||
           (wire->input_size >= RECORD_HEADER_SIZE &&
            wire->input_size >=
                (size_t)load_u16(wire->input) + RECORD_HEADER_SIZE);
}

static void honest_hear(struct session *session, struct figures *figures)
{
    do {
        int64_t *due_us;

        if (!wire_answer(&session->wire, &answer))
            give_up("an honest session was closed");
        if (answer.code != ST_OK)
            give_up(status_name((enum status)answer.code));
        due_us = &session->due_us[answer.request_id % WINDOW];
        if (figures->done < SAMPLES_MAX)
            samples[figures->done] = (uint32_t)(now_us() - *due_us);
        figures->done++;
        *due_us = 0;
        session->waiting--;
    } while (has_more(&session->wire));
}

static void honest_send(struct session *session, int64_t due_us)
{
    struct slice body =
        wire_command_ping(&command, cluster_id, &honest, "honest");

    session->due_us[(session->wire.request_id + 1) % WINDOW] = due_us;
    session->waiting++;
    wire_send_command(&session->wire, body);
}

static uint32_t under_way(void)
{
    uint32_t count = 0;

    for (int i = 0; i < SESSIONS; i++)
        count += sessions[i].waiting;
    return count;
}

static int by_value(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a, right = *(const uint32_t *)b;

    return left < right ? -1 : left > right;
}

static void honest_turn(struct figures *figures, int64_t due_us)
{
    int64_t left_us = due_us - now_us();
    struct timespec pause = {0, left_us > 0 ? (long)left_us * 1000 : 0};

    for (int i = 0; i < SESSIONS; i++)
        fds[i] = (struct pollfd){.fd = sessions[i].wire.fd, .events = POLLIN};
    (void)ppoll(fds, SESSIONS, &pause, NULL);
    for (int i = 0; i < SESSIONS; i++) {
        if (fds[i].revents != 0)
            honest_hear(&sessions[i], figures);
    }
}

static struct figures honest_run(uint32_t each_second, uint32_t for_s)
{
    struct figures figures = {0};
    int64_t began_us = now_us();
    uint64_t count = (uint64_t)each_second * for_s;
    uint64_t sent = 0;
    size_t kept;

    while (sent < count || under_way() > 0) {
        int64_t due_us = began_us + (int64_t)(sent * US / each_second);
        struct session *session = &sessions[sent % SESSIONS];

        if (sent < count && due_us <= now_us() &&
            session->waiting + 1 < WINDOW) {
            honest_send(session, due_us);
            sent++;
            continue;
        }
        figures.held_up += sent < count && due_us <= now_us();
        honest_turn(&figures, sent < count && due_us > now_us()
                                  ? due_us
                                  : now_us() + 1000);
    }
    figures.per_second =
        (double)figures.done * US / (double)(now_us() - began_us);
    kept = figures.done < SAMPLES_MAX ? figures.done : SAMPLES_MAX;
    qsort(samples, kept, sizeof samples[0], by_value);
    figures.p50_us = samples[kept / 2];
    figures.p99_us = samples[kept * 99 / 100];
    return figures;
}

static void print(const char *title, const struct figures *figures)
{
    printf("%-42s %12.0f /s         p50 %" PRIu32 " us, p99 %" PRIu32 " us\n",
           title, figures->per_second, figures->p50_us, figures->p99_us);
    (void)fflush(stdout);
}

static int by_ratio(const void *a, const void *b)
{
    double left = *(const double *)a, right = *(const double *)b;

    return left < right ? -1 : left > right;
}

/* Of rounds, the median, the least and the most. */
static void print_ratio(const char *title, double *ratios)
{
    qsort(ratios, rounds, sizeof ratios[0], by_ratio);
    printf("%-42s %12.2f of alone   %.2f to %.2f\n", title, ratios[rounds / 2],
           ratios[0], ratios[rounds - 1]);
}

/* Each is a process of its own, as it would be, with this one's words. */
static pid_t hostile_start(const struct hostile *hostile)
{
    static char *words[WORDS + 2];
    pid_t child = fork();

    if (child < 0)
        give_up("fork");
    if (child > 0)
        return child;
    /* Elsewhere they would have processors of their own. */
    (void)setpriority(PRIO_PROCESS, 0, PRIO_LEAST);
    memcpy(words, own_words, WORDS * sizeof words[0]);
    words[WORDS] = (char *)(uintptr_t)hostile->name;
    (void)execv("/proc/self/exe", words);
    _exit(1);
}

static struct figures beside_hostile(void)
{
    struct figures figures;
    pid_t children[HOSTILES];

    for (int i = 0; i < HOSTILES; i++)
        children[i] = hostile_start(&hostiles[i]);
    wait_until(now_us() + SETTLE_US);
    figures = honest_run(rate, seconds);
    for (int i = 0; i < HOSTILES; i++) {
        int status;
        (void)kill(children[i], SIGTERM);
        if (waitpid(children[i], &status, 0) != children[i] || status != 0) {
            fprintf(stderr, "%s: ended with status 0x%x\n", hostiles[i].name,
                    (unsigned)status);
            give_up("a hostile process failed");
        }
    }
    return figures;
}

/* The wires assert, and so need somebody to assert to. */
START_TEST(honest_clients_beside_hostile_ones)
{
    static double p50[ROUNDS_MAX], p99[ROUNDS_MAX], done[ROUNDS_MAX];

    if (hostile_one != NULL) {
        uint32_t each = rate / HOSTILE_OF_HONEST / HOSTILES;
        hostile_run(hostile_one, each > 0 ? each : 1);
        return;
    }
    for (int i = 0; i < SESSIONS; i++) {
        if (!wire_login(&sessions[i].wire, port, authority_key, &honest,
                        ROLE_PARTICIPANT))
            give_up("an honest login was refused");
    }
    (void)honest_run(rate, 1);
    for (uint32_t i = 0; i < rounds; i++) {
        struct figures alone = honest_run(rate, seconds);
        struct figures beside;

        print("honest, alone", &alone);
        beside = beside_hostile();
        print("honest, a fifth of the traffic is hostile", &beside);
        p50[i] = (double)beside.p50_us / alone.p50_us;
        p99[i] = (double)beside.p99_us / alone.p99_us;
        done[i] = beside.per_second / alone.per_second;
    }
    print_ratio("p50 beside hostile ones", p50);
    print_ratio("p99 beside hostile ones", p99);
    print_ratio("commands done beside hostile ones", done);
}
END_TEST

int main(int argc, char **argv)
{
    Suite *suite = suite_create("w10");
    TCase *tcase = tcase_create("w10");
    SRunner *runner = srunner_create(suite);
    size_t size;
    int failed;

    if (argc < WORDS || argc > WORDS + 1 || sodium_init() < 0 ||
        sodium_hex2bin(authority_key, sizeof authority_key, argv[1],
                       strlen(argv[1]), NULL, &size, NULL) != 0 ||
        size != sizeof authority_key)
        give_up("AUTHORITY-KEY PORT KEYS-FOLDER RATE SECONDS ROUNDS");
    port = (uint16_t)strtoul(argv[2], NULL, 10);
    keys_folder = argv[3];
    rate = (uint32_t)strtoul(argv[4], NULL, 10);
    seconds = (uint32_t)strtoul(argv[5], NULL, 10);
    rounds = (uint32_t)strtoul(argv[6], NULL, 10);
    if (rate == 0 || seconds == 0 || rounds == 0 || rounds > ROUNDS_MAX)
        give_up("RATE, SECONDS or ROUNDS");
    own_words = argv;
    if (argc > WORDS)
        hostile_one = hostile_find(argv[WORDS]);
    identity_cluster_id(cluster_id, authority_key);
    read_key(&honest, "stranger");
    tcase_add_test(tcase, honest_clients_beside_hostile_ones);
    suite_add_tcase(suite, tcase);
    srunner_set_fork_status(runner, CK_NOFORK);
    srunner_run_all(runner, CK_SILENT);
    failed = srunner_ntests_failed(runner);
    if (failed > 0)
        srunner_print(runner, CK_VERBOSE);
    srunner_free(runner);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
