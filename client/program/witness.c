#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "client/program/file.h"
#include "client/program/program.h"
#include "client/witness/witness_http.h"
#include "client/witness/witness_logs.h"
#include "sandbox/sandbox.h"

/* `defter witness`: a stand-alone cosigner. */
struct running {
    const char *directory;
    const char *address;
    const char *name;
    const char *logs_path; /* NULL: in the directory. */
    enum sandbox_mode sandbox;
    struct identity identity;
    struct note_key key;
    struct witness_logs logs;
    struct witness_store *store;
    struct witness *witness;
    struct event_base *base;
    struct witness_http *http;
};

static int usage(void)
{
    return program_usage("witness");
}

static int fail_at(const char *path, enum status status)
{
    return program_fail(EXIT_REFUSED, "%s: %s", path,
                        status_info(status)->english);
}

static bool read_mode(enum sandbox_mode *out, const char *word)
{
    static const char *const words[] = {[SANDBOX_ON] = "on",
                                        [SANDBOX_REQUIRED] = "required",
                                        [SANDBOX_OFF] = "off"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(word, words[i]) != 0)
            continue;
        *out = (enum sandbox_mode)i;
        return true;
    }
    return false;
}

/* "init" stands first, if it is meant. */
static int parse(struct running *running, bool *init_out, int argc, char **argv)
{
    static const struct option options[] = {
        {"dir", required_argument, NULL, 'd'},
        {"listen", required_argument, NULL, 'l'},
        {"name", required_argument, NULL, 'n'},
        {"logs", required_argument, NULL, 'o'},
        {"sandbox", required_argument, NULL, 's'},
        {NULL, 0, NULL, 0}};
    int option;

    optind = 0;
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            running->directory = optarg;
        else if (option == 'l')
            running->address = optarg;
        else if (option == 'n')
            running->name = optarg;
        else if (option == 'o')
            running->logs_path = optarg;
        else if (option == 's' && read_mode(&running->sandbox, optarg))
            continue;
        else
            return usage();
    }
    *init_out = optind == argc - 1 && strcmp(argv[optind], "init") == 0;
    if (running->directory == NULL || (!*init_out && optind != argc) ||
        *init_out != (running->name != NULL) ||
        *init_out == (running->address != NULL) ||
        (*init_out && running->logs_path != NULL))
        return usage();
    return EXIT_GOOD;
}

/* ---- witness init ------------------------------------------------------- */

static int write_vkey(const struct running *running, const char *path)
{
    char text[NOTE_KEY_SIZE_MAX + 1];
    struct writer writer;
    enum status status;

    writer_init(&writer, text, sizeof text);
    note_key_write(&writer, &running->key);
    writer_bytes(&writer, "\n", 1);
    status = writer.status;
    if (status == ST_OK)
        status = file_write_new(path, text, writer.used, 0644);
    if (status != ST_OK)
        return fail_at(path, status);
    (void)fwrite(text, 1, writer.used, stdout);
    return EXIT_GOOD;
}

static int make(struct running *running)
{
    static const uint8_t no_cluster[CLUSTER_ID_SIZE];
    struct slice name = slice_of(running->name, strlen(running->name));
    char key_path[FILE_PATH_SIZE_MAX], vkey_path[FILE_PATH_SIZE_MAX];
    struct keyfile keyfile;
    uint8_t secret[KEY_SIZE];
    enum status status;

    if (!note_name_valid(name))
        return program_fail(EXIT_USAGE, "a witness's name has no spaces, no "
                                        "\"+\" and at most 255 bytes");
    if (!file_path(key_path, running->directory, WITNESS_FILE_KEY) ||
        !file_path(vkey_path, running->directory, WITNESS_FILE_VKEY))
        return usage();
    status = file_make_directory(running->directory);
    if (status != ST_OK)
        return fail_at(running->directory, status);
    randombytes_buf(secret, sizeof secret);
    keyfile_make(&keyfile, KEYFILE_COSIGNER, no_cluster, secret);
    sodium_memzero(secret, sizeof secret);
    note_key_init(&running->key, name, NOTE_COSIGNATURE, keyfile.public_key);
    status = file_write_key(&keyfile, key_path);
    keyfile_wipe(&keyfile);
    return status == ST_OK ? write_vkey(running, vkey_path)
                           : fail_at(key_path, status);
}

/* ---- Reading what there is ---------------------------------------------- */

/* The name under which it signs stands in the public key's file. */
static int read_key(struct running *running)
{
    char path[FILE_PATH_SIZE_MAX], text[NOTE_KEY_SIZE_MAX + 1];
    struct keyfile keyfile;
    enum status status;
    size_t size;

    if (!file_path(path, running->directory, WITNESS_FILE_KEY))
        return usage();
    status = file_read_key(&keyfile, path, KEYFILE_COSIGNER);
    if (status != ST_OK)
        return fail_at(path, status);
    identity_init(&running->identity, keyfile.secret);
    keyfile_wipe(&keyfile);
    if (!file_path(path, running->directory, WITNESS_FILE_VKEY))
        return usage();
    status = file_read(text, &size, path, sizeof text, false);
    if (status == ST_OK && (size == 0 || text[size - 1] != '\n'))
        status = ST_FILE_FORMAT;
    if (status == ST_OK)
        status = note_key_read(&running->key, slice_of(text, size - 1));
    if (status == ST_OK &&
        (running->key.type != NOTE_COSIGNATURE ||
         memcmp(running->key.public_key, running->identity.public_key,
                PUBLIC_KEY_SIZE) != 0))
        status = ST_FILE_FORMAT;
    return status == ST_OK ? EXIT_GOOD : fail_at(path, status);
}

static int read_logs(struct running *running)
{
    static char text[TLOG_POLICY_SIZE_MAX];
    char inner[FILE_PATH_SIZE_MAX];
    const char *path = running->logs_path;
    enum status status;
    size_t size, line;

    if (path == NULL) {
        if (!file_path(inner, running->directory, WITNESS_FILE_LOGS))
            return usage();
        path = inner;
    }
    status = file_read(text, &size, path, sizeof text, false);
    if (status != ST_OK)
        return fail_at(path, status);
    status = witness_logs_read(&running->logs, &line, slice_of(text, size));
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s, line %zu: %s", path, line,
                            status_info(status)->english);
    return EXIT_GOOD;
}

static int open_state(struct running *running)
{
    const struct witness_options options = {.key = running->key,
                                            .identity = &running->identity,
                                            .logs = running->logs.keys,
                                            .logs_count = running->logs.count};
    enum status status =
        witness_store_open(&running->store, running->directory);

    if (status == ST_BUSY)
        return program_fail(EXIT_REFUSED, "%s: another process has it",
                            running->directory);
    if (status == ST_OK)
        status = witness_open(&running->witness, running->store, &options);
    return status == ST_OK ? EXIT_GOOD : fail_at(running->directory, status);
}

/* ---- Running ------------------------------------------------------------ */

static void say(void *context, const char *line)
{
    struct tm at;
    time_t now = time(NULL);
    char text[32] = "";

    (void)context;
    if (gmtime_r(&now, &at) != NULL)
        (void)strftime(text, sizeof text, "%FT%TZ", &at);
    fprintf(stderr, "%s %s\n", text, line);
}

static void say_sandbox(enum sandbox_news news, const char *line)
{
    (void)news;
    say(NULL, line);
}

/* What it needs from now on: the folder of what it has signed, and guests on
 * the port that is bound already.  Its key goes into no core file, and nobody
 * of the same user looks into the process. */
static enum status confine(const struct running *running)
{
    struct sandbox_rules rules = {.mode = running->sandbox, .say = say_sandbox};
    struct rlimit none = {0, 0};
    char path[FILE_PATH_SIZE_MAX];

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
    if (!file_path(path, running->directory, WITNESS_FOLDER_STATE))
        return ST_USAGE;
    sandbox_add_path(&rules, path, true);
    sandbox_add_port(&rules, witness_http_port(running->http));
    return sandbox_enter(&rules);
}

/* libevent's HTTP steps on what it could not allocate.  Without memory the
 * process ends before that, as when its power goes: what left it signed is on
 * its disk. */
static void *given(void *at, size_t size)
{
    static const char line[] = "defter: out of memory\n";

    if (at != NULL || size == 0)
        return at;
    MAYBE(write(STDERR_FILENO, line, sizeof line - 1) > 0);
    _exit(EXIT_USAGE);
}

static void *give(size_t size)
{
    return given(malloc(size), size);
}

static void *give_again(void *at, size_t size)
{
    return given(realloc(at, size), size);
}

static void on_signal(evutil_socket_t number, short what, void *argument)
{
    (void)number;
    (void)what;
    (void)event_base_loopbreak(argument);
}

static int serve(struct running *running)
{
    struct event *term, *interrupt;
    enum status status = ST_INTERNAL;

    (void)signal(SIGPIPE, SIG_IGN);
    event_set_mem_functions(give, give_again, free);
    running->base = event_base_new();
    if (running->base == NULL)
        return fail_at(running->address, ST_INTERNAL);
    term = evsignal_new(running->base, SIGTERM, on_signal, running->base);
    interrupt = evsignal_new(running->base, SIGINT, on_signal, running->base);
    if (term != NULL && interrupt != NULL && event_add(term, NULL) == 0 &&
        event_add(interrupt, NULL) == 0)
        status =
            witness_http_open(&running->http, running->base, running->witness,
                              running->address, NULL, say);
    if (status == ST_OK)
        status = confine(running);
    if (status == ST_OK) {
        printf("%s signs for %zu keys of logs, on port %u\n", running->key.name,
               running->logs.count, (unsigned)witness_http_port(running->http));
        (void)fflush(stdout);
        (void)event_base_dispatch(running->base);
    }
    witness_http_close(running->http);
    if (term != NULL)
        event_free(term);
    if (interrupt != NULL)
        event_free(interrupt);
    event_base_free(running->base);
    return status == ST_OK ? EXIT_GOOD : fail_at(running->address, status);
}

int witness_run(struct program *program, int argc, char **argv)
{
    struct running running = {.directory = NULL};
    bool init = false;
    int code = parse(&running, &init, argc, argv);

    (void)program;
    if (code == EXIT_GOOD && init)
        return make(&running);
    if (code == EXIT_GOOD)
        code = read_key(&running);
    if (code == EXIT_GOOD)
        code = read_logs(&running);
    if (code == EXIT_GOOD)
        code = open_state(&running);
    if (code == EXIT_GOOD)
        code = serve(&running);
    witness_close(running.witness);
    witness_store_close(running.store);
    identity_wipe(&running.identity);
    return code;
}
