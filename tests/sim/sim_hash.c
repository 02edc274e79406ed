/*
 * sim_hash.c: SHA-256, as the simulator has it.
 *
 * Two thirds of a seed's time went into libsodium's SHA-256.  A light seed asks
 * of a hash only that different bytes give different values, so it uses a fast
 * function of the same shape; a full seed uses the real one.  The program's own
 * symbols come before those of a shared library.
 */
#include <assert.h>
#include <dlfcn.h>
#include <string.h>

#include <sodium.h>

#include "protocol/bytes.h"
#include "tests/sim/sim_hash.h"

typedef int hash_init_call(crypto_hash_sha256_state *state);
typedef int hash_update_call(crypto_hash_sha256_state *state,
                             const unsigned char *in, unsigned long long size);
typedef int hash_final_call(crypto_hash_sha256_state *state,
                            unsigned char *out);

static bool hash_real;
static hash_init_call *real_init;
static hash_update_call *real_update;
static hash_final_call *real_final;

/* A pointer to a function out of one to data, without a cast between them. */
static void hash_find(void *call_out, const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    INVARIANT(found != NULL);
    memcpy(call_out, &found, sizeof found);
}

void sim_hash_real(bool real)
{
    if (real_init == NULL) {
        hash_find(&real_init, "crypto_hash_sha256_init");
        hash_find(&real_update, "crypto_hash_sha256_update");
        hash_find(&real_final, "crypto_hash_sha256_final");
    }
    hash_real = real;
}

/* ---- The fast one ------------------------------------------------------- */

/* What lies in the first 32 bytes of the state. */
enum { LANES = 4, BLOCK = 32 };
struct lanes {
    uint64_t lane[LANES];
};

static uint64_t lane_mix(uint64_t lane, uint64_t word)
{
    lane = (lane ^ word) * UINT64_C(0x9fb21c651e98df25);
    return lane ^ lane >> 29;
}

static void block_mix(struct lanes *lanes, const uint8_t *block)
{
    for (size_t i = 0; i < LANES; i++) {
        uint64_t word;

        memcpy(&word, block + i * sizeof word, sizeof word);
        lanes->lane[i] = lane_mix(lanes->lane[i], word);
    }
}

static struct lanes *lanes_of(crypto_hash_sha256_state *state)
{
    static_assert(sizeof state->state == sizeof(struct lanes), "they fit");
    return (void *)state;
}

int crypto_hash_sha256_init(crypto_hash_sha256_state *state)
{
    struct lanes *lanes = lanes_of(state);

    if (hash_real)
        return real_init(state);
    for (size_t i = 0; i < LANES; i++)
        lanes->lane[i] = (i + 1) * UINT64_C(0x9e3779b97f4a7c15);
    state->count = 0;
    return 0;
}

int crypto_hash_sha256_update(crypto_hash_sha256_state *state,
                              const unsigned char *in, unsigned long long size)
{
    struct lanes *lanes = lanes_of(state);
    size_t left = (size_t)size;
    size_t used = (size_t)state->count % BLOCK;

    if (hash_real)
        return real_update(state, in, size);
    state->count += size;
    if (used > 0) {
        size_t some = left < BLOCK - used ? left : BLOCK - used;

        memcpy(state->buf + used, in, some);
        in += some;
        left -= some;
        if (used + some < BLOCK)
            return 0;
        block_mix(lanes, state->buf);
    }
    for (; left >= BLOCK; left -= BLOCK, in += BLOCK)
        block_mix(lanes, in);
    if (left > 0)
        memcpy(state->buf, in, left);
    return 0;
}

int crypto_hash_sha256_final(crypto_hash_sha256_state *state,
                             unsigned char *out)
{
    struct lanes *lanes = lanes_of(state);
    size_t used = (size_t)state->count % BLOCK;

    if (hash_real)
        return real_final(state, out);
    memset(state->buf + used, 0, BLOCK - used);
    block_mix(lanes, state->buf);
    /* Each lane comes to depend on all of them. */
    for (size_t round = 0; round < 2; round++) {
        for (size_t i = 0; i < LANES; i++)
            lanes->lane[i] = lane_mix(lanes->lane[i] + state->count,
                                      lanes->lane[(i + 1) % LANES]);
    }
    memcpy(out, lanes, crypto_hash_sha256_BYTES);
    return 0;
}

int crypto_hash_sha256(unsigned char *out, const unsigned char *in,
                       unsigned long long size)
{
    crypto_hash_sha256_state state;

    (void)crypto_hash_sha256_init(&state);
    (void)crypto_hash_sha256_update(&state, in, size);
    return crypto_hash_sha256_final(&state, out);
}
