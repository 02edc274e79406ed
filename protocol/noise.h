/*
 * noise.h: Noise_XX_25519_ChaChaPoly_SHA256 (Noise Protocol Framework, revision
 * 34), as a state machine without randomness: the caller brings the keys.
 *
 *   -> e                    the initiator writes messages 1 and 3,
 *   <- e, ee, s, es         the responder message 2
 *   -> s, se
 *
 *   NOISE_HANDSHAKE --third message--> NOISE_DONE --noise_split()--> wiped
 *          |  any failure
 *          v
 *   NOISE_FAILED (wiped; every later call fails)
 */
#ifndef DEFTER_PROTOCOL_NOISE_H
#define DEFTER_PROTOCOL_NOISE_H

#include <stdbool.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

enum { NOISE_MESSAGES = 3, NOISE_MESSAGE_SIZE_MAX = 65535 };

enum noise_role { NOISE_INITIATOR, NOISE_RESPONDER };
enum noise_state { NOISE_HANDSHAKE, NOISE_DONE, NOISE_FAILED };

/* A key and its counter.  The counter moves after success only. */
struct noise_cipher {
    uint8_t key[KEY_SIZE];
    uint64_t n;
};

struct noise {
    enum noise_role role;
    enum noise_state state;
    unsigned messages_done;
    bool keyed; /* cipher holds a key. */
    struct noise_cipher cipher;
    uint8_t chaining_key[HASH_SIZE];
    uint8_t hash[HASH_SIZE];
    uint8_t static_secret[KEY_SIZE];
    uint8_t static_public[KEY_SIZE];
    uint8_t ephemeral_secret[KEY_SIZE];
    uint8_t ephemeral_public[KEY_SIZE];
    uint8_t remote_static[KEY_SIZE];
    uint8_t remote_ephemeral[KEY_SIZE];
};

/*
 * noise_init(noise, role, prologue, static_secret, ephemeral_secret):
 * Begin a handshake.  Both secrets are KEY_SIZE bytes, copied; the ephemeral
 * one must be fresh and random.
 *
 * Order: ends with noise_split() or noise_wipe().
 */
void noise_init(struct noise *noise, enum noise_role role,
                struct slice prologue, const uint8_t *static_secret,
                const uint8_t *ephemeral_secret);
void noise_wipe(struct noise *noise);

/* True if the next message is this side's to write. */
bool noise_writes_next(const struct noise *noise);

/*
 * noise_write(noise, out, payload):
 * Append the next handshake message to ${out}.
 *
 * Requires: noise_writes_next().
 * Returns:  ST_OK; ST_HANDSHAKE for a degenerate key; ST_TOO_LARGE if ${out}
 *           has no room.  After a failure the state is wiped.
 */
NODISCARD enum status noise_write(struct noise *noise, struct writer *out,
                                  struct slice payload);

/*
 * noise_read(noise, payload, message):
 * Take the other side's next message and append its payload to ${payload}.
 *
 * Requires: the next message is the other side's to write.
 * Returns:  ST_OK; ST_HANDSHAKE for anything that does not decrypt, has the
 *           wrong size or a key whose product is zero; ST_TOO_LARGE if
 *           ${payload} has no room.  After a failure the state is wiped.
 */
NODISCARD enum status noise_read(struct noise *noise, struct writer *payload,
                                 struct slice message);

/*
 * noise_split(noise, sender_out, receiver_out, hash_out):
 * Give the two transport ciphers and the handshake hash, and wipe the rest.
 *
 * Requires: noise->state == NOISE_DONE.
 */
void noise_split(struct noise *noise, struct noise_cipher *sender_out,
                 struct noise_cipher *receiver_out,
                 uint8_t hash_out[HASH_SIZE]);

/*
 * noise_seal(cipher, out, ad, plaintext):
 * Write plaintext.size + AEAD_TAG_SIZE bytes; ${out} may be the plaintext's own
 * place.
 *
 * Returns: ST_OK; ST_COUNTER when the counter is used up.
 */
NODISCARD enum status noise_seal(struct noise_cipher *cipher, uint8_t *out,
                                 struct slice ad, struct slice plaintext);

/*
 * noise_open(cipher, out, ad, ciphertext):
 * Write ciphertext.size - AEAD_TAG_SIZE bytes; ${out} may be the ciphertext's
 * own place.
 *
 * Returns: ST_OK; ST_COUNTER; ST_DECRYPT, and the counter has not moved.
 */
NODISCARD enum status noise_open(struct noise_cipher *cipher, uint8_t *out,
                                 struct slice ad, struct slice ciphertext);

/* REKEY of Noise section 4.2; the counter stays. */
void noise_rekey(struct noise_cipher *cipher);

#endif
