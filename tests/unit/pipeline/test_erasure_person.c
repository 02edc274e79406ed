#include "server/pipeline/erasure.h"

#include <string.h>

#include "protocol/enrol.h"
#include "server/registry/destroy.h"
#include "server/registry/rows.h"
#include "tests/lib/random.h"
#include "tests/lib/shred.h"
#include "tests/lib/suite.h"

enum {
    BOTH = DESTROY_BIT(DESTROY_PERSON) | DESTROY_BIT(DESTROY_CREDENTIAL),
    WHO = SHRED_REGISTRAR
};

static uint16_t put_password(uint16_t opcode, uint8_t mark)
{
    uint8_t wrapped[WRAPPED_KEY_SIZE];
    struct op_password_set in = {.username = slice_of("nigar.q", 7),
                                 .kdf_epoch = 1,
                                 .wrapped_key =
                                     slice_of(wrapped, sizeof wrapped)};

    memset(wrapped, mark, sizeof wrapped);
    /* Any good point serves as the login key. */
    memcpy(in.login_key.b, shred_people[WHO].public_key, PUBLIC_KEY_SIZE);
    return shred_run(WHO, opcode, 0, 0, &in);
}

static void identify(uint32_t who)
{
    struct op_actor_identity in = {.surname = slice_of("Quliyeva", 8),
                                   .given = slice_of("Nigar", 5),
                                   .fin = slice_of("1234567", 7)};

    memcpy(in.key_id.b, shred_people[who].key_id, KEY_ID_SIZE);
    shred_done(SHRED_ADMIN, OPCODE_ACTOR_IDENTITY, 0, SHRED_ADMIN, &in);
}

static void end_key(uint32_t who)
{
    struct op_key_revoke in = {.reason = 3};

    memcpy(in.key_id.b, shred_people[who].key_id, KEY_ID_SIZE);
    shred_done(who, OPCODE_KEY_REVOKE, 0, 0, &in);
}

static size_t owned(uint64_t numbers_out[8], enum keyring_class class)
{
    return keyring_owned(shred_rig.keyring, numbers_out, 8, class,
                         keyring_person(shred_people[WHO].key_id), 0);
}

static void full_digest(uint8_t out[HASH_SIZE])
{
    state_full_digest(shred_rig.state, out);
}

START_TEST(ruling_40_a_change_of_the_password_destroys_the_former_credential)
{
    uint64_t numbers[8], left[8];
    uint8_t key[KEY_SIZE];

    shred_begin();
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 1), ST_OK);
    ck_assert_uint_eq(owned(numbers, KEYRING_CREDENTIAL), 1);
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_REPLACED), 0);
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_CHANGE, 2), ST_OK);
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_REPLACED), 1);
    shred_erase(0);
    ck_assert_uint_eq(shred_bury(), 1);
    ck_assert_int_eq(keyring_key(shred_rig.keyring, key, numbers[0]),
                     ST_ERASED);
    ck_assert_uint_eq(owned(left, KEYRING_CREDENTIAL), 1);
    ck_assert_uint_ne(left[0], numbers[0]);
    ck_assert(shred_confirm());
    /* The one that holds goes with its key. */
    end_key(WHO);
    shred_erase(0);
    ck_assert_uint_eq(shred_bury(), 1);
    ck_assert_uint_eq(owned(left, KEYRING_CREDENTIAL), 0);
    ck_assert(shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

START_TEST(T_R_8_2_2_an_act_takes_identity_and_credentials_of_its_person)
{
    uint64_t person[8], credential[8], left[8];
    uint8_t key[KEY_SIZE];
    uint32_t act;

    shred_begin();
    identify(WHO);
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 1), ST_OK);
    /* Refused ones are sealed too, and no row tells of them. */
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 2), ST_EXISTS);
    ck_assert_uint_eq(owned(person, KEYRING_PERSON), 1);
    ck_assert_uint_eq(owned(credential, KEYRING_CREDENTIAL), 2);
    end_key(WHO);
    act = shred_order(WHO, BOTH);
    shred_erase(act);
    ck_assert(!shred_confirm());
    ck_assert_uint_eq(shred_bury(), 3);
    ck_assert_int_eq(keyring_key(shred_rig.keyring, key, person[0]), ST_ERASED);
    ck_assert_int_eq(keyring_key(shred_rig.keyring, key, credential[1]),
                     ST_ERASED);
    ck_assert_uint_eq(owned(left, KEYRING_PERSON), 0);
    ck_assert_uint_eq(owned(left, KEYRING_CREDENTIAL), 0);
    ck_assert(shred_confirm());
    ck_assert(!shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

START_TEST(the_state_after_it_is_built_from_its_snapshot)
{
    uint8_t before[HASH_SIZE], after[HASH_SIZE];

    shred_begin();
    identify(WHO);
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 1), ST_OK);
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_CHANGE, 2), ST_OK);
    end_key(WHO);
    shred_erase(shred_order(WHO, BOTH));
    full_digest(before);
    /* Replayed by a node that still has the keys, and by one that has not. */
    ck_assert_int_eq(rig_restart(&shred_rig, false), ST_OK);
    full_digest(after);
    ck_assert_mem_eq(before, after, HASH_SIZE);
    ck_assert_uint_eq(shred_bury(), 3);
    ck_assert(shred_confirm());
    full_digest(before);
    ck_assert_int_eq(rig_restart(&shred_rig, false), ST_CONTENT_GONE);
    shred_rig.from_snapshot = true;
    ck_assert_int_eq(rig_restart(&shred_rig, false), ST_OK);
    full_digest(after);
    ck_assert_mem_eq(before, after, HASH_SIZE);
    rig_close(&shred_rig);
}
END_TEST

/* More keys than a list holds are named by several items of one entry. */
START_TEST(an_act_goes_on_in_the_next_item_of_its_entry)
{
    struct erased_key keys[DESTROY_KEYS_MAX];
    struct op_destroy_erase fields;
    struct rig_answer answer;
    struct node_command *own;
    uint8_t bytes[8192];
    struct writer space;
    struct row_destruction row;
    uint32_t act;

    shred_begin();
    identify(WHO);
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 1), ST_OK);
    end_key(WHO);
    act = shred_order(WHO, BOTH);
    ck_assert_uint_eq(erasure_keys(keys, shred_rig.apply, act), 2);
    own = node_command_begin(&shred_rig.signer);
    for (size_t i = 0; i < 2; i++) {
        writer_init(&space, bytes, sizeof bytes);
        erasure_make(&fields, &space, act, keys + i, 1);
        node_command_add(own, OPCODE_DESTROY_ERASE, &fields);
    }
    rig_run(&shred_rig, &answer, node_command_finish(own, shred_rig.wall));
    ck_assert_uint_eq(answer.code, ST_OK);
    row.number = act;
    ck_assert(state_get(shred_rig.state, TABLE_DESTRUCTION, &row));
    ck_assert_uint_eq(row.keys_count, 2);
    ck_assert_uint_eq(row.holders, 1);
    /* Not in an entry of its own. */
    writer_init(&space, bytes, sizeof bytes);
    erasure_make(&fields, &space, act, keys, 0);
    ck_assert_uint_eq(shred_node_tries(OPCODE_DESTROY_ERASE, &fields),
                      ST_WRONG_STATE);
    ck_assert_uint_eq(shred_bury(), 2);
    ck_assert(shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

/* What the state kept is not to be read any more, and the start goes on. */
START_TEST(a_credential_whose_act_a_lineage_took_opens_nothing)
{
    uint64_t numbers[8];
    uint8_t key[KEY_SIZE];

    shred_begin();
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 1), ST_OK);
    ck_assert_uint_eq(owned(numbers, KEYRING_CREDENTIAL), 1);
    keyring_bury(shred_rig.keyring, numbers, 1, apply_size(shred_rig.apply));
    keyring_lose_acts(shred_rig.keyring, apply_size(shred_rig.apply));
    ck_assert_int_eq(rig_restart(&shred_rig, true), ST_OK);
    ck_assert_int_eq(keyring_key(shred_rig.keyring, key, numbers[0]),
                     ST_ERASED);
    /* He sets another one. */
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_CHANGE, 2), ST_OK);
    shred_erase(0);
    rig_close(&shred_rig);
}
END_TEST

/* Keys of his credentials as refused commands leave them, more than a client
 * gets by the limit. */
static void fill_credentials(size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct keyring_row row = {
            .number = keyring_last(shred_rig.keyring) + 1,
            .owner = keyring_person(shred_people[WHO].key_id),
            .first_index = apply_size(shred_rig.apply) - 1,
            .class = KEYRING_CREDENTIAL,
        };

        keyring_stage(shred_rig.keyring, &row, NULL);
    }
    keyring_commit(shred_rig.keyring);
    ck_assert_int_eq(rig_restart(&shred_rig, true), ST_OK);
}

START_TEST(T_R_8_2_2_an_act_takes_all_keys_of_a_person_however_many)
{
    uint64_t left[8];

    shred_begin();
    fill_credentials(2 * LIST_COUNT_MAX + 3);
    end_key(WHO);
    shred_erase(shred_order(WHO, BOTH));
    ck_assert_uint_eq(shred_bury(), 2 * LIST_COUNT_MAX + 3);
    ck_assert_uint_eq(owned(left, KEYRING_CREDENTIAL), 0);
    ck_assert(shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

/* What one entry cannot name another act about the person takes. */
START_TEST(an_act_with_keys_left_holds_up_no_later_act_and_is_confirmed_at_last)
{
    enum { LEFT = 5 };
    uint64_t left[8];

    shred_begin();
    fill_credentials(DESTROY_KEYS_MAX + LEFT);
    end_key(WHO);
    shred_erase(shred_order(WHO, BOTH));
    ck_assert_uint_eq(shred_bury(), DESTROY_KEYS_MAX);
    ck_assert_uint_eq(owned(left, KEYRING_CREDENTIAL), LEFT);
    ck_assert(!shred_confirm());
    shred_erase(shred_order(SHRED_VOEN, DESTROY_BIT(DESTROY_RECORD)));
    ck_assert_uint_eq(shred_bury(), 1);
    ck_assert(shred_confirm());
    ck_assert(!shred_confirm());
    shred_erase(shred_order(WHO, DESTROY_BIT(DESTROY_CREDENTIAL)));
    ck_assert_uint_eq(shred_bury(), LEFT);
    ck_assert(shred_confirm());
    ck_assert(shred_confirm());
    ck_assert(!shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

/* ${count} passwords in one command; its code. */
static uint16_t put_passwords(uint16_t count)
{
    static struct rig_command command;
    uint8_t wrapped[WRAPPED_KEY_SIZE] = {1};
    struct op_password_set in = {.username = slice_of("nigar.q", 7),
                                 .kdf_epoch = 1,
                                 .wrapped_key =
                                     slice_of(wrapped, sizeof wrapped)};
    struct rig_answer answer;

    memcpy(in.login_key.b, shred_people[WHO].public_key, PUBLIC_KEY_SIZE);
    rig_begin(&shred_rig, &command);
    command.organisation = SHRED_OWNER;
    for (uint16_t i = 0; i < count; i++)
        rig_item(&shred_rig, &command, OPCODE_PASSWORD_SET, 0, 0, &in);
    rig_run(&shred_rig, &answer,
            rig_finish(&shred_rig, &command, &shred_people[WHO]));
    return answer.code;
}

START_TEST(refused_passwords_make_keys_up_to_a_limit_and_an_act_frees_them)
{
    uint64_t numbers[CREDENTIAL_KEYS_MAX + 1];
    uint64_t owner, size;

    shred_begin();
    owner = keyring_person(shred_people[WHO].key_id);
    ck_assert_uint_eq(put_passwords(1), ST_OK);
    for (int i = 1; i < CREDENTIAL_KEYS_MAX; i++)
        ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 2), ST_EXISTS);
    size = apply_size(shred_rig.apply);
    ck_assert_uint_eq(put_passwords(1), ST_QUOTA);
    ck_assert_uint_eq(put_passwords(ITEMS_MAX_PERSON), ST_QUOTA);
    /* Nothing was entered. */
    ck_assert_uint_eq(apply_size(shred_rig.apply), size);
    ck_assert_uint_eq(keyring_owned(shred_rig.keyring, numbers,
                                    CREDENTIAL_KEYS_MAX + 1, KEYRING_CREDENTIAL,
                                    owner, 0),
                      CREDENTIAL_KEYS_MAX);
    end_key(WHO);
    shred_erase(shred_order(WHO, BOTH));
    ck_assert_uint_eq(shred_bury(), CREDENTIAL_KEYS_MAX);
    ck_assert(shred_confirm());
    rig_close(&shred_rig);
}
END_TEST

/* Each entry that destroys costs a snapshot. */
START_TEST(what_one_key_replaces_until_the_batch_fits_one_entry)
{
    shred_begin();
    ck_assert_uint_eq(put_passwords(1), ST_OK);
    for (int i = 1; i < CREDENTIAL_KEYS_MAX; i++)
        ck_assert_int_eq(put_password(OPCODE_PASSWORD_CHANGE, (uint8_t)i),
                         ST_OK);
    ck_assert_uint_eq(put_passwords(1), ST_QUOTA);
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_REPLACED),
                      CREDENTIAL_KEYS_MAX - 1);
    shred_erase(0);
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_REPLACED), 0);
    ck_assert_uint_eq(shred_bury(), CREDENTIAL_KEYS_MAX - 1);
    ck_assert_int_eq(put_password(OPCODE_PASSWORD_CHANGE, 1), ST_OK);
    rig_close(&shred_rig);
}
END_TEST

/* WHO goes on with another key. */
static void rotate(void)
{
    struct enrol_claim claim = {.role = ROLE_STAFF,
                                .level = 3,
                                .organisation = SHRED_OWNER,
                                .person = WHO};
    struct op_key_rotate in;
    struct identity heir;

    rig_identity(&shred_rig, &heir);
    memcpy(in.public_key.b, heir.public_key, PUBLIC_KEY_SIZE);
    enrol_prove(in.proof.b, &claim, shred_rig.cluster_id, &heir);
    shred_done(WHO, OPCODE_KEY_ROTATE, 0, 0, &in);
    shred_people[WHO] = heir;
}

/* Each key may replace as many as the one before. */
START_TEST(what_some_keys_in_a_row_replace_fits_one_entry)
{
    enum { KEYS = 3, EACH = CREDENTIAL_KEYS_MAX - 1 };

    shred_begin();
    for (int key = 0; key < KEYS; key++) {
        ck_assert_int_eq(put_password(OPCODE_PASSWORD_SET, 1), ST_OK);
        for (int i = 1; i < EACH; i++)
            ck_assert_int_eq(put_password(OPCODE_PASSWORD_CHANGE, (uint8_t)i),
                             ST_OK);
        rotate();
    }
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_REPLACED),
                      KEYS * EACH);
    shred_erase(0);
    ck_assert_uint_eq(state_count(shred_rig.state, TABLE_REPLACED), 0);
    ck_assert_uint_eq(shred_bury(), KEYS * EACH);
    while (shred_confirm())
        continue;
    rig_close(&shred_rig);
}
END_TEST

/* Ruling 37. */
START_TEST(any_history_of_persons_and_its_rebuild_reach_one_digest)
{
    for (uint64_t seed = 1; seed <= 8; seed++) {
        struct random dice = random_stream(40, seed);
        uint8_t before[HASH_SIZE], after[HASH_SIZE];

        shred_begin();
        for (int i = 0; i < 30; i++) {
            uint32_t kind = random_below(&dice, 8);

            rig_wait(&shred_rig, random_below(&dice, 3) * RIG_SECOND);
            if (kind < 4)
                (void)put_password(kind % 2 == 0 ? OPCODE_PASSWORD_SET
                                                 : OPCODE_PASSWORD_CHANGE,
                                   (uint8_t)i);
            else if (kind < 6 &&
                     state_count(shred_rig.state, TABLE_REPLACED) > 0)
                shred_erase(0);
            else if (kind == 6)
                (void)shred_bury();
            else
                (void)shred_confirm();
        }
        identify(WHO);
        end_key(WHO);
        shred_erase(shred_order(WHO, BOTH));
        shred_bury();
        full_digest(before);
        shred_rig.from_snapshot = true;
        ck_assert_msg(rig_restart(&shred_rig, false) == ST_OK, "seed %d",
                      (int)seed);
        full_digest(after);
        ck_assert_mem_eq(before, after, HASH_SIZE);
        rig_close(&shred_rig);
    }
}
END_TEST

SUITE_MAIN("erasure_person",
           ruling_40_a_change_of_the_password_destroys_the_former_credential,
           T_R_8_2_2_an_act_takes_identity_and_credentials_of_its_person,
           the_state_after_it_is_built_from_its_snapshot,
           an_act_goes_on_in_the_next_item_of_its_entry,
           a_credential_whose_act_a_lineage_took_opens_nothing,
           T_R_8_2_2_an_act_takes_all_keys_of_a_person_however_many,
           an_act_with_keys_left_holds_up_no_later_act_and_is_confirmed_at_last,
           refused_passwords_make_keys_up_to_a_limit_and_an_act_frees_them,
           what_one_key_replaces_until_the_batch_fits_one_entry,
           what_some_keys_in_a_row_replace_fits_one_entry,
           any_history_of_persons_and_its_rebuild_reach_one_digest)
