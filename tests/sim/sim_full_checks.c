/*
 * sim_full_checks.c: what must hold in full mode at each entry that is applied
 * and each answer that leaves a node.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/receipt.h"
#include "replication/sometimes.h"
#include "tests/sim/sim_full_parts.h"

/* ---- What is committed -------------------------------------------------- */

static struct full_entry *checks_entry(struct sim_full *full, uint64_t index)
{
    if (index >= full->entries_capacity) {
        uint64_t capacity = (index + 1) * 2 + 256;

        full->entries =
            realloc(full->entries, capacity * sizeof *full->entries);
        INVARIANT(full->entries != NULL);
        while (full->entries_capacity < capacity)
            full->entries[full->entries_capacity++] =
                (struct full_entry){.op = UINT32_MAX};
    }
    return &full->entries[index];
}

static uint32_t checks_op(const struct sim_full *full,
                          const struct command_header *header)
{
    for (size_t i = 0; i < FULL_PEOPLE; i++) {
        if (memcmp(header->key_id, full->people[i].key_id, KEY_ID_SIZE) == 0)
            return load_u32(header->idem + 4);
    }
    return UINT32_MAX;
}

/* I12: an operation has one entry. */
void sim_full_saw(struct sim *sim, uint64_t index, struct slice bytes)
{
    struct sim_full *full = sim->full;
    struct entry entry;
    enum status status = entry_view(&entry, bytes);
    uint32_t op;

    INVARIANT(status == ST_OK);
    op = checks_op(full, &entry.header);
    checks_entry(full, index)->op = op;
    if (op == UINT32_MAX || full->committed[op] == index)
        return;
    if (full->committed[op] != UINT64_MAX)
        sim_fail(sim, SIM_WRONG, "I12: operation %u is entry %u and entry %u",
                 op, (unsigned)full->committed[op], (unsigned)index);
    full->committed[op] = index;
}

/* I9: with each entry its seal keys. */
bool sim_full_has_keys(struct sim_node *node, struct slice bytes)
{
    uint8_t key[KEY_SIZE];
    struct entry entry;
    struct item item;
    struct slice rest;
    enum status status = entry_view(&entry, bytes);

    INVARIANT(status == ST_OK);
    rest = entry.items;
    while (status == ST_OK && entry_next_item(&item, &rest)) {
        if (item.seal_key != 0)
            status =
                keyring_key(node->full->server.keyring, key, item.seal_key);
    }
    return status == ST_OK;
}

/* ---- What is applied ---------------------------------------------------- */

static void look_operation(struct sim *sim, struct sim_node *node, uint32_t op,
                           uint64_t index)
{
    uint64_t *known;

    if (op == UINT32_MAX || op >= SIM_OPS_MAX)
        return;
    known = &node->state.index_of[op];
    if (*known != UINT64_MAX && *known != index)
        sim_fail(sim, SIM_WRONG, "I12: operation %u has two effects", op);
    *known = index;
}

/* I14: an entry comes to the same state and outcome on every node. */
static void look_row(struct sim *sim, struct sim_node *node,
                     const struct row_command *row)
{
    struct full_entry *entry = checks_entry(sim->full, row->index);
    uint8_t outcomes[HASH_SIZE];

    crypto_hash_sha256(outcomes, row->outcomes.data, row->outcomes.size);
    if (!entry->applied) {
        entry->applied = true;
        entry->code = row->code;
        memcpy(entry->digest, row->digest.b, HASH_SIZE);
        memcpy(entry->outcomes, outcomes, HASH_SIZE);
        sim_mix(sim, load_u64(entry->digest));
    } else if (entry->code != row->code ||
               memcmp(entry->digest, row->digest.b, HASH_SIZE) != 0 ||
               memcmp(entry->outcomes, outcomes, HASH_SIZE) != 0) {
        sim_fail(sim, SIM_WRONG, "I14: entry %u comes to another state on %u",
                 (unsigned)row->index, node->number);
    } else {
        SOMETIMES(states_compared);
    }
    look_operation(sim, node, entry->op, row->index);
}

void sim_full_look(struct sim *sim, struct sim_node *node)
{
    struct sim_full_node *full = node->full;
    struct state *state = full->server.state;
    uint64_t size = state_head(state)->applied_size;

    for (; full->seen < size && sim->failure == SIM_GOOD; full->seen++) {
        struct row_command row = {.index = full->seen};

        /* Later, once somebody can read it. */
        if (full->blind && full->seen >= sim->committed_count)
            return;
        /* Genesis is committed by what it is. */
        if (full->seen > 0 && full->seen >= sim->committed_count) {
            sim_fail(sim, SIM_WRONG, "I10: %u applies entry %u of %u committed",
                     node->number, (unsigned)full->seen,
                     (unsigned)sim->committed_count);
            return;
        }
        if (!state_get(state, TABLE_COMMAND, &row)) {
            sim_fail(sim, SIM_WRONG, "I14: %u has no row of entry %u",
                     node->number, (unsigned)full->seen);
            return;
        }
        if (full->seen > 0 &&
            memcmp(row.leaf.b, sim->committed[full->seen], HASH_SIZE) != 0)
            sim_fail(sim, SIM_WRONG, "I10: %u applies another entry %u",
                     node->number, (unsigned)full->seen);
        look_row(sim, node, &row);
    }
    node->state.applied = size;
    memcpy(node->state.digest, state_head(state)->digest, HASH_SIZE);
}

/* ---- What leaves -------------------------------------------------------- */

/* I11: nothing is seen unseen.  An answer leaves once its entry is committed,
 * and tells of that entry. */
static bool answer_is_committed(struct sim *sim, struct sim_node *node,
                                const struct reply *reply,
                                const struct receipt *receipt)
{
    uint32_t op = (uint32_t)reply->request_id;

    if (node->full->blind)
        return true;
    if (receipt->index >= sim->committed_count ||
        memcmp(receipt->entry_hash, sim->committed[receipt->index],
               HASH_SIZE) != 0) {
        sim_fail(sim, SIM_WRONG,
                 "I11: %u answers operation %u before entry %u is committed",
                 node->number, op, (unsigned)receipt->index);
        return false;
    }
    if (sim->full->committed[op] == receipt->index)
        return true;
    sim_fail(sim, SIM_WRONG, "I11: %u answers operation %u with entry %u",
             node->number, op, (unsigned)receipt->index);
    return false;
}

static bool answer_holds(const struct reply *reply, const char *text)
{
    size_t size = strlen(text);

    for (size_t i = 0; i + size <= reply->result_size; i++) {
        if (memcmp(reply->result + i, text, size) == 0)
            return true;
    }
    return false;
}

/* What the entry of operation ${op} came to; false: it has none yet. */
static bool answer_came_to(struct sim *sim, uint16_t *code_out, uint32_t op)
{
    uint64_t index = sim->full->committed[op];

    if (index == UINT64_MAX || !checks_entry(sim->full, index)->applied)
        return false;
    *code_out = checks_entry(sim->full, index)->code;
    return true;
}

/* No dirty read and no stale one: what was written before is read, and nothing
 * else. */
static void answer_judge_read(struct sim *sim, struct sim_node *node,
                              const struct reply *reply, uint64_t index)
{
    uint32_t op = (uint32_t)reply->request_id;
    struct row_access access = {.subject = sim->full->ops[op].subject,
                                .number = index << 16};
    uint32_t about = sim->full->ops[op].about;
    uint16_t code = ST_NO_SUCH;
    char stamp[64];
    bool written = answer_came_to(sim, &code, about) && code == ST_OK &&
                   sim->full->committed[about] < index;
    bool shown;

    (void)snprintf(stamp, sizeof stamp, "sirr-%u@sim.test", about);
    shown = answer_holds(reply, stamp);
    if ((reply->flags & REPLY_RESULT_OMITTED) != 0) {
        SOMETIMES(read_answered_again);
        if (shown)
            sim_fail(sim, SIM_WRONG, "I11: operation %u is disclosed again",
                     op);
        return;
    }
    if (reply->code != ST_OK && reply->code != ST_NO_SUCH)
        return;
    if (shown != written || (reply->code == ST_OK) != written)
        sim_fail(sim, SIM_WRONG,
                 "I11: operation %u at %u %s what %u wrote at %d", op,
                 (unsigned)index, shown ? "shows" : "does not show", about,
                 (int)sim->full->committed[about]);
    if (!shown)
        return;
    SOMETIMES(personal_data_leave);
    sim->full->reads++;
    if (!state_get(node->full->server.state, TABLE_ACCESS, &access))
        sim_fail(sim, SIM_WRONG,
                 "I11: operation %u is no entry of the subject's", op);
}

/* I13: what is corrupt is never served. */
static void answer_judge_journal(struct sim *sim, const struct reply *reply)
{
    struct result_journal_read result;
    struct list_reader reader;
    struct journal_row row;
    struct field_error error;
    uint8_t leaf[HASH_SIZE];

    if (reply->code != ST_OK || reply->result_size == 0)
        return;
    if (schema_decode(&schema_result_journal_read, &result, &error,
                      slice_of(reply->result, reply->result_size),
                      SCHEMA_REFUSE_UNKNOWN) != ST_OK) {
        sim_fail(sim, SIM_WRONG, "operation %u has an odd result",
                 (unsigned)reply->request_id);
        return;
    }
    list_reader_init(&reader, &result.entries);
    while (list_reader_next(&reader, &schema_journal_row, &row)) {
        SOMETIMES(journal_is_read);
        entry_leaf_hash(leaf, row.entry);
        if (row.index >= sim->committed_count ||
            memcmp(leaf, sim->committed[row.index], HASH_SIZE) != 0)
            sim_fail(sim, SIM_WRONG, "I13: operation %u shows another entry %u",
                     (unsigned)reply->request_id, (unsigned)row.index);
    }
}

/* A setup that is refused tests nothing. */
static void answer_judge_code(struct sim *sim, const struct reply *reply)
{
    uint32_t op = (uint32_t)reply->request_id;
    const struct full_op *made = &sim->full->ops[op];

    sim_trace(sim, "operation %u (%d) comes to %u%s", op, (int)made->kind,
              reply->code,
              (reply->flags & REPLY_DUPLICATE) != 0 ? ", known" : "");
    if (made->kind == FULL_SETUP && reply->code != ST_OK)
        sim_fail(sim, SIM_WRONG, "the setup's command %u comes to %u", op,
                 reply->code);
}

void sim_full_check_answer(struct sim *sim, struct sim_node *node,
                           const struct reply *reply, uint64_t *index_out)
{
    struct receipt receipt = {.index = 0};
    enum status status = ST_RECEIPT;
    uint8_t hash[HASH_SIZE];

    if ((reply->flags & REPLY_RECEIPT) != 0)
        status = receipt_verify(&receipt, reply->receipt,
                                reply->receipt_signature, sim->full->cluster_id,
                                sim->full->nodes[node->number].public_key);
    if (status != ST_OK) {
        sim_fail(sim, SIM_WRONG, "%u gives operation %u no receipt",
                 node->number, (unsigned)reply->request_id);
        return;
    }
    *index_out = receipt.index;
    if ((reply->flags & REPLY_DUPLICATE) != 0)
        SOMETIMES(duplicate_answered);
    if (!answer_is_committed(sim, node, reply, &receipt))
        return;
    crypto_hash_sha256(hash, reply->result, reply->result_size);
    if ((reply->flags & REPLY_RESULT_OMITTED) == 0 &&
        memcmp(hash, receipt.result_hash, HASH_SIZE) != 0)
        sim_fail(sim, SIM_WRONG, "I11: %u signs another result of operation %u",
                 node->number, (unsigned)reply->request_id);
    answer_judge_code(sim, reply);
    /* What it was made of is applied, if not yet looked at. */
    sim_full_look(sim, node);
    if (node->full->blind)
        return;
    if (sim->full->ops[reply->request_id].kind == FULL_READ)
        answer_judge_read(sim, node, reply, receipt.index);
    if (sim->full->ops[reply->request_id].kind == FULL_JOURNAL)
        answer_judge_journal(sim, reply);
}
