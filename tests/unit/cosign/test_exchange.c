#include "server/cosign/exchange.h"

#include <stdio.h>

#include "tests/unit/cosign/cosign_fake.h"

static struct exchange it;
static uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];

/* Node 1 leads; node 2 cosigns, with a key or without. */
static void begin(bool leads, bool has_key)
{
    struct exchange_options options;

    fake_begin();
    options =
        (struct exchange_options){.origin = fake_log.key.name,
                                  .log_public_key = fake_log.key.public_key,
                                  .node_id = fake_node(leads ? 1 : 2),
                                  .cosigner = has_key ? &fake_cosigner : NULL};
    exchange_init(&it, &options, &fake_calls);
    exchange_lead(&it, leads);
    exchange_primary(&it, leads ? NULL : fake_node(1));
}

static const struct fake_sent *last_sent(void)
{
    ck_assert_uint_gt(fake_sent_count, 0);
    return &fake_sent[fake_sent_count - 1];
}

/* Whether ${line} is node 2's over the checkpoint of ${size}. */
static bool line_is_good(uint64_t size, struct slice line)
{
    struct note_key key;
    struct note note;
    uint64_t time_s;
    struct slice whole;
    char text[600];

    ck_assert(cosigner_name(&key, fake_log.key.name, fake_node(2),
                            fake_cosigner.public_key));
    ck_assert_uint_lt(line.size, sizeof text);
    memcpy(text, line.data, line.size);
    text[line.size] = '\0';
    whole = fake_write(bytes, sizeof bytes, size, text);
    return note_read(&note, whole) == ST_OK && note.count == 2 &&
           checkpoint_cosigned(&time_s, &note, &key) == ST_OK &&
           time_s == FAKE_TIME_S;
}

START_TEST(a_primary_sends_what_it_signed_to_all_and_to_who_links)
{
    begin(true, true);
    exchange_published(&it);
    exchange_linked(&it, fake_node(3));
    ck_assert_uint_eq(fake_sent_count, 0); /* There is none yet. */
    fake_publish(5);
    exchange_published(&it);
    ck_assert(last_sent()->all);
    ck_assert_uint_eq(last_sent()->type, PEER_CHECKPOINT);
    ck_assert_uint_eq(last_sent()->bytes_size, fake_note_size);
    ck_assert_mem_eq(last_sent()->bytes, fake_note, fake_note_size);
    exchange_linked(&it, fake_node(3));
    ck_assert_uint_eq(fake_sent_count, 2);
    ck_assert(!last_sent()->all);
    ck_assert_uint_eq(last_sent()->node, 3);
    exchange_witnessed(&it);
    ck_assert(last_sent()->all);
    ck_assert_uint_eq(fake_begun, 0); /* Its own cosigner signs nothing. */
}
END_TEST

START_TEST(another_node_cosigns_what_was_found_true_and_says_so_to_the_sender)
{
    begin(false, true);
    fake_publish(5);
    exchange_take_note(&it, fake_node(1), slice_of(fake_note, fake_note_size));
    ck_assert_uint_eq(fake_taken, 1);
    ck_assert_uint_eq(fake_begun_size, 5);
    ck_assert_uint_eq(last_sent()->type, PEER_COSIGNED);
    ck_assert_uint_eq(last_sent()->node, 1);
    ck_assert_uint_eq(last_sent()->size, 5);
    ck_assert(
        line_is_good(5, slice_of(last_sent()->bytes, last_sent()->bytes_size)));
    ck_assert_uint_eq(fake_added_size, 5); /* It serves it as well. */
    /* The link broke and came again: the same line, signed once. */
    exchange_take_note(&it, fake_node(1), slice_of(fake_note, fake_note_size));
    ck_assert_uint_eq(fake_sent_count, 2);
    ck_assert_uint_eq(fake_begun, 1);
    ck_assert_mem_eq(fake_sent[0].bytes, fake_sent[1].bytes,
                     fake_sent[0].bytes_size);
    /* One that is ahead waits with the evidence. */
    exchange_take_note(&it, fake_node(1),
                       fake_write(bytes, sizeof bytes, 9, ""));
    ck_assert_uint_eq(fake_sent_count, 2);
    fake_publish(9);
    exchange_published(&it);
    ck_assert_uint_eq(fake_sent_count, 3);
    ck_assert_uint_eq(last_sent()->size, 9);
}
END_TEST

START_TEST(a_note_that_comes_back_with_the_own_line_is_not_answered)
{
    char line[600];
    uint8_t whole[4096];

    begin(false, true);
    fake_publish(5);
    exchange_take_note(&it, fake_node(1), slice_of(fake_note, fake_note_size));
    (void)snprintf(line, sizeof line, "%.*s", (int)last_sent()->bytes_size,
                   (const char *)last_sent()->bytes);
    exchange_take_note(&it, fake_node(1),
                       fake_write(whole, sizeof whole, 5, line));
    ck_assert_uint_eq(fake_taken, 2); /* There may be others' lines. */
    ck_assert_uint_eq(fake_sent_count, 1);
}
END_TEST

/* Node 3 repeats the primary's own checkpoint. */
START_TEST(who_repeats_a_checkpoint_gets_nothing_and_the_primary_its_line)
{
    begin(false, true);
    exchange_take_note(&it, fake_node(1),
                       fake_write(bytes, sizeof bytes, 5, ""));
    exchange_take_note(&it, fake_node(3),
                       fake_write(bytes, sizeof bytes, 5, ""));
    ck_assert_uint_eq(fake_taken, 1);
    fake_publish(5); /* It is compared with the log, and true. */
    exchange_published(&it);
    ck_assert_uint_eq(fake_sent_count, 1);
    ck_assert_uint_eq(last_sent()->node, 1);
}
END_TEST

START_TEST(a_node_that_leads_takes_no_note)
{
    begin(true, true);
    fake_publish(5);
    exchange_take_note(&it, fake_node(1), slice_of(fake_note, fake_note_size));
    exchange_take_note(&it, fake_node(3), slice_of(fake_note, fake_note_size));
    ck_assert_uint_eq(fake_taken + fake_sent_count, 0);
}
END_TEST

START_TEST(a_note_waits_until_its_sender_is_known_to_lead)
{
    begin(false, true);
    exchange_primary(&it, NULL);
    fake_publish(5);
    exchange_take_note(&it, fake_node(3), slice_of(fake_note, fake_note_size));
    exchange_primary(&it, fake_node(1));
    ck_assert_uint_eq(fake_taken, 0);
    exchange_primary(&it, fake_node(3));
    ck_assert_uint_eq(fake_taken, 1);
    ck_assert_uint_eq(last_sent()->node, 3);
    exchange_primary(&it, fake_node(3)); /* Once. */
    ck_assert_uint_eq(fake_taken, 1);
}
END_TEST

START_TEST(where_nobody_is_known_to_lead_the_line_goes_to_all)
{
    begin(false, true);
    exchange_primary(&it, NULL);
    fake_publish(5);
    exchange_published(&it);
    ck_assert(last_sent()->all);
    ck_assert_uint_eq(last_sent()->type, PEER_COSIGNED);
}
END_TEST

START_TEST(nothing_is_signed_that_could_not_be_noted_first)
{
    static const enum status refused[] = {
        ST_PROOF, ST_END, ST_AGAIN, ST_BUSY, ST_DISK_FAILED, ST_DISK_FULL};

    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        begin(false, true);
        fake_begin_status = refused[i];
        fake_publish(5);
        exchange_take_note(&it, fake_node(1),
                           slice_of(fake_note, fake_note_size));
        exchange_published(&it);
        ck_assert_uint_eq(fake_begun, 2);
        ck_assert_uint_eq(fake_sent_count + fake_added, 0);
    }
}
END_TEST

START_TEST(a_node_without_a_key_takes_notes_and_signs_nothing)
{
    begin(false, false);
    fake_publish(5);
    exchange_take_note(&it, fake_node(1), slice_of(fake_note, fake_note_size));
    exchange_published(&it);
    ck_assert_uint_eq(fake_taken, 1);
    ck_assert_uint_eq(fake_begun + fake_sent_count + fake_added, 0);
}
END_TEST

START_TEST(notes_that_are_none_of_this_log_are_refused_and_told_now_and_then)
{
    struct slice note;

    begin(false, true);
    fake_publish(5);
    note = slice_of(fake_note, fake_note_size);
    for (size_t size = 0; size < note.size; size++)
        exchange_take_note(&it, fake_node(1), slice_of(note.data, size));
    fake_note[0] ^= 1;
    exchange_take_note(&it, fake_node(1), note);
    ck_assert_uint_eq(fake_taken + fake_sent_count, 0);
    ck_assert_ptr_nonnull(strstr(fake_said, "a checkpoint of node 01010101"));
    ck_assert_ptr_eq(strchr(fake_said, '\n'), strrchr(fake_said, '\n'));
    fake_now_ms += EXCHANGE_SAY_MS;
    exchange_take_note(&it, fake_node(1), note);
    ck_assert_ptr_ne(strchr(fake_said, '\n'), strrchr(fake_said, '\n'));
}
END_TEST

/* What node 2 sends for the checkpoint of ${size}. */
static struct slice line_of(uint8_t *out, size_t room, uint64_t size)
{
    struct checkpoint made = {note_key_name(&fake_log.key), size, {0}};
    struct note_key key;
    struct writer text, writer;
    uint8_t text_bytes[512];

    tree_root_of(made.root, (const uint8_t(*)[HASH_SIZE])fake_leaves,
                 (size_t)size);
    writer_init(&text, text_bytes, sizeof text_bytes);
    checkpoint_write(&text, &made);
    ck_assert(cosigner_name(&key, fake_log.key.name, fake_node(2),
                            fake_cosigner.public_key));
    writer_init(&writer, out, room);
    checkpoint_cosign_line(&writer, writer_slice(&text), &key, &fake_cosigner,
                           FAKE_TIME_S);
    return writer_slice(&writer);
}

START_TEST(a_primary_adds_lines_that_verify_also_of_older_checkpoints)
{
    uint8_t first[600];
    struct slice line;

    begin(true, true);
    for (uint64_t size = 5; size < 5 + EXCHANGE_TEXTS; size++) {
        fake_publish(size);
        exchange_published(&it);
    }
    line = line_of(first, sizeof first, 5);
    exchange_take_line(&it, fake_node(2), 5, line);
    ck_assert_uint_eq(fake_added, 1);
    ck_assert_uint_eq(fake_added_size, 5);
    ck_assert_uint_eq(fake_added_line_size, line.size);
    ck_assert_mem_eq(fake_added_line, line.data, line.size);
    exchange_take_line(&it, fake_node(2), 6, line); /* Another size. */
    ck_assert_uint_eq(fake_added, 1);
    ck_assert_ptr_nonnull(strstr(fake_said, "a cosignature of node 02020202"));
    fake_publish(40);
    exchange_published(&it); /* 5 is forgotten. */
    exchange_take_line(&it, fake_node(2), 5, line);
    ck_assert_uint_eq(fake_added, 1);
}
END_TEST

START_TEST(lines_that_are_not_one_line_of_that_node_are_refused)
{
    uint8_t first[1024];
    struct slice line;

    begin(true, true);
    fake_publish(5);
    exchange_published(&it);
    line = line_of(first, sizeof first, 5);
    for (size_t size = 0; size < line.size; size++)
        exchange_take_line(&it, fake_node(2), 5, slice_of(first, size));
    for (size_t bit = 0; bit < 8 * line.size; bit++) {
        first[bit / 8] ^= (uint8_t)(1 << bit % 8);
        exchange_take_line(&it, fake_node(2), 5, line);
        first[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    memcpy(first + line.size, first, line.size); /* Twice. */
    exchange_take_line(&it, fake_node(2), 5, slice_of(first, 2 * line.size));
    exchange_take_line(&it, fake_node(3), 5, line); /* Not its own. */
    fake_enrolled = false;
    exchange_take_line(&it, fake_node(2), 5, line);
    ck_assert_uint_eq(fake_added, 0);
    fake_enrolled = true;
    exchange_take_line(&it, fake_node(2), 5, line);
    ck_assert_uint_eq(fake_added, 1);
}
END_TEST

SUITE_MAIN("exchange", a_primary_sends_what_it_signed_to_all_and_to_who_links,
           another_node_cosigns_what_was_found_true_and_says_so_to_the_sender,
           a_note_that_comes_back_with_the_own_line_is_not_answered,
           who_repeats_a_checkpoint_gets_nothing_and_the_primary_its_line,
           a_node_that_leads_takes_no_note,
           a_note_waits_until_its_sender_is_known_to_lead,
           where_nobody_is_known_to_lead_the_line_goes_to_all,
           nothing_is_signed_that_could_not_be_noted_first,
           a_node_without_a_key_takes_notes_and_signs_nothing,
           notes_that_are_none_of_this_log_are_refused_and_told_now_and_then,
           a_primary_adds_lines_that_verify_also_of_older_checkpoints,
           lines_that_are_not_one_line_of_that_node_are_refused)
