/*
 * verify_extract.c: whether an extract is true, offline; and where it is asked
 * for, whether it still holds.
 */
#include <fcntl.h>
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/audit/tile_files.h"
#include "client/program/cluster.h"
#include "client/program/verify_extract.h"
#include "client/program/verify_kinds.h"

struct wishes {
    const char *path;
    bool online;
    struct extract_trusted trusted;
};

/* ---- What is to be judged ------------------------------------------------ */

/* As getopt, flags may be cut short; what nobody knows is refused later. */
static bool takes_value(const char *word)
{
    static const char *const flags[] = {"--online", "--json", "--progress",
                                        "--tree-only", "--no-signatures"};

    if (strchr(word, '=') != NULL)
        return false;
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++) {
        if (strncmp(flags[i], word, strlen(word)) == 0)
            return false;
    }
    return true;
}

/* By its name, or by what is in it: one that was damaged is told to be so. */
static bool is_extract(const char *path)
{
    static const char suffix[] = ".extract";
    size_t size = strlen(path), suffix_size = sizeof suffix - 1;
    static uint8_t bytes[EXTRACT_FILE_SIZE_MAX];
    struct stat about;
    size_t got = 0;
    int file;
    bool is;

    if (stat(path, &about) != 0 || !S_ISREG(about.st_mode))
        return false;
    if (size > suffix_size && strcmp(path + size - suffix_size, suffix) == 0)
        return true;
    file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    is = file >= 0 && tile_files_read(file, bytes, &got, sizeof bytes, 0) &&
         extract_file_is(slice_of(bytes, got));
    if (file >= 0)
        close(file);
    return is;
}

bool verify_extract_wants(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (argv[i][0] == '-')
            i += takes_value(argv[i]);
        else if (is_extract(argv[i]))
            return true;
    }
    return false;
}

static bool parse(struct wishes *wishes, struct program *program, int argc,
                  char **argv)
{
    static const struct option names[] = {
        {"policy", required_argument, NULL, 'p'},
        {"authority", required_argument, NULL, 'a'},
        {"cluster", required_argument, NULL, 'c'},
        {"online", no_argument, NULL, 'o'},
        {"json", no_argument, NULL, 'j'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0; /* Scanned once before, up to the subcommand. */
    while (good && (option = getopt_long(argc, argv, "", names, NULL)) != -1) {
        if (option == 'p')
            wishes->trusted.policy_path = optarg;
        else if (option == 'a')
            good = extract_trust_key(&wishes->trusted, optarg);
        else if (option == 'c')
            program->cluster = optarg;
        else if (option == 'o')
            wishes->online = true;
        else if (option == 'j')
            program->json = true;
        else
            good = false;
    }
    if (!good || optind != argc - 1)
        return false;
    wishes->path = argv[optind];
    return true;
}

/* ---- Asking -------------------------------------------------------------- */

/* The verdict that the file gives by itself does not wait for a node. */
static void ask_fail(struct verify_extract_online *online, int status,
                     const char *why)
{
    (void)snprintf(online->why, sizeof online->why, "%s: %s",
                   defter_status_name(status), why);
}

static void ask_connected(struct verify_extract_online *online,
                          struct defter *client,
                          const struct extract_load *load,
                          const uint8_t *signer)
{
    struct defter_answer answer;
    int status = defter_connect(client);

    if (status == 0)
        status = defter_extract_check(client, load->bytes, load->size, signer,
                                      &answer, &online->superseded);
    if (status != 0) {
        ask_fail(online, status, defter_reason(client));
        return;
    }
    online->code = answer.code;
    online->was_asked = answer.code == ST_OK || answer.code == ST_NO_SUCH ||
                        answer.code == ST_ERASED;
    if (!online->was_asked)
        ask_fail(online, answer.code,
                 status_info((enum status)answer.code)->english);
}

/* Whoever holds an extract may ask; he logs in as whatever he is. */
static int ask(struct verify_extract_online *online,
               const struct program *program, const struct extract_load *load)
{
    struct defter *client = NULL;
    uint8_t seed[SEED_SIZE];
    int code = EXIT_GOOD;

    if (program->signer != NULL)
        code = cluster_seed(seed, program->signer);
    if (code == EXIT_GOOD)
        code = cluster_client(&client, program, 0);
    if (code == EXIT_GOOD) {
        cluster_watch_faults(client, program);
        ask_connected(online, client, load,
                      program->signer == NULL ? NULL : seed);
    }
    defter_close(client);
    sodium_memzero(seed, sizeof seed);
    return code;
}

static int judge(struct program *program, const struct wishes *wishes)
{
    struct verify_extract_online online = {.is_wished = wishes->online};
    struct extract_load load;
    struct extract_report report;
    int code = extract_load(&load, wishes->path);

    if (code == EXIT_REFUSED)
        code = verify_extract_say_unread(program, &load);
    else if (code == EXIT_GOOD) {
        extract_judge(&report, &load.file, &wishes->trusted.trust);
        /* A forgery is nothing to ask about. */
        online.is_wished =
            wishes->online &&
            extract_judge_verdict(report.finding) != EXTRACT_TAMPERED;
        if (online.is_wished)
            code = ask(&online, program, &load);
        if (code == EXIT_GOOD)
            code = verify_extract_say(program, &load, &report, &online);
    }
    extract_load_wipe(&load);
    return code;
}

int verify_extract_run(struct program *program, int argc, char **argv)
{
    static struct wishes wishes;
    int code = EXIT_GOOD;

    if (!parse(&wishes, program, argc, argv))
        return program_usage("verify");
    code = extract_trust_take(&wishes.trusted, program);
    if (code == EXIT_GOOD)
        code = judge(program, &wishes);
    extract_trust_wipe(&wishes.trusted);
    return code;
}
