#include "server/net/known.h"

#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "server/net/usage.h"

enum { US = 1000000, PROBES_MAX = 32 };

struct known_source {
    uint8_t source[KNOWN_NAME_SIZE];
    int64_t until_us; /* 0: free. */
    int64_t delay_until_us;
    uint32_t failures; /* Since the last success. */
};

struct known_account {
    uint8_t account[KNOWN_NAME_SIZE];
    int64_t until_us; /* Of its newest source; 0: free. */
    struct known_source sources[LOGIN_SOURCES_KNOWN_MAX];
};

struct known {
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint32_t capacity; /* A power of two. */
    struct known_account *accounts;
};

enum status known_open(struct known **known_out, uint32_t capacity)
{
    struct known *known;

    REQUIRE(known_out != NULL);
    REQUIRE(capacity >= PROBES_MAX && (capacity & (capacity - 1)) == 0);
    known = calloc(1, sizeof *known);
    if (known == NULL)
        return ST_EXHAUSTED;
    known->accounts = calloc(capacity, sizeof *known->accounts);
    if (known->accounts == NULL) {
        free(known);
        return ST_EXHAUSTED;
    }
    known->capacity = capacity;
    randombytes_buf(known->hash_key, sizeof known->hash_key);
    *known_out = known;
    return ST_OK;
}

void known_close(struct known *known)
{
    if (known == NULL)
        return;
    free(known->accounts);
    free(known);
}

/*
 * The place of ${account}, or NULL.  ${spare_out} may be NULL; else it gets the
 * place whose last login is longest ago.
 */
static struct known_account *find_account(const struct known *known,
                                          struct known_account **spare_out,
                                          const uint8_t *account)
{
    uint8_t hash[crypto_shorthash_BYTES];
    struct known_account *spare = NULL;
    uint64_t at;

    crypto_shorthash(hash, account, KNOWN_NAME_SIZE, known->hash_key);
    memcpy(&at, hash, sizeof at);
    for (uint32_t i = 0; i < PROBES_MAX; i++) {
        struct known_account *place =
            &known->accounts[(at + i) & (known->capacity - 1)];

        if (place->until_us != 0 &&
            memcmp(place->account, account, KNOWN_NAME_SIZE) == 0)
            return place;
        if (spare == NULL || place->until_us < spare->until_us)
            spare = place;
    }
    if (spare_out != NULL)
        *spare_out = spare;
    return NULL;
}

/* As find_account, of the sources of one account. */
static struct known_source *find_source(struct known_account *account,
                                        struct known_source **spare_out,
                                        const uint8_t *source)
{
    struct known_source *spare = account->sources;

    for (uint32_t i = 0; i < LOGIN_SOURCES_KNOWN_MAX; i++) {
        struct known_source *place = &account->sources[i];

        if (place->until_us != 0 &&
            memcmp(place->source, source, KNOWN_NAME_SIZE) == 0)
            return place;
        if (place->until_us < spare->until_us)
            spare = place;
    }
    if (spare_out != NULL)
        *spare_out = spare;
    return NULL;
}

static struct known_source *find(const struct known *known,
                                 const uint8_t *account, const uint8_t *source,
                                 int64_t now_us)
{
    struct known_account *place = find_account(known, NULL, account);
    struct known_source *found =
        place != NULL ? find_source(place, NULL, source) : NULL;

    return found != NULL && found->until_us > now_us ? found : NULL;
}

void known_succeeded(struct known *known, const uint8_t *account,
                     const uint8_t *source, int64_t now_us)
{
    struct known_account *spare_account;
    struct known_account *place = find_account(known, &spare_account, account);
    struct known_source *spare;
    struct known_source *found;

    if (place == NULL) {
        place = spare_account;
        *place = (struct known_account){0};
        memcpy(place->account, account, KNOWN_NAME_SIZE);
    }
    found = find_source(place, &spare, source);
    if (found == NULL)
        found = spare;
    *found = (struct known_source){
        .until_us = now_us + (int64_t)LOGIN_SOURCE_KNOWN_S * US};
    memcpy(found->source, source, KNOWN_NAME_SIZE);
    place->until_us = found->until_us;
}

bool known_failed(struct known *known, const uint8_t *account,
                  const uint8_t *source, int64_t now_us)
{
    struct known_source *found = find(known, account, source, now_us);

    if (found == NULL)
        return false;
    if (found->failures < UINT32_MAX)
        found->failures++;
    found->delay_until_us = now_us + usage_failures_delay(found->failures);
    return true;
}

bool known_has(const struct known *known, int64_t *delay_us_out,
               const uint8_t *account, const uint8_t *source, int64_t now_us)
{
    const struct known_source *found = find(known, account, source, now_us);

    if (found == NULL)
        return false;
    if (delay_us_out != NULL)
        *delay_us_out =
            found->delay_until_us > now_us ? found->delay_until_us - now_us : 0;
    return true;
}
