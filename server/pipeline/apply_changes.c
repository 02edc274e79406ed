#include <string.h>

#include "server/pipeline/apply_private.h"
#include "server/registry/journal.h"
#include "server/registry/rows.h"

void apply_set_changes(struct apply *apply, const struct apply_changes *changes)
{
    apply->changes = *changes;
}

static void changes_touch(struct apply *apply, const uint8_t *key_id)
{
    uint32_t count = apply->touched_count;

    /* A batch by one key touches that key often. */
    if (count > 0 &&
        memcmp(apply->touched[count - 1].key_id.b, key_id, KEY_ID_SIZE) == 0)
        return;
    if (count == APPLY_TOUCHED_MAX) {
        apply->touched_all = true;
        return;
    }
    memcpy(apply->touched[apply->touched_count++].key_id.b, key_id,
           KEY_ID_SIZE);
}

static void changes_touch_public(struct apply *apply, const uint8_t *public_key)
{
    uint8_t key_id[KEY_ID_SIZE];

    identity_key_id(key_id, public_key);
    changes_touch(apply, key_id);
}

static void changes_touch_node(struct apply *apply,
                               const struct bytes16 *node_id)
{
    struct row_node row = {.node_id = *node_id};

    if (state_get(apply->parts.state, TABLE_NODE, &row))
        changes_touch(apply, row.key_id.b);
}

/* Only a command of its own opens a watch: what a batch undoes later must not
 * have been told. */
static void changes_watch(struct apply *apply, const struct act *act,
                          const struct op_journal_watch *watch)
{
    if (act->item == 0 && !act->more_items && apply->changes.watch != NULL)
        apply->changes.watch(apply->changes.context, act->index,
                             act->signer.key_id.b, act->assignment, watch->from,
                             journal_visible(act) & watch->categories);
}

void apply_note(struct apply *apply, const struct act *act,
                const union dispatch_fields *fields)
{
    switch (act->operation->opcode) {
    case OPCODE_SYSTEM_GENESIS:
    case OPCODE_SYSTEM_SECRET:
        apply->touched_all = true;
        apply->open_data_changed = true;
        break;
    case OPCODE_ACTOR_ENROL:
        changes_touch_public(apply, fields->actor_enrol.public_key.b);
        break;
    case OPCODE_KEY_ROTATE:
        changes_touch(apply, act->signer.key_id.b);
        changes_touch_public(apply, fields->key_rotate.public_key.b);
        break;
    case OPCODE_KEY_REVOKE:
        changes_touch(apply, fields->key_revoke.key_id.b);
        break;
    case OPCODE_NODE_ENROL:
        changes_touch_public(apply, fields->node_enrol.receipt_key.b);
        break;
    case OPCODE_NODE_RETIRE:
        changes_touch_node(apply, &fields->node_retire.node_id);
        break;
    case OPCODE_KEY_LOCK:
        changes_touch(apply, fields->key_lock.key_id.b);
        break;
    case OPCODE_CARRIER_ENROL:
        changes_touch(apply, fields->carrier_enrol.key_id.b);
        break;
    case OPCODE_PASSWORD_SET:
    case OPCODE_PASSWORD_CHANGE:
        changes_touch(apply, act->signer.key_id.b);
        break;
    case OPCODE_PASSWORD_ENABLE:
        changes_touch(apply, fields->password_enable.key_id.b);
        break;
    case OPCODE_PURPOSE_PUT:
    case OPCODE_CONFIG_CHANGE:
        apply->open_data_changed = true;
        break;
    case OPCODE_DESTROY_ERASE:
        apply->destroyed = true;
        break;
    case OPCODE_JOURNAL_WATCH:
        changes_watch(apply, act, &fields->journal_watch);
        break;
    }
}

static struct directory_opener changes_opener(struct apply *apply)
{
    return (struct directory_opener){
        .context = apply->services.context,
        .open_item = apply->services.open_item,
    };
}

void apply_load_directory(struct apply *apply)
{
    struct directory_opener opener = changes_opener(apply);

    directory_load(apply->parts.directory, apply->parts.state,
                   apply->services.secret, &opener);
}

static void changes_tell(struct apply *apply)
{
    struct directory_opener opener = changes_opener(apply);

    if (apply->touched_all)
        apply_load_directory(apply);
    for (uint32_t i = 0; i < apply->touched_count; i++) {
        struct row_key row = {.key_id = apply->touched[i].key_id};
        bool known = state_get(apply->parts.state, TABLE_KEY, &row);

        directory_refresh(apply->parts.directory, apply->parts.state,
                          apply->services.secret, row.key_id.b, &opener);
        if (apply->changes.key != NULL)
            apply->changes.key(apply->changes.context, row.key_id.b,
                               !known || row.state != KEY_ACTIVE);
    }
    if (apply->open_data_changed && apply->changes.open_data != NULL)
        apply->changes.open_data(apply->changes.context);
}

void apply_tell(struct apply *apply)
{
    idempotency_applied(apply->parts.idempotency, apply_size(apply),
                        apply->oldest);
    if (apply->changes.context != NULL)
        changes_tell(apply);
    apply->touched_count = 0;
    apply->touched_all = false;
    apply->open_data_changed = false;
}

void apply_commit(struct apply *apply)
{
    state_commit(apply->parts.state);
    apply_tell(apply);
}
