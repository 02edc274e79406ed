#include "tests/lib/suite.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/registry/act.h"
#include "tests/lib/pipeline_rig.h"

static struct rig rig;
static struct rig_command command;

/* One bit of entry ${index}; once more and it is whole again. */
static void flip(uint64_t index)
{
    char name[DISK_NAME_SIZE_MAX];
    uint64_t offset;

    ck_assert_int_eq(journal_place(rig.journal, name, &offset, index), ST_OK);
    disk_model_rot(rig.model, name, offset + 20, 3);
}

START_TEST(a_known_command_is_in_progress_while_its_entry_is_damaged)
{
    struct op_system_ping ping = {.text = slice_of("a", 1)};
    struct rig_answer first, second;

    rig_open(&rig);
    rig_begin(&rig, &command);
    rig_item(&rig, &command, OPCODE_SYSTEM_PING, 0, 0, &ping);
    struct command_build build = command.build;
    rig_run(&rig, &first, rig_finish(&rig, &command, &rig.admin));
    flip(first.index);
    command.build = build;
    rig_run(&rig, &second, rig_finish(&rig, &command, &rig.admin));
    ck_assert(second.is_error);
    ck_assert_int_eq(second.code, ST_IN_PROGRESS);
    flip(first.index);
    command.build = build;
    rig_run(&rig, &second, rig_finish(&rig, &command, &rig.admin));
    ck_assert(!second.is_error && second.known);
    ck_assert_uint_eq(second.index, first.index);
    rig_close(&rig);
}
END_TEST

/* ---- Entries that read the log ------------------------------------------ */

static bool disk_has_failed;

static enum status read_entry(void *log, uint64_t index,
                              struct slice *entry_out)
{
    (void)log;
    if (disk_has_failed)
        return ST_DISK_FAILED;
    return journal_read_entry(rig.journal, entry_out, rig.entry_buffer, index);
}

static void on_failed(void *context, enum status status, uint64_t index,
                      const char *what)
{
    MAYBE(context == NULL);
    _exit(status == ST_DISK_FAILED && index == 1 &&
                  strcmp(what, "reading the log again") == 0
              ? 42
              : 1);
}

static struct apply *open_apply(struct state *state, struct idempotency *table,
                                struct directory *directory)
{
    struct apply_parts parts = {.state = state,
                                .keyring = rig.keyring,
                                .directory = directory,
                                .idempotency = table,
                                .identity = &rig.node,
                                .read_entry = read_entry,
                                .failed = on_failed};
    struct apply *apply;

    memcpy(parts.cluster_id, rig.cluster_id, CLUSTER_ID_SIZE);
    ck_assert_int_eq(apply_open(&apply, &parts), ST_OK);
    return apply;
}

static enum status replay(struct apply *apply, uint64_t index)
{
    static uint8_t buffer[JOURNAL_READ_SIZE];
    struct slice entry;

    ck_assert_int_eq(journal_read_entry(rig.journal, &entry, buffer, index),
                     ST_OK);
    return apply_replay(apply, entry);
}

START_TEST(an_entry_that_reads_a_damaged_one_is_applied_once_it_is_whole)
{
    struct op_journal_read in = {.from = 1, .count = 2, .categories = 255};
    struct idempotency *table = idempotency_open();
    struct directory *directory = directory_open();
    uint8_t before[HASH_SIZE];
    struct rig_answer answer;
    struct state *state;
    struct apply *apply;

    rig_open(&rig);
    rig_do(&rig, &rig.admin, &answer, OPCODE_JOURNAL_READ, 0, 1, &in);
    ck_assert_int_eq(state_open(&state, ":memory:"), ST_OK);
    apply = open_apply(state, table, directory);
    apply_begin(apply);
    for (uint64_t i = 0; i < answer.index; i++)
        ck_assert_int_eq(replay(apply, i), ST_OK);
    memcpy(before, state_head(state)->digest, HASH_SIZE);
    flip(2);
    ck_assert_int_eq(replay(apply, answer.index), ST_CHECKSUM);
    ck_assert_uint_eq(apply_size(apply), answer.index);
    ck_assert_mem_eq(before, state_head(state)->digest, HASH_SIZE);
    flip(2);
    ck_assert_int_eq(replay(apply, answer.index), ST_OK);
    apply_commit(apply);
    ck_assert_mem_eq(state_head(state)->digest, state_head(rig.state)->digest,
                     HASH_SIZE);
    apply_close(apply);
    state_close(state);
    idempotency_close(table);
    directory_close(directory);
    rig_close(&rig);
}
END_TEST

START_TEST(an_entry_that_an_act_cannot_read_any_more_ends_the_process)
{
    struct idempotency *table = idempotency_open();
    struct directory *directory = directory_open();
    struct act_services *services;
    struct state *state;
    struct apply *apply;
    struct slice bytes;
    int status;
    pid_t child;

    rig_open(&rig);
    ck_assert_int_eq(state_open(&state, ":memory:"), ST_OK);
    apply = open_apply(state, table, directory);
    services = apply_services(apply);
    ck_assert_int_eq(services->read_entry(services->context, 1, &bytes), ST_OK);
    child = fork();
    if (child == 0) {
        disk_has_failed = true;
        MAYBE(services->read_entry(services->context, 1, &bytes) == ST_OK);
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFEXITED(status));
    ck_assert_int_eq(WEXITSTATUS(status), 42);
    apply_close(apply);
    state_close(state);
    idempotency_close(table);
    directory_close(directory);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("damaged", a_known_command_is_in_progress_while_its_entry_is_damaged,
           an_entry_that_reads_a_damaged_one_is_applied_once_it_is_whole,
           an_entry_that_an_act_cannot_read_any_more_ends_the_process)
