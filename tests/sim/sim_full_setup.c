/*
 * sim_full_setup.c: what has to stand in the log before anybody can work: the
 * nodes, the people with their duties, a purpose, and a standing order, so that
 * the registry goes on after a change of primary.
 */
#include <string.h>

#include "protocol/dates.h"
#include "protocol/enrol.h"
#include "server/registry/continuity.h"
#include "server/registry/rows.h"
#include "tests/sim/sim_full_parts.h"

enum { SETUP_OWNER = 1, SETUP_BODY = 2, SETUP_LEVEL = 3 };

static struct bytes32 setup_digest(uint8_t byte)
{
    struct bytes32 digest;

    memset(&digest, byte, sizeof digest);
    return digest;
}

static struct slice setup_text(const char *text)
{
    return slice_of(text, strlen(text));
}

static void setup_node(struct sim *sim, struct full_command *command,
                       uint32_t number)
{
    const struct sim_node *node = &sim->nodes[number];
    const struct identity *key = &sim->full->nodes[number];
    uint8_t role = node->archive ? NODE_ARCHIVE : NODE_SERVER;
    struct enrol_claim claim = {.role = (uint16_t)(ENROL_NODE_ROLES + role),
                                .level = SETUP_LEVEL};
    struct op_node_enrol in = {.label = setup_text("node"),
                               .role = role,
                               .channel_key =
                                   setup_digest((uint8_t)(0x40 + number)),
                               .address = setup_text("127.0.0.1:7401"),
                               .basis = setup_digest(8)};

    memcpy(in.node_id.b, node->id, NODE_ID_SIZE);
    memcpy(in.receipt_key.b, key->public_key, PUBLIC_KEY_SIZE);
    enrol_prove(in.proof.b, &claim, sim->full->cluster_id, key);
    sim_full_item(sim, command, OPCODE_NODE_ENROL, 0, sim_full_duty(FULL_ADMIN),
                  &in);
}

static enum role setup_role(enum full_person person)
{
    if (person == FULL_COORDINATOR)
        return ROLE_COORDINATOR;
    return person == FULL_AUDITOR ? ROLE_AUDITOR : ROLE_STAFF;
}

/* Persons are numbered as they come: the administrator is the first. */
static void setup_person(struct sim *sim, struct full_command *command,
                         enum full_person person)
{
    const struct identity *key = &sim->full->people[person];
    bool coordinator = person == FULL_COORDINATOR;
    struct enrol_claim claim = {.role = (uint16_t)setup_role(person),
                                .level = SETUP_LEVEL,
                                .organisation =
                                    coordinator ? SETUP_BODY : SETUP_OWNER};
    struct op_actor_enrol in = {.role = (uint8_t)claim.role,
                                .level = claim.level,
                                .organisation = claim.organisation,
                                .evidence = setup_digest(3)};

    memcpy(in.public_key.b, key->public_key, PUBLIC_KEY_SIZE);
    enrol_prove(in.proof.b, &claim, sim->full->cluster_id, key);
    sim_full_item(sim, command, OPCODE_ACTOR_ENROL, 0,
                  sim_full_duty(FULL_ADMIN), &in);
}

static void setup_assign(struct sim *sim, struct full_command *command,
                         enum full_person person)
{
    static const enum duty duties[FULL_PEOPLE] = {
        [FULL_REGISTRAR] = DUTY_REG, [FULL_CHECKER] = DUTY_CHK,
        [FULL_OFFICER] = DUTY_DPO,   [FULL_HEAD] = DUTY_DIR,
        [FULL_AUDITOR] = DUTY_AUD,
    };
    struct op_duty_assign in = {.person = (uint64_t)person + 1,
                                .organisation = SETUP_OWNER,
                                .duty = (uint8_t)duties[person],
                                .scope = 0xff,
                                .basis = setup_digest(5)};

    sim_full_item(sim, command, OPCODE_DUTY_ASSIGN, 0,
                  sim_full_duty(FULL_ADMIN), &in);
}

static void setup_accept(struct sim *sim, struct full_command *command,
                         enum full_person person)
{
    struct op_duty_ack in = {.assignment = sim_full_duty(person)};

    sim_full_item(sim, command, OPCODE_DUTY_ACK, 0, 0, &in);
}

static void setup_body(struct sim *sim, struct full_command *command)
{
    struct op_organisation_enrol in = {.kind = ORGANISATION_COORDINATOR,
                                       .name = setup_text("Some body"),
                                       .basis = setup_digest(4)};

    sim_full_item(sim, command, OPCODE_ORGANISATION_ENROL, 0,
                  sim_full_duty(FULL_ADMIN), &in);
}

static void setup_coordinator(struct sim *sim, struct full_command *command,
                              uint16_t setting)
{
    struct op_config_change in = {.setting = setting,
                                  .value = SETUP_BODY,
                                  .note = setup_text("order"),
                                  .basis = setup_digest(6)};

    sim_full_item(sim, command, OPCODE_CONFIG_CHANGE, 0,
                  sim_full_duty(FULL_HEAD), &in);
}

static void setup_purpose(struct sim *sim, struct full_command *command)
{
    struct op_purpose_put in = {.purpose = 1,
                                .title = setup_text("Purpose"),
                                .legal_basis = setup_text("Law"),
                                .sections = SECTIONS_MASK,
                                .kinds = 1023};

    sim_full_item(sim, command, OPCODE_PURPOSE_PUT, 0,
                  sim_full_duty(FULL_OFFICER), &in);
}

/* As often as a seed changes its primary, and more. */
static void setup_order(struct sim *sim, struct full_command *command)
{
    int64_t now = sim_full_wall(sim, NULL);
    struct op_failover_order in = {.for_realm = CONTINUITY_REGISTRY,
                                   .from = now - DATES_US_PER_DAY,
                                   .to = now + DATES_US_PER_DAY,
                                   .automatic = true,
                                   .times = 10000,
                                   .basis = setup_digest(7)};

    sim_full_item(sim, command, OPCODE_FAILOVER_ORDER, 0,
                  sim_full_duty(FULL_COORDINATOR), &in);
}

/* ---- In their order ----------------------------------------------------- */

/* The administrator's: all nodes, all people, all duties, at once. */
static enum full_person setup_first(struct sim *sim,
                                    struct full_command *command)
{
    for (uint32_t i = 1; i < sim->options.nodes_count; i++)
        setup_node(sim, command, i);
    return FULL_ADMIN;
}

static enum full_person setup_people(struct sim *sim,
                                     struct full_command *command)
{
    for (int i = FULL_REGISTRAR; i < FULL_COORDINATOR; i++)
        setup_person(sim, command, (enum full_person)i);
    return FULL_ADMIN;
}

static enum full_person setup_duties(struct sim *sim,
                                     struct full_command *command)
{
    setup_body(sim, command);
    for (int i = FULL_REGISTRAR; i < FULL_COORDINATOR; i++)
        setup_assign(sim, command, (enum full_person)i);
    return FULL_ADMIN;
}

static enum full_person setup_settings(struct sim *sim,
                                       struct full_command *command)
{
    setup_coordinator(sim, command, SETTING_coordinator_portal);
    setup_coordinator(sim, command, SETTING_coordinator_registry);
    return FULL_HEAD;
}

static bool setup_make(struct sim *sim, struct full_command *command,
                       enum full_person *signer_out, uint32_t step)
{
    enum { DUTIES_FIRST = 3, DUTIES_END = DUTIES_FIRST + FULL_COORDINATOR - 1 };

    if (step == 0) {
        *signer_out = setup_first(sim, command);
    } else if (step == 1) {
        *signer_out = setup_people(sim, command);
    } else if (step == 2) {
        *signer_out = setup_duties(sim, command);
    } else if (step < DUTIES_END) {
        *signer_out = (enum full_person)(FULL_REGISTRAR + step - DUTIES_FIRST);
        setup_accept(sim, command, *signer_out);
    } else if (step == DUTIES_END) {
        setup_purpose(sim, command);
        *signer_out = FULL_OFFICER;
    } else if (step == DUTIES_END + 1) {
        *signer_out = setup_settings(sim, command);
    } else if (step == DUTIES_END + 2) {
        setup_person(sim, command, FULL_COORDINATOR);
        *signer_out = FULL_ADMIN;
    } else if (step == DUTIES_END + 3) {
        setup_order(sim, command);
        *signer_out = FULL_COORDINATOR;
    } else {
        return false;
    }
    return true;
}

bool sim_full_setup(struct sim *sim, uint32_t op)
{
    struct full_command command;
    enum full_person signer;

    sim_full_begin(sim, &command, op);
    if (!setup_make(sim, &command, &signer, op))
        return false;
    sim->full->ops[op].kind = FULL_SETUP;
    sim_full_sign(sim, &command, op, signer);
    return true;
}
