/*
 * state_restore.c: rows that another state made, as they are: they enter no
 * digest, because the head that comes with them has it already.
 */
#include "server/store/state_private.h"

#include <string.h>

bool state_restore_row(struct state *state, enum table table, const void *row)
{
    REQUIRE(state->in_transaction && !state->in_entry && table < TABLES_COUNT);
    struct state_table *own = &state->tables[table];
    const struct layout_table *t = layout_table(table);

    statements_bind(own->insert, t, row, 0, t->columns_count);
    if (statements_change(own->insert))
        return false;
    own->count = STATE_COUNT_UNKNOWN;
    if (table == TABLE_SETTING)
        memset(state->settings_known, 0, sizeof state->settings_known);
    return true;
}

void state_restore_head(struct state *state, const struct state_head *head)
{
    REQUIRE(state->in_transaction && !state->in_entry);
    state->head = *head;
}

bool state_sync(struct state *state)
{
    int code;

    REQUIRE(!state->in_transaction);
    code = sqlite3_wal_checkpoint_v2(state->db, NULL,
                                     SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    if (code != SQLITE_OK && (code & 0xff) != SQLITE_BUSY)
        statements_failed(state->db, "checkpoint");
    return code == SQLITE_OK;
}
