#include <stdlib.h>
#include <string.h>

#include "protocol/files.h"
#include "tests/lib/evidence_rig.h"
#include "tests/lib/suite.h"

static struct evidence_rig rig;
static struct evidence_proof proof;

/* A log of ${size} entries, applied; the node leads. */
static void begin(uint64_t size)
{
    evidence_rig_begin(&rig);
    evidence_rig_grow(&rig, size);
    ck_assert_uint_eq(evidence_rig_open(&rig, size), ST_OK);
    evidence_lead(rig.evidence, size);
}

static void end(void)
{
    evidence_rig_end(&rig);
}

static void again(uint64_t applied)
{
    evidence_rig_close(&rig);
    ck_assert_uint_eq(evidence_rig_open(&rig, applied), ST_OK);
}

static enum evidence_idle idle(void)
{
    struct evidence_status status;

    evidence_status(rig.evidence, &status);
    return status.idle;
}

static bool has_foreign(void)
{
    struct evidence_status status;

    evidence_status(rig.evidence, &status);
    return status.has_foreign;
}

/* ---- Notes of the primary ----------------------------------------------- */

static enum status take(uint64_t size, bool foreign)
{
    uint8_t bytes[1024];
    uint8_t root[HASH_SIZE];

    evidence_rig_root(&rig, root, size);
    if (foreign)
        root[5] ^= 1;
    return evidence_take_note(
        rig.evidence, evidence_rig_sign(&rig, bytes, sizeof bytes, size, root));
}

START_TEST(evidence_of_a_node_that_follows_serves_the_notes_that_are_true)
{
    begin(9);
    evidence_follow(rig.evidence);
    ck_assert_uint_eq(take(7, false), ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 7);
    ck_assert_uint_eq(rig.told_count, 1);
    ck_assert(!rig.told_own[0]);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 6, EVIDENCE_BEST), ST_OK);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 7, EVIDENCE_BEST), ST_NO_SUCH);
    end();
}
END_TEST

START_TEST(evidence_lets_a_note_wait_until_the_log_has_come_there)
{
    begin(4);
    evidence_follow(rig.evidence);
    evidence_rig_grow(&rig, 6);
    ck_assert_uint_eq(take(6, false), ST_OK);
    ck_assert_uint_eq(take(10, false), ST_OK);
    ck_assert_uint_eq(take(8, false), ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    evidence_rig_apply(&rig, 7);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 6);
    evidence_rig_apply(&rig, 10);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 10);
    ck_assert_uint_eq(rig.told_count, 3);
    end();
}
END_TEST

START_TEST(evidence_keeps_a_note_of_another_log_and_goes_on_with_its_own)
{
    uint8_t root[HASH_SIZE];
    const uint8_t *data;
    size_t size;

    begin(9);
    evidence_follow(rig.evidence);
    ck_assert_uint_eq(take(7, true), ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_rig_note(&rig), 0);
    ck_assert(
        disk_model_peek(rig.model, FILE_CHECKPOINT_CONTRADICTS, &data, &size));
    ck_assert_int_eq(memcmp(data, EVIDENCE_RIG_ORIGIN "\n7\n",
                            strlen(EVIDENCE_RIG_ORIGIN) + 3),
                     0);
    ck_assert_ptr_nonnull(strstr(rig.said, "checkpoint of 7 entries"));
    ck_assert(has_foreign());
    /* Neither its own truth nor what is kept is lost by another one. */
    ck_assert_uint_eq(take(8, true), ST_OK);
    evidence_rig_turn(&rig, 0);
    evidence_rig_root(&rig, root, 9);
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 9, root, 1), ST_OK);
    root[0] ^= 1;
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 9, root, 1),
                      ST_PROOF);
    rig.said[0] = '\0';
    again(9);
    ck_assert_ptr_nonnull(strstr(rig.said, FILE_CHECKPOINT_CONTRADICTS));
    ck_assert(has_foreign());
    ck_assert(
        disk_model_peek(rig.model, FILE_CHECKPOINT_CONTRADICTS, &data, &size));
    ck_assert_int_eq(memcmp(data, EVIDENCE_RIG_ORIGIN "\n7\n",
                            strlen(EVIDENCE_RIG_ORIGIN) + 3),
                     0);
    end();
}
END_TEST

/* A backup that may lead has the log's key as well. */
START_TEST(evidence_of_a_primary_goes_on_after_a_note_of_another_log)
{
    begin(9);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(take(5, true), ST_OK);
    evidence_rig_turn(&rig, 1);
    ck_assert(has_foreign());
    again(9);
    evidence_lead(rig.evidence, 9);
    evidence_rig_turn(&rig, 1);
    ck_assert_int_eq(idle(), EVIDENCE_SIGNS);
    ck_assert(has_foreign());
    evidence_rig_grow(&rig, 2);
    evidence_rig_apply(&rig, 11);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 11);
    end();
}
END_TEST

/* What was signed here binds, whoever signed something else. */
START_TEST(evidence_signs_nothing_on_a_log_that_was_not_signed_here)
{
    begin(9);
    evidence_rig_turn(&rig, 1);
    evidence_rig_close(&rig);
    evidence_rig_replace_log(&rig);
    evidence_rig_grow(&rig, 12);
    ck_assert_uint_eq(evidence_rig_open(&rig, 12), ST_OK);
    evidence_lead(rig.evidence, 12);
    evidence_rig_turn(&rig, 1);
    ck_assert_int_eq(idle(), EVIDENCE_CONTRADICTS);
    end();
}
END_TEST

START_TEST(evidence_takes_no_note_that_the_log_did_not_sign)
{
    uint8_t bytes[1024];
    uint8_t root[HASH_SIZE];
    struct slice note;

    begin(9);
    evidence_rig_root(&rig, root, 7);
    note = evidence_rig_sign(&rig, bytes, sizeof bytes, 7, root);
    for (size_t at = 0; at < note.size; at++) {
        bytes[at] ^= 1;
        ck_assert_uint_ne(evidence_take_note(rig.evidence, note), ST_OK);
        bytes[at] ^= 1;
        ck_assert_uint_ne(evidence_take_note(rig.evidence, slice_of(bytes, at)),
                          ST_OK);
    }
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(rig.told_count, 1); /* Its own. */
    end();
}
END_TEST

/* ---- Cosignatures ------------------------------------------------------- */

static char policy_text[1024];
static struct tlog_policy policy;
static struct identity witness;
static struct note_key witness_key;

/* One witness, who must sign. */
static void make_policy(void)
{
    static const uint8_t seed[SEED_SIZE] = {11};
    struct tlog_policy_error error;
    struct writer writer;

    identity_init(&witness, seed);
    note_key_init(&witness_key, slice_of("witness.example/w", 17),
                  NOTE_COSIGNATURE, witness.public_key);
    writer_init(&writer, policy_text, sizeof policy_text);
    writer_bytes(&writer, "log ", 4);
    note_key_write(&writer, &rig.log_key);
    writer_bytes(&writer, "\nwitness w ", 11);
    note_key_write(&writer, &witness_key);
    writer_bytes(&writer, "\nquorum w\n", 10);
    ck_assert_uint_eq(tlog_policy_read(&policy, &error, writer_slice(&writer)),
                      ST_OK);
    rig.policy = &policy;
}

/* The witness's line over the newest note. */
static struct slice cosign(uint8_t *out, size_t out_size)
{
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    struct writer writer;
    struct note note;
    size_t size;

    ck_assert_uint_eq(evidence_note(rig.evidence, bytes, &size), ST_OK);
    ck_assert_uint_eq(note_read(&note, slice_of(bytes, size)), ST_OK);
    writer_init(&writer, out, out_size);
    checkpoint_cosign_line(&writer, note.text, &witness_key, &witness, 1000);
    return writer_slice(&writer);
}

static void begin_witnessed(uint64_t size)
{
    evidence_rig_begin(&rig);
    make_policy();
    evidence_rig_grow(&rig, size);
    ck_assert_uint_eq(evidence_rig_open(&rig, size), ST_OK);
    evidence_lead(rig.evidence, size);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), size);
}

START_TEST(evidence_stands_witnessed_once_the_policy_is_satisfied)
{
    uint8_t line[512];
    struct slice cosignature;
    const uint8_t *data;
    size_t size;

    begin_witnessed(5);
    ck_assert_int_eq(evidence_standing(rig.evidence, 4, false), EVIDENCE_LOCAL);
    ck_assert_int_eq(evidence_standing(rig.evidence, 4, true),
                     EVIDENCE_REPLICATED);
    cosignature = cosign(line, sizeof line);
    ck_assert_uint_eq(evidence_add_cosignature(rig.evidence, 4, cosignature),
                      ST_NO_SUCH);
    ck_assert_uint_eq(evidence_add_cosignature(rig.evidence, 5, cosignature),
                      ST_OK);
    ck_assert_uint_eq(evidence_add_cosignature(rig.evidence, 5, cosignature),
                      ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(rig.witnessed, 5);
    ck_assert_int_eq(evidence_standing(rig.evidence, 4, false),
                     EVIDENCE_WITNESSED);
    ck_assert_int_eq(evidence_standing(rig.evidence, 5, false), EVIDENCE_LOCAL);
    ck_assert(
        disk_model_peek(rig.model, FILE_CHECKPOINT_WITNESSED, &data, &size));
    ck_assert_ptr_nonnull(memmem(data, size, "witness.example/w", 17));
    again(5);
    evidence_rig_turn(&rig, 0);
    ck_assert_int_eq(evidence_standing(rig.evidence, 4, false),
                     EVIDENCE_WITNESSED);
    end();
}
END_TEST

START_TEST(evidence_proves_by_the_witnessed_note_unless_the_newest_is_asked_for)
{
    uint8_t line[512];

    begin_witnessed(5);
    ck_assert_uint_eq(
        evidence_add_cosignature(rig.evidence, 5, cosign(line, sizeof line)),
        ST_OK);
    evidence_rig_grow(&rig, 3);
    evidence_rig_apply(&rig, 8);
    evidence_rig_turn(&rig, 1);
    ck_assert_uint_eq(evidence_rig_note(&rig), 8);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 2, EVIDENCE_BEST), ST_OK);
    ck_assert_uint_eq(proof.tree_size, 5);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 2, EVIDENCE_NEWEST), ST_OK);
    ck_assert_uint_eq(proof.tree_size, 8);
    ck_assert_uint_eq(
        evidence_inclusion(rig.evidence, &proof, 6, EVIDENCE_BEST), ST_OK);
    ck_assert_uint_eq(proof.tree_size, 8);
    end();
}
END_TEST

START_TEST(evidence_lets_no_bad_line_of_a_witness_into_a_note)
{
    uint8_t line[512];
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    uint8_t after[EVIDENCE_NOTE_SIZE_MAX];
    struct slice cosignature;
    struct writer writer;
    struct note note;
    size_t size;
    size_t after_size;

    begin_witnessed(5);
    cosignature = cosign(line, sizeof line);
    ck_assert_uint_eq(evidence_note(rig.evidence, bytes, &size), ST_OK);
    ck_assert_uint_eq(note_read(&note, slice_of(bytes, size)), ST_OK);
    /* Over another text. */
    writer_init(&writer, line, sizeof line);
    checkpoint_cosign_line(&writer,
                           slice_of("log.example/x\n1\n"
                                    "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
                                    "AAAAAAAA=\n",
                                    61),
                           &witness_key, &witness, 1000);
    ck_assert_uint_eq(
        evidence_add_cosignature(rig.evidence, 5, writer_slice(&writer)),
        ST_BAD_SIG);
    for (size_t cut = 0; cut < cosignature.size; cut++) {
        enum status status =
            evidence_add_cosignature(rig.evidence, 5, slice_of(line, cut));
        ck_assert_uint_ne(status, ST_OK);
    }
    ck_assert_uint_eq(evidence_note(rig.evidence, after, &after_size), ST_OK);
    ck_assert_uint_eq(after_size, size);
    ck_assert_mem_eq(after, bytes, size);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(rig.witnessed, 0);
    end();
}
END_TEST

START_TEST(evidence_notes_what_is_cosigned_before_it_is)
{
    uint8_t root[HASH_SIZE];
    uint8_t other[HASH_SIZE];

    begin(9);
    evidence_rig_turn(&rig, 0);
    evidence_rig_root(&rig, root, 6);
    memcpy(other, root, HASH_SIZE);
    other[0] ^= 1;
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 6, other, 1),
                      ST_PROOF);
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 6, root, 1), ST_OK);
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 6, root, 2), ST_OK);
    evidence_rig_root(&rig, root, 5);
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 5, root, 3), ST_END);
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 10, root, 3),
                      ST_AGAIN);
    evidence_rig_crash(&rig, false);
    ck_assert_uint_eq(evidence_rig_open(&rig, 9), ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_uint_eq(evidence_cosign_begin(rig.evidence, 5, root, 3), ST_END);
    end();
}
END_TEST

/* ---- Notes with lines of others ----------------------------------------- */

static struct identity cosigner;
static struct note_key cosigner_key;

/* A log of nine entries, signed; one cosigner is enrolled. */
static void begin_cosigned(void)
{
    static const uint8_t seed[SEED_SIZE] = {77};
    static const char name[] = EVIDENCE_RIG_ORIGIN "/node/02020202";

    begin(9);
    identity_init(&cosigner, seed);
    note_key_init(&cosigner_key, slice_of(name, strlen(name)), NOTE_COSIGNATURE,
                  cosigner.public_key);
    rig.cosigner = &cosigner_key;
    evidence_rig_turn(&rig, 1);
}

/* The newest note with ${count} lines that nobody made behind it, in the
 * cosigner's name or in others', and a good one last if ${good}. */
static struct slice with_junk(uint8_t *out, size_t room, size_t count,
                              bool same_name, bool good)
{
    uint8_t blob[NOTE_SIGNATURE_SIZE_MAX] = {9};
    struct writer writer;
    struct note note;
    size_t size;

    ck_assert_uint_eq(evidence_note(rig.evidence, out, &size), ST_OK);
    ck_assert_uint_eq(note_read(&note, slice_of(out, size)), ST_OK);
    writer_init(&writer, out + size, room - size);
    for (size_t i = 0; i < count; i++) {
        struct note_key key = cosigner_key;

        blob[1] = (uint8_t)i;
        if (!same_name)
            key.keyid[0] ^= (uint8_t)(i + 1);
        note_write_line(&writer, &key, blob, sizeof blob);
    }
    if (good)
        checkpoint_cosign_line(&writer, note.text, &cosigner_key, &cosigner,
                               1000);
    ck_assert_int_eq(writer.status, ST_OK);
    return slice_of(out, size + writer.used);
}

/* The cosigner's line over the newest note comes by itself. */
static enum status add_good_line(void)
{
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    uint8_t line[512];
    struct writer writer;
    struct note note;
    size_t size;

    ck_assert_uint_eq(evidence_note(rig.evidence, bytes, &size), ST_OK);
    ck_assert_uint_eq(note_read(&note, slice_of(bytes, size)), ST_OK);
    writer_init(&writer, line, sizeof line);
    checkpoint_cosign_line(&writer, note.text, &cosigner_key, &cosigner, 1000);
    return evidence_add_cosignature(rig.evidence, 9, writer_slice(&writer));
}

/* What somebody finds who knows the cosigner. */
static enum status judged(size_t *lines_out)
{
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    uint64_t time_s;
    struct note note;
    size_t size;

    ck_assert_uint_eq(evidence_note(rig.evidence, bytes, &size), ST_OK);
    ck_assert_uint_eq(note_read(&note, slice_of(bytes, size)), ST_OK);
    *lines_out = note.count;
    return checkpoint_cosigned(&time_s, &note, &cosigner_key);
}

/* It would spoil every proof from here for whoever knows the cosigner. */
START_TEST(evidence_serves_no_bad_line_in_the_name_of_a_cosigner)
{
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    size_t lines;

    begin_cosigned();
    ck_assert_uint_eq(
        evidence_take_note(rig.evidence,
                           with_junk(bytes, sizeof bytes, 1, true, false)),
        ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_int_eq(judged(&lines), ST_NO_SUCH);
    ck_assert_int_eq(add_good_line(), ST_OK);
    ck_assert_int_eq(judged(&lines), ST_OK);
    ck_assert_uint_eq(lines, 2);
    end();
}
END_TEST

START_TEST(evidence_keeps_no_line_of_nobody_and_has_room_for_cosignatures)
{
    enum { JUNK = NOTE_SIGNATURES_MAX - 1 };
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    size_t lines;

    begin_cosigned();
    ck_assert_uint_eq(
        evidence_take_note(rig.evidence,
                           with_junk(bytes, sizeof bytes, JUNK, false, false)),
        ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_int_eq(add_good_line(), ST_OK);
    ck_assert_int_eq(judged(&lines), ST_OK);
    ck_assert_uint_eq(lines, 2);
    end();
}
END_TEST

START_TEST(evidence_takes_a_good_line_from_among_bad_ones)
{
    uint8_t bytes[EVIDENCE_NOTE_SIZE_MAX];
    size_t lines;

    begin_cosigned();
    ck_assert_uint_eq(
        evidence_take_note(rig.evidence,
                           with_junk(bytes, sizeof bytes, 9, true, true)),
        ST_OK);
    evidence_rig_turn(&rig, 0);
    ck_assert_int_eq(judged(&lines), ST_OK);
    ck_assert_uint_eq(lines, 2);
    /* It is verified again when the file is read. */
    again(9);
    evidence_rig_turn(&rig, 0);
    ck_assert_int_eq(judged(&lines), ST_OK);
    /* Of one that is not enrolled nothing is known. */
    rig.cosigner = NULL;
    again(9);
    evidence_rig_turn(&rig, 0);
    ck_assert_int_eq(judged(&lines), ST_NO_SUCH);
    end();
}
END_TEST

SUITE_MAIN("evidence_notes",
           evidence_of_a_node_that_follows_serves_the_notes_that_are_true,
           evidence_lets_a_note_wait_until_the_log_has_come_there,
           evidence_keeps_a_note_of_another_log_and_goes_on_with_its_own,
           evidence_of_a_primary_goes_on_after_a_note_of_another_log,
           evidence_signs_nothing_on_a_log_that_was_not_signed_here,
           evidence_takes_no_note_that_the_log_did_not_sign,
           evidence_stands_witnessed_once_the_policy_is_satisfied,
           evidence_proves_by_the_witnessed_note_unless_the_newest_is_asked_for,
           evidence_lets_no_bad_line_of_a_witness_into_a_note,
           evidence_notes_what_is_cosigned_before_it_is,
           evidence_serves_no_bad_line_in_the_name_of_a_cosigner,
           evidence_keeps_no_line_of_nobody_and_has_room_for_cosignatures,
           evidence_takes_a_good_line_from_among_bad_ones)
