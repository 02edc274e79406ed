#include "server/evidence/evidence_state.h"

#include <sodium.h>
#include <string.h>

#include "protocol/files.h"
#include "tests/lib/disk_model.h"
#include "tests/lib/suite.h"

static struct disk_model *model;
static struct evidence_state state;

static struct evidence_head head_of(uint64_t size)
{
    struct evidence_head head = {.size = size, .time_s = (int64_t)size + 5};

    memset(head.root, (int)(size & 0x7f) + 1, HASH_SIZE);
    return head;
}

static struct evidence_value value_of(uint64_t size)
{
    struct evidence_value value = {.contradicted = false};

    evidence_state_origin(value.origin, "log.example");
    value.signed_here = head_of(size);
    return value;
}

static void begin(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    model = disk_model_new();
    ck_assert_uint_eq(
        evidence_state_open(&state, disk_model_disk(model), "log.example"),
        ST_OK);
}

static enum status again(void)
{
    evidence_state_close(&state);
    return evidence_state_open(&state, disk_model_disk(model), "log.example");
}

static void end(void)
{
    evidence_state_close(&state);
    disk_model_free(model);
}

START_TEST(evidence_state_has_its_written_layout)
{
    struct evidence_value value = value_of(0x0102);
    struct evidence_value out;
    uint8_t body[EVIDENCE_STATE_BODY_SIZE];

    value.witnessed = head_of(3);
    value.cosigned = head_of(4);
    value.seen = head_of(5);
    value.contradicted = true;
    evidence_state_encode(body, &value);
    ck_assert_mem_eq(body, value.origin, HASH_SIZE);
    ck_assert_uint_eq(load_u64(body + 32), 0x0102);
    ck_assert_mem_eq(body + 40, value.signed_here.root, HASH_SIZE);
    ck_assert_uint_eq(load_u64(body + 72), 0x0107);
    ck_assert_uint_eq(load_u64(body + 80), 3);
    ck_assert_uint_eq(load_u64(body + 128), 4);
    ck_assert_uint_eq(load_u64(body + 176), 5);
    ck_assert_uint_eq(load_u32(body + 224), 1);
    ck_assert_uint_eq(load_u32(body + 228), 0);
    ck_assert_uint_eq(evidence_state_decode(&out, slice_of(body, sizeof body)),
                      ST_OK);
    ck_assert_mem_eq(&out.seen, &value.seen, sizeof out.seen);
    ck_assert(out.contradicted);
    ck_assert_uint_eq(evidence_state_size(&out), 0x0102);
}
END_TEST

START_TEST(evidence_state_that_contradicts_itself_is_refused)
{
    const struct evidence_value value = value_of(0);
    struct evidence_value good = value;
    struct evidence_value out;
    uint8_t body[EVIDENCE_STATE_BODY_SIZE + 1] = {0};

    good.signed_here = (struct evidence_head){.size = 0};
    evidence_state_encode(body, &good);
    for (size_t size = 0; size < EVIDENCE_STATE_BODY_SIZE; size++)
        ck_assert_uint_eq(evidence_state_decode(&out, slice_of(body, size)),
                          ST_FILE_FORMAT);
    ck_assert_uint_eq(evidence_state_decode(&out, slice_of(body, sizeof body)),
                      ST_FILE_FORMAT);
    for (size_t at = 40; at < EVIDENCE_STATE_BODY_SIZE; at++) {
        /* A root or a time of nothing; a flag that is none. */
        if (at >= 80 && (at - 80) % 48 < 8 && at < 224)
            continue;
        body[at] = 2;
        ck_assert_uint_eq(evidence_state_decode(
                              &out, slice_of(body, EVIDENCE_STATE_BODY_SIZE)),
                          ST_FILE_FORMAT);
        body[at] = 0;
    }
    ck_assert_uint_eq(
        evidence_state_decode(&out, slice_of(body, EVIDENCE_STATE_BODY_SIZE)),
        ST_OK);
}
END_TEST

START_TEST(evidence_state_is_the_last_one_written)
{
    begin();
    for (uint64_t size = 1; size < 6; size++) {
        const struct evidence_value value = value_of(size);

        ck_assert_uint_eq(evidence_state_write(&state, &value), ST_OK);
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert_uint_eq(state.value.signed_here.size, size);
    }
    end();
}
END_TEST

START_TEST(evidence_state_survives_a_loss_of_power_at_every_call)
{
    for (size_t calls = 0; calls < 40; calls++) {
        for (unsigned keep = 0; keep < 2; keep++) {
            uint64_t written = 0;
            uint64_t tried = 0;
            struct disk_model *after;

            begin();
            disk_model_power_off_after(model, calls);
            for (uint64_t size = 1; size < 8; size++) {
                const struct evidence_value value = value_of(size);

                tried = size;
                if (evidence_state_write(&state, &value) != ST_OK)
                    break;
                written = size;
            }
            evidence_state_close(&state);
            after = disk_model_crash(model, NULL, 0, keep == 1, calls);
            disk_model_free(model);
            model = after;
            ck_assert_uint_eq(again(), ST_OK);
            ck_assert_uint_ge(state.value.signed_here.size, written);
            ck_assert_uint_le(state.value.signed_here.size, tried);
            end();
        }
    }
}
END_TEST

START_TEST(evidence_state_survives_a_loss_of_power_while_it_is_made)
{
    for (size_t calls = 0; calls < 8; calls++) {
        struct disk_model *after;
        enum status status;

        ck_assert_int_ge(sodium_init(), 0);
        model = disk_model_new();
        disk_model_power_off_after(model, calls);
        status =
            evidence_state_open(&state, disk_model_disk(model), "log.example");
        MAYBE(status != ST_OK);
        evidence_state_close(&state);
        after = disk_model_crash(model, NULL, 0, calls % 2 == 0, calls);
        disk_model_free(model);
        model = after;
        ck_assert_uint_eq(again(), ST_OK);
        ck_assert_uint_eq(evidence_state_size(&state.value), 0);
        end();
    }
}
END_TEST

START_TEST(evidence_state_without_a_good_slot_is_lost_and_stays)
{
    const uint8_t *data;
    size_t size;

    begin();
    disk_model_rot(model, EVIDENCE_STATE_FILE, 50, 1);
    disk_model_rot(model, EVIDENCE_STATE_FILE, SLOT_SIZE + 50, 1);
    ck_assert_uint_eq(again(), ST_LOST);
    ck_assert(disk_model_peek(model, EVIDENCE_STATE_FILE, &data, &size));
    ck_assert_uint_eq(size, 2 * SLOT_SIZE);
    end();
}
END_TEST

START_TEST(evidence_state_of_another_origin_is_kept_aside)
{
    const struct evidence_value value = value_of(9);
    uint8_t hash[HASH_SIZE];
    char name[DISK_NAME_SIZE_MAX];
    const uint8_t *data;
    size_t size;

    begin();
    ck_assert_uint_eq(evidence_state_write(&state, &value), ST_OK);
    evidence_state_close(&state);
    ck_assert_uint_eq(
        disk_replace(disk_model_disk(model), FILE_CHECKPOINT, "", "former", 6),
        ST_OK);
    ck_assert_uint_eq(evidence_state_open(&state, disk_model_disk(model),
                                          "log.example/01020304"),
                      ST_OK);
    ck_assert_uint_eq(evidence_state_size(&state.value), 0);
    evidence_state_origin(hash, "log.example");
    (void)snprintf(name, sizeof name, "%s.%02x%02x%02x%02x", FILE_CHECKPOINT,
                   hash[0], hash[1], hash[2], hash[3]);
    ck_assert(disk_model_peek(model, name, &data, &size));
    ck_assert_mem_eq(data, "former", 6);
    ck_assert(!disk_model_peek(model, FILE_CHECKPOINT, &data, &size));
    end();
}
END_TEST

SUITE_MAIN("evidence_state", evidence_state_has_its_written_layout,
           evidence_state_that_contradicts_itself_is_refused,
           evidence_state_is_the_last_one_written,
           evidence_state_survives_a_loss_of_power_at_every_call,
           evidence_state_survives_a_loss_of_power_while_it_is_made,
           evidence_state_without_a_good_slot_is_lost_and_stays,
           evidence_state_of_another_origin_is_kept_aside)
