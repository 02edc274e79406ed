#include "protocol/keyfile.h"

#include <string.h>

#include <sodium.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "protocol/assumptions.h"
#include "protocol/identity.h"

enum { KEYFILE_CHECKED = 96 };
static_assert(KEYFILE_CHECKED + 8 == KEYFILE_SIZE, "the checksum ends it");

static const uint8_t keyfile_magic[8] = "DFTKEY1";

static void keyfile_public(uint8_t out[PUBLIC_KEY_SIZE], enum keyfile_kind kind,
                           const uint8_t *secret)
{
    struct identity identity;

    memset(out, 0, PUBLIC_KEY_SIZE);
    switch (kind) {
    case KEYFILE_AUTHORITY:
    case KEYFILE_SIGNER:
    case KEYFILE_RECEIPT:
    case KEYFILE_LOG:
    case KEYFILE_COSIGNER:
        identity_init(&identity, secret);
        memcpy(out, identity.public_key, PUBLIC_KEY_SIZE);
        identity_wipe(&identity);
        return;
    case KEYFILE_CHANNEL:
    case KEYFILE_RECOVERY:
        crypto_scalarmult_base(out, secret);
        return;
    case KEYFILE_KEYRING:
    case KEYFILE_SALT:
        return;
    }
}

void keyfile_make(struct keyfile *keyfile, enum keyfile_kind kind,
                  const uint8_t *cluster_id, const uint8_t *secret)
{
    keyfile->kind = kind;
    memcpy(keyfile->cluster_id, cluster_id, CLUSTER_ID_SIZE);
    memcpy(keyfile->secret, secret, KEY_SIZE);
    keyfile_public(keyfile->public_key, kind, secret);
}

void keyfile_wipe(struct keyfile *keyfile)
{
    sodium_memzero(keyfile, sizeof *keyfile);
}

void keyfile_encode(uint8_t out[KEYFILE_SIZE], const struct keyfile *keyfile)
{
    struct writer writer;

    writer_init(&writer, out, KEYFILE_SIZE);
    writer_bytes(&writer, keyfile_magic, sizeof keyfile_magic);
    writer_u16(&writer, (uint16_t)keyfile->kind);
    writer_u16(&writer, KEYFILE_VERSION);
    writer_u32(&writer, 0);
    writer_bytes(&writer, keyfile->cluster_id, CLUSTER_ID_SIZE);
    writer_bytes(&writer, keyfile->secret, KEY_SIZE);
    writer_bytes(&writer, keyfile->public_key, PUBLIC_KEY_SIZE);
    INVARIANT(writer.used == KEYFILE_CHECKED);
    writer_u64(&writer, XXH3_64bits(out, KEYFILE_CHECKED));
    ENSURE(writer.status == ST_OK);
}

static enum status keyfile_read(struct keyfile *keyfile, struct slice bytes,
                                enum keyfile_kind kind)
{
    const uint8_t *at = bytes.data;
    uint8_t public_key[PUBLIC_KEY_SIZE];

    if (bytes.size != KEYFILE_SIZE ||
        memcmp(at, keyfile_magic, sizeof keyfile_magic) != 0)
        return ST_FILE_FORMAT;
    if (load_u64(at + KEYFILE_CHECKED) != XXH3_64bits(at, KEYFILE_CHECKED))
        return ST_CHECKSUM;
    if (load_u16(at + 8) != (uint16_t)kind ||
        load_u16(at + 10) != KEYFILE_VERSION || load_u32(at + 12) != 0)
        return ST_FILE_FORMAT;
    keyfile->kind = kind;
    memcpy(keyfile->cluster_id, at + 16, CLUSTER_ID_SIZE);
    memcpy(keyfile->secret, at + 32, KEY_SIZE);
    memcpy(keyfile->public_key, at + 64, PUBLIC_KEY_SIZE);
    keyfile_public(public_key, kind, keyfile->secret);
    if (memcmp(public_key, keyfile->public_key, PUBLIC_KEY_SIZE) != 0)
        return ST_FILE_FORMAT;
    return ST_OK;
}

enum status keyfile_decode(struct keyfile *keyfile, struct slice bytes,
                           enum keyfile_kind kind)
{
    enum status status = keyfile_read(keyfile, bytes, kind);

    if (status != ST_OK)
        keyfile_wipe(keyfile);
    return status;
}

const char *keyfile_kind_text(enum keyfile_kind kind)
{
    switch (kind) {
    case KEYFILE_AUTHORITY:
        return "authority key";
    case KEYFILE_SIGNER:
        return "signing key";
    case KEYFILE_RECEIPT:
        return "receipt key";
    case KEYFILE_LOG:
        return "log key";
    case KEYFILE_CHANNEL:
        return "channel key";
    case KEYFILE_RECOVERY:
        return "recovery key";
    case KEYFILE_KEYRING:
        return "keyring key";
    case KEYFILE_SALT:
        return "salt key";
    case KEYFILE_COSIGNER:
        return "cosigner key";
    }
    return "unknown key";
}
