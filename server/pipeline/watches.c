#include "server/pipeline/watches.h"

#include <string.h>

#include "protocol/contract.h"
#include "replication/need.h"
#include "server/registry/rows.h"

void watches_init(struct watches *watches)
{
    memset(watches, 0, sizeof *watches);
    NEED(pthread_mutex_init(&watches->mutex, NULL) == 0);
}

void watches_wipe(struct watches *watches)
{
    (void)pthread_mutex_destroy(&watches->mutex);
}

void watches_add(struct watches *watches, const struct watches_row *row)
{
    (void)pthread_mutex_lock(&watches->mutex);
    watches->rows[watches->next] = *row;
    watches->next = (watches->next + 1) % WATCHES_MAX;
    if (watches->count < WATCHES_MAX)
        watches->count++;
    (void)pthread_mutex_unlock(&watches->mutex);
}

bool watches_find(struct watches *watches, struct watches_row *row_out,
                  uint64_t entry, const uint8_t *key_id)
{
    bool found = false;

    (void)pthread_mutex_lock(&watches->mutex);
    for (uint32_t i = 0; i < watches->count && entry != 0; i++) {
        const struct watches_row *row = &watches->rows[i];
        if (row->entry != entry ||
            (key_id != NULL && memcmp(row->key_id.b, key_id, KEY_ID_SIZE) != 0))
            continue;
        *row_out = *row;
        found = true;
        break;
    }
    (void)pthread_mutex_unlock(&watches->mutex);
    return found;
}

static bool watches_stands(struct state *state, const struct watches_row *row,
                           int32_t today)
{
    struct row_key key = {.key_id = row->key_id};
    struct row_duty duty = {.assignment = row->assignment};
    struct row_organisation organisation = {.number = 0};

    if (!state_get(state, TABLE_KEY, &key) || key.state != KEY_ACTIVE ||
        !state_get(state, TABLE_DUTY, &duty) || duty.state != DUTY_ACTIVE ||
        (duty.to != 0 && today > duty.to))
        return false;
    organisation.number = duty.organisation;
    return state_get(state, TABLE_ORGANISATION, &organisation) &&
           organisation.state == ORGANISATION_ACTIVE;
}

void watches_check(struct watches *watches, struct state *state, int32_t today)
{
    /* Only this thread changes rows, so it may read them without the mutex. */
    for (uint32_t i = 0; i < watches->count; i++) {
        struct watches_row *row = &watches->rows[i];
        if (row->entry == 0 || watches_stands(state, row, today))
            continue;
        (void)pthread_mutex_lock(&watches->mutex);
        row->entry = 0;
        (void)pthread_mutex_unlock(&watches->mutex);
    }
}
