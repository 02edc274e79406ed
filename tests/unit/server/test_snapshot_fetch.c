#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "protocol/peer.h"
#include "server/diag.h"
#include "server/node_cluster.h"
#include "server/pipeline/pipeline_private.h"
#include "server/store/snapshot.h"
#include "tests/lib/pipeline_rig.h"
#include "tests/lib/suite.h"

/* A peer that is asked for a snapshot of which the log attests the digest. */
static struct rig rig;
static struct node node;
static struct node_cluster cluster;
static struct pipeline pipeline;
static const uint8_t liar[NODE_ID_SIZE] = {3};

enum { SIZE = 2 };

static void begin(void)
{
    rig_open_on_files(&rig);
    (void)signal(NODE_SIGNAL_ANEW, SIG_IGN); /* Main would begin anew. */
    memset(&node, 0, sizeof node);
    memset(&cluster, 0, sizeof cluster);
    node.disk = rig.posix;
    node.journal = rig.journal;
    node.pipeline = &pipeline;
    node.cluster = &cluster;
    node.options.cluster.links.peers_count = 1;
    memcpy(node.options.cluster.links.peers[0].node_id, liar, NODE_ID_SIZE);
    atomic_store(&pipeline.lacks, 1);
}

/* As fetch_begin() does. */
static void asked(void)
{
    cluster.fetch.size = SIZE;
    cluster.fetch.total = cluster.fetch.offset = 0;
    crypto_hash_sha256_init(&cluster.fetch.hash);
}

static void part(uint64_t size, uint64_t total, uint64_t offset,
                 struct slice bytes)
{
    struct peer_frame frame = {.type = PEER_SNAPSHOT};

    frame.snapshot.size = size;
    frame.snapshot.total = total;
    frame.snapshot.offset = offset;
    frame.snapshot.bytes = bytes;
    node_cluster_snapshot_part(&node, liar, &frame);
}

static void count_file(void *context, const char *name)
{
    size_t *count = context;

    ck_assert_ptr_nonnull(name);
    ++*count;
}

static size_t files(void)
{
    size_t count = 0;

    ck_assert_int_eq(
        disk_list(rig.disk, SNAPSHOT_DIRECTORY, &count, count_file), ST_OK);
    return count;
}

static void refused(uint64_t size, uint64_t total, uint64_t offset,
                    size_t bytes)
{
    static const uint8_t zeros[PEER_SNAPSHOT_SIZE_MAX];

    asked();
    part(size, total, offset, slice_of(zeros, bytes));
    ck_assert_uint_eq(cluster.fetch.size, 0);
    ck_assert(cluster.fetch.bad[0]);
    cluster.fetch.bad[0] = false;
}

START_TEST(what_cannot_be_it_is_refused_and_its_sender_is_not_asked_again)
{
    enum { FULL = PEER_SNAPSHOT_SIZE_MAX };

    begin();
    refused(SIZE, 8, 0, 7); /* A part that is not full, and not the last. */
    refused(SIZE, 8, 0, 0);
    refused(SIZE, 0, 0, 0);
    refused(SIZE, 7, 0, 8);
    refused(SIZE, UINT64_MAX, 0, FULL);
    refused(SIZE, (uint64_t)SNAPSHOT_MIB_MAX * 1024 * 1024, 0, FULL);
    rig_close(&rig);
}
END_TEST

/* Who was silent for too long is asked anew, where there is no other, and then
 * both answers come. */
START_TEST(what_was_asked_for_before_may_come_late)
{
    begin();
    crypto_hash_sha256(cluster.fetch.expected, (const uint8_t *)"garbage!", 8);
    asked();
    part(SIZE - 1, 8, 0, slice_of("formerly", 8));
    part(SIZE, 8, 1, slice_of("arbage!", 7));
    ck_assert_uint_eq(cluster.fetch.size, SIZE);
    ck_assert(!cluster.fetch.bad[0]);
    part(SIZE, 8, 0, slice_of("garbage!", 8));
    ck_assert(atomic_load(&cluster.anew));
    part(SIZE, 8, 0, slice_of("garbage!", 8));
    ck_assert(!cluster.fetch.bad[0]);
    rig_close(&rig);
}
END_TEST

START_TEST(D123_a_file_with_another_digest_is_refused_and_leaves_nothing)
{
    begin();
    asked();
    part(SIZE, 8, 0, slice_of("garbage!", 8));
    ck_assert_uint_eq(cluster.fetch.size, 0);
    ck_assert(cluster.fetch.bad[0]);
    ck_assert(!atomic_load(&cluster.anew));
    ck_assert_uint_eq(files(), 0);
    rig_close(&rig);
}
END_TEST

START_TEST(the_file_that_the_log_attests_is_kept)
{
    begin();
    crypto_hash_sha256(cluster.fetch.expected, (const uint8_t *)"garbage!", 8);
    asked();
    part(SIZE, 8, 0, slice_of("garbage!", 8));
    ck_assert(atomic_load(&cluster.anew));
    ck_assert_uint_eq(snapshot_newest(rig.disk, UINT64_MAX), SIZE);
    ck_assert_uint_eq(files(), 1);
    rig_close(&rig);
}
END_TEST

START_TEST(who_has_none_may_be_asked_again)
{
    begin();
    asked();
    part(0, 0, 0, slice_of("", 0));
    ck_assert_uint_eq(cluster.fetch.size, 0);
    ck_assert(!cluster.fetch.bad[0]);
    rig_close(&rig);
}
END_TEST

START_TEST(what_nothing_attests_is_not_asked_for)
{
    begin();
    memcpy(node.cluster_id, rig.cluster_id, CLUSTER_ID_SIZE);
    for (int i = 0; i < 100; i++)
        node_cluster_fetch(&node, journal_size(rig.journal));
    /* No host is here: it would have been asked to send. */
    ck_assert_uint_eq(cluster.fetch.size, 0);
    node_cluster_fetch_close(&node);
    rig_close(&rig);
}
END_TEST

START_TEST(what_an_earlier_process_left_in_part_goes)
{
    char name[SNAPSHOT_NAME_SIZE];
    struct disk_file *file;

    begin();
    ck_assert_int_eq(disk_make_directory(rig.disk, SNAPSHOT_DIRECTORY), ST_OK);
    for (uint64_t size = 1; size <= 150; size++) {
        snapshot_name(name, size, size > 1);
        ck_assert_int_eq(disk_create(rig.disk, &file, name), ST_OK);
        disk_close(file);
    }
    snapshot_drop_parts(rig.disk);
    ck_assert_uint_eq(files(), 1);
    ck_assert_uint_eq(snapshot_newest(rig.disk, UINT64_MAX), 1);
    rig_close(&rig);
}
END_TEST

/* A member has no bound on what it may send, and the disk has. */
START_TEST(a_peer_whose_confirmations_are_refused_writes_one_line)
{
    char said[DIAG_LINE_SIZE_MAX + 1];
    FILE *kept = tmpfile();
    int own = dup(STDERR_FILENO);
    size_t size;

    ck_assert_ptr_nonnull(kept);
    begin();
    ck_assert_int_ge(dup2(fileno(kept), STDERR_FILENO), 0);
    for (int i = 0; i < 1000; i++)
        node_cluster_confirmed(&node, slice_of("garbage!", 8));
    ck_assert_int_ge(dup2(own, STDERR_FILENO), 0);
    (void)close(own);
    rewind(kept);
    size = fread(said, 1, sizeof said, kept);
    (void)fclose(kept);
    ck_assert_uint_gt(size, 0);
    ck_assert_ptr_eq(memchr(said, '\n', size), said + size - 1);
    ck_assert_uint_eq(cluster.refused_count, 1000);
    rig_close(&rig);
}
END_TEST

SUITE_MAIN("snapshot_fetch",
           what_cannot_be_it_is_refused_and_its_sender_is_not_asked_again,
           what_was_asked_for_before_may_come_late,
           D123_a_file_with_another_digest_is_refused_and_leaves_nothing,
           the_file_that_the_log_attests_is_kept,
           who_has_none_may_be_asked_again,
           what_nothing_attests_is_not_asked_for,
           what_an_earlier_process_left_in_part_goes,
           a_peer_whose_confirmations_are_refused_writes_one_line)
