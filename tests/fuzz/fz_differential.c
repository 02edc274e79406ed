/*
 * fz_differential.c: the decoders here against tests/second/decode.py, which
 * was written from the documents in another language: the same bytes are
 * refused by both (a command with the same code), or read alike by both.
 *
 * The input is what decode.py takes.  It is asked over a pipe, one input at a
 * time, so that the one on which both differ is the one that is kept.
 */
#include <errno.h>
#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "protocol/entry.h"
#include "tests/lib/mutate.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed);

enum { AS_COMMAND, AS_FRAME, AS_FIELDS, AS_ENTRY, AS_RECORD, AS_RESULT };
enum { KINDS = 6, TEXT_SIZE = 4 << 20, VALUE_SIZE_MAX = 8192 };

static char text[TEXT_SIZE];
static char theirs[TEXT_SIZE];
static size_t used;

/* ---- What was read, as text ---------------------------------------------- */

static void put_number(const char *name, uint64_t value)
{
    used += (size_t)snprintf(text + used, sizeof text - used, " %s=%" PRIu64,
                             name, value);
    INVARIANT(used < sizeof text);
}

static void put_signed(const char *name, int64_t value)
{
    used += (size_t)snprintf(text + used, sizeof text - used, " %s=%" PRId64,
                             name, value);
    INVARIANT(used < sizeof text);
}

static void put_word(const char *word)
{
    size_t size = strlen(word);

    INVARIANT(size < sizeof text - used);
    memcpy(text + used, word, size + 1);
    used += size;
}

static void put_bytes(const char *name, struct slice bytes)
{
    static const char digits[] = "0123456789abcdef";

    put_word(" ");
    put_word(name);
    put_word("=");
    INVARIANT(2 * bytes.size < sizeof text - used);
    for (size_t i = 0; i < bytes.size; i++) {
        text[used++] = digits[bytes.data[i] >> 4];
        text[used++] = digits[bytes.data[i] & 15];
    }
    text[used] = '\0';
}

static void put_struct(const struct schema *schema, const uint8_t *in);

static void put_list(const struct field *row, const struct list *list)
{
    union {
        uint64_t align;
        uint8_t bytes[VALUE_SIZE_MAX];
    } element;
    struct list_reader reader;

    INVARIANT(row->element->struct_size <= sizeof element);
    put_word(" ");
    put_word(row->name);
    put_word("=[");
    list_reader_init(&reader, list);
    while (list_reader_next(&reader, row->element, &element)) {
        put_word("{");
        put_struct(row->element, element.bytes);
        put_word(" }");
    }
    put_word("]");
}

static void put_value(const struct field *row, const uint8_t *member)
{
    const size_t size = schema_kind_size(row->kind);
    uint64_t value = 0;

    if (row->kind == FIELD_list) {
        put_list(row, (const struct list *)(const void *)member);
    } else if (size == 0) {
        put_bytes(row->name, *(const struct slice *)(const void *)member);
    } else if (row->kind >= FIELD_bytes8 && row->kind <= FIELD_bytes64) {
        put_bytes(row->name, slice_of(member, size));
    } else {
        memcpy(&value, member, size);
        if (row->kind == FIELD_date)
            put_signed(row->name, (int32_t)(uint32_t)value);
        else if (row->kind == FIELD_i64 || row->kind == FIELD_time ||
                 row->kind == FIELD_money)
            put_signed(row->name, (int64_t)value);
        else
            put_number(row->name, value);
    }
}

static void put_struct(const struct schema *schema, const uint8_t *in)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        bool has = true;

        if (rows[i].tag != 0)
            memcpy(&has, in + rows[i].present_offset, sizeof has);
        if (has)
            put_value(&rows[i], in + rows[i].offset);
    }
}

static void put_header(const struct command_header *header)
{
    put_number("flags", header->flags);
    put_number("items", header->items_count);
    put_number("realm", header->realm);
    put_number("env", header->env_tag);
    put_bytes("key_id", slice_of(header->key_id, KEY_ID_SIZE));
    put_bytes("idem", slice_of(header->idem, IDEM_SIZE));
    put_signed("signed_at", header->signed_at);
    put_number("ttl", header->ttl_s);
    put_number("size", header->body_size);
    put_number("counter", header->counter);
}

static void put_clear(const struct item_clear *clear)
{
    used += (size_t)snprintf(
        text + used, sizeof text - used,
        " {opcode=%u version=%u size=%" PRIu32 " duty=%" PRIu32
        " purpose=%" PRIu32 " subject=%" PRIu64 " expect=%" PRIu64,
        clear->opcode, clear->version, clear->size, clear->duty, clear->purpose,
        clear->subject, clear->expect_version);
    INVARIANT(used < sizeof text);
}

/* ---- The decoders -------------------------------------------------------- */

static enum status read_command(struct slice body)
{
    static struct command_item items[ITEMS_MAX];
    struct command_policy policy = {0x48, true, true, true, 900, ITEMS_MAX};
    struct command command;
    enum status status = command_decode(&command, items, body, &policy);

    if (status != ST_OK)
        return status;
    put_header(&command.header);
    for (size_t i = 0; i < command.header.items_count; i++) {
        put_clear(&items[i].clear_part);
        put_bytes("salt", slice_of(items[i].secret.data, SALT_SIZE));
        put_bytes("fields", items[i].fields);
        put_word("}");
    }
    return ST_OK;
}

static enum status read_entry(struct slice bytes)
{
    struct entry entry;
    struct item item;
    struct slice rest;

    if (entry_decode(&entry, bytes) != ST_OK)
        return ST_ENTRY_FORMED;
    put_header(&entry.header);
    put_number("category", entry.place.category);
    put_number("epoch", entry.place.epoch);
    put_number("index", entry.place.index);
    put_signed("time", entry.place.log_time);
    put_bytes("previous", slice_of(entry.place.previous, HASH_SIZE));
    put_number("carrier", entry.place.carrier);
    rest = entry.items;
    while (entry_next_item(&item, &rest)) {
        put_clear(&item.clear_part);
        put_number("key", item.seal_key);
        put_bytes("data", item.data);
        put_word("}");
    }
    return ST_OK;
}

/* The schema that the input's first bytes name; NULL if none. */
static const struct schema *schema_of(size_t *head_out, const uint8_t *data,
                                      size_t size)
{
    const struct message_info *message;
    const struct operation_info *operation;
    const int kind = data[0] % KINDS;

    *head_out = kind == AS_FRAME || kind == AS_RECORD ? 2 : 3;
    if (size < *head_out || kind == AS_COMMAND || kind == AS_ENTRY)
        return NULL;
    if (kind == AS_FRAME) {
        message = message_info(data[1]);
        return message == NULL || message->schema->fields_count == 0
                   ? NULL /* Its body is laid out elsewhere. */
                   : message->schema;
    }
    if (kind == AS_RECORD)
        return data[1] < 1 || data[1] > SECTIONS_COUNT
                   ? NULL
                   : section_info(data[1])->record;
    operation = operation_info(load_u16(data + 1));
    if (operation == NULL)
        return NULL;
    return kind == AS_FIELDS ? operation->fields : operation->result;
}

static enum status read_fields(const uint8_t *data, size_t size)
{
    static _Alignas(16) uint8_t value[VALUE_SIZE_MAX];
    struct field_error error;
    size_t head;
    const struct schema *schema = schema_of(&head, data, size);

    if (schema == NULL ||
        schema_decode(schema, value, &error, slice_of(data + head, size - head),
                      data[0] % KINDS == AS_FRAME
                          ? SCHEMA_SKIP_ODD
                          : SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return ST_BAD_FIELD;
    put_struct(schema, value);
    return ST_OK;
}

static void read_here(const uint8_t *data, size_t size)
{
    const int kind = data[0] % KINDS;
    struct slice rest = slice_of(data + 1, size - 1);
    enum status status;

    used = 0;
    put_word("ok");
    status = kind == AS_COMMAND ? read_command(rest)
             : kind == AS_ENTRY ? read_entry(rest)
                                : read_fields(data, size);
    if (status != ST_OK) {
        used = 0;
        (void)snprintf(text, sizeof text, "refused %d",
                       kind == AS_COMMAND ? (int)status : 0);
    }
}

/* ---- The other decoder --------------------------------------------------- */

static int asked[2] = {-1, -1}, answered[2] = {-1, -1};

static void start_other(void)
{
    const char *source = getenv("DEFTER_SOURCE");
    char path[4096];
    pid_t child;

    (void)snprintf(path, sizeof path, "%s/tests/second/decode.py",
                   source != NULL ? source : ".");
    if (pipe(asked) != 0 || pipe(answered) != 0 || (child = fork()) < 0)
        abort();
    if (child > 0) {
        (void)close(asked[0]);
        (void)close(answered[1]);
        return;
    }
    (void)dup2(asked[0], STDIN_FILENO);
    (void)dup2(answered[1], STDOUT_FILENO);
    (void)close(asked[1]);
    (void)close(answered[0]);
    (void)execlp("python3", "python3", path, (char *)NULL);
    perror("python3");
    _exit(1);
}

static void pass_all(int fd, void *bytes, size_t size, bool out)
{
    uint8_t *at = bytes;

    while (size > 0) {
        ssize_t done = out ? write(fd, at, size) : read(fd, at, size);

        if (done < 0 && errno == EINTR)
            continue; /* The fuzzer looks at the clock. */
        if (done <= 0) {
            fputs("the other decoder is gone\n", stderr);
            abort();
        }
        at += done;
        size -= (size_t)done;
    }
}

static void read_there(const uint8_t *data, size_t size)
{
    static uint8_t out[4 + MUTATE_SIZE_MAX];
    uint8_t head[4];
    size_t told;

    if (asked[1] < 0)
        start_other();
    store_u32(out, (uint32_t)size);
    memcpy(out + 4, data, size);
    pass_all(asked[1], out, 4 + size, true);
    pass_all(answered[0], head, sizeof head, false);
    told = load_u32(head);
    INVARIANT(told < sizeof theirs);
    pass_all(answered[0], theirs, told, false);
    theirs[told] = '\0';
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0 || size > MUTATE_SIZE_MAX)
        return 0;
    read_here(data, size);
    read_there(data, size);
    if (strcmp(text, theirs) != 0) {
        fprintf(stderr, "here:  %.2000s\nthere: %.2000s\n", text, theirs);
        abort();
    }
    return 0;
}

/* ---- How inputs change --------------------------------------------------- */

static size_t new_input(struct random *random, uint8_t *out, size_t size_max)
{
    const struct schema *schema;
    uint32_t operations_count, messages_count;
    const struct operation_info *operations = operation_list(&operations_count);
    const struct message_info *messages = message_list(&messages_count);
    size_t head;

    out[0] = (uint8_t)random_below(random, KINDS);
    if (out[0] == AS_FRAME)
        out[1] = messages[random_below(random, messages_count)].number;
    else if (out[0] == AS_RECORD)
        out[1] = (uint8_t)(1 + random_below(random, SECTIONS_COUNT));
    else
        store_u16(out + 1,
                  operations[random_below(random, operations_count)].opcode);
    schema = schema_of(&head, out, 3);
    return schema == NULL ? 3
                          : head + mutate_fields(random, out + head, 0,
                                                 size_max - head, schema);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t size_max,
                               unsigned seed)
{
    static const uint8_t key[SEED_SIZE] = {7};
    static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {0x48};
    static struct identity identity;
    struct mutate_signer signs = {&identity, cluster_id};
    struct random random = {seed};
    const struct schema *schema;
    size_t head;

    if (size_max < 8)
        return size;
    if (size == 0 || random_below(&random, 64) == 0)
        return new_input(&random, data, size_max);
    if (data[0] % KINDS == AS_COMMAND) {
        identity_init(&identity, key);
        return 1 + mutate_command(&random, data + 1, size - 1, size_max - 1,
                                  &signs);
    }
    schema = schema_of(&head, data, size);
    if (schema == NULL)
        return mutate_bytes(&random, data, size, size_max);
    return head + mutate_fields(&random, data + head, size - head,
                                size_max - head, schema);
}
