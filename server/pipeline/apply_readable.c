/*
 * apply_readable.c: whether the entries that an entry reads can be read here.
 *
 * Some operations read the log: what is damaged on this node's disk alone must
 * not decide anything.  It is found before anything of the entry is done, so
 * that the entry can be applied later, when the others are repaired.
 */
#include <sodium.h>

#include "replication/sometimes.h"
#include "server/pipeline/apply_private.h"
#include "server/registry/destroy.h"

/* Entries [from, end). */
static enum status readable_run(struct apply *apply, uint64_t from,
                                uint64_t end)
{
    enum status status = ST_OK;
    struct slice bytes;

    for (; status == ST_OK && from < end; from++)
        status = apply->parts.read_entry(apply->parts.log, from, &bytes);
    return status;
}

static enum status readable_journal(struct apply *apply,
                                    const struct op_journal_read *in,
                                    uint64_t index)
{
    uint64_t left = in->from < index ? index - in->from : 0;

    return readable_run(apply, in->from,
                        in->from + (in->count < left ? in->count : left));
}

/* A certificate is judged by the keys of genesis. */
static enum status readable_certificate(struct apply *apply, bool is_there)
{
    return readable_run(apply, 0, is_there ? 1 : 0);
}

/* What an act destroyed that this node has not come to yet decided something
 * here that nobody can read again. */
static enum status readable_secret(struct apply *apply, const struct item *item)
{
    uint8_t key[KEY_SIZE];
    enum status status;

    if (item->seal_key == 0 ||
        destroy_is_erased(apply->parts.state, item->seal_key))
        return ST_OK;
    status = keyring_key(apply->parts.keyring, key, item->seal_key);
    sodium_memzero(key, sizeof key);
    return status == ST_ERASED ? ST_CONTENT_GONE : ST_OK;
}

static enum status readable_item(struct apply *apply, const struct item *item,
                                 uint64_t index)
{
    const struct operation_info *operation =
        operation_info(item->clear_part.opcode);
    union dispatch_fields *fields = &apply->fields;
    struct field_error error;

    if (operation == NULL || operation->seal != SEAL_OPEN)
        return ST_OK;
    switch (operation->opcode) {
    case OPCODE_JOURNAL_READ:
    case OPCODE_FAILOVER_VERIFY:
    case OPCODE_SYSTEM_EPOCH:
    case OPCODE_SYSTEM_CONFIG:
        break;
    default:
        return ST_OK;
    }
    /* What is not well formed is decided without reading. */
    if (schema_decode(operation->fields, fields, &error, item_fields(item),
                      SCHEMA_REFUSE_UNKNOWN) != ST_OK)
        return ST_OK;
    if (operation->opcode == OPCODE_JOURNAL_READ)
        return readable_journal(apply, &fields->journal_read, index);
    if (operation->opcode == OPCODE_SYSTEM_EPOCH)
        return readable_certificate(apply,
                                    fields->system_epoch.has_certificate);
    if (operation->opcode == OPCODE_SYSTEM_CONFIG)
        return readable_certificate(apply,
                                    fields->system_config.has_certificate);
    if (fields->failover_verify.size == 0 ||
        fields->failover_verify.size > index)
        return ST_OK;
    return readable_run(apply, fields->failover_verify.size - 1,
                        fields->failover_verify.size);
}

enum status apply_readable(struct apply *apply, const struct apply_input *input)
{
    struct slice rest = input->entry.items;
    enum status status = ST_OK;
    struct item item;

    if (MUTANT(114))
        return ST_OK;
    while (status == ST_OK && entry_next_item(&item, &rest)) {
        /* This node has just sealed what it sequenced itself. */
        if (input->work == NULL)
            status = readable_secret(apply, &item);
        if (status != ST_OK)
            break;
        status = readable_item(apply, &item, input->entry.place.index);
    }
    return status;
}
