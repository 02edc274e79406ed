/*
 * fz_command.c: the body of a COMMAND frame, as a stranger sends it.  What
 * decodes has items that fill the body exactly, and whatever is signed over it
 * is not accepted under a key that did not sign.
 */
#include <stddef.h>
#include <stdint.h>

#include "protocol/command.h"
#include "protocol/limits.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {0x48, 0x74, 0x76, 0xfe};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct command_item items[ITEMS_MAX];
    static const uint8_t nobody[PUBLIC_KEY_SIZE];
    struct command_policy policy = {0x48, true, true, true, 900, ITEMS_MAX};
    struct slice body = slice_of(data, size);
    struct command command;
    uint8_t header[COMMAND_HEADER_SIZE];
    size_t used = COMMAND_HEADER_SIZE + SIGNATURE_SIZE;

    (void)command_peek_opcode(body);
    if (command_decode(&command, items, body, &policy) != ST_OK)
        return 0;
    for (size_t i = 0; i < command.header.items_count; i++) {
        INVARIANT(items[i].clear == data + used);
        INVARIANT(items[i].fields.size + SALT_SIZE == items[i].secret.size);
        used += items[i].clear_part.size;
    }
    INVARIANT(used == size);
    command_header_encode(header, &command.header);
    INVARIANT(slice_equal(slice_of(header, sizeof header),
                          slice_of(data, sizeof header)));
    command_digest(&command, cluster_id);
    INVARIANT(command_verify(&command, nobody) == ST_BAD_SIG);
    return 0;
}
