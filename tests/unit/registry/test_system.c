#include "tests/lib/registry_fixture.h"

#include <string.h>

#include "server/registry/system.h"
#include "tests/lib/suite.h"

START_TEST(the_genesis_makes_the_owner_its_administrator_and_the_node)
{
    struct fixture fixture;
    struct row_organisation owner = {.number = FIXTURE_OWNER};
    struct row_duty duty = {.assignment = 1};
    struct row_key key;
    struct row_node node = {.node_id = {{1}}};

    fixture_open(&fixture);
    ck_assert(state_get(fixture.state, TABLE_ORGANISATION, &owner));
    ck_assert_uint_eq(owner.kind, ORGANISATION_OWNER);
    ck_assert(state_get(fixture.state, TABLE_DUTY, &duty));
    ck_assert_uint_eq(duty.duty, DUTY_ADM);
    ck_assert_uint_eq(duty.state, DUTY_ACTIVE);
    ck_assert(state_get(fixture.state, TABLE_NODE, &node));
    ck_assert_mem_eq(node.key_id.b, fixture.node.identity.key_id, KEY_ID_SIZE);
    key.key_id = node.key_id;
    ck_assert(state_get(fixture.state, TABLE_KEY, &key));
    ck_assert_uint_eq(key.is_node, 1);
    /* The numbers that genesis used are not given again. */
    ck_assert_uint_eq(
        fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0), 2);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_second_genesis_is_refused)
{
    struct fixture fixture;
    struct op_system_genesis in = {.origin = fixture_text("o"),
                                   .environment = 1,
                                   .realms = 3,
                                   .owner = fixture_text("Other")};

    fixture_open(&fixture);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_SYSTEM_GENESIS,
                                 &in, 0, 0, 0, NULL),
                     ST_NO_DUTY);
    fixture_close(&fixture);
}
END_TEST

START_TEST(the_secret_is_set_once_and_found_again_at_a_start)
{
    struct fixture fixture;
    struct op_system_secret in = {.secret = fixture_digest(7)};
    struct act_services services;

    fixture_open(&fixture);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_SYSTEM_SECRET,
                                 &in, 0, 0, 0, NULL),
                     ST_EXISTS);
    services = fixture.services;
    memset(services.secret, 0xff, sizeof services.secret);
    ck_assert_int_eq(system_load_secret(&services, fixture.state), ST_OK);
    ck_assert_mem_eq(services.secret, fixture.services.secret, HASH_SIZE);
    ck_assert_uint_eq(services.secret[0], 0x5e);
    fixture.erased = true;
    ck_assert_int_eq(system_load_secret(&services, fixture.state), ST_ERASED);
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_epoch_or_attestation_that_does_not_fit_its_place_is_refused)
{
    struct fixture fixture;
    struct op_system_epoch epoch = {.epoch = 2};
    struct op_system_attest attest = {.first = 0, .last = 2};
    struct op_journal_noise noise = {.from = 2, .to = 1};

    fixture_open(&fixture);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_SYSTEM_EPOCH,
                                 &epoch, 0, 0, 0, NULL),
                     ST_BAD_FIELD);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_SYSTEM_ATTEST,
                                 &attest, 0, 0, 0, NULL),
                     ST_OK);
    attest.last = fixture.index;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_SYSTEM_ATTEST,
                                 &attest, 0, 0, 0, NULL),
                     ST_BAD_FIELD);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.node, OPCODE_JOURNAL_NOISE,
                                 &noise, 0, 0, 0, NULL),
                     ST_BAD_FIELD);
    fixture_close(&fixture);
}
END_TEST

static int64_t listed(struct fixture *fixture, uint16_t setting)
{
    struct op_config_list in = {0};
    struct result_config_list out;
    struct list_reader reader;
    struct setting_row row;

    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_CONFIG_LIST, &in, 0, 0, 0, &out),
                     ST_OK);
    list_reader_init(&reader, &out.settings);
    while (list_reader_next(&reader, &schema_setting_row, &row)) {
        if (row.setting == setting)
            return row.value;
    }
    ck_abort_msg("setting %u is not listed", setting);
    return 0;
}

/* T-P-7.1.3 as far as settings go. */
START_TEST(T_P_7_1_3_a_setting_changes_with_a_basis_and_within_its_bounds)
{
    struct fixture fixture;
    struct fixture_actor head;
    struct op_config_change in = {.setting = SETTING_session_person_s,
                                  .value = 600,
                                  .note = fixture_text("shorter")};

    fixture_open(&fixture);
    fixture_staff(&fixture, &head, DUTY_DIR);
    ck_assert_int_eq(listed(&fixture, SETTING_session_person_s), 43200);
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE, &in, 0,
                                 0, head.duty, NULL),
                     ST_NO_BASIS);
    in.basis = fixture_digest(1);
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE, &in, 0,
                                 0, head.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(listed(&fixture, SETTING_session_person_s), 600);
    in.value = 59;
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE, &in, 0,
                                 0, head.duty, NULL),
                     ST_BAD_FIELD);
    in.setting = 4711;
    ck_assert_int_eq(fixture_run(&fixture, &head, OPCODE_CONFIG_CHANGE, &in, 0,
                                 0, head.duty, NULL),
                     ST_NO_SUCH);
    ck_assert_int_eq(listed(&fixture, SETTING_session_person_s), 600);
    fixture_close(&fixture);
}
END_TEST

/* T-R-1.6 */
START_TEST(T_R_1_6_purposes_are_registered_by_the_data_officer)
{
    struct fixture fixture;
    struct fixture_actor officer, clerk;
    struct op_purpose_put in = {.purpose = 5,
                                .title = fixture_text("Qrant"),
                                .legal_basis = fixture_text("Law 1, art. 2"),
                                .sections = 1,
                                .kinds = 1};
    struct op_purpose_list list = {.after = 0};
    struct result_purpose_list out;
    struct list_reader reader;
    struct purpose_row row;

    fixture_open(&fixture);
    fixture_staff(&fixture, &officer, DUTY_DPO);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    ck_assert_int_eq(fixture_run(&fixture, &clerk, OPCODE_PURPOSE_PUT, &in, 0,
                                 0, clerk.duty, NULL),
                     ST_NO_DUTY);
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_PURPOSE_PUT, &in, 0,
                                 0, officer.duty, NULL),
                     ST_OK);
    in.sections = 3;
    ck_assert_int_eq(fixture_run(&fixture, &officer, OPCODE_PURPOSE_PUT, &in, 0,
                                 0, officer.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &clerk, OPCODE_PURPOSE_LIST, &list,
                                 0, 0, 0, &out),
                     ST_OK);
    ck_assert_uint_eq(out.purposes.count, 1);
    list_reader_init(&reader, &out.purposes);
    ck_assert(list_reader_next(&reader, &schema_purpose_row, &row));
    ck_assert_uint_eq(row.sections, 3);
    ck_assert(slice_equal(row.title, fixture_text("Qrant")));
    fixture_close(&fixture);
}
END_TEST

START_TEST(an_organisation_changes_with_a_basis_and_the_owner_stays)
{
    struct fixture fixture;
    struct op_organisation_change in = {.organisation = FIXTURE_OWNER,
                                        .state = ORGANISATION_CLOSED};
    struct op_organisation_enrol second = {.kind = ORGANISATION_OWNER,
                                           .name = fixture_text("Second"),
                                           .basis = fixture_digest(1)};
    uint32_t provider;

    fixture_open(&fixture);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_CHANGE, &in, 0, 0, 1,
                                 NULL),
                     ST_NO_BASIS);
    in.basis = fixture_digest(1);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_CHANGE, &in, 0, 0, 1,
                                 NULL),
                     ST_WRONG_STATE);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_ENROL, &second, 0, 0, 1,
                                 NULL),
                     ST_EXISTS);
    provider = fixture_organisation(&fixture, ORGANISATION_PROVIDER, 0);
    in.organisation = provider;
    in.sections = 1;
    in.state = ORGANISATION_ACTIVE;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_CHANGE, &in, 0, 0, 1,
                                 NULL),
                     ST_BAD_FIELD);
    in.organisation = 4711;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_CHANGE, &in, 0, 0, 1,
                                 NULL),
                     ST_NO_SUCH);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("system", the_genesis_makes_the_owner_its_administrator_and_the_node,
           a_second_genesis_is_refused,
           the_secret_is_set_once_and_found_again_at_a_start,
           an_epoch_or_attestation_that_does_not_fit_its_place_is_refused,
           T_P_7_1_3_a_setting_changes_with_a_basis_and_within_its_bounds,
           T_R_1_6_purposes_are_registered_by_the_data_officer,
           an_organisation_changes_with_a_basis_and_the_owner_stays)
