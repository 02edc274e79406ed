#include "client/program/load.h"

#include <getopt.h>
#include <poll.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/client_state.h"
#include "client/program/cluster.h"
#include "client/program/file.h"
#include "protocol/answer.h"

void load_show(struct load *load, bool last)
{
    int64_t now_ms = client_steady_ms();
    double seconds = (double)(now_ms - load->started_ms + 1) / 1000.0;
    unsigned done = load->file_size == 0
                        ? 100
                        : (unsigned)(100 * load->file_read / load->file_size);
    char bar[31];

    if (!isatty(STDERR_FILENO) || (!last && now_ms - load->shown_ms < 100))
        return;
    load->shown_ms = now_ms;
    for (unsigned i = 0; i < 30; i++)
        bar[i] = i < done * 30 / 100 ? '#' : '.';
    bar[30] = '\0';
    fprintf(stderr, "\r[%s] %3u %%  %llu records  %.0f/s ", bar, done,
            (unsigned long long)load->put, (double)load->put / seconds);
    if (last)
        fputc('\n', stderr);
}

static int feed_all(struct load *load)
{
    bool more = true;
    int code = EXIT_GOOD;

    for (uint64_t number = 0; more && code == EXIT_GOOD; number++) {
        bool ended = false;
        int next = fgetc(load->file);
        if (next == EOF) {
            if (ferror(load->file))
                code = program_fail(EXIT_USAGE, "%s: cannot be read further",
                                    load->path);
            break;
        }
        ungetc(next, load->file);
        code = load_begin(load, number, &ended);
        if (code == EXIT_GOOD && ended)
            code = load_skip(load, &more);
        else if (code == EXIT_GOOD)
            code = load_put(load, &more, load->next);
    }
    if (code == EXIT_GOOD)
        code = load_commit(load);
    /* What is wrong with a record does not undo the batch before. */
    if (code != EXIT_INCOMPLETE && load_drain(load) != EXIT_GOOD)
        code = EXIT_REFUSED;
    return code;
}

/* The file's name for batches: the first bytes of its hash. */
static int open_file(struct load *load)
{
    crypto_hash_sha256_state state;
    uint8_t hash[HASH_SIZE], chunk[65536];
    struct stat about;
    size_t got;

    load->file = file_open(load->path);
    if (load->file == NULL || fstat(fileno(load->file), &about) != 0)
        return program_fail(EXIT_USAGE, "%s: cannot be read", load->path);
    load->file_size = (size_t)about.st_size;
    crypto_hash_sha256_init(&state);
    while ((got = fread(chunk, 1, sizeof chunk, load->file)) > 0)
        crypto_hash_sha256_update(&state, chunk, got);
    if (ferror(load->file))
        return program_fail(EXIT_USAGE, "%s: cannot be read", load->path);
    crypto_hash_sha256_final(&state, hash);
    sodium_bin2hex(load->name, sizeof load->name, hash, 16);
    rewind(load->file);
    return EXIT_GOOD;
}

static int parse(struct load *load, int argc, char **argv)
{
    static const struct option options[] = {
        {"duty", required_argument, NULL, 'd'},
        {"items", required_argument, NULL, 'i'},
        {"sections", required_argument, NULL, 's'},
        {"atomic", no_argument, NULL, 'a'},
        {NULL, 0, NULL, 0}};
    uint64_t duty = 0, items = 64, sections = SECTIONS_MASK;
    bool good = true;
    int option;

    optind = 0; /* The GNU way to begin anew. */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'd')
            good = good && program_number(&duty, optarg, 0, UINT32_MAX);
        else if (option == 'i')
            good = good && program_number(&items, optarg, 1, ITEMS_MAX);
        else if (option == 's')
            good = good && program_number(&sections, optarg, 1, SECTIONS_MASK);
        else if (option == 'a')
            load->atomic = true;
        else
            return program_usage(argv[0]);
    }
    if (!good || optind != argc - 1)
        return program_usage(argv[0]);
    load->duty = (uint32_t)duty;
    load->items_per_command = (uint32_t)items;
    load->sections = (uint16_t)sections;
    load->path = argv[optind];
    return EXIT_GOOD;
}

static int prepare(struct load *load)
{
    int code = open_file(load);
    struct defter_session session;

    if (code == EXIT_GOOD && load->program->signer != NULL) {
        code = cluster_seed(load->signer, load->program->signer);
        load->has_signer = true;
    }
    if (code == EXIT_GOOD)
        code = cluster_connect(&load->client, load->program, ROLE_EHIS);
    load->memory = malloc(LOAD_SCRATCH_SIZE);
    load->scratch = malloc(LOAD_SCRATCH_SIZE);
    if (code == EXIT_GOOD && (load->memory == NULL || load->scratch == NULL))
        code = program_fail(EXIT_REFUSED, "out of memory");
    if (code != EXIT_GOOD)
        return code;
    (void)defter_session(load->client, &session);
    if (load->items_per_command > session.items_max)
        load->items_per_command = session.items_max;
    load->window =
        session.inflight_max < LOAD_WINDOW ? session.inflight_max : LOAD_WINDOW;
    return EXIT_GOOD;
}

static void report(const struct load *load)
{
    double seconds =
        (double)(client_steady_ms() - load->started_ms + 1) / 1000.0;

    if (load->program->json)
        printf("{\"batches\":%llu,\"records\":%llu,\"committed\":%llu,"
               "\"refused\":%llu,\"duplicates\":%llu,\"skipped\":%llu,"
               "\"seconds\":%.3f,"
               "\"records_per_second\":%.0f}\n",
               (unsigned long long)load->batches, (unsigned long long)load->put,
               (unsigned long long)load->committed,
               (unsigned long long)load->refused,
               (unsigned long long)load->duplicates,
               (unsigned long long)load->skipped, seconds,
               (double)load->put / seconds);
    else
        printf("%llu batches, %llu records put, %llu committed, %llu refused, "
               "%llu seen before, %llu of an earlier run, in %.2f s: "
               "%.0f records/s\n",
               (unsigned long long)load->batches, (unsigned long long)load->put,
               (unsigned long long)load->committed,
               (unsigned long long)load->refused,
               (unsigned long long)load->duplicates,
               (unsigned long long)load->skipped, seconds,
               (double)load->put / seconds);
}

int load_run(struct program *program, int argc, char **argv)
{
    struct load load = {.program = program};
    int code = parse(&load, argc, argv);

    if (code == EXIT_GOOD)
        code = prepare(&load);
    if (code == EXIT_GOOD) {
        load.started_ms = client_steady_ms();
        code = feed_all(&load);
        load_show(&load, true);
        report(&load);
        if (code == EXIT_GOOD && load.refused > 0)
            code = EXIT_REFUSED;
    }
    sodium_memzero(load.signer, sizeof load.signer);
    defter_close(load.client);
    if (load.file != NULL)
        fclose(load.file);
    free(load.memory);
    free(load.scratch);
    return code;
}
