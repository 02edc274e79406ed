/*
 * checkpoint.c: `defter checkpoint`: the newest signed head of the log, held
 * against the one that was seen last.
 */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/program/cluster.h"
#include "client/program/file.h"
#include "client/program/program.h"
#include "client/program/say.h"
#include "protocol/checkpoint.h"
#include "protocol/files.h"

enum { CHECKPOINT_MODE = 0600 };

/* Behind the name of the state's file: what contradicts it. */
#define CHECKPOINT_SUFFIX      ".checkpoint"
#define CHECKPOINT_CONTRADICTS ".contradicts"

struct seen {
    char path[FILE_PATH_SIZE_MAX];
    const char *log_key; /* NULL: what the node says. */
    uint64_t size;       /* 0: nothing was seen. */
    uint8_t root[HASH_SIZE];
    struct slice origin; /* Borrows note. */
    size_t note_size;
    uint8_t note[EVIDENCE_NOTE_SIZE_MAX];
};

static bool seen_parse(struct seen *seen, const struct program *program,
                       int argc, char **argv)
{
    static const struct option options[] = {
        {"state", required_argument, NULL, 's'},
        {"log-key", required_argument, NULL, 'k'},
        {NULL, 0, NULL, 0}};
    const char *cluster = program->cluster;
    const char *state = NULL;
    bool good = true;
    int option;
    int size;

    optind = 0; /* The GNU way to begin anew. */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 's')
            state = optarg;
        else if (option == 'k')
            seen->log_key = optarg;
        else
            good = false;
    }
    if (cluster == NULL)
        cluster = getenv("DEFTER_CLUSTER");
    if (cluster == NULL)
        cluster = FILE_CLUSTER_CONF;
    size = state != NULL ? snprintf(seen->path, sizeof seen->path, "%s", state)
                         : snprintf(seen->path, sizeof seen->path,
                                    "%s" CHECKPOINT_SUFFIX, cluster);
    return good && optind == argc && size > 0 &&
           (size_t)size < sizeof seen->path;
}

/* What was written here was verified before. */
static int seen_read(struct seen *seen)
{
    struct checkpoint checkpoint;
    struct note note;
    enum status status = file_read(seen->note, &seen->note_size, seen->path,
                                   sizeof seen->note, false);

    if (status == ST_NO_FILE)
        return EXIT_GOOD;
    if (status == ST_OK)
        status = note_read(&note, slice_of(seen->note, seen->note_size));
    if (status == ST_OK)
        status = checkpoint_read(&checkpoint, note.text);
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", seen->path,
                            status_info(status)->english);
    seen->size = checkpoint.size;
    seen->origin = checkpoint.origin;
    memcpy(seen->root, checkpoint.root, HASH_SIZE);
    return EXIT_GOOD;
}

static int seen_keep(const char *path, const struct defter_proof *proof)
{
    enum status status =
        file_replace(path, proof->note, proof->note_size, CHECKPOINT_MODE);

    if (status != ST_OK)
        return program_fail(EXIT_INCOMPLETE, "%s: %s", path,
                            status_info(status)->english);
    return EXIT_GOOD;
}

/* Both were signed by the log's key, and one of them is a lie. */
static int seen_contradicted(const struct seen *seen,
                             const struct defter_proof *proof)
{
    char path[FILE_PATH_SIZE_MAX + sizeof CHECKPOINT_CONTRADICTS];
    int code;

    (void)snprintf(path, sizeof path, "%s" CHECKPOINT_CONTRADICTS, seen->path);
    code = seen_keep(path, proof);
    (void)program_fail(
        EXIT_REFUSED,
        "THE LOG WAS REWRITTEN: its checkpoint of %llu entries does not go on "
        "from that of %llu that was seen before. Both are signed by the log; "
        "they are kept as %s and %s",
        (unsigned long long)proof->tree_size, (unsigned long long)seen->size,
        seen->path, path);
    return code == EXIT_GOOD ? EXIT_REFUSED : code;
}

/* The node's tree is smaller than the one seen, or there is no checkpoint. */
static int seen_older(const struct seen *seen, struct defter *client)
{
    struct defter_proof proof;
    int status =
        defter_proof_consistency(client, 0, NULL, seen->log_key, &proof);

    if (status != ST_OK)
        return program_fail(EXIT_INCOMPLETE, "the node has no checkpoint: %s",
                            defter_reason(client));
    return program_fail(EXIT_INCOMPLETE,
                        "the node's checkpoint is of %llu entries; one of %llu "
                        "was seen before. A backup may be behind; a primary "
                        "that stays there has lost what it signed",
                        (unsigned long long)proof.tree_size,
                        (unsigned long long)seen->size);
}

/* A history that was begun anew has a name of its own. */
static bool seen_is_other(const struct seen *seen,
                          const struct defter_proof *proof)
{
    struct checkpoint checkpoint;
    struct note note;

    return seen->size > 0 && proof->note != NULL &&
           note_read(&note, slice_of(proof->note, proof->note_size)) == ST_OK &&
           checkpoint_read(&checkpoint, note.text) == ST_OK &&
           !slice_equal(checkpoint.origin, seen->origin);
}

/* The very bytes for programs; people read it on a terminal. */
static void seen_print(struct slice note)
{
    if (isatty(STDOUT_FILENO) == 1)
        say_text(stdout, note, true);
    else
        (void)fwrite(note.data, 1, note.size, stdout);
}

static int seen_compare(const struct seen *seen, struct defter *client)
{
    struct defter_proof proof = {.note = NULL};
    int status = defter_proof_consistency(client, seen->size, seen->root,
                                          seen->log_key, &proof);
    int code;

    if (seen_is_other(seen, &proof))
        return program_fail(EXIT_REFUSED,
                            "the node shows another log than %.*s, which was "
                            "seen before: after a forced lineage, and only "
                            "then, go on with another --state",
                            (int)seen->origin.size,
                            (const char *)seen->origin.data);
    if (status == ST_PROOF && proof.note != NULL)
        return seen_contradicted(seen, &proof);
    if (status == ST_NO_SUCH)
        return seen_older(seen, client);
    if (status != ST_OK)
        return program_fail(EXIT_REFUSED, "%s", defter_reason(client));
    code = seen_keep(seen->path, &proof);
    if (code == EXIT_GOOD)
        seen_print(slice_of(proof.note, proof.note_size));
    return code;
}

int checkpoint_run(struct program *program, int argc, char **argv)
{
    struct seen *seen = calloc(1, sizeof *seen);
    struct defter *client = NULL;
    int code = EXIT_INCOMPLETE;

    if (seen == NULL)
        return program_fail(code, "out of memory");
    code = seen_parse(seen, program, argc, argv) ? seen_read(seen)
                                                 : program_usage("checkpoint");
    program->any_node = true;
    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program, 0);
    if (code == EXIT_GOOD)
        code = seen_compare(seen, client);
    defter_close(client);
    free(seen);
    return code;
}
