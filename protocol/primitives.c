#include "protocol/primitives.h"

#include <stdbool.h>
#include <string.h>

#include <sodium.h>

#include "protocol/limits.h"

enum {
    PRIMITIVES_HASH_SIZE_MAX = crypto_hash_sha512_BYTES,
    PRIMITIVES_TAG_SIZE = crypto_aead_chacha20poly1305_ietf_ABYTES,
    PRIMITIVES_NONCE_SIZE_MAX = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES
};

static void primitives_hex(uint8_t *out, size_t size, const char *hex)
{
    int failed = sodium_hex2bin(out, size, hex, strlen(hex), NULL, NULL, NULL);

    INVARIANT(strlen(hex) == 2 * size && failed == 0);
}

static bool primitives_equal(const uint8_t *bytes, size_t size, const char *hex)
{
    uint8_t expected[PRIMITIVES_HASH_SIZE_MAX];

    REQUIRE(size <= sizeof expected);
    primitives_hex(expected, size, hex);
    return memcmp(bytes, expected, size) == 0;
}

/* ---- Hashes ------------------------------------------------------------- */

static const uint8_t abc[] = "abc";
enum { ABC_SIZE = sizeof abc - 1 };

/* FIPS 180-4; in one piece and in two. */
static bool primitives_sha256(void)
{
    static const char known[] =
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    crypto_hash_sha256_state state;
    uint8_t whole[HASH_SIZE], pieces[HASH_SIZE];

    crypto_hash_sha256(whole, abc, ABC_SIZE);
    crypto_hash_sha256_init(&state);
    crypto_hash_sha256_update(&state, abc, 1);
    crypto_hash_sha256_update(&state, abc + 1, ABC_SIZE - 1);
    crypto_hash_sha256_final(&state, pieces);
    return primitives_equal(whole, sizeof whole, known) &&
           primitives_equal(pieces, sizeof pieces, known);
}

static bool primitives_sha512(void)
{
    uint8_t hash[crypto_hash_sha512_BYTES];

    crypto_hash_sha512(hash, abc, ABC_SIZE);
    return primitives_equal(
        hash, sizeof hash,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f");
}

static bool primitives_blake2b(void)
{
    uint8_t hash[HASH_SIZE];

    crypto_generichash(hash, sizeof hash, abc, ABC_SIZE, NULL, 0);
    return primitives_equal(
        hash, sizeof hash,
        "bddd813c634239723171ef3fee98579b94964e3bb1cb3e427262c8c068d52319");
}

static bool primitives_hmac(void)
{
    static const uint8_t text[] = "The quick brown fox jumps over the lazy dog";
    crypto_auth_hmacsha256_state state;
    uint8_t hash[HASH_SIZE];

    crypto_auth_hmacsha256_init(&state, (const uint8_t *)"key", 3);
    crypto_auth_hmacsha256_update(&state, text, sizeof text - 1);
    crypto_auth_hmacsha256_final(&state, hash);
    return primitives_equal(
        hash, sizeof hash,
        "f7bc83f430538424b13298e6aa6fb143ef4d59a14946175997479dbc2d1a3cd8");
}

/* ---- Encryption --------------------------------------------------------- */

typedef int primitives_encrypt(
    unsigned char *out, unsigned long long *size_out, const unsigned char *text,
    unsigned long long text_size, const unsigned char *about,
    unsigned long long about_size, const unsigned char *secret_nonce,
    const unsigned char *nonce, const unsigned char *key);
typedef int primitives_decrypt(unsigned char *out, unsigned long long *size_out,
                               unsigned char *secret_nonce,
                               const unsigned char *bytes,
                               unsigned long long size,
                               const unsigned char *about,
                               unsigned long long about_size,
                               const unsigned char *nonce,
                               const unsigned char *key);

/* Key and nonce count up from 0; "abc" beside "ad".  A changed bit anywhere
 * must be refused. */
static bool primitives_aead(primitives_encrypt *encrypt,
                            primitives_decrypt *decrypt, const char *known)
{
    uint8_t key[KEY_SIZE], nonce[PRIMITIVES_NONCE_SIZE_MAX];
    uint8_t sealed[ABC_SIZE + PRIMITIVES_TAG_SIZE], opened[ABC_SIZE];
    const uint8_t *about = (const uint8_t *)"ad";
    bool holds;

    for (size_t i = 0; i < sizeof key; i++)
        key[i] = (uint8_t)i;
    memcpy(nonce, key, sizeof nonce);
    encrypt(sealed, NULL, abc, ABC_SIZE, about, 2, NULL, nonce, key);
    holds = primitives_equal(sealed, sizeof sealed, known) &&
            decrypt(opened, NULL, NULL, sealed, sizeof sealed, about, 2, nonce,
                    key) == 0 &&
            memcmp(opened, abc, ABC_SIZE) == 0;
    for (size_t i = 0; i < sizeof sealed; i++) {
        sealed[i] ^= 1;
        holds = holds && decrypt(opened, NULL, NULL, sealed, sizeof sealed,
                                 about, 2, nonce, key) != 0;
        sealed[i] ^= 1;
    }
    return holds;
}

static bool primitives_chacha(void)
{
    return primitives_aead(crypto_aead_chacha20poly1305_ietf_encrypt,
                           crypto_aead_chacha20poly1305_ietf_decrypt,
                           "e8996be6dcada2314971a315d1ea62fee7758b");
}

static bool primitives_xchacha(void)
{
    return primitives_aead(crypto_aead_xchacha20poly1305_ietf_encrypt,
                           crypto_aead_xchacha20poly1305_ietf_decrypt,
                           "ffa06c0e10fb41602cf33c2be7858fcbf5090a");
}

/* ---- X25519 ------------------------------------------------------------- */

/* RFC 7748, section 6.1. */
static bool primitives_x25519(void)
{
    uint8_t secret[KEY_SIZE], other[KEY_SIZE], out[KEY_SIZE];

    primitives_hex(
        secret, sizeof secret,
        "77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    primitives_hex(
        other, sizeof other,
        "de9edb7d7b7dc1b4d35b61c2ece435373f8343c85b78674dadfc7e146f882b4f");
    if (crypto_scalarmult_base(out, secret) != 0 ||
        !primitives_equal(
            out, sizeof out,
            "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"))
        return false;
    return crypto_scalarmult(out, secret, other) == 0 &&
           primitives_equal(out, sizeof out,
                            "4a5d9d5ba4ce2de1728e3bf480350f25e07e21c947d19e3376"
                            "f09b3c1e161742");
}

/* With a point of small order the secret would be nothing, and known. */
static bool primitives_x25519_nothing(void)
{
    static const char *const points[] = {
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000000",
        "e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800",
        "5f9c95bca3508c24b1d0b1559c83ef5b04445cc4581c8e86d8224eddd09f1157",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"};
    uint8_t secret[KEY_SIZE] = {1}, point[KEY_SIZE], out[KEY_SIZE];
    bool holds = true;

    for (size_t i = 0; i < sizeof points / sizeof points[0]; i++) {
        primitives_hex(point, sizeof point, points[i]);
        holds = holds && crypto_scalarmult(out, secret, point) != 0;
    }
    return holds;
}

/* ---- Ed25519 ------------------------------------------------------------ */

/* RFC 8032, section 7.1, test 2. */
static bool primitives_ed25519(void)
{
    uint8_t seed[SEED_SIZE], key[PUBLIC_KEY_SIZE], signature[SIGNATURE_SIZE];
    uint8_t secret[SEED_SIZE + PUBLIC_KEY_SIZE], message = 0x72;
    bool holds;

    primitives_hex(
        seed, sizeof seed,
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb");
    crypto_sign_seed_keypair(key, secret, seed);
    crypto_sign_detached(signature, NULL, &message, 1, secret);
    holds =
        primitives_equal(key, sizeof key,
                         "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd5"
                         "5f12af4660c") &&
        primitives_equal(
            signature, sizeof signature,
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c0"
            "0") &&
        crypto_sign_verify_detached(signature, &message, 1, key) == 0;
    message ^= 1;
    return holds &&
           crypto_sign_verify_detached(signature, &message, 1, key) != 0;
}

static const struct primitives_signature {
    const char *message;
    const char *key;
    const char *r;
    const char *s;
    bool accepted;
} signatures[] = {
#define SIGNATURE(message, key, r, s, accepted) {message, key, r, s, accepted},
#include "protocol/primitives_speccheck.def"
#undef SIGNATURE
};

static bool primitives_speccheck(void)
{
    enum { MESSAGE_SIZE = 32 };
    bool holds = true;

    for (size_t i = 0; i < sizeof signatures / sizeof signatures[0]; i++) {
        const struct primitives_signature *one = &signatures[i];
        uint8_t message[MESSAGE_SIZE], key[PUBLIC_KEY_SIZE];
        uint8_t signature[SIGNATURE_SIZE];

        primitives_hex(message, sizeof message, one->message);
        primitives_hex(key, sizeof key, one->key);
        primitives_hex(signature, SIGNATURE_SIZE / 2, one->r);
        primitives_hex(signature + SIGNATURE_SIZE / 2, SIGNATURE_SIZE / 2,
                       one->s);
        holds = holds &&
                (crypto_sign_verify_detached(signature, message, sizeof message,
                                             key) == 0) == one->accepted;
    }
    return holds;
}

/* The base point is a good key.  With each point of small order added to it,
 * and those points themselves, it is none: a library before the mending of
 * CVE-2025-69277 takes some for good. */
static bool primitives_points(void)
{
    static const char base_hex[] =
        "5866666666666666666666666666666666666666666666666666666666666666";
    static const char *const small[] = {
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa"};
    uint8_t base[PUBLIC_KEY_SIZE], low[PUBLIC_KEY_SIZE], sum[PUBLIC_KEY_SIZE];

    primitives_hex(base, sizeof base, base_hex);
    if (crypto_core_ed25519_is_valid_point(base) != 1)
        return false;
    for (size_t i = 0; i < sizeof small / sizeof small[0]; i++) {
        primitives_hex(low, sizeof low, small[i]);
        if (crypto_core_ed25519_is_valid_point(low) != 0 ||
            crypto_core_ed25519_add(sum, base, low) != 0 ||
            crypto_core_ed25519_is_valid_point(sum) != 0)
            return false;
    }
    return true;
}

/* ---- All of them -------------------------------------------------------- */

static const struct primitives_one {
    const char *wrong;
    bool (*holds)(void);
} primitives[] = {
    {"SHA-256 gives another hash", primitives_sha256},
    {"SHA-512 gives another hash", primitives_sha512},
    {"BLAKE2b gives another hash", primitives_blake2b},
    {"HMAC-SHA-256 gives another tag", primitives_hmac},
    {"ChaCha20-Poly1305 seals or opens otherwise", primitives_chacha},
    {"XChaCha20-Poly1305 seals or opens otherwise", primitives_xchacha},
    {"X25519 gives another secret", primitives_x25519},
    {"X25519 takes points of small order", primitives_x25519_nothing},
    {"Ed25519 signs or verifies otherwise", primitives_ed25519},
    {"Ed25519 judges signatures by another rule than the strict one without "
     "the cofactor",
     primitives_speccheck},
    {"Ed25519 keys outside the main subgroup are taken for good "
     "(CVE-2025-69277)",
     primitives_points},
};

enum status primitives_check(const char **wrong_out)
{
    *wrong_out = NULL;
    for (size_t i = 0; i < sizeof primitives / sizeof primitives[0]; i++) {
        if (primitives[i].holds())
            continue;
        *wrong_out = primitives[i].wrong;
        return ST_INTERNAL;
    }
    return ST_OK;
}
