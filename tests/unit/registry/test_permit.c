#include "tests/lib/registry_fixture.h"

#include <string.h>

#include "tests/lib/suite.h"

/*
 * The matrix of who may do what, written out a second time: a slip in the
 * operations table shows here.  "*" with a letter is everybody; what is not
 * named is refused.  Letters: y allowed, s only his own, g with a live grant,
 * 2 needs a second person.
 */
static const struct {
    const char *operation;
    const char *who;
} matrix[] = {
    {"system.genesis", ""},
    {"system.epoch", "SYS:y"},
    {"system.secret", "SYS:y"},
    {"system.attest", "SYS:y"},
    {"journal.refused", "SYS:y"},
    {"journal.noise", "SYS:y"},
    {"key.lock", "SYS:y"},
    {"config.change", "DIR:y"},
    {"config.list", "*:y"},
    {"system.config", "SYS:y"},
    {"node.enrol", "ADM:y"},
    {"node.retire", "ADM:y"},
    {"node.list", "SEC:y OPS:y ADM:y DIR:y AUD:y REP:y COR:y CLD:y"},
    {"system.ping", "*:y"},
    {"auth.open", "*:y"},
    {"auth.close", "*:y"},
    {"auth.resume", "*:y"},
    {"actor.enrol", "SEC:y ADM:y PRT:y"},
    {"actor.identity", "SEC:y ADM:y PRT:y"},
    {"key.rotate", "*:y"},
    {"key.revoke", "*:s SEC:y SYS:."},
    {"carrier.enrol", "ADM:y"},
    {"organisation.enrol", "ADM:y"},
    {"organisation.change", "ADM:y"},
    {"password.set", "*:y"},
    {"password.change", "*:y"},
    {"password.enable", "SEC:y"},
    {"mandate.give", "USR:s"},
    {"mandate.revoke", "USR:s"},
    {"duty.assign", "ADM:y"},
    {"duty.ack", "*:y"},
    {"duty.revoke", "ADM:y"},
    {"duty.list", "*:s SEC:y ADM:y DIR:y AUD:y EHS:. PRT:. PAY:. REP:. COR:. "
                  "CLD:. BPR:. SYS:."},
    {"purpose.put", "DPO:y"},
    {"purpose.list", "*:y"},
    {"subject.open", "SUP:y REG:y"},
    {"subject.close", "SUP:y REG:y"},
    {"subject.head", "USR:g REG:y CHK:y"},
    {"subject.find", "REG:y CHK:y"},
    {"subject.completeness", "USR:s REG:y CHK:y AUD:y"},
    {"section.get", "USR:g REQ:g SUP:s CAS:g HED:g REG:y CHK:y"},
    {"section.history", "USR:s SUP:s REG:y CHK:y"},
    {"section.put", "REG:2"},
    {"section.self_put", "USR:s"},
    {"section.confirm", "CHK:y"},
    {"section.return", "CHK:y"},
    {"access.list", "USR:s SEC:y DPO:y AUD:y"},
    {"extract.issue", "USR:s"},
    {"extract.open", "USR:s"},
    {"extract.list", "USR:s"},
    {"extract.verify", "*:y REP:. SYS:."},
    {"access.seal_propose", "SEC:2"},
    {"access.seal_approve", "DIR:2"},
    {"access.seal_refuse", "DIR:2"},
    {"access.seal_lift", "SEC:y DIR:y"},
    {"access.seal_list", "SEC:y DIR:y AUD:y"},
    {"feed.begin", "SUP:y"},
    {"feed.put", "SUP:y"},
    {"feed.commit", "SUP:y"},
    {"feed.abort", "SUP:y"},
    {"feed.status", "SUP:s"},
    {"feed.health", "CLK:y OPS:y DIR:y AUD:y COR:y"},
    {"consent.ask", "USR:y REQ:y"},
    {"consent.grant", "USR:s"},
    {"consent.refuse", "USR:s"},
    {"consent.withdraw", "USR:s REQ:s"},
    {"consent.revoke", "USR:s"},
    {"consent.read", "USR:g REQ:g"},
    {"consent.list", "USR:s REQ:s"},
    {"consent.lapse", "SYS:y"},
    {"consent.end", "SYS:y"},
    {"journal.read", "SEC:y OPS:y AUD:y"},
    {"journal.watch", "AUD:y"},
    {"chain.head", "SEC:y OPS:y ARC:y DIR:y AUD:y REP:y COR:y"},
    {"notice.list", "*:s USR:. REP:. SYS:."},
    {"notice.ack", "*:s USR:. REP:. SYS:."},
    {"incident.open", "SEC:y OPS:y SYS:y"},
    {"incident.update", "SEC:y OPS:y"},
    {"incident.close", "SEC:y OPS:y"},
    {"incident.list", "SEC:y OPS:y DIR:y AUD:y COR:s"},
    {"downtime.list", "SEC:y OPS:y DIR:y AUD:y COR:s CLD:y"},
    {"failover.request", "OPS:y DIR:y"},
    {"failover.approve", "DIR:y COR:y"},
    {"failover.refuse", "DIR:y COR:y"},
    {"failover.order", "DIR:y COR:y"},
    {"failover.revoke_order", "DIR:y COR:y"},
    {"failover.activate", "SYS:y"},
    {"failover.verify", "OPS:y"},
    {"failover.close", "OPS:y"},
    {"failover.list", "SEC:y OPS:y DIR:y AUD:y COR:s CLD:y"},
    {"repl.status", "SEC:y OPS:y DIR:y AUD:y REP:y COR:y CLD:y"},
    {"archive.prepare", "SYS:y"},
    {"archive.seal", "ARC:y"},
    {"archive.ship", "ARC:y"},
    {"archive.verify", "ARC:y"},
    {"archive.restore_test", "ARC:y"},
    {"archive.transfer", "ARC:y"},
    {"archive.due", "SYS:y"},
    {"archive.list", "OPS:y ARC:y DPO:y DIR:y AUD:y"},
    {"archive.copies", "OPS:y ARC:y DPO:y DIR:y AUD:y"},
    {"destroy.propose", "DPO:2"},
    {"destroy.approve", "DIR:2"},
    {"destroy.refuse", "DIR:2"},
    {"destroy.execute", "ARC:2"},
    {"destroy.erase", "SYS:y"},
    {"destroy.confirm", "REP:y SYS:y"},
    {"destroy.list", "SEC:y ARC:y DPO:y DIR:y AUD:y"},
    {"destroy.show", "SEC:y ARC:y DPO:y DIR:y AUD:y"},
    {"retention.put", "DPO:2 DIR:2"},
    {"retention.list", "USR:y REG:y SEC:y ARC:y DPO:y DIR:y AUD:y"},
};

static char letter_of(const char *who, const char *duty)
{
    char everybody = '.';

    for (const char *at = who; *at != '\0'; at += strcspn(at, " ")) {
        at += strspn(at, " ");
        if (strncmp(at, duty, strlen(duty)) == 0 && at[strlen(duty)] == ':')
            return at[strlen(duty) + 1];
        if (*at == '*')
            everybody = at[2];
    }
    return everybody;
}

/* One actor for each duty; those whose person is zero cannot exist. */
struct cast {
    struct fixture fixture;
    struct fixture_actor actors[DUTIES_COUNT];
};

static void cast_machine(struct cast *cast, enum duty duty, enum role role,
                         enum organisation_kind kind)
{
    uint32_t organisation = FIXTURE_OWNER;

    if (kind != ORGANISATION_OWNER)
        organisation = fixture_organisation(&cast->fixture, kind, 0);
    fixture_enrol(&cast->fixture, &cast->actors[duty], role, 3, organisation);
}

static void cast_open(struct cast *cast)
{
    struct fixture *fixture = &cast->fixture;
    uint32_t body;
    uint16_t gateway;

    memset(cast->actors, 0, sizeof cast->actors);
    fixture_open(fixture);
    body = fixture_organisation(fixture, ORGANISATION_BODY_WITH_SYSTEM, 0x20);
    fixture_user(fixture, &cast->actors[DUTY_USR], "1234567");
    for (unsigned duty = DUTY_REQ; duty <= DUTY_HED; duty++)
        fixture_participant(fixture, &cast->actors[duty], body,
                            (enum duty)duty);
    for (unsigned duty = DUTY_REG; duty <= DUTY_AUD; duty++) {
        if (duty == DUTY_ADM)
            cast->actors[duty] = fixture->operator;
        else
            fixture_staff(fixture, &cast->actors[duty], (enum duty)duty);
    }
    cast_machine(cast, DUTY_EHS, ROLE_EHIS, ORGANISATION_OWNER);
    cast_machine(cast, DUTY_PRT, ROLE_PORTAL, ORGANISATION_OWNER);
    cast_machine(cast, DUTY_PAY, ROLE_PAYMENT, ORGANISATION_PAYMENT);
    cast_machine(cast, DUTY_COR, ROLE_COORDINATOR, ORGANISATION_COORDINATOR);
    cast_machine(cast, DUTY_CLD, ROLE_CLOUD, ORGANISATION_CLOUD);
    cast_machine(cast, DUTY_BPR, ROLE_PROVIDER, ORGANISATION_PROVIDER);
    cast->actors[DUTY_SYS] = fixture->node;
    cast->actors[DUTY_SYS].person = UINT64_MAX;

    /* Everybody comes through the gateway, so that only the matrix decides. */
    gateway = fixture_carrier(fixture, CARRIER_KIND_EHIS);
    for (unsigned duty = 1; duty < DUTIES_COUNT; duty++) {
        if (cast->actors[duty].person == 0)
            continue;
        fixture_session(fixture, &cast->actors[duty]);
        cast->actors[duty].carrier = gateway;
    }
}

/* The judgement alone, at the next entry's place. */
static enum status judge(struct fixture *fixture,
                         const struct fixture_actor *actor, uint16_t opcode,
                         uint32_t duty)
{
    struct act *act = &fixture->act;

    memset(act, 0, sizeof *act);
    act->state = fixture->state;
    act->services = &fixture->services;
    act->index = fixture->index;
    act->log_time = fixture->log_time;
    act->today = act_day(fixture->state, fixture->log_time);
    memcpy(act->signer.key_id.b, actor->identity.key_id, KEY_ID_SIZE);
    act->carrier = actor->carrier;
    act->operation = operation_info(opcode);
    return permit_check(act, duty);
}

START_TEST(T_P_5_1_5_every_duty_may_do_what_the_matrix_says_and_no_more)
{
    struct cast cast;
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);

    cast_open(&cast);
    ck_assert_uint_eq(count, sizeof matrix / sizeof matrix[0]);
    for (uint32_t i = 0; i < count; i++) {
        ck_assert_str_eq(operations[i].name, matrix[i].operation);
        for (unsigned duty = 1; duty < DUTIES_COUNT; duty++) {
            const struct fixture_actor *actor = &cast.actors[duty];
            char letter = letter_of(matrix[i].who, duty_name(duty));
            enum status code;

            ck_assert_msg(operations[i].who[duty - 1] == letter, "%s by %s",
                          matrix[i].operation, duty_name(duty));
            if (actor->person == 0)
                continue;
            code =
                judge(&cast.fixture, actor, operations[i].opcode, actor->duty);
            ck_assert_msg(code == (letter == '.' ? ST_NO_DUTY : ST_OK),
                          "%s by %s: %d", matrix[i].operation, duty_name(duty),
                          (int)code);
            ck_assert_int_eq(cast.fixture.act.letter, letter);
            ck_assert_int_eq((int)cast.fixture.act.duty, (int)duty);
        }
    }
    fixture_close(&cast.fixture);
}
END_TEST

START_TEST(an_unknown_or_revoked_key_is_inactive)
{
    struct fixture fixture;
    struct fixture_actor stranger = {.carrier = 0}, clerk;
    struct op_key_revoke revoke = {.reason = 1};

    fixture_open(&fixture);
    ck_assert_int_eq(judge(&fixture, &stranger, OPCODE_SYSTEM_PING, 0),
                     ST_KEY_INACTIVE);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    ck_assert_int_eq(judge(&fixture, &clerk, OPCODE_SYSTEM_PING, 0), ST_OK);
    memcpy(revoke.key_id.b, clerk.identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(fixture_run(&fixture, &clerk, OPCODE_KEY_REVOKE, &revoke,
                                 0, 0, 0, NULL),
                     ST_OK);
    ck_assert_int_eq(judge(&fixture, &clerk, OPCODE_SYSTEM_PING, 0),
                     ST_KEY_INACTIVE);
    fixture_close(&fixture);
}
END_TEST

/* T-P-4.1.2 */
START_TEST(T_P_4_1_2_a_user_outside_a_session_is_refused)
{
    struct fixture fixture;
    struct fixture_actor user, weak;
    struct op_auth_close close;

    fixture_open(&fixture);
    fixture_user(&fixture, &user, "1234567");
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_SECTION_GET, 0), ST_OK);
    ck_assert_int_eq(
        fixture_run(&fixture, &user, OPCODE_AUTH_CLOSE, &close, 0, 0, 0, NULL),
        ST_OK);
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_SECTION_GET, 0),
                     ST_NO_SESSION);
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_AUTH_RESUME, 0),
                     ST_NO_SESSION);
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_AUTH_OPEN, 0), ST_OK);
    fixture_session(&fixture, &user);
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_SECTION_GET, 0), ST_OK);
    fixture_wait(&fixture, 1);
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_SECTION_GET, 0),
                     ST_NO_SESSION);

    fixture_enrol(&fixture, &weak, ROLE_STAFF, 1, FIXTURE_OWNER);
    ck_assert_int_eq(judge(&fixture, &weak, OPCODE_SYSTEM_PING, 0),
                     ST_NO_SESSION);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_carried_command_needs_a_session_of_its_signer)
{
    struct fixture fixture;
    struct fixture_actor clerk;

    fixture_open(&fixture);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    ck_assert_int_eq(judge(&fixture, &clerk, OPCODE_SYSTEM_PING, 0), ST_OK);
    clerk.carrier = fixture_carrier(&fixture, CARRIER_KIND_WEB);
    ck_assert_int_eq(judge(&fixture, &clerk, OPCODE_SYSTEM_PING, 0),
                     ST_NO_SESSION);
    fixture_session(&fixture, &clerk);
    ck_assert_int_eq(judge(&fixture, &clerk, OPCODE_SYSTEM_PING, 0), ST_OK);
    fixture_close(&fixture);
}
END_TEST

START_TEST(D111_a_key_below_the_level_of_the_operation_is_refused)
{
    struct fixture fixture;
    struct fixture_actor user;

    fixture_open(&fixture);
    fixture_enrol(&fixture, &user, ROLE_USER, 2, 0);
    fixture_session(&fixture, &user);
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_CONSENT_REFUSE, 0), ST_OK);
    ck_assert_int_eq(judge(&fixture, &user, OPCODE_CONSENT_GRANT, 0), ST_LEVEL);
    fixture_close(&fixture);
}
END_TEST

/* T-R-1.5 */
START_TEST(T_R_1_5_bodies_feed_through_the_gateway_only)
{
    static const uint16_t opcodes[] = {OPCODE_FEED_BEGIN, OPCODE_FEED_PUT,
                                       OPCODE_FEED_COMMIT, OPCODE_FEED_ABORT,
                                       OPCODE_FEED_STATUS};
    struct fixture fixture;
    struct fixture_actor supplier, filer;
    uint16_t gateway, web;

    fixture_open(&fixture);
    fixture_participant(
        &fixture, &supplier,
        fixture_organisation(&fixture, ORGANISATION_BODY_WITH_SYSTEM, 1),
        DUTY_SUP);
    fixture_participant(
        &fixture, &filer,
        fixture_organisation(&fixture, ORGANISATION_BODY_WITHOUT_SYSTEM, 1),
        DUTY_SUP);
    fixture_session(&fixture, &supplier);
    fixture_session(&fixture, &filer);
    gateway = fixture_carrier(&fixture, CARRIER_KIND_EHIS);
    web = fixture_carrier(&fixture, CARRIER_KIND_WEB);
    for (size_t i = 0; i < sizeof opcodes / sizeof opcodes[0]; i++) {
        supplier.carrier = 0;
        ck_assert_int_eq(judge(&fixture, &supplier, opcodes[i], supplier.duty),
                         ST_NO_DUTY);
        supplier.carrier = web;
        ck_assert_int_eq(judge(&fixture, &supplier, opcodes[i], supplier.duty),
                         ST_NO_DUTY);
        supplier.carrier = gateway;
        ck_assert_int_eq(judge(&fixture, &supplier, opcodes[i], supplier.duty),
                         ST_OK);
        filer.carrier = gateway; /* It has no system of its own. */
        ck_assert_int_eq(judge(&fixture, &filer, opcodes[i], filer.duty),
                         ST_NO_DUTY);
    }
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_gateway_of_a_closed_body_carries_no_feed)
{
    struct fixture fixture;
    struct fixture_actor supplier, gateway;
    struct op_carrier_enrol enrol = {.kind = CARRIER_KIND_EHIS,
                                     .label = fixture_text("gateway")};
    struct result_carrier_enrol carrier;
    struct op_organisation_change change = {.state = 2};

    fixture_open(&fixture);
    fixture_participant(
        &fixture, &supplier,
        fixture_organisation(&fixture, ORGANISATION_BODY_WITH_SYSTEM, 1),
        DUTY_SUP);
    fixture_session(&fixture, &supplier);
    change.organisation =
        fixture_organisation(&fixture, ORGANISATION_COORDINATOR, 0);
    change.basis = fixture_digest(9);
    fixture_enrol(&fixture, &gateway, ROLE_EHIS, 3, change.organisation);
    memcpy(enrol.key_id.b, gateway.identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_CARRIER_ENROL, &enrol, 0, 0,
                                 fixture.operator.duty, &carrier),
                     ST_OK);
    supplier.carrier = carrier.number;
    ck_assert_int_eq(
        judge(&fixture, &supplier, OPCODE_FEED_BEGIN, supplier.duty), ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_CHANGE, &change, 0, 0,
                                 fixture.operator.duty, NULL),
                     ST_OK);
    ck_assert_int_eq(
        judge(&fixture, &supplier, OPCODE_FEED_BEGIN, supplier.duty),
        ST_NO_DUTY);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_duty_works_only_for_its_holder_in_its_term_at_a_live_body)
{
    struct fixture fixture;
    struct fixture_actor one, other;
    struct op_organisation_change change = {.state = ORGANISATION_CLOSED,
                                            .basis = fixture_digest(1)};
    uint32_t body;

    fixture_open(&fixture);
    body = fixture_organisation(&fixture, ORGANISATION_INSTITUTION, 0);
    fixture_participant(&fixture, &one, body, DUTY_REQ);
    fixture_participant(&fixture, &other, body, DUTY_CAS);
    ck_assert_int_eq(judge(&fixture, &one, OPCODE_CONSENT_ASK, one.duty),
                     ST_OK);
    ck_assert_int_eq(judge(&fixture, &other, OPCODE_CONSENT_ASK, one.duty),
                     ST_NO_DUTY);
    ck_assert_int_eq(judge(&fixture, &one, OPCODE_CONSENT_ASK, 4711),
                     ST_NO_DUTY);
    change.organisation = body;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ORGANISATION_CHANGE, &change, 0, 0, 1,
                                 NULL),
                     ST_OK);
    ck_assert_int_eq(judge(&fixture, &one, OPCODE_CONSENT_ASK, one.duty),
                     ST_NO_DUTY);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_users_key_of_the_same_person_does_not_reach_his_duties)
{
    struct fixture fixture;
    struct fixture_actor clerk, same;
    struct op_actor_enrol in;

    fixture_open(&fixture);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    same = clerk;
    fixture_enrolment(&fixture, &in, &same.identity, ROLE_USER, 3, 0,
                      clerk.person);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_ACTOR_ENROL, &in, 0, 0, 1, NULL),
                     ST_OK);
    fixture_session(&fixture, &same);
    ck_assert_int_eq(judge(&fixture, &clerk, OPCODE_SUBJECT_FIND, clerk.duty),
                     ST_OK);
    ck_assert_int_eq(judge(&fixture, &same, OPCODE_SUBJECT_FIND, clerk.duty),
                     ST_NO_DUTY);
    fixture_close(&fixture);
}
END_TEST

START_TEST(what_an_item_changes_holds_for_the_next_item_of_the_command)
{
    struct fixture fixture;
    struct fixture_actor clerk;
    struct op_key_revoke revoke = {.reason = 3};

    fixture_open(&fixture);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    memcpy(revoke.key_id.b, clerk.identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(judge(&fixture, &clerk, OPCODE_SUBJECT_FIND, clerk.duty),
                     ST_OK);
    ck_assert(fixture.act.capacity.known);
    ck_assert_int_eq(permit_check(&fixture.act, clerk.duty), ST_OK);
    ck_assert_int_eq(fixture_run(&fixture, &clerk, OPCODE_KEY_REVOKE, &revoke,
                                 0, 0, 0, NULL),
                     ST_OK);
    fixture.act.item = 1;
    fixture.act.operation = operation_info(OPCODE_SYSTEM_PING);
    ck_assert_int_eq(permit_check(&fixture.act, 0), ST_KEY_INACTIVE);
    fixture_close(&fixture);
}
END_TEST

START_TEST(a_read_that_names_a_version_is_refused)
{
    struct fixture fixture;
    struct op_purpose_list in = {.after = 0};

    fixture_open(&fixture);
    fixture.expect_version = 1;
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_PURPOSE_LIST, &in, 0, 0, 0, NULL),
                     ST_BAD_FIELD);
    ck_assert_int_eq(fixture_run(&fixture, &fixture.operator,
                                 OPCODE_PURPOSE_LIST, &in, 0, 0, 0, NULL),
                     ST_OK);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("permit",
           T_P_5_1_5_every_duty_may_do_what_the_matrix_says_and_no_more,
           an_unknown_or_revoked_key_is_inactive,
           T_P_4_1_2_a_user_outside_a_session_is_refused,
           a_carried_command_needs_a_session_of_its_signer,
           D111_a_key_below_the_level_of_the_operation_is_refused,
           T_R_1_5_bodies_feed_through_the_gateway_only,
           a_gateway_of_a_closed_body_carries_no_feed,
           a_duty_works_only_for_its_holder_in_its_term_at_a_live_body,
           a_users_key_of_the_same_person_does_not_reach_his_duties,
           what_an_item_changes_holds_for_the_next_item_of_the_command,
           a_read_that_names_a_version_is_refused)
