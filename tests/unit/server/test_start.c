#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sqlite3.h>

#include "protocol/files.h"
#include "server/files.h"
#include "server/node_private.h"
#include "server/store/keyring.h"
#include "tests/lib/node_fixture.h"
#include "tests/lib/suite.h"

enum { PATH_SIZE = NODE_FIXTURE_PATH_SIZE + 32 };

static struct node_fixture fixture;

static void path_of(char out[PATH_SIZE], const char *name)
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", fixture.directory, name);
}

static void move(const char *from, const char *to)
{
    char one[PATH_SIZE], other[PATH_SIZE];

    path_of(one, from);
    path_of(other, to);
    ck_assert_int_eq(rename(one, other), 0);
}

static bool exists(const char *name)
{
    struct stat about;
    char path[PATH_SIZE];

    path_of(path, name);
    return stat(path, &about) == 0;
}

static void run_once(int pings)
{
    struct op_system_ping ping = {.text = slice_of("p", 1)};
    struct wire wire;

    node_fixture_start(&fixture);
    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    for (int i = 0; i < pings; i++)
        ck_assert_uint_eq(node_fixture_do(&fixture, &wire, &fixture.operator, 0,
                                          OPCODE_SYSTEM_PING, &ping, NULL),
                          ST_OK);
    wire_close(&wire);
    node_fixture_stop(&fixture);
}

static enum node_exit start(void)
{
    struct node *node = NULL;
    enum node_exit exit = node_open(&node, &fixture.options);

    node_close(exit == NODE_DRAINED ? node : NULL);
    return exit;
}

START_TEST(a_node_whose_log_is_gone_makes_no_new_one_beside_its_keys)
{
    node_fixture_make(&fixture);
    run_once(0);
    move("log", "aside.log");
    move("mark", "aside.mark");
    move("meta", "aside.meta");
    ck_assert_int_eq(start(), NODE_REFUSED);
    move("state.db", "aside.state");
    ck_assert_int_eq(start(), NODE_REFUSED);
    ck_assert(!exists("meta"));
    /* Nothing was changed: with its log it goes on. */
    move("aside.log", "log");
    move("aside.mark", "mark");
    move("aside.meta", "meta");
    run_once(1);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_state_ahead_of_its_log_stops_the_node)
{
    node_fixture_make(&fixture);
    run_once(8);
    move("state.db", "aside.state");
    move("log", "aside.log");
    move("mark", "aside.mark");
    move("meta", "aside.meta");
    move("keyring.db", "aside.keyring");
    run_once(0); /* As after a restore from a copy without the last entries. */
    move("state.db", "other.state");
    move("aside.state", "state.db");
    ck_assert_int_eq(start(), NODE_DAMAGED);
    ck_assert(exists("state.db"));
    /* Nor does it take a state of as many entries, which were others. */
    move("state.db", "aside.state");
    move("other.state", "state.db");
    run_once(16);
    move("aside.state", "state.db");
    ck_assert_int_eq(start(), NODE_DAMAGED);
    node_fixture_remove(&fixture);
}
END_TEST

static void stage_key(uint64_t index)
{
    char path[PATH_SIZE];
    struct keyfile wrapping = {0};
    struct keyring *keyring;
    struct keyring_row row = {
        .class = KEYRING_PERSON, .owner = 77, .first_index = index};

    path_of(path, FILE_KEYRING_KEY);
    ck_assert_int_eq(files_read_key(&wrapping, path, KEYFILE_KEYRING), ST_OK);
    path_of(path, FILE_KEYRING_DB);
    ck_assert_int_eq(
        keyring_open(&keyring, path, wrapping.secret, fixture.cluster_id),
        ST_OK);
    row.number = keyring_last(keyring) + 1;
    keyring_stage(keyring, &row, NULL);
    keyring_commit(keyring);
    ck_assert_uint_eq(keyring_end(keyring), index + 1);
    keyring_close(keyring);
    keyfile_wipe(&wrapping);
}

START_TEST(a_keyring_far_ahead_of_its_log_stops_the_node_and_is_kept)
{
    node_fixture_make(&fixture);
    run_once(0);
    stage_key(100); /* Of an entry that was under way in a crash: forgotten. */
    ck_assert_int_eq(start(), NODE_DRAINED);
    stage_key(1000000);
    ck_assert_int_eq(start(), NODE_DAMAGED);
    ck_assert_int_eq(start(), NODE_DAMAGED);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_node_that_lacks_seal_keys_says_so_and_stops)
{
    node_fixture_make(&fixture);
    run_once(4);
    move("keyring.db", "aside.keyring");
    ck_assert_int_eq(start(), NODE_DAMAGED);
    ck_assert_int_eq(start(), NODE_DAMAGED);
    /* Nothing was changed: with its keys it goes on. */
    move("aside.keyring", "keyring.db");
    run_once(1);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(
    a_node_that_cannot_build_its_state_for_want_of_a_key_says_so_and_stops)
{
    node_fixture_make(&fixture);
    run_once(4);
    move("keyring.db", "aside.keyring");
    move("state.db", "aside.state");
    ck_assert_int_eq(start(), NODE_DAMAGED);
    move("aside.keyring", "keyring.db");
    run_once(1);
    node_fixture_remove(&fixture);
}
END_TEST

static void change(const char *name, const char *sql)
{
    char path[PATH_SIZE];
    sqlite3 *db;

    path_of(path, name);
    ck_assert_int_eq(sqlite3_open(path, &db), SQLITE_OK);
    ck_assert_int_eq(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    ck_assert_int_gt(sqlite3_changes(db), 0);
    ck_assert_int_eq(sqlite3_close(db), SQLITE_OK);
}

START_TEST(a_seal_key_that_does_not_open_stops_the_node)
{
    node_fixture_make(&fixture);
    run_once(4);
    change(FILE_KEYRING_DB,
           "UPDATE \"key\" SET wrapped = zeroblob(length(wrapped))");
    ck_assert_int_eq(start(), NODE_DAMAGED);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_state_with_an_item_that_is_none_is_made_anew)
{
    node_fixture_make(&fixture);
    run_once(4);
    change(FILE_STATE_DB,
           "UPDATE \"record\" SET item = zeroblob(length(item))");
    ck_assert_int_eq(start(), NODE_DRAINED);
    run_once(1);
    node_fixture_remove(&fixture);
}
END_TEST

/* As after a state from before an act was put beside a keyring from after. */
START_TEST(a_state_that_does_not_know_of_an_act_is_not_gone_on_with)
{
    node_fixture_make(&fixture);
    run_once(4);
    change(FILE_KEYRING_DB,
           "INSERT INTO \"buried\" SELECT number, 3, first_index FROM "
           "\"key\"; DELETE FROM \"key\"");
    ck_assert_int_ne(start(), NODE_DRAINED);
    ck_assert_int_ne(start(), NODE_DRAINED);
    node_fixture_remove(&fixture);
}
END_TEST

/* ---- Where more nodes than one decide what is committed -------------------
 */

/* The node up to its state, as it knows its log; the log's size. */
static enum node_exit open_known(struct node **node_out,
                                 const struct node_known *known)
{
    struct node *node = calloc(1, sizeof *node);
    enum node_exit exit;

    ck_assert_ptr_nonnull(node);
    node->options = fixture.options;
    node->entry_buffer = malloc(JOURNAL_READ_SIZE);
    ck_assert_int_eq(disk_posix_open(&node->disk, node->options.directory),
                     ST_OK);
    ck_assert_int_eq(node_read_files(node), NODE_DRAINED);
    ck_assert_int_eq(node_open_log(node), NODE_DRAINED);
    exit = node_open_state(node, known);
    *node_out = node;
    return exit;
}

START_TEST(a_state_made_anew_goes_no_further_than_what_is_committed)
{
    static const uint64_t committed[] = {0, 1, 4, UINT64_MAX};
    struct node *node;

    node_fixture_make(&fixture);
    run_once(8);
    for (size_t i = 0; i < sizeof committed / sizeof committed[0]; i++) {
        struct node_known known = {.committed = committed[i]};

        if (i > 0)
            move("state.db", "aside.state");
        ck_assert_int_eq(open_known(&node, &known), NODE_DRAINED);
        uint64_t size = journal_size(node->journal);
        /* The first state is of all entries: what is applied stays so. */
        if (i == 0 || committed[i] > size)
            ck_assert_uint_eq(apply_size(node->apply), size);
        else
            ck_assert_uint_eq(apply_size(node->apply), committed[i]);
        node_close(node);
    }
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_node_that_knows_that_its_log_is_shorter_keeps_its_state_and_keys)
{
    struct node_known known = {.committed = UINT64_MAX};
    struct node *node;

    node_fixture_make(&fixture);
    run_once(8);
    move("state.db", "aside.state");
    move("log", "aside.log");
    move("mark", "aside.mark");
    move("meta", "aside.meta");
    move("keyring.db", "aside.keyring");
    run_once(0);
    move("aside.state", "state.db");
    move("aside.keyring", "keyring.db");
    ck_assert_int_eq(open_known(&node, &known), NODE_DAMAGED);
    node_close(node);
    stage_key(1000000);
    known.lost = true;
    ck_assert_int_eq(open_known(&node, &known), NODE_DRAINED);
    ck_assert_uint_gt(apply_size(node->apply), journal_size(node->journal));
    ck_assert_uint_eq(keyring_end(node->keyring), 1000001);
    node_close(node);
    node_fixture_remove(&fixture);
}
END_TEST

SUITE_MAIN(
    "start", a_node_whose_log_is_gone_makes_no_new_one_beside_its_keys,
    a_state_ahead_of_its_log_stops_the_node,
    a_keyring_far_ahead_of_its_log_stops_the_node_and_is_kept,
    a_node_that_lacks_seal_keys_says_so_and_stops,
    a_node_that_cannot_build_its_state_for_want_of_a_key_says_so_and_stops,
    a_seal_key_that_does_not_open_stops_the_node,
    a_state_with_an_item_that_is_none_is_made_anew,
    a_state_that_does_not_know_of_an_act_is_not_gone_on_with,
    a_state_made_anew_goes_no_further_than_what_is_committed,
    a_node_that_knows_that_its_log_is_shorter_keeps_its_state_and_keys)
