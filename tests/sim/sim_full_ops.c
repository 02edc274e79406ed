/*
 * sim_full_ops.c: what clients ask for in full mode, on its way to a node and
 * back.
 */
#include <stdio.h>
#include <string.h>

#include "protocol/voen.h"
#include "replication/sometimes.h"
#include "server/registry/section.h"
#include "server/registry/subject.h"
#include "tests/sim/sim_full_parts.h"

enum {
    OPS_SETUP_US = 20000000, /* Within this everything is set up. */
    OPS_CONTACTS_SIZE = 1024,
    OPS_SECTION = 5 /* Contacts. */
};

/* ---- Commands ----------------------------------------------------------- */

/* A valid taxpayer number of its own. */
static uint64_t ops_subject(uint32_t op)
{
    uint32_t serial = 10000000 + op * 12;

    while (voen_digit(serial) == VOEN_NO_DIGIT)
        serial++;
    return (uint64_t)serial * 100 + voen_digit(serial) * 10 + SUBJECT_LEGAL;
}

/* By what is written one can see who wrote it. */
static void ops_stamp(char *out, size_t size, uint32_t op)
{
    (void)snprintf(out, size, "sirr-%u@sim.test", op);
}

static struct slice ops_record(uint8_t *bytes, size_t size, const char *stamp,
                               uint32_t filling)
{
    uint8_t list_bytes[OPS_CONTACTS_SIZE];
    char text[128];
    struct record_s05 record = {0};
    struct contact contact = {
        .kind = 3, .value = slice_of(stamp, strlen(stamp)), .source = 1};
    struct contact other = {.kind = 5, .source = 1};
    struct writer list, writer;

    memset(text, 'x', sizeof text);
    other.value = slice_of(text, 1 + filling % sizeof text);
    writer_init(&list, list_bytes, sizeof list_bytes);
    record.contacts = list_begin(&list);
    list_add(&record.contacts, &list, &schema_contact, &contact);
    list_add(&record.contacts, &list, &schema_contact, &other);
    writer_init(&writer, bytes, size);
    schema_encode(&schema_record_s05, &writer, &record);
    INVARIANT(list.status == ST_OK && writer.status == ST_OK);
    return writer_slice(&writer);
}

static enum full_person ops_write(struct sim *sim, struct full_command *command,
                                  uint32_t op)
{
    uint32_t duty = sim_full_duty(FULL_REGISTRAR);
    uint64_t subject = ops_subject(op);
    struct op_subject_open open = {.kind = SUBJECT_LEGAL, .opened = 20000};
    struct op_section_put put = {
        .section = OPS_SECTION, .as_of = 20000, .note = slice_of("letter", 6)};
    uint8_t bytes[OPS_CONTACTS_SIZE];
    char stamp[64];

    sim->full->ops[op].subject = subject;
    ops_stamp(stamp, sizeof stamp, op);
    put.basis.b[0] = 9;
    put.record = ops_record(bytes, sizeof bytes, stamp,
                            (uint32_t)random_next(&sim->full->load));
    command->header.flags |= COMMAND_FLAG_ATOMIC;
    sim_full_item(sim, command, OPCODE_SUBJECT_OPEN, subject, duty, &open);
    sim_full_item(sim, command, OPCODE_SECTION_PUT, subject, duty, &put);
    return FULL_REGISTRAR;
}

static enum full_person ops_read(struct sim *sim, struct full_command *command,
                                 uint32_t op)
{
    struct full_op *made = &sim->full->ops[op];
    struct op_section_history in = {
        .section = OPS_SECTION, .limit = 1, .file_number = slice_of("F-1", 3)};

    made->subject = ops_subject(made->about);
    sim_full_item(sim, command, OPCODE_SECTION_HISTORY, made->subject,
                  sim_full_duty(FULL_CHECKER), &in);
    return FULL_CHECKER;
}

/* From anywhere, also from what is under way. */
static enum full_person ops_journal(struct sim *sim,
                                    struct full_command *command)
{
    struct op_journal_read in = {
        .from =
            random_below(&sim->full->load, (uint32_t)sim->committed_count + 2),
        .count = (uint16_t)(1 + random_below(&sim->full->load, 8)),
        .categories = 0xff};

    sim_full_item(sim, command, OPCODE_JOURNAL_READ, 0,
                  sim_full_duty(FULL_AUDITOR), &in);
    return FULL_AUDITOR;
}

static enum full_person ops_ping(struct sim *sim, struct full_command *command)
{
    struct op_system_ping in = {.text = slice_of("ping", 4)};

    if (MUTANT(111))
        in.text = slice_of("sirr-0@sim.test", 15);
    sim_full_item(sim, command, OPCODE_SYSTEM_PING, 0, 0, &in);
    return FULL_ADMIN;
}

/* An operation that wrote, perhaps one that is under way. */
static bool ops_find_written(struct sim *sim, uint32_t *out, uint32_t op)
{
    for (int tries = 0; tries < 8 && op > sim->full->setup_count; tries++) {
        uint32_t back =
            random_skewed(&sim->full->load, op - sim->full->setup_count);

        *out = op - 1 - back;
        if (sim->full->ops[*out].kind == FULL_WRITE)
            return true;
    }
    return false;
}

static void ops_draw(struct sim *sim, struct full_op *out, uint32_t op)
{
    uint32_t kind = random_below(&sim->full->load, 100);

    out->kind = kind < 12   ? FULL_PING
                : kind < 20 ? FULL_JOURNAL
                : kind < 55 ? FULL_READ
                            : FULL_WRITE;
    if (out->kind == FULL_READ && !ops_find_written(sim, &out->about, op))
        out->kind = FULL_WRITE;
}

void sim_full_op(struct sim *sim, uint32_t op)
{
    struct full_op *made = &sim->full->ops[op];
    struct full_command command;
    enum full_person signer = FULL_ADMIN;

    if (!sim->full->ready) {
        bool more = sim_full_setup(sim, op);

        INVARIANT(more);
        return;
    }
    sim_full_begin(sim, &command, op);
    ops_draw(sim, made, op);
    if (made->kind == FULL_WRITE)
        signer = ops_write(sim, &command, op);
    else if (made->kind == FULL_READ)
        signer = ops_read(sim, &command, op);
    else if (made->kind == FULL_JOURNAL)
        signer = ops_journal(sim, &command);
    else
        signer = ops_ping(sim, &command);
    sim_full_sign(sim, &command, op, signer);
}

/* ---- Before everything -------------------------------------------------- */

enum { OPS_SETUP_STEPS = FULL_COORDINATOR + 6 };

/* The first client sets everything up, one command after the other; then the
 * others begin, and what goes wrong does. */
bool sim_full_waits(struct sim *sim, uint32_t number)
{
    struct sim_full *full = sim->full;

    if (full->ready)
        return false;
    if (sim->now > OPS_SETUP_US) {
        sim_fail(sim, SIM_LIVENESS, "the setup does not end");
        return true;
    }
    if (number != 0)
        return true;
    if (sim->ops_count < OPS_SETUP_STEPS)
        return false;
    full->ready = true;
    full->setup_count = sim->ops_count;
    sim->options.ops_max += sim->ops_count;
    sim_trace(sim, "everything is set up");
    sim_at(sim, sim->now, EVENT_FAULT, SIM_NODES_MAX, 0, NULL);
    sim->faulty = true;
    sim_at(sim, sim->now + sim->options.safety_us, EVENT_HEAL, SIM_NODES_MAX, 0,
           NULL);
    return false;
}

/* ---- To a node, and back ------------------------------------------------ */

/* As server/net/request.c does with a frame. */
static enum status command_take(struct sim *sim, struct sim_node *node,
                                uint32_t op)
{
    const struct full_op *made = &sim->full->ops[op];
    struct pipeline *pipeline = node->full->server.pipeline;
    struct slice body = slice_of(made->body, made->size);
    const struct operation_info *operation =
        operation_info(command_peek_opcode(body));
    struct command_policy policy = {.env_tag = sim->full->cluster_id[0],
                                    .portal = true,
                                    .registry = true,
                                    .system =
                                        operation->realm == OP_REALM_SYSTEM,
                                    .ttl_s_max = TTL_S_MAX,
                                    .items_max = ITEMS_MAX};
    static struct command_item items[ITEMS_MAX];
    struct work_origin origin = {.request_id = op};
    struct directory_key signer;
    struct command command;
    struct work *work;
    enum status status = command_decode(&command, items, body, &policy);

    INVARIANT(status == ST_OK);
    command_digest(&command, sim->full->cluster_id);
    if (!directory_find(pipeline_directory(pipeline), &signer,
                        command.header.key_id))
        return ST_STALE_KEY;
    status = command_verify(&command, signer.public_key.b);
    if (status != ST_OK)
        return status;
    origin.session_key = signer.key_id;
    origin.organisation = signer.organisation;
    work = work_open(&command, &origin);
    INVARIANT(work != NULL);
    status = pipeline_submit(pipeline, work);
    if (status != ST_OK)
        work_close(work);
    return status;
}

void sim_full_command(struct sim *sim, struct sim_node *node, uint32_t op)
{
    enum status status = ST_NOT_PRIMARY;

    if (node->up && node->full->server.pipeline != NULL)
        status = command_take(sim, node, op);
    if (status != ST_OK) {
        if (status != ST_NOT_PRIMARY)
            sim_trace(sim, "%u refuses operation %u: %d", node->number, op,
                      (int)status);
        sim_reply(sim, op, false, 0);
        return;
    }
    sim_full_wake(sim, node, FULL_TURN_CORE);
}

/* What is no answer for good: the client asks again. */
static void answer_error(struct sim *sim, const struct reply *reply)
{
    sim_trace(sim, "operation %u ends with %u", (unsigned)reply->request_id,
              reply->code);
    switch ((enum status)reply->code) {
    case ST_UNKNOWN_OUTCOME:
        sim->counts[COUNT_UNKNOWN]++;
        break;
    case ST_IN_PROGRESS:
    case ST_NOT_PRIMARY:
    case ST_READ_ONLY:
    case ST_BUSY:
    case ST_DRAINING:
        break;
    default:
        sim_fail(sim, SIM_WRONG, "operation %u is refused: %u",
                 (unsigned)reply->request_id, reply->code);
        return;
    }
    sim_reply(sim, (uint32_t)reply->request_id, false, 0);
}

/* pipeline_events.answer */
void sim_full_answer(void *context, uint32_t loop, struct reply *replies)
{
    struct sim_full_node *full = context;
    struct sim *sim = full->sim;

    (void)loop;
    while (replies != NULL) {
        struct reply *reply = replies;
        uint64_t index = 0;

        replies = reply->next;
        sim_mix(sim, reply->request_id * 31 + reply->code);
        if (reply->is_error) {
            answer_error(sim, reply);
        } else {
            sim_full_check_answer(sim, full->node, reply, &index);
            sim_reply(sim, (uint32_t)reply->request_id, true, index);
        }
        reply_close(reply);
    }
}
