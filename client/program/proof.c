/*
 * proof.c: `defter proof`: a verified proof of one entry, as a file.
 */
#include <getopt.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/file.h"
#include "client/program/program.h"
#include "client/receipt_store.h"
#include "protocol/entry.h"
#include "protocol/lines.h"
#include "protocol/receipt.h"
#include "protocol/tlog_proof.h"

enum { RECEIPTS_SIZE_MAX = 64 * 1024 * 1024, PROOF_FILE_MODE = 0644 };

struct proof {
    const char *receipts;
    const char *out;
    const char *log_key;
    bool newest;
    bool has_index;
    uint64_t index;
    bool has_leaf;
    uint8_t leaf[HASH_SIZE];
    char *extra; /* The entry in base64; NULL: it is not ours. */
};

static bool proof_hex(uint8_t out[HASH_SIZE], const char *text)
{
    size_t got;
    const char *end;

    return sodium_hex2bin(out, HASH_SIZE, text, strlen(text), NULL, &got,
                          &end) == 0 &&
           got == HASH_SIZE && *end == '\0';
}

static bool proof_parse(struct proof *proof, int argc, char **argv)
{
    static const struct option options[] = {
        {"receipt", required_argument, NULL, 'r'},
        {"out", required_argument, NULL, 'o'},
        {"leaf", required_argument, NULL, 'l'},
        {"log-key", required_argument, NULL, 'k'},
        {"newest", no_argument, NULL, 'n'},
        {NULL, 0, NULL, 0}};
    bool good = true;
    int option;

    optind = 0; /* The GNU way to begin anew. */
    while ((option = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (option == 'r')
            proof->receipts = optarg;
        else if (option == 'o')
            proof->out = optarg;
        else if (option == 'l')
            good = good && (proof->has_leaf = proof_hex(proof->leaf, optarg));
        else if (option == 'k')
            proof->log_key = optarg;
        else if (option == 'n')
            proof->newest = true;
        else
            good = false;
    }
    if (optind < argc)
        proof->has_index =
            program_number(&proof->index, argv[optind++], 0, INT64_MAX);
    return good && optind == argc && (proof->has_index || proof->receipts) &&
           !(proof->has_leaf && proof->receipts);
}

/* ---- What is to be proven ----------------------------------------------- */

/* The last receipt of the file, or that of the index asked for. */
static int proof_take_receipt(struct proof *proof)
{
    uint8_t *bytes = malloc(RECEIPTS_SIZE_MAX);
    size_t size = 0;
    enum status status = ST_EXHAUSTED;
    bool found = false;

    if (bytes != NULL)
        status =
            file_read(bytes, &size, proof->receipts, RECEIPTS_SIZE_MAX, false);
    for (size_t at = 0;
         status == ST_OK && !found && at + RECEIPT_STORE_RECORD_SIZE <= size;
         at += RECEIPT_STORE_RECORD_SIZE) {
        struct receipt receipt;
        const uint8_t *record = bytes + size -
                                size % RECEIPT_STORE_RECORD_SIZE - at -
                                RECEIPT_STORE_RECORD_SIZE;

        if (receipt_decode(&receipt, record) != ST_OK ||
            (proof->has_index && receipt.index != proof->index))
            continue;
        found = true;
        proof->index = receipt.index;
        memcpy(proof->leaf, receipt.entry_hash, HASH_SIZE);
        proof->has_leaf = true;
    }
    free(bytes);
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", proof->receipts,
                            status_info(status)->english);
    if (!found)
        return program_fail(EXIT_USAGE, "%s: no such receipt is in it",
                            proof->receipts);
    return EXIT_GOOD;
}

/* The entry itself, if it is ours: then the file needs nothing else. */
static int proof_take_entry(struct proof *proof, struct defter *client)
{
    uint8_t leaf[HASH_SIZE];
    const uint8_t *entry;
    struct writer writer;
    size_t size;
    size_t room;
    int status = defter_proof_bytes(client, proof->index, &entry, &size);

    if (status != ST_OK && (status != ST_NO_SUCH || proof->has_leaf))
        return status == ST_NO_SUCH
                   ? EXIT_GOOD
                   : cluster_say_failure(status, defter_reason(client));
    if (status == ST_NO_SUCH)
        return program_fail(EXIT_REFUSED,
                            "this login neither signed nor carried entry "
                            "%llu: give its receipt, or --leaf HASH",
                            (unsigned long long)proof->index);
    entry_leaf_hash(leaf, slice_of(entry, size));
    if (proof->has_leaf && memcmp(leaf, proof->leaf, HASH_SIZE) != 0)
        return program_fail(EXIT_REFUSED,
                            "the node shows another entry at %llu than the "
                            "receipt names",
                            (unsigned long long)proof->index);
    memcpy(proof->leaf, leaf, HASH_SIZE);
    proof->has_leaf = true;
    room = LINES_BASE64_SIZE(size);
    proof->extra = malloc(room + 1);
    if (proof->extra == NULL)
        return program_fail(EXIT_INCOMPLETE, "out of memory");
    writer_init(&writer, proof->extra, room);
    lines_write_base64(&writer, entry, size);
    proof->extra[writer.used] = '\0';
    return EXIT_GOOD;
}

/* ---- The file ----------------------------------------------------------- */

static int proof_write(const struct proof *proof,
                       const struct defter_proof *from)
{
    uint8_t *bytes = malloc(TLOG_PROOF_SIZE_MAX);
    struct tlog_proof file = {.index = from->index,
                              .count = from->hashes_count,
                              .note = slice_of(from->note, from->note_size)};
    struct writer writer;
    enum status status = ST_OK;

    if (bytes == NULL)
        return program_fail(EXIT_INCOMPLETE, "out of memory");
    if (proof->extra != NULL)
        file.extra = slice_of(proof->extra, strlen(proof->extra));
    memcpy(file.hashes, from->hashes, sizeof file.hashes);
    writer_init(&writer, bytes, TLOG_PROOF_SIZE_MAX);
    tlog_proof_write(&writer, &file);
    if (proof->out == NULL)
        (void)fwrite(bytes, 1, writer.used, stdout);
    else
        status =
            file_write_new(proof->out, bytes, writer.used, PROOF_FILE_MODE);
    free(bytes);
    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", proof->out,
                            status_info(status)->english);
    return EXIT_GOOD;
}

static int proof_make(struct proof *proof, struct defter *client)
{
    static const char *const standings[] = {"", "local", "replicated",
                                            "witnessed"};
    struct defter_proof result;
    int code = proof_take_entry(proof, client);
    int status;

    if (code != EXIT_GOOD)
        return code;
    status = defter_proof_entry(client, proof->index, proof->leaf,
                                proof->log_key, proof->newest, &result);
    if (status != ST_OK)
        return program_fail(status == ST_BUSY ? EXIT_INCOMPLETE : EXIT_REFUSED,
                            "entry %llu: %s", (unsigned long long)proof->index,
                            defter_reason(client));
    code = proof_write(proof, &result);
    if (code == EXIT_GOOD)
        fprintf(stderr, "entry %llu is in the log of %llu entries (%s)\n",
                (unsigned long long)proof->index,
                (unsigned long long)result.tree_size,
                standings[result.standing]);
    return code;
}

int proof_run(struct program *program, int argc, char **argv)
{
    struct proof proof = {.receipts = NULL};
    struct defter *client = NULL;
    int code = EXIT_GOOD;

    if (!proof_parse(&proof, argc, argv))
        return program_usage("proof");
    if (proof.receipts != NULL)
        code = proof_take_receipt(&proof);
    program->any_node = true;
    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program, 0);
    if (code == EXIT_GOOD)
        code = proof_make(&proof, client);
    defter_close(client);
    free(proof.extra);
    return code;
}
