#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/files.h"
#include "server/files.h"
#include "server/node_private.h"
#include "server/store/keyring_rewrap.h"
#include "tests/lib/node_fixture.h"
#include "tests/lib/suite.h"

enum { PATH_SIZE = NODE_FIXTURE_PATH_SIZE + 32 };

static struct node_fixture fixture;

static void path_of(char out[PATH_SIZE], const char *name)
{
    (void)snprintf(out, PATH_SIZE, "%s/%s", fixture.directory, name);
}

static bool exists(const char *name)
{
    struct stat about;
    char path[PATH_SIZE];

    path_of(path, name);
    return stat(path, &about) == 0;
}

static void move(const char *from, const char *to)
{
    char one[PATH_SIZE], other[PATH_SIZE];

    path_of(one, from);
    path_of(other, to);
    ck_assert_int_eq(rename(one, other), 0);
}

static void put_key(const char *name, const struct keyfile *key, unsigned mode)
{
    uint8_t bytes[KEYFILE_SIZE];
    char path[PATH_SIZE];

    keyfile_encode(bytes, key);
    path_of(path, name);
    ck_assert_int_eq(files_write_new(path, bytes, sizeof bytes, mode), ST_OK);
}

static void read_key(struct keyfile *out)
{
    char path[PATH_SIZE];

    path_of(path, FILE_KEYRING_KEY);
    ck_assert_int_eq(files_read_key(out, path, KEYFILE_KEYRING), ST_OK);
}

static struct keyring *open_under(const struct keyfile *key)
{
    struct keyring *keyring;
    char path[PATH_SIZE];

    path_of(path, FILE_KEYRING_DB);
    ck_assert_int_eq(
        keyring_open(&keyring, path, key->secret, fixture.cluster_id), ST_OK);
    return keyring;
}

static struct keyfile current, next;

/* A node that has served, and the key that is to be its next one. */
static void begin(void)
{
    uint8_t secret[KEY_SIZE];

    node_fixture_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
    node_fixture_stop(&fixture);
    read_key(&current);
    randombytes_buf(secret, sizeof secret);
    keyfile_make(&next, KEYFILE_KEYRING, fixture.cluster_id, secret);
}

/* It starts, serves, and keyring.key is the only key of its kind. */
static void expect_serves(void)
{
    node_fixture_start(&fixture);
    node_fixture_serves(&fixture);
    node_fixture_stop(&fixture);
    ck_assert(!exists(FILE_KEYRING_KEY_PART));
    ck_assert(!exists(FILE_KEYRING_KEY_NEXT));
    ck_assert(!exists(FILE_KEYRING_KEY_FORMER));
}

static bool has_key(const struct keyfile *key)
{
    struct keyfile found;

    read_key(&found);
    return memcmp(found.secret, key->secret, KEY_SIZE) == 0;
}

static enum node_exit start(void)
{
    struct node *node = NULL;
    enum node_exit exit = node_open(&node, &fixture.options);

    node_close(exit == NODE_DRAINED ? node : NULL);
    return exit;
}

START_TEST(a_node_serves_under_its_new_key)
{
    begin();
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_DRAINED);
    ck_assert(!has_key(&current));
    expect_serves();
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_node_that_runs_keeps_its_key)
{
    node_fixture_make(&fixture);
    node_fixture_start(&fixture);
    read_key(&current);
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_REFUSED);
    ck_assert(has_key(&current));
    node_fixture_stop(&fixture);
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_node_that_never_ran_has_nothing_to_wrap)
{
    node_fixture_make(&fixture);
    read_key(&current);
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_REFUSED);
    ck_assert(has_key(&current));
    ck_assert(!exists(FILE_KEYRING_DB));
    expect_serves();
    node_fixture_remove(&fixture);
}
END_TEST

/* As an end leaves it before the rows were wrapped, or behind. */
static void leave(bool wrapped)
{
    struct keyring *keyring = open_under(&current);
    uint64_t count;

    keyring_rewrap_announce(keyring, next.secret);
    if (wrapped)
        ck_assert_int_eq(keyring_rewrap(keyring, &count, next.secret), ST_OK);
    keyring_close(keyring);
    put_key(FILE_KEYRING_KEY_NEXT, &next, 0600);
}

START_TEST(a_start_takes_back_a_key_that_wraps_nothing_yet)
{
    begin();
    leave(false);
    expect_serves();
    ck_assert(has_key(&current));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_start_puts_a_key_in_its_place_that_the_rows_are_under)
{
    begin();
    leave(true);
    expect_serves();
    ck_assert(has_key(&next));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_start_goes_on_where_the_former_key_has_lost_its_name)
{
    begin();
    leave(true);
    move(FILE_KEYRING_KEY, FILE_KEYRING_KEY_FORMER);
    expect_serves();
    ck_assert(has_key(&next));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(another_rewrap_finishes_what_was_under_way_and_no_more)
{
    begin();
    leave(true);
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_DRAINED);
    ck_assert(has_key(&next));
    expect_serves();
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(another_rewrap_takes_back_what_wraps_nothing_and_makes_a_key)
{
    begin();
    leave(false);
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_DRAINED);
    ck_assert(!has_key(&next));
    ck_assert(!has_key(&current));
    expect_serves();
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_next_key_that_others_may_read_is_not_taken)
{
    char path[PATH_SIZE];

    begin();
    leave(true);
    path_of(path, FILE_KEYRING_KEY_NEXT);
    ck_assert_int_eq(chmod(path, 0640), 0);
    ck_assert_int_eq(start(), NODE_REFUSED);
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_REFUSED);
    ck_assert_int_eq(chmod(path, 0600), 0);
    expect_serves();
    ck_assert(has_key(&next));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_node_beside_a_foreign_key_does_not_start_and_removes_nothing)
{
    begin();
    put_key(FILE_KEYRING_KEY_NEXT, &next, 0600);
    put_key(FILE_KEYRING_KEY_FORMER, &next, 0600);
    put_key(FILE_KEYRING_KEY_PART, &next, 0600);
    ck_assert_int_eq(start(), NODE_REFUSED);
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_REFUSED);
    ck_assert(exists(FILE_KEYRING_KEY_NEXT));
    ck_assert(exists(FILE_KEYRING_KEY_FORMER));
    ck_assert(exists(FILE_KEYRING_KEY_PART));
    ck_assert(has_key(&current));
    node_fixture_remove(&fixture);
}
END_TEST

START_TEST(a_credential_is_not_replaced)
{
    begin();
    memcpy(fixture.options.credentials, fixture.directory,
           strlen(fixture.directory) + 1);
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_REFUSED);
    ck_assert(has_key(&current));
    fixture.options.credentials[0] = '\0';
    move(FILE_KEYRING_KEY, "aside.key");
    ck_assert_int_eq(node_rewrap(&fixture.options), NODE_REFUSED);
    move("aside.key", FILE_KEYRING_KEY);
    expect_serves();
    node_fixture_remove(&fixture);
}
END_TEST

SUITE_MAIN("node_rewrap", a_node_serves_under_its_new_key,
           a_node_that_runs_keeps_its_key,
           a_node_that_never_ran_has_nothing_to_wrap,
           a_start_takes_back_a_key_that_wraps_nothing_yet,
           a_start_puts_a_key_in_its_place_that_the_rows_are_under,
           a_start_goes_on_where_the_former_key_has_lost_its_name,
           another_rewrap_finishes_what_was_under_way_and_no_more,
           another_rewrap_takes_back_what_wraps_nothing_and_makes_a_key,
           a_next_key_that_others_may_read_is_not_taken,
           a_node_beside_a_foreign_key_does_not_start_and_removes_nothing,
           a_credential_is_not_replaced)
