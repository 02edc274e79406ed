/*
 * fz_exchange.c: notes and cosignatures that nodes send each other.  A node
 * cosigns what its log signed and its own log confirms, and nothing else; a
 * primary takes the line of who signed it, over the checkpoint that it is of.
 *
 * The first byte chooses: even, a note to a node that follows; odd, a u64 size
 * and a line to the primary.  Bit 1: the signature of the log is made anew.
 */
#include <stdint.h>
#include <string.h>

#include "server/cosign/exchange.h"
#include "tests/unit/cosign/cosign_fake.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { PUBLISHED = 5, PRIMARY = 1, OTHER = 2, STRANGER = 3 };

static struct exchange exchange;

static void begin(bool leads)
{
    static bool begun;
    struct exchange_options options;

    if (!begun)
        fake_begin();
    begun = true;
    fake_note_size = fake_sent_count = fake_taken = fake_begun = fake_added = 0;
    fake_said[0] = '\0';
    fake_now_ms = 1000000;
    options =
        (struct exchange_options){.origin = fake_log.key.name,
                                  .log_public_key = fake_log.key.public_key,
                                  .node_id = fake_node(leads ? PRIMARY : OTHER),
                                  .cosigner = &fake_cosigner};
    exchange_init(&exchange, &options, &fake_calls);
    exchange_lead(&exchange, leads);
    exchange_primary(&exchange, leads ? NULL : fake_node(PRIMARY));
    fake_publish(PUBLISHED);
}

/* The text before the input's first empty line, signed by the log. */
static struct slice sign(uint8_t *out, size_t room, struct slice input)
{
    struct writer writer;
    struct note note;
    struct checkpoint checkpoint;

    if (note_read(&note, input) != ST_OK ||
        checkpoint_read(&checkpoint, note.text) != ST_OK)
        return input;
    checkpoint.origin = note_key_name(&fake_log.key);
    writer_init(&writer, out, room);
    checkpoint_sign(&writer, &checkpoint, &fake_log.key, &fake_log.identity);
    writer_bytes(&writer, input.data + note.text.size + 1,
                 input.size - note.text.size - 1);
    return writer.status == ST_OK ? writer_slice(&writer) : input;
}

static void check_note(struct slice input, bool is_signed)
{
    static uint8_t bytes[NOTE_SIZE_MAX];

    begin(false);
    if (is_signed)
        input = sign(bytes, sizeof bytes, input);
    exchange_take_note(&exchange, fake_node(STRANGER), input);
    INVARIANT(fake_sent_count == 0 && fake_begun == 0);
    exchange_take_note(&exchange, fake_node(PRIMARY), input);
    exchange_published(&exchange);
    INVARIANT(fake_begun <= 1 && fake_sent_count <= 2);
    INVARIANT(
        IMPLIES(!is_signed && fake_begun > 0, fake_begun_size <= PUBLISHED));
    exchange_take_note(&exchange, fake_node(PRIMARY), input);
    INVARIANT(fake_begun <= 1);
    exchange_wipe(&exchange);
}

static void check_line(struct slice input)
{
    begin(true);
    exchange_published(&exchange);
    INVARIANT(fake_sent_count == 1);
    exchange_take_line(&exchange, fake_node(STRANGER), load_u64(input.data),
                       slice_of(input.data + 8, input.size - 8));
    INVARIANT(fake_added == 0);
    exchange_take_line(&exchange, fake_node(OTHER), load_u64(input.data),
                       slice_of(input.data + 8, input.size - 8));
    INVARIANT(fake_added <= 1);
    INVARIANT(IMPLIES(fake_added == 1, fake_added_size == PUBLISHED));
    exchange_wipe(&exchange);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    if (data[0] % 2 == 0)
        check_note(slice_of(data + 1, size - 1), (data[0] & 2) != 0);
    else if (size >= 9)
        check_line(slice_of(data + 1, size - 1));
    return 0;
}
