/*
 * ctest-label: threads
 *
 * The thread, told things by several others.
 */
#include "server/cosign/cosign.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

#include "tests/unit/cosign/cosign_fake.h"

enum { TELLERS = 4, TOLD = 2000 };

static struct cosign *it;
static atomic_uint sent_notes, sent_lines, added;

static void on_send(void *context, const uint8_t *node_id,
                    const struct peer_frame *frame)
{
    MAYBE(context == NULL);
    MAYBE(node_id == NULL);
    atomic_fetch_add(frame->type == PEER_CHECKPOINT ? &sent_notes : &sent_lines,
                     1);
}

static enum status on_add(void *context, uint64_t size, struct slice line)
{
    MAYBE(context == NULL);
    ck_assert_uint_eq(size, 5);
    ck_assert_uint_gt(line.size, 0);
    atomic_fetch_add(&added, 1);
    return ST_OK;
}

static void begin(uint8_t number)
{
    struct cosign_options options;
    struct cosign_calls calls = fake_calls;

    fake_begin();
    fake_publish(5);
    options = (struct cosign_options){
        .exchange = {.origin = fake_log.key.name,
                     .log_public_key = fake_log.key.public_key,
                     .node_id = fake_node(number),
                     .cosigner = &fake_cosigner}};
    calls.send = on_send;
    calls.add_cosignature = on_add;
    ck_assert_int_eq(cosign_open(&it, &options, &calls), ST_OK);
    ck_assert_int_eq(cosign_start(it), ST_OK);
}

static void end(void)
{
    cosign_stop(it);
    cosign_published(it); /* Nobody looks at it any more. */
    cosign_stop(it);
    cosign_close(it);
}

static void await(atomic_uint *count, unsigned least)
{
    while (atomic_load(count) < least)
        (void)usleep(200);
}

START_TEST(what_is_told_reaches_the_thread)
{
    begin(1);
    cosign_published(it); /* It follows, and cosigns; nobody sent it a note. */
    await(&added, 1);
    await(&sent_lines, 1);
    cosign_lead(it, true);
    cosign_published(it);
    await(&sent_notes, 1);
    cosign_linked(it, fake_node(3));
    await(&sent_notes, 2);
    cosign_witnessed(it);
    await(&sent_notes, 3);
    cosign_lead(it, false);
    cosign_primary(it, fake_node(2));
    cosign_take_note(it, fake_node(2), slice_of(fake_note, fake_note_size));
    await(&sent_lines, 2);
    end();
}
END_TEST

static void *tell(void *argument)
{
    uint8_t *node = argument;

    for (unsigned i = 0; i < TOLD; i++) {
        cosign_published(it);
        cosign_linked(it, node);
        cosign_take_note(it, node, slice_of(fake_note, fake_note_size));
        cosign_take_line(it, node, 5, slice_of("nonsense\n", 9));
    }
    return NULL;
}

START_TEST(a_flood_is_held_in_a_slot_for_each_node)
{
    static uint8_t large[PEER_NOTE_SIZE_MAX + 1];
    pthread_t tellers[TELLERS];
    uint8_t nodes[2 * CONFIG_NODES_MAX][NODE_ID_SIZE];

    begin(1);
    cosign_primary(it, fake_node(2));
    for (unsigned i = 0; i < TELLERS; i++)
        ck_assert_int_eq(pthread_create(&tellers[i], NULL, tell,
                                        fake_node((uint8_t)(2 + i))),
                         0);
    for (unsigned i = 0; i < TELLERS; i++)
        ck_assert_int_eq(pthread_join(tellers[i], NULL), 0);
    /* More nodes than there can be, and more bytes than a frame holds. */
    for (unsigned i = 0; i < 2 * CONFIG_NODES_MAX; i++) {
        memset(nodes[i], (int)(0x40 + i), NODE_ID_SIZE);
        cosign_take_note(it, nodes[i], slice_of("x", 1));
        cosign_take_note(it, nodes[i], slice_of(large, sizeof large));
        cosign_take_line(it, nodes[i], 5, slice_of(large, sizeof large));
    }
    await(&sent_lines, 1);
    ck_assert_uint_le(atomic_load(&sent_lines), 5 * TELLERS * TOLD);
    end();
}
END_TEST

SUITE_MAIN("cosign", what_is_told_reaches_the_thread,
           a_flood_is_held_in_a_slot_for_each_node)
