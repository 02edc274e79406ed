#include "server/net/throttle.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/known.h"
#include "server/net/usage.h"

struct throttle {
    struct usage *accounts;
    struct usage *pairs; /* An account from one source. */
    uint8_t pair_key[crypto_generichash_KEYBYTES];
    pthread_mutex_t lock; /* Of what follows. */
    struct known *sources;
    struct bucket strangers;
    struct bucket known;
};

enum status throttle_open(struct throttle **throttle_out, uint32_t capacity)
{
    struct throttle *throttle = calloc(1, sizeof *throttle);

    REQUIRE(throttle_out != NULL);
    if (throttle == NULL)
        return ST_EXHAUSTED;
    pthread_mutex_init(&throttle->lock, NULL);
    crypto_generichash_keygen(throttle->pair_key);
    if (usage_open(&throttle->accounts, capacity) != ST_OK ||
        usage_open(&throttle->pairs, capacity) != ST_OK ||
        known_open(&throttle->sources, capacity) != ST_OK)
        goto fail;
    *throttle_out = throttle;
    return ST_OK;
fail:
    throttle_close(throttle);
    return ST_EXHAUSTED;
}

void throttle_close(struct throttle *throttle)
{
    if (throttle == NULL)
        return;
    usage_close(throttle->accounts);
    usage_close(throttle->pairs);
    known_close(throttle->sources);
    pthread_mutex_destroy(&throttle->lock);
    sodium_memzero(throttle->pair_key, sizeof throttle->pair_key);
    free(throttle);
}

static void name_pair(const struct throttle *throttle,
                      uint8_t name_out[USAGE_NAME_SIZE],
                      const struct throttle_try *from)
{
    int made = crypto_generichash(
        name_out, USAGE_NAME_SIZE, (const uint8_t *)from, sizeof *from,
        throttle->pair_key, sizeof throttle->pair_key);

    INVARIANT(made == 0);
}

int64_t throttle_delay(struct throttle *throttle,
                       const struct throttle_try *from, int64_t now_us)
{
    uint8_t pair[USAGE_NAME_SIZE];
    int64_t own_us, account_us;
    bool is_known;

    pthread_mutex_lock(&throttle->lock);
    is_known = known_has(throttle->sources, &own_us, from->account,
                         from->source, now_us);
    pthread_mutex_unlock(&throttle->lock);
    if (is_known)
        return own_us;
    name_pair(throttle, pair, from);
    own_us = usage_login_delay(throttle->pairs, pair, now_us);
    account_us = usage_login_delay(throttle->accounts, from->account, now_us);
    return account_us > own_us ? account_us : own_us;
}

bool throttle_take(struct throttle *throttle, const struct throttle_try *from,
                   int64_t now_us)
{
    bool taken = false;

    pthread_mutex_lock(&throttle->lock);
    if (known_has(throttle->sources, NULL, from->account, from->source, now_us))
        taken = bucket_take(&throttle->known, now_us,
                            PW_PROVES_KNOWN_PER_SECOND_MAX,
                            PW_PROVES_KNOWN_PER_SECOND_MAX, 1);
    if (!taken)
        taken =
            bucket_take(&throttle->strangers, now_us, PW_PROVES_PER_SECOND_MAX,
                        PW_PROVES_PER_SECOND_MAX, 1);
    pthread_mutex_unlock(&throttle->lock);
    return taken;
}

uint32_t throttle_failed(struct throttle *throttle,
                         const struct throttle_try *from, int64_t now_us)
{
    uint8_t pair[USAGE_NAME_SIZE];
    bool is_known;

    pthread_mutex_lock(&throttle->lock);
    is_known =
        known_failed(throttle->sources, from->account, from->source, now_us);
    pthread_mutex_unlock(&throttle->lock);
    if (!is_known) {
        name_pair(throttle, pair, from);
        (void)usage_login_failed(throttle->pairs, pair, now_us);
    }
    return usage_login_failed(throttle->accounts, from->account, now_us);
}

void throttle_succeeded(struct throttle *throttle,
                        const struct throttle_try *from, int64_t now_us)
{
    uint8_t pair[USAGE_NAME_SIZE];

    name_pair(throttle, pair, from);
    usage_login_succeeded(throttle->accounts, from->account);
    usage_login_succeeded(throttle->pairs, pair);
    pthread_mutex_lock(&throttle->lock);
    known_succeeded(throttle->sources, from->account, from->source, now_us);
    pthread_mutex_unlock(&throttle->lock);
}
