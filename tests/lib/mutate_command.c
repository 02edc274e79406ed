#include <string.h>

#include "protocol/command_build.h"
#include "tests/lib/mutate.h"

enum { FIXED_SIZE = COMMAND_HEADER_SIZE + SIGNATURE_SIZE };

struct parsed {
    struct command_header header;
    size_t count;
    struct slice items[ITEMS_MAX];
};

static const struct operation_info *any_operation(struct random *random)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);

    return &operations[random_below(random, count)];
}

/* As far as the items make sense. */
static void parse_command(struct parsed *parsed, struct slice body)
{
    struct slice rest =
        slice_of(body.data + FIXED_SIZE, body.size - FIXED_SIZE);

    command_header_decode(&parsed->header, body.data);
    parsed->count = 0;
    while (rest.size >= ITEM_SIZE_MIN && parsed->count < ITEMS_MAX) {
        struct item_clear clear;
        size_t size;

        item_clear_decode(&clear, rest.data);
        size = clear.size < ITEM_SIZE_MIN || clear.size > rest.size
                   ? rest.size
                   : clear.size;
        parsed->items[parsed->count++] = slice_of(rest.data, size);
        rest = slice_of(rest.data + size, rest.size - size);
    }
}

static void change_item(struct random *random, struct slice *item)
{
    static uint8_t bytes[ENTRY_SIZE_MAX];
    const struct operation_info *operation;
    struct item_clear clear;
    size_t size = item->size < ENTRY_SIZE_MAX ? item->size : ENTRY_SIZE_MAX;

    memcpy(bytes, item->data, size);
    item_clear_decode(&clear, bytes);
    operation = operation_info(clear.opcode);
    if (random_below(random, 4) == 0)
        (void)mutate_bytes(random, bytes, ITEM_SIZE_MIN, ITEM_SIZE_MIN);
    else if (operation != NULL)
        size = ITEM_SIZE_MIN + mutate_fields(random, bytes + ITEM_SIZE_MIN,
                                             size - ITEM_SIZE_MIN,
                                             ENTRY_SIZE_MAX - ITEM_SIZE_MIN,
                                             operation->fields);
    else
        size = ITEM_SIZE_MIN + mutate_bytes(random, bytes + ITEM_SIZE_MIN,
                                            size - ITEM_SIZE_MIN,
                                            ENTRY_SIZE_MAX - ITEM_SIZE_MIN);
    *item = slice_of(bytes, size);
}

/* An item of some operation, as it may be. */
static void new_item(struct random *random, struct slice *item)
{
    static uint8_t bytes[ENTRY_SIZE_MAX];
    const struct operation_info *operation = any_operation(random);
    struct item_clear clear = {.opcode = operation->opcode,
                               .version = operation->version,
                               .duty = random_below(random, 8),
                               .purpose = random_below(random, 3),
                               .subject = UINT64_C(1400057421)};

    memset(bytes, 0, ITEM_SIZE_MIN);
    item_clear_encode(bytes, &clear);
    *item = slice_of(bytes, ITEM_SIZE_MIN +
                                mutate_fields(random, bytes + ITEM_SIZE_MIN, 0,
                                              sizeof bytes - ITEM_SIZE_MIN,
                                              operation->fields));
}

static void change_header(struct random *random, struct command_header *header)
{
    uint8_t bytes[COMMAND_HEADER_SIZE];

    command_header_encode(bytes, header);
    (void)mutate_bytes(random, bytes, sizeof bytes, sizeof bytes);
    command_header_decode(header, bytes);
}

static void change_command(struct random *random, struct parsed *parsed)
{
    size_t at = random_below(random, (uint32_t)(parsed->count + 1));
    uint32_t which = random_below(random, 10);

    if (parsed->count == 0 || (which == 0 && parsed->count < ITEMS_MAX)) {
        new_item(random, &parsed->items[parsed->count++]);
        return;
    }
    at %= parsed->count;
    if (which == 1)
        change_header(random, &parsed->header);
    else if (which == 2 && parsed->count < ITEMS_MAX)
        parsed->items[parsed->count++] = parsed->items[at];
    else if (which == 3)
        parsed->items[at] = parsed->items[--parsed->count];
    else if (which == 4 && at > 0) {
        struct slice item = parsed->items[at];
        parsed->items[at] = parsed->items[0];
        parsed->items[0] = item;
    } else
        change_item(random, &parsed->items[at]);
}

/* Lengths, root and signature fit; 0 if there is no room. */
static size_t write_command(const struct parsed *parsed, uint8_t *out,
                            size_t size, const struct mutate_signer *signer)
{
    struct command_build build;
    struct slice body;

    command_build_begin(&build, out, size, &parsed->header);
    for (size_t i = 0; i < parsed->count; i++) {
        struct item_clear clear;
        const uint8_t *item = parsed->items[i].data;

        item_clear_decode(&clear, item);
        command_build_item(&build, &clear, item + ITEM_CLEAR_SIZE,
                           slice_of(item + ITEM_SIZE_MIN,
                                    parsed->items[i].size - ITEM_SIZE_MIN));
    }
    if (command_build_sign(&build, &body, signer->cluster_id,
                           signer->identity) != ST_OK)
        return 0;
    return body.size;
}

size_t mutate_command(struct random *random, uint8_t *data, size_t size,
                      size_t size_max, const struct mutate_signer *signer)
{
    static uint8_t copy[MUTATE_SIZE_MAX];
    static struct parsed parsed;
    size_t written;

    if (size > sizeof copy || random_chance(random, 30))
        return mutate_bytes(random, data, size, size_max);
    memcpy(copy, data, size);
    if (size >= FIXED_SIZE) {
        parse_command(&parsed, slice_of(copy, size));
    } else {
        parsed = (struct parsed){.header = {.realm = REALM_REGISTRY,
                                            .idem = {1},
                                            .signed_at = 1,
                                            .ttl_s = 60}};
    }
    change_command(random, &parsed);
    written = write_command(&parsed, data, size_max, signer);
    if (written == 0) {
        memcpy(data, copy, size);
        return mutate_bytes(random, data, size, size_max);
    }
    if (random_below(random, 16) == 0)
        data[random_below(random, (uint32_t)written)] ^=
            (uint8_t)(1u << random_below(random, 8));
    return written;
}
