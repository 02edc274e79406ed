/* What a primary makes of a confirmation that another node says it signed.
 * ctest-label: threads */
#include "tests/lib/suite.h"

#include <string.h>

#include "server/pipeline/pipeline_private.h"
#include "tests/lib/pipeline_host.h"

static struct pipeline_host host;
static struct rig_command command;

/* The bytes as they travel. */
static uint8_t bytes[PEER_CONFIRM_SIZE_MAX];
static size_t size;

static void sign(uint16_t opcode, const void *fields,
                 const struct identity *signer)
{
    struct work *work;

    rig_begin(&host.rig, &command);
    rig_item(&host.rig, &command, opcode, 0, 0, fields);
    command.header.realm = REALM_SYSTEM;
    command.header.signed_at = host.rig.wall + atomic_load(&host.passed);
    work = rig_finish(&host.rig, &command, signer);
    size = work->command.body.size;
    ck_assert_uint_le(size, sizeof bytes);
    memcpy(bytes, work->command.body.data, size);
    work_close(work);
}

static void sign_confirm(const struct identity *signer)
{
    struct op_destroy_confirm fields = {.act = 9, .erased_at = 3};

    sign(OPCODE_DESTROY_CONFIRM, &fields, signer);
}

static enum status take(void)
{
    return pipeline_take_confirmation(host.pipeline, slice_of(bytes, size));
}

/* As the thread that applies finds it where the act was executed. */
static void await(void)
{
    struct pipeline_awaits *awaits = &host.pipeline->awaits;

    awaits->count = 1;
    awaits->awaited[0] = (struct pipeline_awaited){
        .of = {.act = 9, .erased_at = 3}, .taken_ms = INT64_MIN};
    memcpy(awaits->awaited[0].of.key_id.b, host.rig.node.key_id, KEY_ID_SIZE);
}

START_TEST(a_node_s_confirmation_becomes_an_entry_and_is_decided_there)
{
    uint64_t before;

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    await();
    before = pipeline_size(host.pipeline);
    sign_confirm(&host.rig.node);
    ck_assert_int_eq(take(), ST_OK);
    pipeline_host_run_to(&host, before + 1);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_DESTROY_CONFIRM), 1);
    /* The same again is known, and makes no entry. */
    ck_assert_int_eq(take(), ST_OK);
    (void)pipeline_host_run_ping(&host, 1000);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_DESTROY_CONFIRM), 1);
    pipeline_host_check_replay(&host);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(what_the_state_does_not_await_becomes_no_entry)
{
    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    sign_confirm(&host.rig.node);
    ck_assert_int_eq(take(), ST_NO_SUCH);
    await();
    host.pipeline->awaits.awaited[0].of.erased_at++;
    ck_assert_int_eq(take(), ST_NO_SUCH);
    await();
    host.pipeline->awaits.awaited[0].of.key_id.b[0] ^= 1;
    ck_assert_int_eq(take(), ST_NO_SUCH);
    (void)pipeline_host_run_ping(&host, 1000);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_DESTROY_CONFIRM), 0);
    pipeline_host_close(&host);
}
END_TEST

/* Each has another idempotency number, and would be an entry of its own. */
START_TEST(one_confirmation_of_a_node_is_under_way_at_a_time)
{
    enum { FLOOD = 200 };

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    await();
    for (int i = 0; i < FLOOD; i++) {
        sign_confirm(&host.rig.node);
        ck_assert_int_eq(take(), ST_OK);
    }
    (void)pipeline_host_run_ping(&host, 1000);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_DESTROY_CONFIRM), 1);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(what_no_node_signed_becomes_no_entry)
{
    struct op_system_ping ping = {.text = slice_of("p", 1)};
    struct identity stranger;

    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    rig_identity(&host.rig, &stranger);
    sign_confirm(&stranger);
    ck_assert_int_eq(take(), ST_BAD_SIG);
    sign_confirm(&host.rig.admin);
    ck_assert_int_eq(take(), ST_BAD_SIG);
    /* Of a node, but something else. */
    sign(OPCODE_SYSTEM_PING, &ping, &host.rig.node);
    ck_assert_int_eq(take(), ST_BAD_FIELD);
    /* Cut anywhere, and any bit flipped. */
    sign_confirm(&host.rig.node);
    for (size_t whole = size; size-- > 0;)
        ck_assert_msg(take() != ST_OK, "%d of %d bytes", (int)size, (int)whole);
    sign_confirm(&host.rig.node);
    for (size_t bit = 0; bit < size * 8; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        ck_assert_msg(take() != ST_OK, "bit %d", (int)bit);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    (void)pipeline_host_run_ping(&host, 1000);
    ck_assert_uint_eq(pipeline_host_count(&host, OPCODE_DESTROY_CONFIRM), 0);
    pipeline_host_close(&host);
}
END_TEST

START_TEST(a_node_that_follows_enters_nothing)
{
    pipeline_host_open(&host);
    pipeline_host_lead(&host);
    sign_confirm(&host.rig.node);
    pipeline_host_follow(&host);
    ck_assert_int_eq(take(), ST_NOT_PRIMARY);
    pipeline_host_close(&host);
}
END_TEST

SUITE_MAIN("confirmations",
           a_node_s_confirmation_becomes_an_entry_and_is_decided_there,
           what_the_state_does_not_await_becomes_no_entry,
           one_confirmation_of_a_node_is_under_way_at_a_time,
           what_no_node_signed_becomes_no_entry,
           a_node_that_follows_enters_nothing)
