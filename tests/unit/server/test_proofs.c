/* ctest-label: threads
 * PROOF_GET: every entry of a running node's log is proven, every older tree is
 * its beginning, and the bytes of an entry go to nobody but who signed it and
 * the carrier that brought it. */
#include <string.h>
#include <time.h>

#include "protocol/checkpoint.h"
#include "protocol/entry.h"
#include "protocol/tree.h"
#include "server/registry/rows.h"
#include "tests/lib/node_expect.h"
#include "tests/lib/suite.h"

enum { TRIES_MAX = 100, PINGS = 20, OWNER_ORGANISATION = 1, OPERATOR_DUTY = 1 };

static struct node_fixture fixture;
static struct wire wire;
static struct wire_command command;
static struct wire_answer answer;
static struct command_header header; /* Of the last ping. */
static union frame_body body;

static void open_node(void)
{
    node_expect_make(&fixture);
    node_fixture_start(&fixture);
    node_fixture_people(&fixture);
}

static void close_node(void)
{
    node_fixture_remove(&fixture);
}

static void login(const struct identity *identity)
{
    node_fixture_login(&fixture, &wire, identity, ROLE_USER);
}

static void pause_for(uint32_t milliseconds)
{
    const struct timespec time = {.tv_sec = milliseconds / 1000,
                                  .tv_nsec =
                                      (long)(milliseconds % 1000) * 1000000};

    (void)nanosleep(&time, NULL);
}

/* One question; the code of an ERROR, or ST_OK and the PROOF in ${body}. */
static enum status ask_once(const struct message_proof_get *ask)
{
    struct field_error error;
    struct frame frame;

    wire_send(&wire, MESSAGE_PROOF_GET, ask);
    ck_assert(wire_receive(&wire, &frame));
    ck_assert_uint_eq(frame.request_id, wire.request_id);
    ck_assert_int_eq(frame_decode(&wire.gate, &body, &error, &frame), ST_OK);
    if (frame.type == MESSAGE_ERROR)
        return (enum status)body.error.code;
    ck_assert_int_eq(frame.type, MESSAGE_PROOF);
    return ST_OK;
}

/* Until its checkpoint is there. */
static enum status ask(uint8_t kind, uint64_t index)
{
    const struct message_proof_get question = {
        .kind = kind, .which = PROOF_NEWEST, .index = index};
    enum status status = ST_BUSY;

    for (int i = 0; i < TRIES_MAX && status == ST_BUSY; i++) {
        status = ask_once(&question);
        if (status == ST_BUSY)
            pause_for(100);
    }
    return status;
}

/* Index of a ping that ${identity} has entered. */
static uint64_t ping(const struct identity *identity)
{
    struct slice sent =
        wire_command_ping(&command, fixture.cluster_id, identity, "proofs");

    command_header_decode(&header, sent.data);
    wire_send_command(&wire, sent);
    ck_assert(wire_answer(&wire, &answer));
    ck_assert_int_eq(answer.code, ST_OK);
    return answer.receipt.index;
}

/* The checkpoint of the PROOF's note, which the log signed. */
static void open_checkpoint(struct checkpoint *out)
{
    size_t hashes = (size_t)body.proof.hashes_count * HASH_SIZE;
    struct note note;

    ck_assert_uint_gt(body.proof.data.size, hashes);
    ck_assert_int_eq(note_read(&note, slice_of(body.proof.data.data + hashes,
                                               body.proof.data.size - hashes)),
                     ST_OK);
    ck_assert_int_eq(checkpoint_read(out, note.text), ST_OK);
    ck_assert_uint_eq(out->size, body.proof.tree_size);
}

static void read_hashes(uint8_t (*hashes)[HASH_SIZE], size_t *count_out)
{
    *count_out = body.proof.hashes_count;
    memcpy(hashes, body.proof.data.data, *count_out * HASH_SIZE);
}

static void check_inclusion(uint64_t index, const uint8_t leaf[HASH_SIZE])
{
    uint8_t hashes[PROOF_HASHES_MAX][HASH_SIZE];
    struct checkpoint checkpoint;
    size_t count;

    ck_assert_uint_eq(body.proof.index, index);
    ck_assert_uint_eq(body.proof.standing, EVIDENCE_LOCAL);
    open_checkpoint(&checkpoint);
    read_hashes(hashes, &count);
    ck_assert_int_eq(
        tree_inclusion_check(leaf, index, checkpoint.size, checkpoint.root,
                             (const uint8_t(*)[HASH_SIZE])hashes, count),
        ST_OK);
}

START_TEST(every_receipt_is_proven_by_its_entry_hash)
{
    uint64_t indexes[PINGS];
    uint8_t leaves[PINGS][HASH_SIZE];

    login(&fixture.user);
    for (int i = 0; i < PINGS; i++) {
        indexes[i] = ping(&fixture.user);
        memcpy(leaves[i], answer.receipt.entry_hash, HASH_SIZE);
    }
    for (int i = 0; i < PINGS; i++) {
        ck_assert_int_eq(ask(PROOF_ENTRY, indexes[i]), ST_OK);
        check_inclusion(indexes[i], leaves[i]);
    }
    wire_close(&wire);
}
END_TEST

START_TEST(a_command_is_found_by_its_key_and_number)
{
    struct message_proof_get question = {.kind = PROOF_COMMAND,
                                         .which = PROOF_NEWEST};
    uint64_t index;

    login(&fixture.user);
    index = ping(&fixture.user);
    ck_assert_int_eq(ask(PROOF_ENTRY, index), ST_OK);
    memcpy(question.key_id.b, header.key_id, KEY_ID_SIZE);
    memcpy(question.idem.b, header.idem, IDEM_SIZE);
    ck_assert_int_eq(ask_once(&question), ST_OK);
    ck_assert_uint_eq(body.proof.kind, PROOF_COMMAND);
    check_inclusion(index, answer.receipt.entry_hash);
    question.idem.b[0] ^= 1;
    ck_assert_int_eq(ask_once(&question), ST_NO_SUCH);
    wire_close(&wire);
}
END_TEST

START_TEST(every_older_tree_is_the_beginning_of_the_newest)
{
    enum { SIZES_MAX = 8 };
    uint64_t sizes[SIZES_MAX];
    uint8_t roots[SIZES_MAX][HASH_SIZE];
    uint8_t hashes[PROOF_HASHES_MAX][HASH_SIZE];
    struct checkpoint checkpoint;
    size_t count;

    login(&fixture.user);
    for (int i = 0; i < 4; i++) {
        ck_assert_int_eq(ask(PROOF_ENTRY, ping(&fixture.user)), ST_OK);
        open_checkpoint(&checkpoint);
        sizes[i] = checkpoint.size;
        memcpy(roots[i], checkpoint.root, HASH_SIZE);
        for (int j = 0; j <= i; j++) {
            ck_assert_int_eq(ask(PROOF_CONSISTENCY, sizes[j]), ST_OK);
            open_checkpoint(&checkpoint);
            read_hashes(hashes, &count);
            ck_assert_int_eq(tree_consistency_check(
                                 sizes[j], roots[j], checkpoint.size,
                                 checkpoint.root,
                                 (const uint8_t(*)[HASH_SIZE])hashes, count),
                             ST_OK);
        }
    }
    wire_close(&wire);
}
END_TEST

START_TEST(what_is_not_in_the_log_is_not_proven)
{
    const struct message_proof_get kinds[] = {
        {.kind = PROOF_ENTRY, .which = PROOF_NEWEST, .index = 1000000},
        {.kind = PROOF_ENTRY, .which = PROOF_BEST, .index = INT64_MAX},
        {.kind = PROOF_CONSISTENCY, .which = PROOF_BEST, .index = 1000000},
        {.kind = PROOF_BYTES, .which = PROOF_BEST, .index = 1000000},
        {.kind = PROOF_COMMAND, .which = PROOF_BEST}};

    login(&fixture.user);
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++)
        ck_assert_int_eq(ask_once(&kinds[i]), ST_NO_SUCH);
    wire_close(&wire);
}
END_TEST

START_TEST(a_proof_of_an_unknown_kind_is_a_bad_field)
{
    const struct message_proof_get none = {.kind = 6, .which = PROOF_BEST};
    const struct message_proof_get neither = {.kind = PROOF_ENTRY, .which = 3};

    login(&fixture.user);
    ck_assert_int_eq(ask_once(&none), ST_BAD_FIELD);
    ck_assert_int_eq(ask_once(&neither), ST_BAD_FIELD);
    wire_close(&wire);
}
END_TEST

START_TEST(the_bytes_of_an_entry_go_to_who_signed_it_alone)
{
    const struct message_proof_get genesis = {.kind = PROOF_BYTES,
                                              .which = PROOF_BEST};
    struct message_proof_get question = {.kind = PROOF_BYTES,
                                         .which = PROOF_BEST};
    uint8_t leaf[HASH_SIZE];
    struct entry entry;

    login(&fixture.user);
    question.index = ping(&fixture.user);
    ck_assert_int_eq(ask_once(&question), ST_OK);
    ck_assert_int_eq(entry_decode(&entry, body.proof.data), ST_OK);
    entry_leaf_hash(leaf, body.proof.data);
    ck_assert_mem_eq(leaf, answer.receipt.entry_hash, HASH_SIZE);
    ck_assert_uint_eq(body.proof.hashes_count, 0);
    ck_assert_int_eq(ask_once(&genesis), ST_NO_SUCH);
    wire_close(&wire);
    login(&fixture.other);
    ck_assert_int_eq(ask_once(&question), ST_NO_SUCH);
    wire_close(&wire);
}
END_TEST

/* The operator's connection is closed before the portal's is opened. */
static void enrol_portal(struct identity *portal_out)
{
    struct op_carrier_enrol in = {.kind = CARRIER_KIND_WEB,
                                  .label = slice_of("portal", 6)};

    node_fixture_login(&fixture, &wire, &fixture.operator, ROLE_STAFF);
    node_fixture_enrol(&fixture, &wire, portal_out, ROLE_PORTAL,
                       OWNER_ORGANISATION);
    memcpy(in.key_id.b, portal_out->key_id, KEY_ID_SIZE);
    ck_assert_int_eq(node_fixture_do(&fixture, &wire, &fixture.operator,
                                     OPERATOR_DUTY, OPCODE_CARRIER_ENROL, &in,
                                     NULL),
                     ST_OK);
    wire_close(&wire);
}

/* What is refused is refused as if it were not there. */
START_TEST(a_carrier_is_given_the_entries_that_it_brought_and_no_others)
{
    struct message_proof_get carried = {.kind = PROOF_BYTES,
                                        .which = PROOF_BEST};
    struct message_proof_get direct = carried;
    struct identity portal;
    struct entry entry;
    uint8_t leaf[HASH_SIZE];

    enrol_portal(&portal);
    node_fixture_login(&fixture, &wire, &portal, ROLE_PORTAL);
    carried.index = ping(&fixture.user);
    ck_assert_int_eq(ask_once(&carried), ST_OK);
    ck_assert_int_eq(entry_decode(&entry, body.proof.data), ST_OK);
    ck_assert_mem_eq(entry.header.key_id, fixture.user.key_id, KEY_ID_SIZE);
    ck_assert_uint_ne(entry.place.carrier, 0);
    entry_leaf_hash(leaf, body.proof.data);
    ck_assert_mem_eq(leaf, answer.receipt.entry_hash, HASH_SIZE);
    wire_close(&wire);

    /* Who signed it has it as well, and is not carried when he comes himself.
     */
    login(&fixture.user);
    ck_assert_int_eq(ask_once(&carried), ST_OK);
    direct.index = ping(&fixture.user);
    wire_close(&wire);

    node_fixture_login(&fixture, &wire, &portal, ROLE_PORTAL);
    ck_assert_int_eq(ask_once(&direct), ST_NO_SUCH);
    wire_close(&wire);
    node_fixture_login(&fixture, &wire, &fixture.gateway, ROLE_EHIS);
    ck_assert_int_eq(ask_once(&carried), ST_NO_SUCH);
    wire_close(&wire);
    login(&fixture.other);
    ck_assert_int_eq(ask_once(&carried), ST_NO_SUCH);
    carried.index = 1000000;
    ck_assert_int_eq(ask_once(&carried), ST_NO_SUCH);
    wire_close(&wire);
}
END_TEST

/* The number of an item's seal key is the subject's own where there is such a
 * subject; whoever was refused must not see it. */
START_TEST(the_bytes_of_an_entry_that_was_refused_go_to_nobody)
{
    struct op_extract_verify fields = {.number = 4711};
    struct message_proof_get question = {.kind = PROOF_BYTES,
                                         .which = PROOF_BEST};

    login(&fixture.user);
    wire_command_begin(&command, fixture.cluster_id);
    command.clear.subject = UINT64_C(1400057421);
    wire_command_item(&command, OPCODE_EXTRACT_VERIFY, &fields);
    wire_send_command(&wire, wire_command_sign(&command, &fixture.user));
    ck_assert(wire_answer(&wire, &answer));
    ck_assert(!answer.is_error);
    ck_assert_int_eq(answer.code, ST_NO_SUCH);
    question.index = answer.receipt.index;
    ck_assert_int_eq(ask_once(&question), ST_NO_SUCH);
    /* That there is such an entry is no secret. */
    ck_assert_int_eq(ask(PROOF_ENTRY, question.index), ST_OK);
    question.index = ping(&fixture.user);
    ck_assert_int_eq(ask_once(&question), ST_OK);
    wire_close(&wire);
}
END_TEST

/* Of extracts alone is kept what shows their outcome; of others' nothing is
 * told, as of their bytes. */
START_TEST(the_outcome_of_what_is_no_extract_is_not_shown)
{
    struct message_proof_get question = {.kind = PROOF_OUTCOME,
                                         .which = PROOF_BEST};

    login(&fixture.user);
    question.index = ping(&fixture.user);
    ck_assert_int_eq(ask(PROOF_OUTCOME, question.index), ST_NO_SUCH);
    wire_close(&wire);
    login(&fixture.other);
    ck_assert_int_eq(ask_once(&question), ST_NO_SUCH);
    question.index = 0;
    ck_assert_int_eq(ask_once(&question), ST_NO_SUCH);
    wire_close(&wire);
}
END_TEST

SUITE_MAIN_WITH("proofs", open_node, close_node,
                every_receipt_is_proven_by_its_entry_hash,
                a_command_is_found_by_its_key_and_number,
                every_older_tree_is_the_beginning_of_the_newest,
                what_is_not_in_the_log_is_not_proven,
                a_proof_of_an_unknown_kind_is_a_bad_field,
                the_bytes_of_an_entry_go_to_who_signed_it_alone,
                a_carrier_is_given_the_entries_that_it_brought_and_no_others,
                the_bytes_of_an_entry_that_was_refused_go_to_nobody,
                the_outcome_of_what_is_no_extract_is_not_shown)
