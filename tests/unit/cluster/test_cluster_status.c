/* `defter status` against two nodes: its rows, its verdict, its exit code. */
#include <cJSON.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sodium.h>

#include "protocol/keyfile.h"
#include "server/files.h"
#include "server/node_private.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

enum { PATH_SIZE = NODE_FIXTURE_PATH_SIZE + 32, OUTPUT_SIZE = 65536 };

static struct node_fixture first, second;
static char conf[PATH_SIZE], key[PATH_SIZE];
static char output[OUTPUT_SIZE];

/* What each node is told of the cluster. */
static struct cluster_status told_first, told_second;

static void tell(void *context, struct cluster_status *out)
{
    *out = *(const struct cluster_status *)context;
}

static void write_files(void)
{
    char hex[2 * PUBLIC_KEY_SIZE + 1], text[512];
    uint8_t bytes[KEYFILE_SIZE];
    struct keyfile keyfile;
    int size;

    (void)snprintf(conf, sizeof conf, "%s/cluster.conf", first.directory);
    (void)snprintf(key, sizeof key, "%s/person.key", first.directory);
    (void)sodium_bin2hex(hex, sizeof hex, first.authority.public_key,
                         PUBLIC_KEY_SIZE);
    size = snprintf(text, sizeof text,
                    "[cluster]\nauthority = %s\naddress = 127.0.0.1:%u\n"
                    "address = 127.0.0.1:%u\n",
                    hex, first.port, second.port);
    ck_assert_int_eq(files_write_new(conf, text, (size_t)size, 0644), ST_OK);
    keyfile_make(&keyfile, KEYFILE_SIGNER, first.cluster_id,
                 first.operator.secret);
    keyfile_encode(bytes, &keyfile);
    ck_assert_int_eq(files_write_new(key, bytes, sizeof bytes, 0600), ST_OK);
}

static struct cluster_member *add_member(enum cluster_role role, bool in_sync,
                                         uint64_t size)
{
    struct cluster_member *member =
        &told_first.members[told_first.members_count++];

    member->node_id.b[0] = (uint8_t)told_first.members_count;
    member->role = role;
    member->in_sync = in_sync;
    member->size = size;
    return member;
}

/* A primary with a backup and an archive, all well. */
static void open_cluster(void)
{
    node_expect_make(&first);
    node_fixture_twin(&second, &first);
    node_fixture_start(&first);
    node_fixture_start(&second);
    write_files();
    memset(&told_first, 0, sizeof told_first);
    told_first.node_id.b[0] = 1;
    told_first.role = CLUSTER_PRIMARY;
    told_first.epoch = 5;
    told_first.configuration = 9;
    told_first.log_size = told_first.committed_size = 1000;
    told_first.failover_epoch = 5;
    told_first.failover_at = 1786957200000000;
    told_second = told_first;
    told_second.node_id.b[0] = 2;
    told_second.role = CLUSTER_BACKUP;
    told_second.log_size = 990;
    told_second.committed_size = 980;
    add_member(CLUSTER_PRIMARY, true, 1000);
    add_member(CLUSTER_BACKUP, true, 990);
    add_member(CLUSTER_ARCHIVE, false, 500);
    pipeline_set_cluster(first.node->pipeline, &told_first, tell);
    pipeline_set_cluster(second.node->pipeline, &told_second, tell);
    pipeline_set_leading(second.node->pipeline, false, NULL, NULL);
}

static void close_cluster(void)
{
    node_fixture_remove(&first);
    node_fixture_remove(&second);
}

/* Gives the exit code; what it said is in output. */
static int run_status(const char *option)
{
    char command[3 * PATH_SIZE + 256];
    const char *folder = getenv("DEFTER_BIN");
    size_t size;
    FILE *said;
    int status;

    ck_assert_ptr_nonnull(folder);
    (void)snprintf(command, sizeof command,
                   "LANG=C '%.400s/defter' --cluster '%s' --key '%s' %s status",
                   folder, conf, key, option);
    said = popen(command, "re");
    ck_assert_ptr_nonnull(said);
    size = fread(output, 1, sizeof output - 1, said);
    output[size] = '\0';
    status = pclose(said);
    ck_assert(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void expect_said(const char *text)
{
    ck_assert_msg(strstr(output, text) != NULL, "%s\nis not in:\n%s", text,
                  output);
}

START_TEST(a_cluster_that_is_well_gives_0_and_a_row_for_each_node)
{
    open_cluster();
    ck_assert_int_eq(run_status(""), 0);
    expect_said("01000000  primary         5      9        1000        1000");
    expect_said("02000000  backup          5      9         990         980");
    expect_said("10\n");
    expect_said("Last failover: epoch 5, 2026-08-17T09:00:00");
    expect_said("archive     not in sync         500 entries");
    expect_said("\nstate                          serving\n");
    close_cluster();
}
END_TEST

START_TEST(the_same_is_said_in_JSON)
{
    cJSON *object, *nodes, *members;

    open_cluster();
    ck_assert_int_eq(run_status("--json"), 0);
    object = cJSON_Parse(output);
    ck_assert_ptr_nonnull(object);
    ck_assert(cJSON_IsFalse(cJSON_GetObjectItem(object, "degraded")));
    nodes = cJSON_GetObjectItem(object, "nodes");
    ck_assert_int_eq(cJSON_GetArraySize(nodes), 2);
    ck_assert_int_eq(
        cJSON_GetObjectItem(cJSON_GetArrayItem(nodes, 1), "lag")->valueint, 10);
    members = cJSON_GetObjectItem(object, "members");
    ck_assert_int_eq(cJSON_GetArraySize(members), 3);
    cJSON_Delete(object);
    close_cluster();
}
END_TEST

START_TEST(a_backup_out_of_sync_is_degraded)
{
    open_cluster();
    told_first.members[1].in_sync = false;
    ck_assert_int_eq(run_status(""), 2);
    expect_said("Degraded: backup 02000000 is not in sync");
    close_cluster();
}
END_TEST

START_TEST(a_lost_member_is_degraded)
{
    open_cluster();
    told_first.members[2].role = CLUSTER_LOST;
    ck_assert_int_eq(run_status(""), 2);
    expect_said("Degraded: lost 03000000 is not in sync");
    close_cluster();
}
END_TEST

START_TEST(without_a_primary_it_is_degraded)
{
    open_cluster();
    told_first.role = CLUSTER_CANDIDATE;
    ck_assert_int_eq(run_status(""), 2);
    expect_said("Degraded: no primary answers");
    expect_said("candidate");
    close_cluster();
}
END_TEST

START_TEST(a_deposed_primary_is_not_taken_for_the_primary)
{
    open_cluster();
    told_second.role = CLUSTER_PRIMARY;
    told_second.epoch = 6;
    told_second.log_size = 1100;
    ck_assert_int_eq(run_status("--json"), 2);
    expect_said("takes itself for the primary");
    expect_said("\"primary\":\t\"02000000");
    close_cluster();
}
END_TEST

START_TEST(a_node_that_does_not_answer_is_degraded)
{
    open_cluster();
    node_fixture_stop(&second);
    ck_assert_int_eq(run_status(""), 2);
    expect_said("CONNECT: Connection refused");
    expect_said("does not answer");
    expect_said("primary         5");
    close_cluster();
}
END_TEST

SUITE_MAIN("status", a_cluster_that_is_well_gives_0_and_a_row_for_each_node,
           the_same_is_said_in_JSON, a_backup_out_of_sync_is_degraded,
           a_lost_member_is_degraded, without_a_primary_it_is_degraded,
           a_deposed_primary_is_not_taken_for_the_primary,
           a_node_that_does_not_answer_is_degraded)
