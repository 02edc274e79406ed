/*
 * The library lies, in one primitive at a time: what stands here comes before
 * what libsodium has under the same name.
 */
#include <dlfcn.h>
#include <string.h>

#include <sodium.h>

#include "protocol/primitives.h"
#include "tests/lib/suite.h"

enum lie {
    LIE_NONE,
    LIE_SHA256,
    LIE_SHA512,
    LIE_BLAKE2B,
    LIE_HMAC,
    LIE_CHACHA_SEALS,
    LIE_CHACHA_OPENS_ALL,
    LIE_XCHACHA,
    LIE_X25519,
    LIE_X25519_NOTHING,
    LIE_SIGN,
    LIE_VERIFY_ALL,
    LIE_VERIFY_NONE,
    LIE_VERIFY_ONE,
    LIE_POINT_ALL,
    LIE_POINT_NONE,
    LIE_COUNT
};

static enum lie lie;
static unsigned verified; /* How many signatures were judged. */

/* REAL(type of result, name, parameters) */
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

int crypto_hash_sha256(unsigned char *out, const unsigned char *in,
                       unsigned long long size)
{
    int result = REAL(crypto_hash_sha256)(out, in, size);

    out[7] ^= lie == LIE_SHA256;
    return result;
}

int crypto_hash_sha512(unsigned char *out, const unsigned char *in,
                       unsigned long long size)
{
    int result = REAL(crypto_hash_sha512)(out, in, size);

    out[63] ^= lie == LIE_SHA512;
    return result;
}

int crypto_generichash(unsigned char *out, size_t out_size,
                       const unsigned char *in, unsigned long long size,
                       const unsigned char *key, size_t key_size)
{
    int result =
        REAL(crypto_generichash)(out, out_size, in, size, key, key_size);

    out[0] ^= lie == LIE_BLAKE2B;
    return result;
}

int crypto_auth_hmacsha256_final(crypto_auth_hmacsha256_state *state,
                                 unsigned char *out)
{
    int result = REAL(crypto_auth_hmacsha256_final)(state, out);

    out[31] ^= lie == LIE_HMAC;
    return result;
}

int crypto_aead_chacha20poly1305_ietf_encrypt(
    unsigned char *c, unsigned long long *size_out, const unsigned char *m,
    unsigned long long size, const unsigned char *ad,
    unsigned long long ad_size, const unsigned char *nsec,
    const unsigned char *nonce, const unsigned char *key)
{
    int result = REAL(crypto_aead_chacha20poly1305_ietf_encrypt)(
        c, size_out, m, size, ad, ad_size, nsec, nonce, key);

    c[size] ^= lie == LIE_CHACHA_SEALS;
    return result;
}

int crypto_aead_chacha20poly1305_ietf_decrypt(
    unsigned char *m, unsigned long long *size_out, unsigned char *nsec,
    const unsigned char *c, unsigned long long size, const unsigned char *ad,
    unsigned long long ad_size, const unsigned char *nonce,
    const unsigned char *key)
{
    int result = REAL(crypto_aead_chacha20poly1305_ietf_decrypt)(
        m, size_out, nsec, c, size, ad, ad_size, nonce, key);

    return lie == LIE_CHACHA_OPENS_ALL ? 0 : result;
}

int crypto_aead_xchacha20poly1305_ietf_encrypt(
    unsigned char *c, unsigned long long *size_out, const unsigned char *m,
    unsigned long long size, const unsigned char *ad,
    unsigned long long ad_size, const unsigned char *nsec,
    const unsigned char *nonce, const unsigned char *key)
{
    int result = REAL(crypto_aead_xchacha20poly1305_ietf_encrypt)(
        c, size_out, m, size, ad, ad_size, nsec, nonce, key);

    c[0] ^= lie == LIE_XCHACHA;
    return result;
}

int crypto_scalarmult(unsigned char *q, const unsigned char *n,
                      const unsigned char *p)
{
    int result = REAL(crypto_scalarmult)(q, n, p);

    q[0] ^= lie == LIE_X25519;
    return lie == LIE_X25519_NOTHING ? 0 : result;
}

int crypto_sign_detached(unsigned char *signature, unsigned long long *size_out,
                         const unsigned char *m, unsigned long long size,
                         const unsigned char *secret)
{
    int result =
        REAL(crypto_sign_detached)(signature, size_out, m, size, secret);

    signature[63] ^= lie == LIE_SIGN;
    return result;
}

/* LIE_VERIFY_ONE: the case speccheck 4, which a cofactored equation takes, and
 * nothing else: two verdicts come before those cases. */
int crypto_sign_verify_detached(const unsigned char *signature,
                                const unsigned char *m, unsigned long long size,
                                const unsigned char *key)
{
    enum { BEFORE = 2, COFACTORED = 4 };
    int result = REAL(crypto_sign_verify_detached)(signature, m, size, key);

    verified++;
    if (lie == LIE_VERIFY_ALL ||
        (lie == LIE_VERIFY_ONE && verified == BEFORE + COFACTORED + 1))
        return 0;
    return lie == LIE_VERIFY_NONE ? -1 : result;
}

int crypto_core_ed25519_is_valid_point(const unsigned char *point)
{
    if (lie == LIE_POINT_ALL || lie == LIE_POINT_NONE)
        return lie == LIE_POINT_ALL;
    return REAL(crypto_core_ed25519_is_valid_point)(point);
}

/* What must be named. */
static const char *const named[LIE_COUNT] = {
    [LIE_SHA256] = "SHA-256",
    [LIE_SHA512] = "SHA-512",
    [LIE_BLAKE2B] = "BLAKE2b",
    [LIE_HMAC] = "HMAC",
    [LIE_CHACHA_SEALS] = "ChaCha20",
    [LIE_CHACHA_OPENS_ALL] = "ChaCha20",
    [LIE_XCHACHA] = "XChaCha20",
    [LIE_X25519] = "X25519",
    [LIE_X25519_NOTHING] = "small order",
    [LIE_SIGN] = "Ed25519",
    [LIE_VERIFY_ALL] = "Ed25519",
    [LIE_VERIFY_NONE] = "Ed25519",
    [LIE_VERIFY_ONE] = "cofactor",
    [LIE_POINT_ALL] = "CVE-2025-69277",
    [LIE_POINT_NONE] = "CVE-2025-69277",
};

START_TEST(the_library_of_this_machine_computes_what_it_must)
{
    const char *wrong = "unset";

    ck_assert_int_ge(sodium_init(), 0);
    ck_assert_int_eq(primitives_check(&wrong), ST_OK);
    ck_assert_ptr_null(wrong);
}
END_TEST

START_TEST(a_library_that_is_wrong_in_one_primitive_is_refused_by_its_name)
{
    const char *wrong;

    ck_assert_int_ge(sodium_init(), 0);
    for (lie = LIE_NONE + 1; lie < LIE_COUNT; lie++) {
        verified = 0;
        wrong = NULL;
        ck_assert_msg(primitives_check(&wrong) == ST_INTERNAL, "lie %d", lie);
        ck_assert_msg(wrong != NULL && strstr(wrong, named[lie]) != NULL,
                      "lie %d: %s", lie, wrong);
    }
}
END_TEST

SUITE_MAIN("primitives", the_library_of_this_machine_computes_what_it_must,
           a_library_that_is_wrong_in_one_primitive_is_refused_by_its_name)
