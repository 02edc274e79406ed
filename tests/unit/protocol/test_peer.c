#include "protocol/peer.h"

#include "tests/lib/hex.h"
#include "tests/lib/schema_sample.h"
#include "tests/lib/suite.h"

#define LEAF "2222222222222222222222222222222222222222222222222222222222222222"
#define ID   "11111111111111111111111111111111"

/* Field by field, as docs/REPLICATION.md has them. */
static const struct golden {
    enum peer_number type;
    const char *hex;
} goldens[] = {
    {PEER_HELLO, "0100" ID ID "0300000000000000"
                 "04000000"
                 "0500000000000000"
                 "0600000000000000" LEAF "0700000000000000"
                 "0500"
                 "0800000000000000"
                 "0100"
                 "02000000"
                 "0100000000000000" LEAF},
    {PEER_APPEND, "04000000"
                  "09000000"
                  "0700000000000000"
                  "0600000000000000" LEAF "03000000"
                  "aabbcc"
                  "01000000"
                  "dd"},
    {PEER_APPENDED, "04000000"
                    "09000000"
                    "0600000000000000" LEAF},
    {PEER_REFUSED, "02"
                   "04000000"
                   "09000000"
                   "05000000"
                   "0600000000000000"
                   "0700000000000000"
                   "0100"
                   "02000000"
                   "0100000000000000" LEAF},
    {PEER_BEACON, "0a00000000000000"
                  "04000000"
                  "0700000000000000" LEAF "0800000000000000"},
    {PEER_BEACON_OK, "0a00000000000000"
                     "04000000"
                     "ffffffffffffffff"},
    {PEER_NEWEPOCH, "04000000"},
    {PEER_SEALED, "04000000"
                  "0600000000000000" LEAF "0700000000000000"
                  "0100"
                  "02000000"
                  "0100000000000000" LEAF},
    {PEER_FETCH, "0b000000"
                 "0600000000000000"
                 "0c000000" LEAF},
    {PEER_FETCHED, "0b000000"
                   "01"
                   "0600000000000000"
                   "02000000"
                   "eeff"},
    {PEER_CONFIG, "0d00000000000000"
                  "0200"
                  "0102"
                  "0000"},
    {PEER_SCRUB, "0000000000000000"
                 "0600000000000000" LEAF},
    {PEER_SCRUBBED, "0600000000000000"
                    "02"},
    {PEER_KEYS, "0600000000000000"
                "0300"
                "010203"},
    {PEER_CHECKPOINT, "0400"
                      "6f0a310a"},
    {PEER_COSIGNED, "0700000000000000"
                    "0300"
                    "e2800a"},
    {PEER_CONFIRM, "0300"
                   "010203"},
    {PEER_SNAPSHOT_ASK, "0600000000000000"
                        "0700000000000000"},
    {PEER_SNAPSHOT, "0600000000000000"
                    "0900000000000000"
                    "0700000000000000"
                    "0200"
                    "0102"},
};
enum { GOLDENS = sizeof goldens / sizeof goldens[0] };

static uint8_t bytes[FRAME_BODY_SIZE_MAX];
static uint8_t again[FRAME_BODY_SIZE_MAX];
static uint8_t memory[1 << 20];

static struct slice golden_bytes(const struct golden *golden)
{
    return slice_of(bytes, hex_decode(bytes, sizeof bytes, golden->hex));
}

static struct slice encoded(const struct peer_frame *frame)
{
    struct writer writer;

    writer_init(&writer, again, sizeof again);
    peer_encode(&writer, frame);
    ck_assert_int_eq(writer.status, ST_OK);
    return writer_slice(&writer);
}

/* A decoder that sees a whole copy, so that a sanitizer sees what it reads. */
static enum status decoded(struct peer_frame *out, uint8_t type,
                           struct slice body)
{
    static uint8_t *copy;

    free(copy);
    copy = malloc(body.size + 1);
    ck_assert_ptr_nonnull(copy);
    if (body.size > 0)
        memcpy(copy, body.data, body.size);
    return peer_decode(out, type, slice_of(copy, body.size));
}

START_TEST(every_type_has_its_golden_bytes)
{
    uint32_t count;
    const struct peer_info *list = peer_list(&count);

    ck_assert_uint_eq(count, GOLDENS);
    for (uint32_t i = 0; i < count; i++) {
        struct slice body = golden_bytes(&goldens[i]);
        struct peer_frame frame;

        ck_assert_uint_eq(list[i].number, goldens[i].type);
        ck_assert(i == 0 ? list[i].number == 0x20
                         : list[i].number > list[i - 1].number);
        ck_assert_int_eq(decoded(&frame, list[i].number, body), ST_OK);
        ck_assert_int_eq(frame.type, goldens[i].type);
        ck_assert_msg(slice_equal(encoded(&frame), body), "%s", list[i].name);
    }
}
END_TEST

static void read_golden(struct peer_frame *out, size_t number)
{
    ck_assert_int_eq(decoded(out, (uint8_t)goldens[number].type,
                             golden_bytes(&goldens[number])),
                     ST_OK);
}

START_TEST(golden_bytes_of_a_hello_say_what_they_should)
{
    struct peer_frame frame;
    struct list_reader reader;
    struct peer_epoch row;

    read_golden(&frame, 0);
    ck_assert_uint_eq(frame.hello.version, PEER_VERSION);
    ck_assert_uint_eq(frame.hello.cluster_id.b[15], 0x11);
    ck_assert_uint_eq(frame.hello.incarnation, 3);
    ck_assert_uint_eq(frame.hello.promised, 4);
    ck_assert_uint_eq(frame.hello.config_number, 5);
    ck_assert_uint_eq(frame.hello.size, 6);
    ck_assert_uint_eq(frame.hello.committed, 7);
    ck_assert_uint_eq(frame.hello.flags, PEER_LOST | PEER_DAMAGED);
    ck_assert_int_eq(frame.hello.time, 8);
    list_reader_init(&reader, &frame.hello.epochs);
    ck_assert(list_reader_next(&reader, &schema_peer_epoch, &row));
    ck_assert_uint_eq(row.epoch, 2);
    ck_assert_uint_eq(row.first, 1);
    ck_assert(!list_reader_next(&reader, &schema_peer_epoch, &row));
}
END_TEST

START_TEST(golden_bytes_of_an_append_give_its_entries_one_by_one)
{
    struct peer_frame frame;
    struct slice entry, rest;

    read_golden(&frame, 1);
    ck_assert_uint_eq(frame.append.epoch, 4);
    ck_assert_uint_eq(frame.append.stream, 9);
    ck_assert_uint_eq(frame.append.committed, 7);
    ck_assert_uint_eq(frame.append.previous_size, 6);
    rest = frame.entries;
    ck_assert(peer_next_entry(&entry, &rest));
    ck_assert(slice_equal(entry, slice_of("\xaa\xbb\xcc", 3)));
    ck_assert(peer_next_entry(&entry, &rest));
    ck_assert(slice_equal(entry, slice_of("\xdd", 1)));
    ck_assert(!peer_next_entry(&entry, &rest));
}
END_TEST

START_TEST(golden_bytes_of_answers_say_what_they_should)
{
    struct peer_frame frame;

    read_golden(&frame, 3);
    ck_assert_uint_eq(frame.refused.reason, PEER_REFUSED_MISMATCH);
    ck_assert_uint_eq(frame.refused.epoch, 4);
    ck_assert_uint_eq(frame.refused.stream, 9);
    ck_assert_uint_eq(frame.refused.promised, 5);
    ck_assert_uint_eq(frame.refused.size, 6);
    ck_assert_uint_eq(frame.refused.committed, 7);
    read_golden(&frame, 5);
    ck_assert_int_eq(frame.beacon_ok.time, -1);
    read_golden(&frame, 9);
    ck_assert_uint_eq(frame.fetched.result, PEER_FETCH_ENTRIES);
    ck_assert_uint_eq(frame.fetched.first, 6);
    ck_assert_uint_eq(frame.entries.size, 6);
    read_golden(&frame, 12);
    ck_assert_uint_eq(frame.scrubbed.result, PEER_SCRUB_DIFFERS);
}
END_TEST

static void turn_around(const struct peer_info *info, enum sample_extent extent)
{
    struct peer_frame frame = {.type = (enum peer_number)info->number}, read;
    struct writer space;
    struct slice body;

    writer_init(&space, memory, sizeof memory);
    schema_sample_fill(info->schema, &frame.hello, &space, extent);
    body = encoded(&frame);
    ck_assert_int_eq(decoded(&read, info->number, body), ST_OK);
    memcpy(bytes, body.data, body.size);
    ck_assert_msg(slice_equal(encoded(&read), slice_of(bytes, body.size)), "%s",
                  info->name);
}

START_TEST(every_frame_reads_as_written_at_its_least_and_greatest)
{
    uint32_t count;
    const struct peer_info *list = peer_list(&count);

    for (uint32_t i = 0; i < count; i++) {
        turn_around(&list[i], SAMPLE_LEAST);
        turn_around(&list[i], SAMPLE_MODEST);
        turn_around(&list[i], SAMPLE_GREATEST);
    }
}
END_TEST

/* What a shorter one may be: an APPEND with fewer whole entries. */
static bool ends_between_entries(enum peer_number type, size_t size)
{
    return (type == PEER_APPEND && (size == 56 || size == 63)) ||
           (type == PEER_FETCHED && size == 13);
}

START_TEST(a_frame_that_is_cut_short_anywhere_is_refused)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        struct slice body = golden_bytes(&goldens[i]);

        for (size_t size = 0; size < body.size; size++) {
            struct peer_frame frame;
            enum status status = decoded(&frame, (uint8_t)goldens[i].type,
                                         slice_of(body.data, size));

            ck_assert_msg((status == ST_OK) ==
                              ends_between_entries(goldens[i].type, size),
                          "frame %zu, %zu bytes: %d", i, size, (int)status);
        }
    }
}
END_TEST

START_TEST(a_flipped_bit_is_refused_or_another_frame_of_the_same_bytes)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        struct slice body = golden_bytes(&goldens[i]);

        for (size_t bit = 0; bit < 8 * body.size; bit++) {
            struct peer_frame frame;

            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            if (decoded(&frame, (uint8_t)goldens[i].type, body) == ST_OK)
                ck_assert_msg(slice_equal(encoded(&frame), body),
                              "frame %zu, bit %zu", i, bit);
            bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
        }
    }
}
END_TEST

START_TEST(bytes_behind_a_frame_are_refused)
{
    for (size_t i = 0; i < GOLDENS; i++) {
        struct slice body = golden_bytes(&goldens[i]);
        struct peer_frame frame;

        memset(bytes + body.size, 0, 4);
        for (size_t more = 1; more <= 4; more++)
            ck_assert_msg(decoded(&frame, (uint8_t)goldens[i].type,
                                  slice_of(bytes, body.size + more)) != ST_OK,
                          "frame %zu and %zu bytes", i, more);
    }
}
END_TEST

START_TEST(what_a_later_version_adds_for_all_to_skip_is_skipped)
{
    struct peer_frame frame;
    struct slice body = golden_bytes(&goldens[2]);

    memcpy(bytes + body.size, "\x65\x00\x01\x00\xff", 5); /* Odd. */
    ck_assert_int_eq(
        decoded(&frame, PEER_APPENDED, slice_of(bytes, body.size + 5)), ST_OK);
    bytes[body.size] = 0x66; /* Even. */
    ck_assert_int_ne(
        decoded(&frame, PEER_APPENDED, slice_of(bytes, body.size + 5)), ST_OK);
}
END_TEST

/* An APPEND whose first entry says that it has ${size} bytes. */
static enum status entry_of(uint32_t size)
{
    struct slice body = golden_bytes(&goldens[1]);
    struct peer_frame frame;

    store_u32(bytes + 56, size);
    return decoded(&frame, PEER_APPEND, body);
}

START_TEST(sizes_of_entries_that_lie_are_refused)
{
    static const uint32_t lies[] = {
        0, 1, 2, 4, 6, 9, 0x7fffffff, 0x80000000, UINT32_MAX, UINT32_MAX - 3};

    ck_assert_int_eq(entry_of(3), ST_OK);
    ck_assert_int_eq(entry_of(8), ST_OK); /* One entry of all that is there. */
    for (size_t i = 0; i < sizeof lies / sizeof lies[0]; i++)
        ck_assert_msg(entry_of(lies[i]) == ST_FRAME, "%u", (unsigned)lies[i]);
}
END_TEST

/* An APPEND with one entry of ${size} bytes. */
static enum status one_entry(size_t size)
{
    struct slice body = golden_bytes(&goldens[1]);
    struct peer_frame frame;

    (void)body;
    memset(bytes + 60, 7, size);
    store_u32(bytes + 56, (uint32_t)size);
    return decoded(&frame, PEER_APPEND, slice_of(bytes, 60 + size));
}

START_TEST(the_largest_entry_fits_a_frame_and_a_larger_one_does_not)
{
    ck_assert_int_eq(one_entry(1), ST_OK);
    ck_assert_int_eq(one_entry(ENTRY_SIZE_MAX), ST_OK);
    ck_assert_int_eq(one_entry(ENTRY_SIZE_MAX + 1), ST_FRAME);
}
END_TEST

START_TEST(entries_come_with_no_other_answer_than_entries)
{
    struct slice body = golden_bytes(&goldens[9]);
    struct peer_frame frame;

    for (uint8_t result = 0; result <= 4; result++) {
        enum status status;

        bytes[4] = result;
        status = decoded(&frame, PEER_FETCHED, body);
        ck_assert_int_eq(status, result == PEER_FETCH_ENTRIES ? ST_OK
                                 : result == 0 || result > 3  ? ST_BAD_FIELD
                                                              : ST_FRAME);
        status = decoded(&frame, PEER_FETCHED, slice_of(bytes, 13));
        ck_assert_int_eq(status,
                         result == 0 || result > 3 ? ST_BAD_FIELD : ST_OK);
    }
}
END_TEST

START_TEST(types_that_are_none_are_refused)
{
    static const uint8_t none[] = {0, 1, 0x1f, 0x33, 0x3f, 0x40, 0xff};
    struct peer_frame frame;

    for (size_t i = 0; i < sizeof none; i++)
        ck_assert_int_eq(peer_decode(&frame, none[i], slice_of(bytes, 0)),
                         ST_TYPE);
}
END_TEST

START_TEST(a_full_writer_remembers_that_a_frame_did_not_fit)
{
    struct peer_frame frame;
    struct writer writer;

    read_golden(&frame, 1);
    for (size_t room = 0; room < 68; room++) {
        writer_init(&writer, again, room);
        peer_encode(&writer, &frame);
        ck_assert_int_eq(writer.status, ST_TOO_LARGE);
    }
    writer_init(&writer, again, 68);
    peer_encode(&writer, &frame);
    ck_assert_int_eq(writer.status, ST_OK);
}
END_TEST

START_TEST(entries_are_added_as_they_are_read)
{
    uint8_t room[16];
    struct writer writer;

    writer_init(&writer, room, sizeof room);
    peer_add_entry(&writer, slice_of("abc", 3));
    peer_add_entry(&writer, slice_of("d", 1));
    hex_expect(room, writer.used,
               "03000000"
               "616263"
               "01000000"
               "64");
}
END_TEST

SUITE_MAIN("peer", every_type_has_its_golden_bytes,
           golden_bytes_of_a_hello_say_what_they_should,
           golden_bytes_of_an_append_give_its_entries_one_by_one,
           golden_bytes_of_answers_say_what_they_should,
           every_frame_reads_as_written_at_its_least_and_greatest,
           a_frame_that_is_cut_short_anywhere_is_refused,
           a_flipped_bit_is_refused_or_another_frame_of_the_same_bytes,
           bytes_behind_a_frame_are_refused,
           what_a_later_version_adds_for_all_to_skip_is_skipped,
           sizes_of_entries_that_lie_are_refused,
           the_largest_entry_fits_a_frame_and_a_larger_one_does_not,
           entries_come_with_no_other_answer_than_entries,
           types_that_are_none_are_refused,
           a_full_writer_remembers_that_a_frame_did_not_fit,
           entries_are_added_as_they_are_read)
