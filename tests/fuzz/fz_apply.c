/* fuzz-runs: 10 plain
 * ctest-timeout: 300
 *
 * fz_apply.c: commands of persons who may do something, on a whole registry.
 * Whatever they come to, a second registry that replays the log comes to the
 * same: state, digest, and the answer of every command when it is sent again.
 *
 * The first byte is not used; then come the parts of mutate_parts(), each a
 * command: u8 who, u8 choices (1: all or nothing, 2: a receipt is wanted, 4: a
 * day passes, 8: it is sent twice), and items: u16 opcode, u8 subject, u8 duty,
 * u8 purpose, u8 expected version, u16 size of the fields, fields.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include <sodium.h>

#include "protocol/dates.h"
#include "tests/lib/mutate.h"
#include "tests/lib/shred.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

enum {
    COMMANDS_MAX = 24,
    INPUT_MAX = 32 * 1024,
    ITEM_HEAD_SIZE = 8,
    CHOICE_ATOMIC = 1,
    CHOICE_RECEIPT = 2,
    CHOICE_DAY = 4,
    CHOICE_TWICE = 8
};

static const uint64_t subjects[] = {0, SHRED_VOEN, SHRED_VOEN_OTHER, 7};

/* What was sent, and what came of it. */
static struct sent {
    uint8_t *bytes;
    size_t size;
    uint32_t who;
    struct rig_answer answer;
} sent[COMMANDS_MAX];
static size_t sent_count;

/* ---- The same numbers in every run --------------------------------------- */

static struct random numbers;

static const char *numbers_name(void)
{
    return "numbers";
}

static uint32_t numbers_next(void)
{
    return (uint32_t)random_next(&numbers);
}

static void numbers_fill(void *out, size_t size)
{
    uint8_t *bytes = out;

    for (size_t i = 0; i < size; i++)
        bytes[i] = (uint8_t)random_next(&numbers);
}

static void begin(void)
{
    static randombytes_implementation source = {.implementation_name =
                                                    numbers_name,
                                                .random = numbers_next,
                                                .buf = numbers_fill};
    static bool begun;
    struct stat memory;

    numbers.state = 1;
    if (!begun) {
        INVARIANT(randombytes_set_implementation(&source) == 0);
        if (stat("/dev/shm", &memory) == 0)
            (void)setenv("TMPDIR", "/dev/shm", 0);
    }
    begun = true;
    shred_begin();
    sent_count = 0;
}

/* ---- Commands ------------------------------------------------------------ */

static void add_items(struct rig_command *command, struct slice rest)
{
    size_t count = 0;

    do {
        struct item_clear clear = {.version = 1};
        uint8_t salt[SALT_SIZE], head[ITEM_HEAD_SIZE] = {0};
        size_t size,
            head_size = rest.size < sizeof head ? rest.size : sizeof head;

        memcpy(head, rest.data, head_size);
        rest = slice_of(rest.data + head_size, rest.size - head_size);
        clear.opcode = load_u16(head);
        clear.subject = subjects[head[2] % 4];
        clear.duty = head[3];
        clear.purpose = head[4];
        clear.expect_version = head[5];
        size = load_u16(head + 6);
        if (size > rest.size)
            size = rest.size;
        if (count == 0 && operation_info(clear.opcode) != NULL &&
            operation_info(clear.opcode)->realm == OP_REALM_SYSTEM)
            command->header.realm = REALM_SYSTEM;
        randombytes_buf(salt, sizeof salt);
        command_build_item(&command->build, &clear, salt,
                           slice_of(rest.data, size));
        rest = slice_of(rest.data + size, rest.size - size);
    } while (++count < RIG_ITEMS_MAX && rest.size > 0);
}

/* Sends it, and keeps what came of it. */
static void send_bytes(struct sent *one)
{
    struct command_policy policy = {
        shred_rig.cluster_id[0], true, true, true, TTL_S_MAX, ITEMS_MAX};
    static struct command_item items[ITEMS_MAX];
    struct work_origin origin = {.organisation = SHRED_OWNER};
    struct command command;
    struct work *work;

    INVARIANT(command_decode(&command, items, slice_of(one->bytes, one->size),
                             &policy) == ST_OK);
    command_digest(&command, shred_rig.cluster_id);
    memcpy(origin.session_key.b, command.header.key_id, KEY_ID_SIZE);
    work = work_open(&command, &origin);
    INVARIANT(work != NULL);
    rig_run(&shred_rig, &one->answer, work);
}

static void run_command(struct slice part)
{
    static struct rig_command command;
    struct sent *one = &sent[sent_count], again;
    uint8_t choices;
    struct slice body;

    if (part.size < 2)
        return;
    choices = part.data[1];
    rig_begin(&shred_rig, &command);
    if ((choices & CHOICE_ATOMIC) != 0)
        command.header.flags |= COMMAND_FLAG_ATOMIC;
    if ((choices & CHOICE_RECEIPT) != 0)
        command.header.flags |= COMMAND_FLAG_RECEIPT;
    add_items(&command, slice_of(part.data + 2, part.size - 2));
    one->who = 1 + part.data[0] % (SHRED_PEOPLE - 1);
    command.build.header = command.header;
    if (command_build_sign(&command.build, &body, shred_rig.cluster_id,
                           &shred_people[one->who]) != ST_OK)
        return;
    one->bytes = malloc(body.size);
    INVARIANT(one->bytes != NULL);
    memcpy(one->bytes, body.data, body.size);
    one->size = body.size;
    sent_count++;
    send_bytes(one);
    if ((choices & CHOICE_TWICE) != 0) {
        again = *one;
        send_bytes(&again);
        INVARIANT(again.answer.code == one->answer.code);
        INVARIANT(again.answer.index == one->answer.index);
    }
    rig_wait(&shred_rig,
             (choices & CHOICE_DAY) != 0 ? DATES_US_PER_DAY : RIG_SECOND);
}

/* ---- Twice the same ------------------------------------------------------ */

/* The node states what it came to; whoever replays compares. */
static void attest(void)
{
    static uint8_t refusals[ENTRY_SIZE_MAX];
    struct attest *outcomes = apply_attest(shred_rig.apply);
    struct op_system_attest fields;
    struct writer space;

    if (!attest_due(outcomes, shred_rig.boot / 1000, true))
        return;
    writer_init(&space, refusals, sizeof refusals);
    attest_make(outcomes, &fields, &space, shred_rig.boot / 1000);
    shred_node_does(OPCODE_SYSTEM_ATTEST, &fields);
}

static void check_answers(void)
{
    for (size_t i = 0; i < sent_count; i++) {
        struct sent again = sent[i];

        if (sent[i].answer.is_error)
            continue;
        send_bytes(&again);
        INVARIANT(again.answer.code == sent[i].answer.code);
        INVARIANT(again.answer.is_error || again.answer.known);
        INVARIANT(again.answer.index == sent[i].answer.index);
        INVARIANT(again.answer.omitted ||
                  memcmp(again.answer.result_hash, sent[i].answer.result_hash,
                         HASH_SIZE) == 0);
    }
}

static void check_replay(void)
{
    uint8_t running[HASH_SIZE], full[HASH_SIZE], again[HASH_SIZE];

    memcpy(running, state_head(shred_rig.state)->digest, HASH_SIZE);
    state_full_digest(shred_rig.state, full);
    INVARIANT(rig_restart(&shred_rig, false) == ST_OK);
    INVARIANT(memcmp(running, state_head(shred_rig.state)->digest, HASH_SIZE) ==
              0);
    state_full_digest(shred_rig.state, again);
    INVARIANT(memcmp(full, again, HASH_SIZE) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest;

    if (size < 4 || size > INPUT_MAX)
        return 0;
    begin();
    rest = slice_of(data + 1, size - 1);
    while (rest.size > 2 && sent_count < COMMANDS_MAX) {
        size_t part = (size_t)load_u16(rest.data) + 1;

        if (part > rest.size - 2)
            part = rest.size - 2;
        run_command(slice_of(rest.data + 2, part));
        rest = slice_of(rest.data + 2 + part, rest.size - 2 - part);
    }
    attest();
    check_replay();
    check_answers();
    for (size_t i = 0; i < sent_count; i++)
        free(sent[i].bytes);
    rig_close(&shred_rig);
    return 0;
}

/* ---- How inputs change --------------------------------------------------- */

/* A command of one item that its sender may give. */
static size_t new_command(struct random *random, uint8_t *out, size_t size_max)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);
    const struct operation_info *operation =
        &operations[random_below(random, count)];
    size_t size;

    out[0] = (uint8_t)random_below(random, SHRED_PEOPLE - 1);
    out[1] = (uint8_t)random_below(random, 16);
    store_u16(out + 2, operation->opcode);
    out[4] = (uint8_t)random_below(random, 4);
    out[5] = out[0] + 1; /* His own. */
    out[6] = 0;
    out[7] = (uint8_t)random_below(random, 3);
    size = mutate_fields(random, out + 2 + ITEM_HEAD_SIZE, 0,
                         size_max - 2 - ITEM_HEAD_SIZE, operation->fields);
    store_u16(out + 8, (uint16_t)size);
    return 2 + ITEM_HEAD_SIZE + size;
}

static size_t change_command(struct random *random, uint8_t *part, size_t size,
                             size_t size_max, void *context)
{
    const struct operation_info *operation;
    size_t fields, least = 2 + ITEM_HEAD_SIZE;

    MAYBE(context == NULL);
    if (size_max > INPUT_MAX / 2)
        size_max = INPUT_MAX / 2;
    if (size < least || size > size_max || random_below(random, 4) == 0)
        return new_command(random, part, size_max);
    operation = operation_info(load_u16(part + 2));
    fields = load_u16(part + 8);
    if (operation == NULL || fields != size - least ||
        random_below(random, 4) == 0)
        return mutate_bytes(random, part, size, size_max);
    if (random_below(random, 4) == 0) {
        (void)mutate_bytes(random, part, least - 2, least - 2);
        return size;
    }
    fields = mutate_fields(random, part + least, fields, size_max - least,
                           operation->fields);
    store_u16(part + 8, (uint16_t)fields);
    return least + fields;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    struct random random = {seed};

    return mutate_parts(&random, data, size, size_max, change_command, NULL);
}
