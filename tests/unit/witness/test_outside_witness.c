#include "client/witness/witness.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/suite.h"
#include "tests/lib/tlog_sample.h"

/*
 * A log of LEAVES entries, and a second history of it that differs from leaf
 * FORK on.
 */
enum { LEAVES = 9, FORK = 4, NOW_S = 1786957200 };
enum history { TRUE_ONE, OTHER_ONE };

static struct tlog_signer log_signer;
static struct identity signer;
static struct note_key key, known;
static uint8_t leaves[2][LEAVES][HASH_SIZE];
static char directory[] = "/tmp/defter-witness-XXXXXX";
static struct witness_store *store;
static struct witness *witness;
static struct witness_reply reply;
static uint8_t bytes[8192];
static struct slice body;

static void open_again(void)
{
    struct witness_options options = {
        .key = key, .identity = &signer, .logs = &known, .logs_count = 1};

    ck_assert_int_eq(witness_store_open(&store, directory), ST_OK);
    ck_assert_int_eq(witness_open(&witness, store, &options), ST_OK);
}

static void shut(void)
{
    witness_close(witness);
    witness_store_close(store);
}

static void begin(void)
{
    uint8_t seed[SEED_SIZE] = {7};

    tlog_log(&log_signer);
    known = log_signer.key;
    identity_init(&signer, seed);
    note_key_init(&key, slice_of("outside.example", 15), NOTE_COSIGNATURE,
                  signer.public_key);
    for (unsigned i = 0; i < LEAVES; i++) {
        tlog_leaf(leaves[TRUE_ONE][i], i);
        tlog_leaf(leaves[OTHER_ONE][i], i < FORK ? i : i + 100);
    }
    (void)memcpy(directory + sizeof directory - 7, "XXXXXX", 6);
    ck_assert_ptr_nonnull(mkdtemp(directory));
    open_again();
}

static void end(void)
{
    char command[sizeof directory + 16];

    shut();
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static void make_request(enum history history, uint64_t older, uint64_t newer)
{
    static struct witness_request written;
    static uint8_t note[1024];
    struct tree_leaves all = {leaves[history], LEAVES};
    struct tree_source source = {&all, tree_leaves_read};
    struct checkpoint made = {note_key_name(&log_signer.key), newer, {0}};
    struct writer writer;

    memset(&written, 0, sizeof written);
    written.older = older;
    ck_assert_int_eq(tree_consistency_make(written.hashes, &written.count,
                                           &source, older, newer),
                     ST_OK);
    tree_root_of(made.root, leaves[history], (size_t)newer);
    writer_init(&writer, note, sizeof note);
    checkpoint_sign(&writer, &made, &log_signer.key, &log_signer.identity);
    written.bytes = writer_slice(&writer);
    writer_init(&writer, bytes, sizeof bytes);
    witness_request_write(&writer, &written);
    ck_assert_int_eq(writer.status, ST_OK);
    body = writer_slice(&writer);
}

static unsigned ask(enum history history, uint64_t older, uint64_t newer)
{
    make_request(history, older, newer);
    witness_add_checkpoint(witness, &reply, body, NOW_S);
    return reply.http_status;
}

static bool reply_is(const char *text)
{
    return reply.size == strlen(text) &&
           memcmp(reply.body, text, reply.size) == 0;
}

/* The note that it serves, verified; its size. */
static uint64_t served(enum history history)
{
    char name[WITNESS_STORE_NAME_SIZE];
    struct checkpoint checkpoint;
    struct note note;
    uint8_t root[HASH_SIZE];
    uint64_t time_s;

    witness_store_name(name, note_key_name(&log_signer.key));
    witness_checkpoint(witness, &reply, slice_of(name, strlen(name)));
    if (reply.http_status == WITNESS_UNKNOWN)
        return 0;
    ck_assert_uint_eq(reply.http_status, WITNESS_SIGNS);
    ck_assert_int_eq(checkpoint_open(&checkpoint, &note,
                                     slice_of(reply.body, reply.size),
                                     &log_signer.key),
                     ST_OK);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &key), ST_OK);
    ck_assert_uint_eq(time_s, NOW_S);
    tree_root_of(root, leaves[history], (size_t)checkpoint.size);
    ck_assert_mem_eq(root, checkpoint.root, HASH_SIZE);
    return checkpoint.size;
}

START_TEST(what_goes_on_is_signed_and_remembered)
{
    begin();
    ck_assert_uint_eq(served(TRUE_ONE), 0);
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 3), WITNESS_SIGNS);
    ck_assert_uint_eq(served(TRUE_ONE), 3);
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 5), WITNESS_OTHER_SIZE);
    ck_assert(reply_is("3\n"));
    ck_assert_str_eq(reply.content_type, "text/x.tlog.size");
    shut();
    open_again();
    ck_assert_uint_eq(served(TRUE_ONE), 3);
    ck_assert_uint_eq(ask(TRUE_ONE, 3, 9), WITNESS_SIGNS);
    ck_assert_uint_eq(ask(TRUE_ONE, 9, 9), WITNESS_SIGNS); /* Once more. */
    ck_assert_uint_eq(ask(TRUE_ONE, 3, 5), WITNESS_OTHER_SIZE);
    ck_assert_uint_eq(served(TRUE_ONE), 9);
    end();
}
END_TEST

START_TEST(the_answer_is_one_line_that_verifies)
{
    uint8_t joined[2048];
    struct writer writer;
    struct checkpoint made = {.size = 3};
    struct note note;
    uint64_t time_s;

    begin();
    made.origin = note_key_name(&log_signer.key);
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 3), WITNESS_SIGNS);
    tree_root_of(made.root, leaves[TRUE_ONE], 3);
    writer_init(&writer, joined, sizeof joined);
    checkpoint_write(&writer, &made);
    writer_bytes(&writer, "\n", 1);
    writer_bytes(&writer, reply.body, reply.size);
    ck_assert_int_eq(note_read(&note, writer_slice(&writer)), ST_OK);
    ck_assert_uint_eq(note.count, 1);
    ck_assert_int_eq(checkpoint_cosigned(&time_s, &note, &key), ST_OK);
    end();
}
END_TEST

static bool is_kept(const char *suffix)
{
    uint8_t note[WITNESS_STORE_SIZE_MAX];
    size_t size;

    return witness_store_read(store, note, &size,
                              note_key_name(&log_signer.key), suffix) == ST_OK;
}

START_TEST(two_roots_of_one_size_are_refused_and_the_second_is_kept)
{
    begin();
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 6), WITNESS_SIGNS);
    ck_assert(!is_kept(WITNESS_STORE_CONFLICT));
    ck_assert_uint_eq(ask(OTHER_ONE, 6, 9), WITNESS_INCONSISTENT);
    ck_assert(!is_kept(WITNESS_STORE_CONFLICT)); /* Its proof may be wrong. */
    ck_assert_uint_eq(ask(OTHER_ONE, 6, 6), WITNESS_INCONSISTENT);
    ck_assert_ptr_nonnull(reply.why);
    ck_assert(is_kept(WITNESS_STORE_CONFLICT));
    ck_assert_uint_eq(served(TRUE_ONE), 6);
    ck_assert_uint_eq(ask(TRUE_ONE, 6, 9), WITNESS_SIGNS);
    shut();
    open_again();
    ck_assert_uint_eq(served(TRUE_ONE), 9);
    ck_assert(is_kept(WITNESS_STORE_CONFLICT));
    end();
}
END_TEST

START_TEST(strangers_get_the_answers_of_the_specification)
{
    struct note_key log;

    begin();
    log = log_signer.key;
    make_request(TRUE_ONE, 0, 3);
    for (size_t size = 0; size < body.size; size++) {
        witness_add_checkpoint(witness, &reply, slice_of(bytes, size), NOW_S);
        ck_assert_uint_ne(reply.http_status, WITNESS_SIGNS);
    }
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 3), WITNESS_SIGNS);
    bytes[body.size - 5] ^= 1; /* In the log's signature. */
    witness_add_checkpoint(witness, &reply, body, NOW_S);
    ck_assert_uint_eq(reply.http_status, WITNESS_UNSIGNED);
    note_key_init(&log_signer.key, slice_of("other.example", 13), NOTE_ED25519,
                  log.public_key);
    ck_assert_uint_eq(ask(TRUE_ONE, 3, 5), WITNESS_UNKNOWN);
    log_signer.key = log;
    ck_assert_uint_eq(served(TRUE_ONE), 3);
    end();
}
END_TEST

/* ---- Ends --------------------------------------------------------------- */

static int wanted_step;

static void end_at(void *context, enum witness_store_step step)
{
    MAYBE(context == NULL);
    if ((int)step == wanted_step)
        _exit(0); /* As kill -9: nothing is flushed or closed. */
}

/* Whether a signature left before the end. */
static bool sign_and_end_at(int step, enum history history, uint64_t older,
                            uint64_t newer)
{
    int ends[2];
    char one = 0;
    ssize_t got;
    pid_t child;

    shut();
    ck_assert_int_eq(pipe(ends), 0);
    child = fork();
    ck_assert_int_ge(child, 0);
    if (child == 0) {
        open_again();
        wanted_step = step;
        witness_store_watch(store, NULL, end_at);
        if (ask(history, older, newer) == WITNESS_SIGNS)
            (void)!write(ends[1], "s", 1);
        _exit(0);
    }
    close(ends[1]);
    ck_assert_int_eq(waitpid(child, NULL, 0), child);
    got = read(ends[0], &one, 1);
    close(ends[0]);
    open_again();
    return got == 1;
}

START_TEST(whoever_ends_it_at_any_step_gets_no_second_root)
{
    for (int step = 0; step <= WITNESS_STORE_STEPS_COUNT; step++) {
        begin();
        ck_assert_uint_eq(ask(TRUE_ONE, 0, 3), WITNESS_SIGNS);
        bool left = sign_and_end_at(step, TRUE_ONE, 3, 6);
        uint64_t size = served(TRUE_ONE);

        ck_assert_int_eq(left, step == WITNESS_STORE_STEPS_COUNT);
        /* What has left is there; what is there may not have left. */
        ck_assert(size == 3 || size == 6);
        ck_assert(IMPLIES(left, size == 6));
        ck_assert(IMPLIES(step > WITNESS_STORE_SYNC_DIRECTORY, size == 6));
        if (size == 6) {
            ck_assert_uint_eq(ask(OTHER_ONE, 3, 6), WITNESS_OTHER_SIZE);
            ck_assert_uint_eq(ask(OTHER_ONE, 6, 6), WITNESS_INCONSISTENT);
        } else {
            ck_assert_uint_eq(ask(OTHER_ONE, 3, 6), WITNESS_SIGNS);
            ck_assert_uint_eq(ask(TRUE_ONE, 6, 6), WITNESS_INCONSISTENT);
        }
        end();
    }
}
END_TEST

START_TEST(one_process_has_the_directory)
{
    struct witness_store *second;

    begin();
    ck_assert_int_eq(witness_store_open(&second, directory), ST_BUSY);
    ck_assert_int_eq(chmod(directory, 0770), 0);
    shut();
    ck_assert_int_eq(witness_store_open(&second, directory), ST_FILE_MODE);
    ck_assert_int_eq(chmod(directory, 0700), 0);
    open_again();
    end();
}
END_TEST

static void path_of(char out[256])
{
    char name[WITNESS_STORE_NAME_SIZE];

    witness_store_name(name, note_key_name(&log_signer.key));
    (void)snprintf(out, 256, "%s/state/%s", directory, name);
}

START_TEST(a_file_that_it_did_not_sign_stops_it)
{
    struct witness_options options;
    char path[256];
    FILE *file;

    begin();
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 6), WITNESS_SIGNS);
    options = (struct witness_options){
        .key = key, .identity = &signer, .logs = &known, .logs_count = 1};
    witness_close(witness);
    witness = NULL;
    path_of(path);
    file = fopen(path, "r+");
    ck_assert_ptr_nonnull(file);
    ck_assert_int_eq(
        fseek(file, (long)strlen(log_signer.key.name) + 1, SEEK_SET), 0);
    ck_assert_int_eq(fputc('4', file), '4'); /* The size. */
    ck_assert_int_eq(fclose(file), 0);
    ck_assert_int_eq(witness_open(&witness, store, &options), ST_BAD_SIG);
    ck_assert_int_eq(truncate(path, 0), 0);
    ck_assert_int_eq(witness_open(&witness, store, &options), ST_FILE_FORMAT);
    witness = NULL;
    end();
}
END_TEST

START_TEST(after_a_failed_write_nothing_is_signed_any_more)
{
    char path[256];

    begin();
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 3), WITNESS_SIGNS);
    path_of(path);
    ck_assert_int_eq(unlink(path), 0);
    *strrchr(path, '/') = '\0';
    ck_assert_int_eq(rmdir(path), 0);
    ck_assert_uint_eq(ask(TRUE_ONE, 3, 6), WITNESS_FAILED);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    ck_assert_uint_eq(ask(TRUE_ONE, 3, 6), WITNESS_FAILED);
    ck_assert_uint_eq(served(TRUE_ONE), 3);
    end();
}
END_TEST

START_TEST(a_pipe_under_the_new_files_name_is_not_waited_for)
{
    char path[256];

    begin();
    path_of(path);
    (void)snprintf(strrchr(path, '/'), sizeof "/.new", "/.new");
    ck_assert_int_eq(mkfifo(path, 0600), 0);
    ck_assert_uint_eq(ask(TRUE_ONE, 0, 3), WITNESS_SIGNS);
    ck_assert_uint_eq(served(TRUE_ONE), 3);
    end();
}
END_TEST

SUITE_MAIN("outside_witness", what_goes_on_is_signed_and_remembered,
           the_answer_is_one_line_that_verifies,
           two_roots_of_one_size_are_refused_and_the_second_is_kept,
           strangers_get_the_answers_of_the_specification,
           whoever_ends_it_at_any_step_gets_no_second_root,
           one_process_has_the_directory, a_file_that_it_did_not_sign_stops_it,
           after_a_failed_write_nothing_is_signed_any_more,
           a_pipe_under_the_new_files_name_is_not_waited_for)
