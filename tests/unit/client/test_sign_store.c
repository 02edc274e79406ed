#include "client/sign_store.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/lib/config_sample.h"
#include "tests/lib/suite.h"

static char directory[64], path[128], signature_path[128];
static struct sample_config config;
static uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
static struct slice slice;

static void another(uint64_t number, uint8_t nonce)
{
    config.config.number = number;
    config.config.nonce[0] = nonce;
    sample_config_encode(&config);
    slice = sample_config_cert(certificate, CONFIG_ADD, config.slice, 0);
}

static void begin(void)
{
    struct sign_state state;

    snprintf(directory, sizeof directory, "%s/defter.XXXXXX",
             getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp");
    ck_assert_ptr_nonnull(mkdtemp(directory));
    snprintf(path, sizeof path, "%s/operator.state", directory);
    snprintf(signature_path, sizeof signature_path, "%s/signature", directory);
    sample_config_pair(&config);
    another(2, 1);
    sign_state_init(&state, SIGN_OPERATOR, config.config.cluster_id);
    ck_assert_int_eq(sign_store_create(path, &state), ST_OK);
    ck_assert_int_eq(sign_store_create(path, &state), ST_EXISTS);
}

static void end(void)
{
    char fresh[160];

    snprintf(fresh, sizeof fresh, "%s.new", path);
    unlink(fresh);
    unlink(path);
    unlink(signature_path);
    ck_assert_int_eq(rmdir(directory), 0);
}

static enum status opened(struct sign_store **store)
{
    return sign_store_open(store, path, config.config.cluster_id);
}

/* The number in the state that another process would find. */
static uint64_t number(void)
{
    struct sign_store *store;
    uint64_t found;

    ck_assert_int_eq(opened(&store), ST_OK);
    found = sign_store_state(store)->number;
    sign_store_close(store);
    return found;
}

START_TEST(what_was_taken_is_there_for_the_next_process)
{
    struct sign_store *store;

    begin();
    ck_assert_int_eq(opened(&store), ST_OK);
    ck_assert_int_eq(sign_store_take(store, slice), ST_OK);
    sign_store_close(store);
    ck_assert_uint_eq(number(), 2);
    ck_assert_int_eq(opened(&store), ST_OK);
    ck_assert_int_eq(sign_store_take(store, slice), ST_OK);
    another(2, 9);
    ck_assert_int_eq(sign_store_take(store, slice), ST_EXISTS);
    sign_store_close(store);
    end();
}
END_TEST

START_TEST(two_processes_do_not_hold_one_state)
{
    struct sign_store *store, *second;

    begin();
    ck_assert_int_eq(opened(&store), ST_OK);
    ck_assert_int_eq(opened(&second), ST_BUSY);
    sign_store_close(store);
    ck_assert_int_eq(opened(&second), ST_OK);
    sign_store_close(second);
    end();
}
END_TEST

START_TEST(state_that_is_missing_broken_or_writable_by_others_is_refused)
{
    struct sign_store *store;
    uint8_t other[CLUSTER_ID_SIZE] = {0};

    begin();
    ck_assert_int_eq(sign_store_open(&store, path, other), ST_WRONG_ENV);
    ck_assert_int_eq(chmod(path, 0620), 0);
    ck_assert_int_eq(opened(&store), ST_FILE_MODE);
    ck_assert_int_eq(chmod(path, 0600), 0);
    ck_assert_int_eq(truncate(path, 79), 0);
    ck_assert_int_eq(opened(&store), ST_FILE_FORMAT);
    ck_assert_int_eq(unlink(path), 0);
    ck_assert_int_eq(opened(&store), ST_NO_FILE);
    ck_assert_int_eq(symlink("/etc/hostname", path), 0);
    ck_assert_int_eq(opened(&store), ST_FILE_MODE);
    sign_store_close(NULL);
    end();
}
END_TEST

static enum sign_store_step killed_at;

static void kill_at(void *context, enum sign_store_step step)
{
    (void)context;
    if (step == killed_at)
        raise(SIGKILL);
}

/* Takes the number and then lets a "signature" out. */
static void sign_in_a_child(void)
{
    struct sign_store *store;
    int fd;

    if (opened(&store) != ST_OK)
        _exit(1);
    sign_store_watch(store, NULL, kill_at);
    if (sign_store_take(store, slice) != ST_OK)
        _exit(2);
    fd = open(signature_path, O_WRONLY | O_CREAT, 0600);
    _exit(fd < 0 ? 3 : 0);
}

START_TEST(killed_at_any_step_the_state_is_whole_and_knows_what_was_signed)
{
    for (int step = 0; step < SIGN_STORE_STEPS_COUNT; step++) {
        int status;
        pid_t child;

        begin();
        killed_at = (enum sign_store_step)step;
        child = fork();
        ck_assert_int_ge(child, 0);
        if (child == 0)
            sign_in_a_child();
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
        ck_assert_int_ne(access(signature_path, F_OK), 0);
        ck_assert_uint_eq(number(), step <= SIGN_STORE_RENAME ? 0 : 2);
        /* And the next attempt, of the same, ends well. */
        killed_at = SIGN_STORE_STEPS_COUNT;
        child = fork();
        if (child == 0)
            sign_in_a_child();
        ck_assert_int_eq(waitpid(child, &status, 0), child);
        ck_assert(WIFEXITED(status) && WEXITSTATUS(status) == 0);
        ck_assert_uint_eq(number(), 2);
        end();
    }
}
END_TEST

/* The new file cannot be made: a directory has its name. */
START_TEST(nothing_is_taken_when_the_state_cannot_be_written)
{
    struct sign_store *store;
    char fresh[160];

    begin();
    snprintf(fresh, sizeof fresh, "%s.new", path);
    ck_assert_int_eq(mkdir(fresh, 0700), 0);
    ck_assert_int_eq(opened(&store), ST_OK);
    ck_assert_int_eq(sign_store_take(store, slice), ST_DISK_FAILED);
    ck_assert_uint_eq(sign_store_state(store)->number, 0);
    ck_assert_int_eq(rmdir(fresh), 0);
    ck_assert_int_eq(sign_store_take(store, slice), ST_DISK_FAILED);
    sign_store_close(store);
    ck_assert_uint_eq(number(), 0);
    end();
}
END_TEST

/* What lies under the new file's name is taken away and never waited for. */
START_TEST(a_pipe_or_a_link_under_the_new_name_stops_nobody)
{
    struct sign_store *store;
    char fresh[160];
    struct stat about;

    begin();
    snprintf(fresh, sizeof fresh, "%s.new", path);
    ck_assert_int_eq(mkfifo(fresh, 0666), 0);
    ck_assert_int_eq(opened(&store), ST_OK);
    ck_assert_int_eq(sign_store_take(store, slice), ST_OK);
    another(3, 1);
    ck_assert_int_eq(symlink("/dev/full", fresh), 0);
    ck_assert_int_eq(sign_store_take(store, slice), ST_OK);
    sign_store_close(store);
    ck_assert_uint_eq(number(), 3);
    ck_assert_int_eq(lstat(path, &about), 0);
    ck_assert_uint_eq(about.st_mode, S_IFREG | 0600);
    end();
}
END_TEST

SUITE_MAIN("sign_store", what_was_taken_is_there_for_the_next_process,
           two_processes_do_not_hold_one_state,
           state_that_is_missing_broken_or_writable_by_others_is_refused,
           killed_at_any_step_the_state_is_whole_and_knows_what_was_signed,
           nothing_is_taken_when_the_state_cannot_be_written,
           a_pipe_or_a_link_under_the_new_name_stops_nobody)
