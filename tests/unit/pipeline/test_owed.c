/* What a node enters by itself when it became primary, and the realm that
 * waits meanwhile.
 * ctest-label: threads */
#include "tests/lib/suite.h"

#include <string.h>

#include "protocol/enrol.h"
#include "server/registry/continuity.h"
#include "server/registry/rows.h"
#include "tests/lib/config_sample.h"
#include "tests/lib/pipeline_host.h"

/* The main and the backup centre. */
static struct pipeline_host host;
static struct pipeline_host other;
static uint64_t requests; /* Sent so far. */

enum {
    DUTY_ADM_ASSIGNMENT = 1,
    /* Persons and assignments are numbered alike: 1 is genesis'. */
    OPERATOR_NUMBER = 2,
    HEAD_NUMBER,
    COORDINATOR_NUMBER,
    OWNER = 1,
    COORDINATOR = 2
};

static struct person {
    struct identity identity;
    enum role role;
    uint32_t organisation;
    enum duty duty;
} people[] = {
    [OPERATOR_NUMBER] = {.role = ROLE_STAFF,
                         .organisation = OWNER,
                         .duty = DUTY_OPS},
    [HEAD_NUMBER] = {.role = ROLE_STAFF,
                     .organisation = OWNER,
                     .duty = DUTY_DIR},
    /* By the key's role. */
    [COORDINATOR_NUMBER] = {.role = ROLE_COORDINATOR,
                            .organisation = COORDINATOR},
};

/* ---- Commands -------------------------------------------------------------
 */

static struct work *make(struct pipeline_host *at,
                         const struct identity *signer, uint8_t realm,
                         uint16_t opcode, uint32_t duty, const void *fields)
{
    static struct rig_command command;

    rig_begin(&at->rig, &command);
    rig_item(&at->rig, &command, opcode, 0, duty, fields);
    command.header.realm = realm;
    command.header.signed_at = at->rig.wall + atomic_load(&at->passed);
    return rig_finish(&at->rig, &command, signer);
}

/* Done, and committed. */
static void run(struct pipeline_host *at, const struct identity *signer,
                uint16_t opcode, uint32_t duty, const void *fields)
{
    struct pipeline_host_answer answer;
    uint64_t id = ++requests;

    ck_assert_int_eq(
        pipeline_host_submit(
            at, id, make(at, signer, REALM_SYSTEM, opcode, duty, fields)),
        ST_OK);
    pipeline_host_answer_run(at, id, &answer);
    ck_assert_msg(!answer.is_error && answer.code == ST_OK, "%s: %u",
                  operation_info(opcode)->name, answer.code);
}

/* What a command of ${realm} is told at the door. */
static enum status knock(struct pipeline_host *at, uint8_t realm,
                         uint16_t opcode)
{
    struct op_system_ping ping = {.text = slice_of("p", 1)};
    struct op_auth_close nothing = {0};
    const void *fields = opcode == OPCODE_SYSTEM_PING ? (const void *)&ping
                                                      : (const void *)&nothing;
    struct work *work =
        make(at, &at->rig.admin, realm, opcode,
             opcode == OPCODE_SYSTEM_PING ? DUTY_ADM_ASSIGNMENT : 0, fields);
    struct pipeline_host_answer answer;
    uint64_t id = ++requests;
    enum status status = pipeline_host_submit(at, id, work);

    if (status == ST_OK)
        pipeline_host_answer_run(at, id, &answer);
    else
        work_close(work);
    return status;
}

/* ---- People ----------------------------------------------------------------
 */

static void enrol(uint32_t number)
{
    struct person *person = &people[number];
    struct enrol_claim claim = {.role = (uint16_t)person->role,
                                .level = 3,
                                .organisation = person->organisation};
    struct op_actor_enrol enrol = {.role = (uint8_t)person->role,
                                   .level = 3,
                                   .organisation = person->organisation,
                                   .evidence = {{1}}};
    struct op_duty_assign assign = {.person = number,
                                    .organisation = person->organisation,
                                    .duty = (uint8_t)person->duty,
                                    .basis = {{1}}};
    struct op_duty_ack ack = {.assignment = number};

    rig_identity(&host.rig, &person->identity);
    memcpy(enrol.public_key.b, person->identity.public_key, PUBLIC_KEY_SIZE);
    enrol_prove(enrol.proof.b, &claim, host.rig.cluster_id, &person->identity);
    run(&host, &host.rig.admin, OPCODE_ACTOR_ENROL, DUTY_ADM_ASSIGNMENT,
        &enrol);
    if (person->duty == 0)
        return;
    run(&host, &host.rig.admin, OPCODE_DUTY_ASSIGN, DUTY_ADM_ASSIGNMENT,
        &assign);
    run(&host, &person->identity, OPCODE_DUTY_ACK, 0, &ack);
}

static void enrol_people(void)
{
    struct op_organisation_enrol body = {
        .kind = ORGANISATION_COORDINATOR,
        .name = slice_of("Body", 4),
        .basis = {{1}},
    };
    struct op_config_change name = {.setting = SETTING_coordinator_registry,
                                    .value = COORDINATOR,
                                    .note = slice_of("n", 1),
                                    .basis = {{1}}};

    run(&host, &host.rig.admin, OPCODE_ORGANISATION_ENROL, DUTY_ADM_ASSIGNMENT,
        &body);
    for (uint32_t i = OPERATOR_NUMBER; i <= COORDINATOR_NUMBER; i++)
        enrol(i);
    run(&host, &people[HEAD_NUMBER].identity, OPCODE_CONFIG_CHANGE, HEAD_NUMBER,
        &name);
}

static void enrol_backup(const struct identity *backup)
{
    struct enrol_claim claim = {.role = ENROL_NODE_ROLES + 1, .level = 3};
    struct op_node_enrol fields = {.node_id = {{2}},
                                   .label = slice_of("b", 1),
                                   .role = 1,
                                   .channel_key = {{7}},
                                   .basis = {{1}}};

    memcpy(fields.receipt_key.b, backup->public_key, PUBLIC_KEY_SIZE);
    enrol_prove(fields.proof.b, &claim, host.rig.cluster_id, backup);
    run(&host, &host.rig.admin, OPCODE_NODE_ENROL, DUTY_ADM_ASSIGNMENT,
        &fields);
}

/* ---- The change of primary -------------------------------------------------
 */

static void pass(int64_t time)
{
    atomic_fetch_add(&host.passed, time);
    atomic_fetch_add(&other.passed, time);
}

/* Everything that the first node has is at the second, which follows.  The
 * first one's clock went ahead while it came to lead. */
static void ship(void)
{
    if (atomic_load(&other.passed) < atomic_load(&host.passed))
        atomic_store(&other.passed, atomic_load(&host.passed));
    ck_assert_int_eq(pipeline_host_ship(&other, &host), ST_OK);
    pipeline_host_commit(&other);
    pipeline_host_wait_applied(&other, journal_size(host.rig.journal));
}

static void open_both(void)
{
    struct identity backup;

    requests = 0;
    sample_identity(&backup, 0x77);
    pipeline_host_open(&host);
    pipeline_host_open_as(&other, &backup);
    pipeline_host_lead(&host);
    enrol_backup(&backup);
    enrol_people();
}

/* The second takes over after ${pause}; the size before its EPOCH. */
static uint64_t take_over(int64_t pause)
{
    uint64_t size;

    pipeline_host_follow(&host);
    pipeline_host_drop(&host);
    ship();
    size = journal_size(other.rig.journal);
    pass(pause);
    pipeline_host_win(&other);
    return size;
}

/* Until ${count} entries of ${opcode} are applied, while time passes. */
static void run_until(struct pipeline_host *at, uint16_t opcode, size_t count)
{
    while (pipeline_host_count(at, opcode) < count ||
           pipeline_size(at->pipeline) < journal_size(at->rig.journal)) {
        pipeline_host_write(at);
        pipeline_host_commit(at);
        pass(RIG_SECOND / 10);
        pipeline_host_nap();
    }
}

/* The next entry from ${from} on that is no attestation. */
static uint16_t next_opcode(struct pipeline_host *at, uint64_t *from)
{
    uint16_t opcode;

    do
        opcode = pipeline_host_opcode(at, (*from)++);
    while (opcode == OPCODE_SYSTEM_ATTEST);
    return opcode;
}

/* Things settle, and whatever is owed would have been entered. */
static void settle(struct pipeline_host *at)
{
    for (int i = 0; i < 50; i++) {
        pipeline_host_write(at);
        pipeline_host_commit(at);
        pass(RIG_SECOND / 4);
        pipeline_host_nap();
    }
}

static void ask_for(struct pipeline_host *at, uint32_t number)
{
    struct op_failover_request order = {
        .order = {{9}},
        .for_realm = CONTINUITY_REGISTRY,
        .kind = 1,
        .until = RIG_TIME + 3600 * RIG_SECOND,
        .reason = slice_of("the main centre is down", 23)};

    run(at, &people[number].identity, OPCODE_FAILOVER_REQUEST, number, &order);
}

static void close_both(void)
{
    pipeline_host_close(&host);
    pipeline_host_close(&other);
}

START_TEST(
    T_P_6_1_4_the_log_holds_epoch_incident_activation_notices_and_stoppage)
{
    struct row_downtime down[2] = {{.number = 1}, {.number = 2}};
    struct row_incident incident = {.number = 1};
    struct row_notice notice = {.number = 1};
    struct row_failover failover = {.number = 1};
    uint64_t at;

    open_both();
    at = take_over(90 * RIG_SECOND);
    run_until(&other, OPCODE_FAILOVER_ACTIVATE, 1);
    settle(&other);
    ck_assert_int_eq(next_opcode(&other, &at), OPCODE_SYSTEM_EPOCH);
    ck_assert_int_eq(next_opcode(&other, &at), OPCODE_INCIDENT_OPEN);
    ck_assert_int_eq(next_opcode(&other, &at), OPCODE_FAILOVER_ACTIVATE);
    /* Each once, however often it is looked for. */
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_INCIDENT_OPEN), 1);
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_FAILOVER_ACTIVATE), 1);
    pipeline_host_check_replay(&other);
    ck_assert(state_get(other.rig.state, TABLE_INCIDENT, &incident));
    ck_assert(state_get(other.rig.state, TABLE_NOTICE, &notice));
    ck_assert_uint_eq(notice.incident, 1);
    ck_assert(state_get(other.rig.state, TABLE_FAILOVER, &failover));
    ck_assert_uint_eq(failover.realm, CONTINUITY_PORTAL);
    for (int i = 0; i < 2; i++) {
        ck_assert(state_get(other.rig.state, TABLE_DOWNTIME, &down[i]));
        ck_assert_uint_eq(down[i].incident, 1);
        ck_assert_int_eq(down[i].to != 0, down[i].realm == CONTINUITY_PORTAL);
    }
    close_both();
}
END_TEST

START_TEST(T_R_8_2_5a_a_realm_that_waits_is_told_604_and_makes_no_entry)
{
    open_both();
    ck_assert_int_eq(knock(&host, REALM_REGISTRY, OPCODE_SYSTEM_PING), ST_OK);
    take_over(90 * RIG_SECOND);
    run_until(&other, OPCODE_FAILOVER_ACTIVATE, 1);
    settle(&other);
    uint64_t size = journal_size(other.rig.journal);
    ck_assert_int_eq(knock(&other, REALM_REGISTRY, OPCODE_SYSTEM_PING),
                     ST_READ_ONLY);
    ck_assert_uint_eq(journal_size(other.rig.journal), size);
    ck_assert_int_eq(knock(&other, REALM_PORTAL, OPCODE_SYSTEM_PING), ST_OK);
    /* Who has to approve may need a session. */
    ck_assert_int_eq(knock(&other, REALM_REGISTRY, OPCODE_AUTH_CLOSE), ST_OK);
    close_both();
}
END_TEST

START_TEST(T_R_8_2_5b_what_was_approved_is_entered_and_opens_the_registry)
{
    struct op_failover_approve approve = {.order = {{9}}};
    struct row_downtime down = {.number = 2};
    uint64_t at;

    open_both();
    take_over(90 * RIG_SECOND);
    run_until(&other, OPCODE_FAILOVER_ACTIVATE, 1);
    ask_for(&other, OPERATOR_NUMBER);
    ask_for(&other, HEAD_NUMBER);
    settle(&other);
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_FAILOVER_ACTIVATE), 1);
    ck_assert_int_eq(knock(&other, REALM_REGISTRY, OPCODE_SYSTEM_PING),
                     ST_READ_ONLY);
    run(&other, &people[COORDINATOR_NUMBER].identity, OPCODE_FAILOVER_APPROVE,
        0, &approve);
    at = journal_size(other.rig.journal) - 1;
    run_until(&other, OPCODE_FAILOVER_ACTIVATE, 2);
    settle(&other);
    while (pipeline_host_opcode(&other, at) != OPCODE_FAILOVER_APPROVE)
        at--;
    at++;
    ck_assert_int_eq(next_opcode(&other, &at), OPCODE_FAILOVER_ACTIVATE);
    ck_assert_int_eq(knock(&other, REALM_REGISTRY, OPCODE_SYSTEM_PING), ST_OK);
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_FAILOVER_ACTIVATE), 2);
    pipeline_host_check_replay(&other);
    ck_assert(state_get(other.rig.state, TABLE_DOWNTIME, &down));
    ck_assert_int_ne(down.to, 0);
    close_both();
}
END_TEST

START_TEST(what_a_term_did_not_live_to_enter_the_next_one_enters)
{
    open_both();
    take_over(90 * RIG_SECOND);
    /* EPOCH alone gets into the log; what is owed is dropped. */
    pipeline_host_run_to(&other, journal_size(host.rig.journal) + 1);
    pipeline_host_nap_long();
    pipeline_host_follow(&other);
    pipeline_host_drop(&other);
    pipeline_host_win(&other);
    run_until(&other, OPCODE_FAILOVER_ACTIVATE, 1);
    settle(&other);
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_INCIDENT_OPEN), 1);
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_FAILOVER_ACTIVATE), 1);
    pipeline_host_check_replay(&other);
    close_both();
}
END_TEST

/* All that it signs for the system is refused then. */
START_TEST(a_node_whose_epoch_is_refused_fills_no_log)
{
    struct sample_config foreign;

    open_both();
    sample_config(&foreign.config); /* Another node is primary there. */
    sample_config_encode(&foreign);
    other.configuration = foreign.slice;
    uint64_t size = take_over(90 * RIG_SECOND);
    settle(&other);
    settle(&other);
    ck_assert_int_eq(pipeline_host_opcode(&other, size), OPCODE_SYSTEM_EPOCH);
    ck_assert_uint_lt(journal_size(other.rig.journal), size + 20);
    ck_assert_uint_eq(pipeline_host_count(&other, OPCODE_INCIDENT_OPEN), 0);
    close_both();
}
END_TEST

START_TEST(the_status_tells_when_the_primary_changed_last)
{
    static uint8_t bytes[BLOB_SIZE_MAX];
    struct rows_status status;
    struct field_error error;
    struct writer rows;

    open_both();
    for (int after = 0; after < 2; after++) {
        writer_init(&rows, bytes, sizeof bytes);
        ck_assert_int_eq(pipeline_query(other.pipeline, &rows, QUERY_STATUS, 1,
                                        slice_of(NULL, 0)),
                         ST_OK);
        ck_assert_int_eq(schema_decode(&schema_rows_status, &status, &error,
                                       writer_slice(&rows),
                                       SCHEMA_REFUSE_UNKNOWN),
                         ST_OK);
        ck_assert_int_eq(status.has_failover_epoch, after);
        if (after) {
            ck_assert_uint_eq(status.failover_epoch, other.epoch);
            ck_assert_int_ge(status.failover_at, RIG_TIME + 90 * RIG_SECOND);
            break;
        }
        take_over(90 * RIG_SECOND);
        run_until(&other, OPCODE_FAILOVER_ACTIVATE, 1);
    }
    close_both();
}
END_TEST

SUITE_MAIN(
    "owed",
    T_P_6_1_4_the_log_holds_epoch_incident_activation_notices_and_stoppage,
    T_R_8_2_5a_a_realm_that_waits_is_told_604_and_makes_no_entry,
    T_R_8_2_5b_what_was_approved_is_entered_and_opens_the_registry,
    what_a_term_did_not_live_to_enter_the_next_one_enters,
    a_node_whose_epoch_is_refused_fills_no_log,
    the_status_tells_when_the_primary_changed_last)
