#include "server/pipeline/refused.h"
#include "replication/need.h"

#include <string.h>

void refused_init(struct refused *refused)
{
    memset(refused, 0, sizeof *refused);
    NEED(pthread_mutex_init(&refused->mutex, NULL) == 0);
}

void refused_wipe(struct refused *refused)
{
    (void)pthread_mutex_destroy(&refused->mutex);
}

static bool refused_same(const struct refused_line *a,
                         const struct refused_line *b)
{
    return a->code == b->code && a->opcode == b->opcode &&
           a->subject == b->subject &&
           memcmp(a->signer.b, b->signer.b, KEY_ID_SIZE) == 0 &&
           memcmp(a->session.b, b->session.b, KEY_ID_SIZE) == 0 &&
           memcmp(a->command_hash.b, b->command_hash.b, HASH_SIZE) == 0;
}

/* Adds to an equal line, or as a new one. */
static bool refused_count(struct refused *refused,
                          const struct refused_line *line)
{
    for (uint32_t i = 0; i < refused->lines_count; i++) {
        struct refused_line *known = &refused->lines[i];
        if (!refused_same(known, line))
            continue;
        if (known->count <= UINT32_MAX - line->count)
            known->count += line->count;
        return true;
    }
    if (refused->lines_count == REFUSED_LINES_MAX)
        return false;
    refused->lines[refused->lines_count++] = *line;
    return true;
}

void refused_add(struct refused *refused, const struct refused_line *line,
                 int64_t now_ms)
{
    (void)pthread_mutex_lock(&refused->mutex);
    if (refused->lines_count == 0)
        refused->lines_since_ms = now_ms;
    if (!refused_count(refused, line)) {
        struct refused_line sum = {
            .session = line->session,
            .code = line->code,
            .count = line->count,
        };
        if (!refused_count(refused, &sum))
            refused->lost += line->count;
    }
    (void)pthread_mutex_unlock(&refused->mutex);
}

void refused_add_noise(struct refused *refused, enum status cause,
                       uint32_t count, int64_t now_ms, int64_t wall)
{
    uint32_t at = 0;

    if (count == 0)
        return;
    (void)pthread_mutex_lock(&refused->mutex);
    if (refused->noise_count == 0) {
        refused->noise_since_ms = now_ms;
        refused->noise_since = wall;
    }
    while (at < refused->noise_count &&
           refused->noise[at].cause != (uint16_t)cause)
        at++;
    if (at < REFUSED_NOISE_CAUSES_MAX) {
        if (at == refused->noise_count) {
            refused->noise[at] = (struct noise_line){.cause = (uint16_t)cause};
            refused->noise_count++;
        }
        if (refused->noise[at].count <= UINT32_MAX - count)
            refused->noise[at].count += count;
    }
    (void)pthread_mutex_unlock(&refused->mutex);
}

bool refused_waits(struct refused *refused)
{
    bool waits;

    (void)pthread_mutex_lock(&refused->mutex);
    waits = refused->lines_count > 0 || refused->noise_count > 0;
    (void)pthread_mutex_unlock(&refused->mutex);
    return waits;
}

uint32_t refused_take(struct refused *refused,
                      struct refused_line lines_out[REFUSED_LINES_MAX],
                      int64_t now_ms, bool all)
{
    uint32_t count = 0;

    (void)pthread_mutex_lock(&refused->mutex);
    if (all || refused->lines_count == REFUSED_LINES_MAX ||
        now_ms - refused->lines_since_ms >= REFUSED_DELAY_MS) {
        count = refused->lines_count;
        memcpy(lines_out, refused->lines, count * sizeof lines_out[0]);
        refused->lines_count = 0;
    }
    (void)pthread_mutex_unlock(&refused->mutex);
    return count;
}

uint32_t refused_take_noise(
    struct refused *refused,
    struct noise_line noise_out[REFUSED_NOISE_CAUSES_MAX], int64_t *from_out,
    int64_t now_ms, bool all)
{
    uint32_t count = 0;

    (void)pthread_mutex_lock(&refused->mutex);
    if (all || now_ms - refused->noise_since_ms >= NOISE_DELAY_MS) {
        count = refused->noise_count;
        memcpy(noise_out, refused->noise, count * sizeof noise_out[0]);
        *from_out = refused->noise_since;
        refused->noise_count = 0;
    }
    (void)pthread_mutex_unlock(&refused->mutex);
    return count;
}
