#include <string.h>

#include <check.h>

#include "protocol/enrol.h"
#include "server/registry/subject.h"
#include "tests/lib/registry_fixture.h"

void fixture_enrolment(struct fixture *fixture, struct op_actor_enrol *out,
                       struct identity *identity_out, enum role role,
                       uint8_t level, uint32_t organisation, uint64_t person)
{
    struct enrol_claim claim = {(uint16_t)role, level, organisation, person};

    fixture_identity(fixture, identity_out);
    *out =
        (struct op_actor_enrol){.public_key = fixture_public_key(identity_out),
                                .role = (uint8_t)role,
                                .level = level,
                                .organisation = organisation,
                                .person = person,
                                .evidence = fixture_digest(3)};
    enrol_prove(out->proof.b, &claim, fixture->services.cluster_id,
                identity_out);
}

void fixture_enrol(struct fixture *fixture, struct fixture_actor *actor_out,
                   enum role role, uint8_t level, uint32_t organisation)
{
    struct op_actor_enrol in;
    struct result_actor_enrol out;

    memset(actor_out, 0, sizeof *actor_out);
    fixture_enrolment(fixture, &in, &actor_out->identity, role, level,
                      organisation, 0);
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_ACTOR_ENROL, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    actor_out->person = out.person;
    actor_out->organisation = organisation;
}

void fixture_session(struct fixture *fixture, const struct fixture_actor *actor)
{
    struct op_auth_open in = {.lifetime_s = 0};

    ck_assert_int_eq(
        fixture_run(fixture, actor, OPCODE_AUTH_OPEN, &in, 0, 0, 0, NULL),
        ST_OK);
}

uint32_t fixture_organisation(struct fixture *fixture,
                              enum organisation_kind kind, uint16_t sections)
{
    struct op_organisation_enrol in = {.kind = (uint8_t)kind,
                                       .name = fixture_text("Some body"),
                                       .sections = sections,
                                       .ehis_code = fixture_text("EHIS1"),
                                       .basis = fixture_digest(4)};
    struct result_organisation_enrol out;

    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_ORGANISATION_ENROL, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    return out.organisation;
}

uint32_t fixture_duty(struct fixture *fixture, struct fixture_actor *actor,
                      enum duty duty, uint16_t scope)
{
    struct op_duty_assign in = {.person = actor->person,
                                .organisation = actor->organisation,
                                .duty = (uint8_t)duty,
                                .scope = scope,
                                .basis = fixture_digest(5)};
    struct result_duty_assign out;
    struct op_duty_ack ack;

    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_DUTY_ASSIGN, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    ack.assignment = out.assignment;
    ck_assert_int_eq(
        fixture_run(fixture, actor, OPCODE_DUTY_ACK, &ack, 0, 0, 0, NULL),
        ST_OK);
    if (actor->duty == 0)
        actor->duty = out.assignment;
    return out.assignment;
}

void fixture_staff(struct fixture *fixture, struct fixture_actor *actor_out,
                   enum duty duty)
{
    fixture_enrol(fixture, actor_out,
                  duty == DUTY_AUD ? ROLE_AUDITOR : ROLE_STAFF, 3,
                  FIXTURE_OWNER);
    fixture_duty(fixture, actor_out, duty, 0xff);
}

void fixture_participant(struct fixture *fixture,
                         struct fixture_actor *actor_out, uint32_t organisation,
                         enum duty duty)
{
    fixture_enrol(fixture, actor_out, ROLE_PARTICIPANT, 3, organisation);
    fixture_duty(fixture, actor_out, duty, 0);
}

void fixture_user(struct fixture *fixture, struct fixture_actor *actor_out,
                  const char *fin)
{
    struct op_actor_identity in = {.surname = fixture_text("Quliyeva"),
                                   .given = fixture_text("Nigar"),
                                   .fin = fixture_text(fin)};

    fixture_enrol(fixture, actor_out, ROLE_USER, 3, 0);
    memcpy(in.key_id.b, actor_out->identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_ACTOR_IDENTITY, &in, 0, 0,
                                 fixture->operator.duty, NULL),
                     ST_OK);
    fixture_session(fixture, actor_out);
}

uint16_t fixture_carrier(struct fixture *fixture, enum carrier_kind kind)
{
    struct op_carrier_enrol in = {.kind = (uint8_t)kind,
                                  .label = fixture_text("carrier")};
    struct result_carrier_enrol out;
    struct fixture_actor actor;

    fixture_enrol(fixture, &actor,
                  kind == CARRIER_KIND_EHIS ? ROLE_EHIS : ROLE_PORTAL, 3,
                  FIXTURE_OWNER);
    memcpy(in.key_id.b, actor.identity.key_id, KEY_ID_SIZE);
    ck_assert_int_eq(fixture_run(fixture, &fixture->operator,
                                 OPCODE_CARRIER_ENROL, &in, 0, 0,
                                 fixture->operator.duty, &out),
                     ST_OK);
    return out.number;
}

/* Rows that no operation at hand writes, as if an entry had. */
static void write_row(struct fixture *fixture, enum table table,
                      const void *row, bool exists)
{
    uint8_t digest[HASH_SIZE];

    state_begin(fixture->state);
    state_entry_begin(fixture->state);
    if (exists)
        state_update(fixture->state, table, row);
    else
        state_insert(fixture->state, table, row);
    state_entry_end(fixture->state, digest);
    state_commit(fixture->state);
}

void fixture_subject(struct fixture *fixture, uint64_t voen, uint8_t kind)
{
    static const uint8_t heads[SUBJECT_HEADS_SIZE];
    struct row_subject row = {.voen = voen,
                              .kind = kind,
                              .state = SUBJECT_ACTIVE,
                              .cabinet = voen,
                              .heads = slice_of(heads, sizeof heads)};

    write_row(fixture, TABLE_SUBJECT, &row, false);
}

void fixture_subject_state(struct fixture *fixture, uint64_t voen,
                           uint8_t state)
{
    struct row_subject row = {.voen = voen};

    ck_assert(state_get(fixture->state, TABLE_SUBJECT, &row));
    row.state = state;
    write_row(fixture, TABLE_SUBJECT, &row, true);
}

void fixture_represent(struct fixture *fixture, uint64_t voen,
                       const struct fixture_actor *actor)
{
    struct row_person person = {.number = actor->person};
    struct row_representative row = {.subject = voen, .kind = 2};

    ck_assert(state_get(fixture->state, TABLE_PERSON, &person));
    row.fin_tag = person.fin_tag;
    row.seq = (uint16_t)state_count(fixture->state, TABLE_REPRESENTATIVE);
    write_row(fixture, TABLE_REPRESENTATIVE, &row, false);
}

void fixture_purpose(struct fixture *fixture, uint32_t number,
                     uint16_t sections, uint16_t kinds)
{
    struct row_purpose row = {.number = number,
                              .title = fixture_text("Purpose"),
                              .legal_basis = fixture_text("Law"),
                              .sections = sections,
                              .kinds = kinds};

    write_row(fixture, TABLE_PURPOSE, &row, false);
}

uint32_t fixture_accesses(struct fixture *fixture, struct row_access *row_out,
                          uint64_t subject)
{
    struct row_access row = {.subject = subject};
    struct state_scan scan;
    uint32_t count = 0;

    state_scan_key(fixture->state, &scan, TABLE_ACCESS, &row,
                   (struct state_range){.equal = 1});
    while (state_scan_next(&scan, &row)) {
        if (row_out != NULL)
            *row_out = row;
        count++;
    }
    state_scan_close(&scan);
    return count;
}

enum status fixture_propose(struct fixture *fixture,
                            const struct fixture_actor *actor,
                            uint32_t *act_out, uint64_t about, uint16_t keys)
{
    uint8_t bytes[64];
    struct writer space;
    struct destroy_subject named = {.subject = about};
    struct op_destroy_propose in = {
        .keys = keys, .ground = 1, .basis = fixture_digest(9)};
    struct result_destroy_propose out = {0};
    enum status status;

    writer_init(&space, bytes, sizeof bytes);
    in.subjects = list_begin(&space);
    list_add(&in.subjects, &space, &schema_destroy_subject, &named);
    status = fixture_run(fixture, actor, OPCODE_DESTROY_PROPOSE, &in, 0, 0,
                         actor->duty, &out);
    *act_out = out.act;
    return status;
}
