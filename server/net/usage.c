#include "server/net/usage.h"

#include <pthread.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum {
    US = 1000000,
    PROBES_MAX = 32,
    FAILURES_KEPT_S = 24 * 3600,
    BUCKETS_FULL_S = 60 /* The slowest bucket is full again. */
};

/* What would be forgotten with an entry that is given to another name. */
enum worth {
    WORTH_NOTHING, /* It is free, or nothing of it matters any more. */
    WORTH_TOKENS,  /* Buckets, which would be full again. */
    WORTH_MEMORY,  /* That a login failed here. */
    WORTH_DELAYS,  /* Failures whose delay is over: how long the next one is. */
    WORTH_KEPT     /* Connections, strikes, penalties, a delay that runs. */
};

struct entry {
    uint8_t name[USAGE_NAME_SIZE];
    int64_t seen_us; /* 0: free. */
    uint32_t connections;
    size_t held[USAGE_MEMORY_COUNT];
    struct bucket buckets[USAGE_RATES_COUNT];
    int64_t strikes_from_us;
    uint32_t strikes;
    uint32_t penalty_s;
    int64_t penalty_until_us;
    uint32_t failures;
    int64_t delay_until_us;
    uint64_t counting_login;
};

struct usage {
    pthread_mutex_t lock;
    uint8_t hash_key[crypto_shorthash_KEYBYTES];
    uint32_t capacity; /* A power of two. */
    struct entry *entries;
    struct entry homeless; /* Failed logins of names that found no place. */
    uint64_t full_count;
};

bool bucket_take(struct bucket *bucket, int64_t now_us, uint32_t rate,
                 uint32_t burst, uint32_t amount)
{
    int64_t full = (int64_t)burst * US;
    int64_t passed;

    REQUIRE(bucket != NULL);
    REQUIRE(rate > 0 && burst > 0);
    if (bucket->filled_us == 0) {
        bucket->filled_us = now_us;
        bucket->tokens = full;
    }
    passed = now_us - bucket->filled_us;
    if (passed > 0) {
        /* A long pause fills the bucket; no product can overflow below. */
        if (passed >= full / rate + 1)
            bucket->tokens = full;
        else
            bucket->tokens += passed * rate;
        if (bucket->tokens > full)
            bucket->tokens = full;
        bucket->filled_us = now_us;
    }
    if (bucket->tokens < (int64_t)amount * US)
        return false;
    bucket->tokens -= (int64_t)amount * US;
    return true;
}

enum status usage_open(struct usage **usage_out, uint32_t capacity)
{
    struct usage *usage;

    REQUIRE(usage_out != NULL);
    REQUIRE(capacity >= PROBES_MAX && (capacity & (capacity - 1)) == 0);
    usage = calloc(1, sizeof *usage);
    if (usage == NULL)
        return ST_EXHAUSTED;
    usage->entries = calloc(capacity, sizeof *usage->entries);
    if (usage->entries == NULL) {
        free(usage);
        return ST_EXHAUSTED;
    }
    usage->capacity = capacity;
    randombytes_buf(usage->hash_key, sizeof usage->hash_key);
    pthread_mutex_init(&usage->lock, NULL);
    *usage_out = usage;
    return ST_OK;
}

void usage_close(struct usage *usage)
{
    if (usage == NULL)
        return;
    pthread_mutex_destroy(&usage->lock);
    free(usage->entries);
    free(usage);
}

static bool entry_is_bound(const struct entry *entry, int64_t now_us)
{
    /* A penalty is remembered as long as the next one would double it. */
    bool punished =
        entry->penalty_s > 0 &&
        entry->penalty_until_us + (int64_t)PENALTY_S_MAX * US > now_us;
    bool struck =
        entry->strikes > 0 &&
        entry->strikes_from_us + (int64_t)STRIKES_WINDOW_S * US >= now_us;

    for (int i = 0; i < USAGE_MEMORY_COUNT; i++) {
        if (entry->held[i] > 0)
            return true;
    }
    return entry->connections > 0 || punished || struck ||
           entry->delay_until_us > now_us;
}

static enum worth entry_worth(const struct entry *entry, int64_t now_us)
{
    if (entry->seen_us == 0)
        return WORTH_NOTHING;
    if (entry_is_bound(entry, now_us))
        return WORTH_KEPT;
    if (entry->failures > 0 &&
        entry->seen_us + (int64_t)FAILURES_KEPT_S * US > now_us)
        return entry->failures < LOGIN_FAILURES_FREE ? WORTH_MEMORY
                                                     : WORTH_DELAYS;
    return entry->seen_us + (int64_t)BUCKETS_FULL_S * US > now_us
               ? WORTH_TOKENS
               : WORTH_NOTHING;
}

/* Of two of the same worth: who has failed less, then who was seen longer ago.
 * A flood is failures too: it would have to fail as often everywhere. */
static bool entry_is_less(const struct entry *entry, const struct entry *other,
                          enum worth worth)
{
    if (worth == WORTH_DELAYS && entry->failures != other->failures)
        return entry->failures < other->failures;
    return entry->seen_us < other->seen_us;
}

/*
 * The entry of ${name}, or NULL.  ${spare_out} may be NULL; else it gets the
 * entry of least worth that may be given to the name; NULL if there is none.
 * Probing is bounded.
 */
static struct entry *entry_find(struct usage *usage, struct entry **spare_out,
                                const uint8_t *name, int64_t now_us)
{
    uint8_t hash[crypto_shorthash_BYTES];
    struct entry *spare = NULL;
    enum worth least = WORTH_KEPT;
    uint32_t fewest = UINT32_MAX; /* Failures, where a delay runs. */
    uint64_t at;

    crypto_shorthash(hash, name, USAGE_NAME_SIZE, usage->hash_key);
    memcpy(&at, hash, sizeof at);
    for (uint32_t i = 0; i < PROBES_MAX; i++) {
        struct entry *entry = &usage->entries[(at + i) & (usage->capacity - 1)];
        enum worth worth;

        if (entry->seen_us != 0 &&
            memcmp(entry->name, name, USAGE_NAME_SIZE) == 0)
            return entry;
        worth = entry_worth(entry, now_us);
        if (entry->delay_until_us > now_us && entry->failures < fewest)
            fewest = entry->failures;
        if (worth < least || (worth == least && spare != NULL &&
                              entry_is_less(entry, spare, worth))) {
            least = worth;
            spare = entry;
        }
    }
    /* The delay of who failed less ends first: it is worth the wait. */
    if (spare != NULL && least == WORTH_DELAYS && spare->failures > fewest)
        spare = NULL;
    if (spare_out != NULL)
        *spare_out = spare;
    return NULL;
}

/*
 * The entry of ${name}, made if need be.  What strangers have filled with
 * strikes and delays answers NULL for new names, and the caller refuses: making
 * room would be a way to be forgiven.
 */
static struct entry *entry_of(struct usage *usage, const uint8_t *name,
                              int64_t now_us)
{
    struct entry *spare;
    struct entry *entry = entry_find(usage, &spare, name, now_us);

    if (entry != NULL)
        return entry;
    if (spare == NULL) {
        usage->full_count++;
        return NULL;
    }
    *spare = (struct entry){.seen_us = now_us > 0 ? now_us : 1};
    memcpy(spare->name, name, USAGE_NAME_SIZE);
    return spare;
}

/* As entry_of, but never makes one. */
static struct entry *entry_known(struct usage *usage, const uint8_t *name)
{
    return entry_find(usage, NULL, name, 0);
}

bool usage_enter(struct usage *usage, const uint8_t *name, uint32_t limit,
                 int64_t now_us)
{
    struct entry *entry;
    bool entered = false;

    pthread_mutex_lock(&usage->lock);
    entry = entry_of(usage, name, now_us);
    if (entry != NULL && entry->connections < limit) {
        entry->connections++;
        entered = true;
    }
    pthread_mutex_unlock(&usage->lock);
    return entered;
}

void usage_leave(struct usage *usage, const uint8_t *name)
{
    struct entry *entry;

    pthread_mutex_lock(&usage->lock);
    entry = entry_known(usage, name);
    INVARIANT(entry != NULL && entry->connections > 0);
    entry->connections--;
    pthread_mutex_unlock(&usage->lock);
}

bool usage_hold(struct usage *usage, const uint8_t *name,
                enum usage_memory kind, size_t size, size_t limit)
{
    struct entry *entry;
    bool held = false;

    REQUIRE(kind < USAGE_MEMORY_COUNT);
    pthread_mutex_lock(&usage->lock);
    entry = entry_of(usage, name, 1);
    if (entry != NULL && entry->held[kind] <= limit &&
        size <= limit - entry->held[kind]) {
        entry->held[kind] += size;
        held = true;
    }
    pthread_mutex_unlock(&usage->lock);
    return held;
}

void usage_let_go(struct usage *usage, const uint8_t *name,
                  enum usage_memory kind, size_t size)
{
    struct entry *entry;

    if (size == 0)
        return;
    pthread_mutex_lock(&usage->lock);
    entry = entry_known(usage, name);
    INVARIANT(entry != NULL && entry->held[kind] >= size);
    entry->held[kind] -= size;
    pthread_mutex_unlock(&usage->lock);
}

size_t usage_held(struct usage *usage, const uint8_t *name,
                  enum usage_memory kind)
{
    struct entry *entry;
    size_t held;

    pthread_mutex_lock(&usage->lock);
    entry = entry_known(usage, name);
    held = entry != NULL ? entry->held[kind] : 0;
    pthread_mutex_unlock(&usage->lock);
    return held;
}

bool usage_take(struct usage *usage, const uint8_t *name, enum usage_rate kind,
                uint32_t rate, uint32_t burst, uint32_t amount, int64_t now_us)
{
    struct entry *entry;
    bool taken = false;

    REQUIRE(kind < USAGE_RATES_COUNT);
    pthread_mutex_lock(&usage->lock);
    entry = entry_of(usage, name, now_us);
    if (entry != NULL) {
        entry->seen_us = now_us;
        taken = bucket_take(&entry->buckets[kind], now_us, rate, burst, amount);
    }
    pthread_mutex_unlock(&usage->lock);
    return taken;
}

static void begin_penalty(struct entry *entry, int64_t now_us)
{
    bool repeated =
        entry->penalty_until_us + (int64_t)PENALTY_S_MAX * US > now_us &&
        entry->penalty_s > 0;

    entry->penalty_s = repeated ? entry->penalty_s * 2 : PENALTY_S_MIN;
    if (entry->penalty_s > PENALTY_S_MAX)
        entry->penalty_s = PENALTY_S_MAX;
    entry->penalty_until_us = now_us + (int64_t)entry->penalty_s * US;
    entry->strikes = 0;
}

bool usage_strike(struct usage *usage, const uint8_t *name, int64_t now_us)
{
    struct entry *entry;
    bool began = false;

    pthread_mutex_lock(&usage->lock);
    entry = entry_of(usage, name, now_us);
    if (entry != NULL) {
        entry->seen_us = now_us;
        if (entry->strikes == 0 ||
            now_us - entry->strikes_from_us > (int64_t)STRIKES_WINDOW_S * US) {
            entry->strikes_from_us = now_us;
            entry->strikes = 0;
        }
        if (++entry->strikes > STRIKES_MAX) {
            begin_penalty(entry, now_us);
            began = true;
        }
    }
    pthread_mutex_unlock(&usage->lock);
    return began;
}

int64_t usage_penalty(struct usage *usage, const uint8_t *name, int64_t now_us)
{
    struct entry *entry;
    int64_t left = 0;

    pthread_mutex_lock(&usage->lock);
    entry = entry_known(usage, name);
    if (entry != NULL && entry->penalty_until_us > now_us)
        left = entry->penalty_until_us - now_us;
    pthread_mutex_unlock(&usage->lock);
    return left;
}

bool usage_counts(struct usage *usage, const uint8_t *name, uint64_t login)
{
    struct entry *entry;
    bool counts = true;

    pthread_mutex_lock(&usage->lock);
    entry = entry_of(usage, name, 1);
    if (entry != NULL) {
        counts = login >= entry->counting_login;
        if (counts)
            entry->counting_login = login;
    }
    pthread_mutex_unlock(&usage->lock);
    return counts;
}

int64_t usage_failures_delay(uint32_t failures)
{
    int64_t delay_s = 1;

    if (failures < LOGIN_FAILURES_FREE)
        return 0;
    for (uint32_t i = LOGIN_FAILURES_FREE;
         i < failures && delay_s < LOGIN_DELAY_S_MAX; i++)
        delay_s *= 2;
    return (delay_s < LOGIN_DELAY_S_MAX ? delay_s : LOGIN_DELAY_S_MAX) * US;
}

/* What strangers can fill must not shut out everybody else: the delay that they
 * share is short, and a quiet time ends it. */
static void fail_homeless(struct entry *homeless, int64_t now_us)
{
    const int64_t longest_us = (int64_t)LOGIN_DELAY_CROWD_S_MAX * US;
    int64_t delay_us;

    if (now_us - homeless->seen_us > (int64_t)LOGIN_CROWD_FORGOTTEN_S * US)
        homeless->failures = 0;
    homeless->seen_us = now_us;
    if (homeless->failures < LOGIN_FAILURES_LOCK)
        homeless->failures++;
    delay_us = usage_failures_delay(homeless->failures);
    homeless->delay_until_us =
        now_us + (delay_us < longest_us ? delay_us : longest_us);
}

uint32_t usage_login_failed(struct usage *usage, const uint8_t *name,
                            int64_t now_us)
{
    struct entry *entry;
    uint32_t failures = 0;

    pthread_mutex_lock(&usage->lock);
    entry = entry_of(usage, name, now_us);
    if (entry != NULL) {
        entry->seen_us = now_us;
        failures = ++entry->failures;
        entry->delay_until_us = now_us + usage_failures_delay(failures);
    } else {
        fail_homeless(&usage->homeless, now_us); /* Nobody's in particular. */
    }
    pthread_mutex_unlock(&usage->lock);
    return failures;
}

void usage_login_succeeded(struct usage *usage, const uint8_t *name)
{
    struct entry *entry;

    pthread_mutex_lock(&usage->lock);
    entry = entry_known(usage, name);
    if (entry != NULL) {
        entry->failures = 0;
        entry->delay_until_us = 0;
    }
    pthread_mutex_unlock(&usage->lock);
}

int64_t usage_login_delay(struct usage *usage, const uint8_t *name,
                          int64_t now_us)
{
    struct entry *spare;
    struct entry *entry;
    int64_t left = 0;

    pthread_mutex_lock(&usage->lock);
    entry = entry_find(usage, &spare, name, now_us);
    if (entry == NULL && spare == NULL)
        entry = &usage->homeless; /* It could not be counted. */
    if (entry != NULL && entry->delay_until_us > now_us)
        left = entry->delay_until_us - now_us;
    pthread_mutex_unlock(&usage->lock);
    return left;
}

uint64_t usage_full_count(struct usage *usage)
{
    uint64_t count;

    pthread_mutex_lock(&usage->lock);
    count = usage->full_count;
    pthread_mutex_unlock(&usage->lock);
    return count;
}
