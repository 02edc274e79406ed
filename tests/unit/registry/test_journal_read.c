/*
 * What the journal shows to whom, over entries of every category.
 */
#include <string.h>

#include "protocol/tree.h"
#include "server/registry/journal.h"
#include "tests/lib/log_maker.h"
#include "tests/lib/registry_fixture.h"
#include "tests/lib/suite.h"

enum {
    ENTRIES = 40,
    CATEGORIES = 8,
    SMALL = LOG_MAKER_SIZE_MIN + 10,
    ALL = 0xff,
    J1 = 1 << 0,
    J2 = 1 << 1,
    J5 = 1 << 4,
    J6 = 1 << 5,
    J7 = 1 << 6
};

static struct fixture fixture;
static struct result_journal_read out;
static uint8_t log_bytes[ENTRIES][ENTRY_SIZE_MAX];
static struct slice entries[ENTRIES];

static uint8_t category_of(uint64_t index)
{
    return (uint8_t)(index % CATEGORIES + 1);
}

static enum status read_entry(void *context, uint64_t index,
                              struct slice *entry_out)
{
    (void)context;
    ck_assert_uint_lt(index, ENTRIES);
    *entry_out = entries[index];
    return ST_OK;
}

/* Entries of ${size} bytes, their categories in turn. */
static void begin(size_t size)
{
    struct journal_end end = {0};

    fixture_open(&fixture);
    fixture.services.read_entry = read_entry;
    for (uint64_t i = 0; i < ENTRIES; i++) {
        struct journal_entry made =
            log_maker_entry(log_bytes[i], &end, size, 1, 0);

        entries[i] = made.bytes;
        log_bytes[i][2] = category_of(i);
    }
}

static void end(void)
{
    fixture_close(&fixture);
}

static void auditor(struct fixture_actor *actor, uint16_t scope)
{
    fixture_enrol(&fixture, actor, ROLE_AUDITOR, 3, FIXTURE_OWNER);
    fixture_duty(&fixture, actor, DUTY_AUD, scope);
    fixture.index = ENTRIES;
}

static enum status read_as(const struct fixture_actor *actor, uint64_t from,
                           uint16_t count, uint16_t categories)
{
    struct op_journal_read in = {
        .from = from, .count = count, .categories = categories};

    fixture.index = ENTRIES;
    return fixture_run(&fixture, actor, OPCODE_JOURNAL_READ, &in, 0, 0,
                       actor->duty, &out);
}

/* Rows of the last read: how many have this category, and how many of those
 * come with their bytes. */
static unsigned rows_of(uint8_t category, unsigned *with_bytes)
{
    struct list_reader reader;
    struct journal_row row;
    unsigned count = 0;

    *with_bytes = 0;
    list_reader_init(&reader, &out.entries);
    while (list_reader_next(&reader, &schema_journal_row, &row)) {
        ck_assert_uint_eq(row.category, category_of(row.index));
        if (row.category != category)
            continue;
        count++;
        if (row.entry.size > 0) {
            ck_assert(slice_equal(row.entry, entries[row.index]));
            (*with_bytes)++;
        }
    }
    return count;
}

/* T-D-3.3 */
START_TEST(T_D_3_3_an_auditor_of_protection_sees_that_alone)
{
    struct fixture_actor actor;
    unsigned with_bytes;

    begin(SMALL);
    auditor(&actor, J6);
    ck_assert_int_eq(read_as(&actor, 0, ENTRIES, ALL), ST_OK);
    ck_assert_uint_eq(out.next, ENTRIES);
    ck_assert_uint_eq(out.entries.count, ENTRIES);
    for (uint8_t category = 1; category <= CATEGORIES; category++) {
        ck_assert_uint_eq(rows_of(category, &with_bytes), 5);
        ck_assert_uint_eq(with_bytes, category == 6 ? 5 : 0);
    }
    /* Nothing but what he may not see: refused, and journaled as any command
     * is, since it has an entry of its own. */
    ck_assert_int_eq(read_as(&actor, 0, ENTRIES, J2), ST_NO_DUTY);
    end();
}
END_TEST

/* T-P-7.1.15, R-8.2.18 */
START_TEST(T_P_7_1_15_what_is_read_by_category_adds_up_to_the_whole_chain)
{
    struct fixture_actor actor;
    unsigned with_bytes, sum = 0;

    begin(SMALL);
    auditor(&actor, 0);
    for (uint8_t category = 1; category <= CATEGORIES; category++) {
        ck_assert_int_eq(
            read_as(&actor, 0, ENTRIES, (uint16_t)(1u << (category - 1))),
            ST_OK);
        ck_assert_uint_eq(out.entries.count, ENTRIES / CATEGORIES);
        ck_assert_uint_eq(rows_of(category, &with_bytes), out.entries.count);
        ck_assert_uint_eq(with_bytes, out.entries.count);
        ck_assert_uint_eq(out.next, ENTRIES);
        sum += out.entries.count;
    }
    ck_assert_uint_eq(sum, ENTRIES);
    end();
}
END_TEST

/* T-R-8.2.18 */
START_TEST(T_R_8_2_18_every_statutory_category_has_operations)
{
    uint32_t count;
    const struct operation_info *list = operation_list(&count);
    unsigned of_category[CATEGORIES + 1] = {0};

    for (uint32_t i = 0; i < count; i++) {
        ck_assert(list[i].category >= 1 && list[i].category <= CATEGORIES);
        of_category[list[i].category]++;
    }
    /* Collection, processing, queries, management, protection; applications
     * and notices come with their operations. */
    ck_assert_uint_gt(of_category[1], 0);
    ck_assert_uint_gt(of_category[3], 0);
    ck_assert_uint_gt(of_category[5], 0);
    ck_assert_uint_gt(of_category[6], 0);
    ck_assert_uint_gt(of_category[7], 0);
}
END_TEST

START_TEST(security_sees_protection_and_operations_see_what_concerns_machines)
{
    struct fixture_actor security, operations, clerk;
    unsigned with_bytes;

    begin(SMALL);
    fixture_staff(&fixture, &security, DUTY_SEC);
    fixture_staff(&fixture, &operations, DUTY_OPS);
    fixture_staff(&fixture, &clerk, DUTY_CLK);
    ck_assert_int_eq(read_as(&security, 0, ENTRIES, J6 | J1), ST_OK);
    ck_assert_uint_eq(rows_of(6, &with_bytes), 5);
    ck_assert_uint_eq(with_bytes, 5);
    ck_assert_uint_eq(rows_of(1, &with_bytes), 5);
    ck_assert_uint_eq(with_bytes, 0);
    ck_assert_int_eq(read_as(&operations, 0, ENTRIES, J5 | J6 | J7), ST_OK);
    ck_assert_uint_eq(rows_of(5, &with_bytes), 5);
    ck_assert_uint_eq(with_bytes, 5);
    ck_assert_uint_eq(rows_of(7, &with_bytes), 5);
    ck_assert_uint_eq(with_bytes, 5);
    ck_assert_uint_eq(rows_of(6, &with_bytes), 5);
    ck_assert_uint_eq(with_bytes, 0);
    ck_assert_int_eq(read_as(&operations, 0, ENTRIES, J6), ST_NO_DUTY);
    ck_assert_int_eq(read_as(&clerk, 0, ENTRIES, ALL), ST_NO_DUTY);
    end();
}
END_TEST

START_TEST(a_read_goes_on_where_the_last_one_ended)
{
    struct fixture_actor actor;

    begin(SMALL);
    auditor(&actor, 0);
    ck_assert_int_eq(read_as(&actor, 30, 8, ALL), ST_OK);
    ck_assert_uint_eq(out.entries.count, 8);
    ck_assert_uint_eq(out.next, 38);
    ck_assert_int_eq(read_as(&actor, out.next, 8, ALL), ST_OK);
    ck_assert_uint_eq(out.entries.count, 2);
    ck_assert_uint_eq(out.next, ENTRIES);
    /* At the end there is nothing yet; behind it there is no place. */
    ck_assert_int_eq(read_as(&actor, ENTRIES, 8, ALL), ST_OK);
    ck_assert_uint_eq(out.entries.count, 0);
    ck_assert_uint_eq(out.next, ENTRIES);
    ck_assert_int_eq(read_as(&actor, ENTRIES + 1, 8, ALL), ST_BAD_FIELD);
    end();
}
END_TEST

START_TEST(a_read_of_large_entries_stops_where_its_result_is_full)
{
    struct fixture_actor actor;
    uint64_t from = 0;
    unsigned reads = 0;

    begin(ENTRY_SIZE_MAX);
    auditor(&actor, 0);
    while (from < ENTRIES) {
        ck_assert_int_eq(read_as(&actor, from, 64, ALL), ST_OK);
        ck_assert_uint_gt(out.next, from);
        ck_assert_uint_eq(out.entries.count, out.next - from);
        from = out.next;
        reads++;
    }
    ck_assert_uint_eq(from, ENTRIES);
    ck_assert_uint_gt(reads, 1);
    end();
}
END_TEST

START_TEST(a_watch_is_granted_to_auditors_within_their_scope)
{
    struct op_journal_watch in = {.from = 3, .categories = ALL};
    struct fixture_actor actor, security;

    begin(SMALL);
    fixture_staff(&fixture, &security, DUTY_SEC);
    auditor(&actor, J6);
    ck_assert_int_eq(fixture_run(&fixture, &actor, OPCODE_JOURNAL_WATCH, &in, 0,
                                 0, actor.duty, NULL),
                     ST_OK);
    ck_assert_uint_eq(journal_visible(&fixture.act), J6);
    fixture.act.scope = 0;
    ck_assert_uint_eq(journal_visible(&fixture.act), ALL);
    in.categories = J2;
    ck_assert_int_eq(fixture_run(&fixture, &actor, OPCODE_JOURNAL_WATCH, &in, 0,
                                 0, actor.duty, NULL),
                     ST_NO_DUTY);
    in.categories = J6;
    in.from = fixture.index + 1;
    ck_assert_int_eq(fixture_run(&fixture, &actor, OPCODE_JOURNAL_WATCH, &in, 0,
                                 0, actor.duty, NULL),
                     ST_BAD_FIELD);
    in.from = 0;
    ck_assert_int_eq(fixture_run(&fixture, &security, OPCODE_JOURNAL_WATCH, &in,
                                 0, 0, security.duty, NULL),
                     ST_NO_DUTY);
    end();
}
END_TEST

START_TEST(the_chain_head_is_that_of_the_entry_before)
{
    struct op_chain_head in = {0};
    struct result_chain_head head_out;
    struct state_head head;
    struct fixture_actor actor;
    struct tree tree;
    uint8_t root[HASH_SIZE];

    begin(SMALL);
    auditor(&actor, 0);
    tree_init(&tree);
    for (uint64_t i = 0; i < ENTRIES; i++) {
        uint8_t leaf[HASH_SIZE] = {(uint8_t)i};

        tree_append(&tree, leaf);
    }
    tree_root(&tree, root);
    head = *state_head(fixture.state);
    head.applied_size = ENTRIES;
    head.applied_leaf[0] = ENTRIES - 1;
    memcpy(head.frontier, tree.hashes, sizeof head.frontier);
    state_begin(fixture.state);
    state_set_head(fixture.state, &head);
    state_commit(fixture.state);
    ck_assert_int_eq(fixture_run(&fixture, &actor, OPCODE_CHAIN_HEAD, &in, 0, 0,
                                 actor.duty, &head_out),
                     ST_OK);
    ck_assert_uint_eq(head_out.size, ENTRIES);
    ck_assert_uint_eq(head_out.leaf.b[0], ENTRIES - 1);
    ck_assert_mem_eq(head_out.root.b, root, HASH_SIZE);
    ck_assert_mem_eq(head_out.digest.b, head.digest, HASH_SIZE);
    end();
}
END_TEST

SUITE_MAIN("journal_read", T_D_3_3_an_auditor_of_protection_sees_that_alone,
           T_P_7_1_15_what_is_read_by_category_adds_up_to_the_whole_chain,
           T_R_8_2_18_every_statutory_category_has_operations,
           security_sees_protection_and_operations_see_what_concerns_machines,
           a_read_goes_on_where_the_last_one_ended,
           a_read_of_large_entries_stops_where_its_result_is_full,
           a_watch_is_granted_to_auditors_within_their_scope,
           the_chain_head_is_that_of_the_entry_before)
