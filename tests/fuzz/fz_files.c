/*
 * fz_files.c: small files and statements of one layout: keys, certificates,
 * receipts, what a completeness file says, genesis, and rows of keys between
 * nodes.  What is taken is written again as the same
 * bytes, and nobody's signature is taken for another's.
 *
 * The first byte chooses: 0 a key file, 1 the same with a sum that fits, 2 a
 * certificate, 3 a receipt, 4 a completeness file, 5 a genesis, 6 rows of keys.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <sodium.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "protocol/completeness_file.h"
#include "protocol/genesis.h"
#include "protocol/keyfile.h"
#include "server/store/keyring_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint8_t somebody[PUBLIC_KEY_SIZE] = {1};

static void check_keyfile(struct slice input, bool fit)
{
    uint8_t bytes[KEYFILE_SIZE], again[KEYFILE_SIZE];
    struct keyfile keyfile;

    if (fit && input.size == KEYFILE_SIZE) {
        memcpy(bytes, input.data, sizeof bytes);
        store_u64(bytes + 96, XXH3_64bits(bytes, 96));
        input = slice_of(bytes, sizeof bytes);
    }
    for (unsigned kind = 1; kind <= KEYFILE_COSIGNER; kind++) {
        INVARIANT(keyfile_kind_text((enum keyfile_kind)kind) != NULL);
        if (keyfile_decode(&keyfile, input, (enum keyfile_kind)kind) != ST_OK)
            continue;
        INVARIANT((unsigned)keyfile.kind == kind);
        keyfile_encode(again, &keyfile);
        INVARIANT(slice_equal(slice_of(again, sizeof again), input));
        keyfile_wipe(&keyfile);
    }
}

/* Any secret is a key of each kind, and another one of each. */
static void check_secret(struct slice input)
{
    static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {1};
    uint8_t bytes[KEYFILE_SIZE];
    struct keyfile keyfile, read;

    if (input.size < KEY_SIZE)
        return;
    for (unsigned kind = 1; kind <= KEYFILE_COSIGNER; kind++) {
        keyfile_make(&keyfile, (enum keyfile_kind)kind, cluster_id, input.data);
        keyfile_encode(bytes, &keyfile);
        INVARIANT(keyfile_decode(&read, slice_of(bytes, sizeof bytes),
                                 (enum keyfile_kind)kind) == ST_OK);
        INVARIANT(memcmp(read.secret, input.data, KEY_SIZE) == 0);
        bytes[8]++;
        INVARIANT(keyfile_decode(&read, slice_of(bytes, sizeof bytes),
                                 (enum keyfile_kind)kind) == ST_CHECKSUM);
    }
}

static void check_certificate(struct slice input)
{
    static const uint8_t seed[SEED_SIZE] = {1};
    struct nodecert_expected expected = {.role = NODECERT_SERVER};
    uint8_t again[NODECERT_SIZE], other_key[PUBLIC_KEY_SIZE];
    struct identity authority;
    struct nodecert cert;
    enum nodecert_fault fault;

    if (input.size != NODECERT_SIZE)
        return;
    identity_init(&authority, seed);
    nodecert_decode(&cert, input.data);
    memcpy(expected.authority_key, authority.public_key, PUBLIC_KEY_SIZE);
    memcpy(expected.cluster_id, cert.cluster_id, CLUSTER_ID_SIZE);
    if (cert.not_before_s < 0 || cert.not_before_s >= INT64_MAX / 2)
        return; /* No clock of ours says that. */
    expected.role = cert.role;
    expected.now_s = cert.not_before_s;
    INVARIANT(nodecert_verify(&cert, &fault, input.data, &expected, NULL) ==
              ST_CERTIFICATE);
    INVARIANT(fault == NODECERT_BAD_SIGNATURE || fault == NODECERT_BAD_VERSION);
    nodecert_sign(again, &cert, &authority);
    INVARIANT(load_u16(input.data) != load_u16(again) ||
              memcmp(again, input.data, NODECERT_SIZE - SIGNATURE_SIZE) == 0);
    MAYBE(nodecert_verify(&cert, &fault, again, &expected, NULL) == ST_OK);
    INVARIANT(fault != NODECERT_BAD_SIGNATURE &&
              fault != NODECERT_OTHER_CLUSTER && fault != NODECERT_OTHER_ROLE);
    INVARIANT(nodecert_fault_text(fault)[0] != '\0');
    memcpy(other_key, cert.channel_key, sizeof other_key);
    other_key[0] ^= 1;
    INVARIANT(nodecert_verify(&cert, &fault, again, &expected, other_key) ==
              ST_CERTIFICATE);
}

static const struct identity *sample_authority(void)
{
    static const uint8_t seed[SEED_SIZE] = {1};
    static struct identity identity;
    static bool made;

    if (!made)
        identity_init(&identity, seed);
    made = true;
    return &identity;
}

static void check_receipt(struct slice input)
{
    static const uint8_t cluster_id[CLUSTER_ID_SIZE] = {1};
    uint8_t again[RECEIPT_SIZE], signature[SIGNATURE_SIZE];
    struct receipt receipt;

    if (input.size != RECEIPT_SIZE ||
        receipt_decode(&receipt, input.data) != ST_OK)
        return;
    receipt_encode(again, &receipt);
    INVARIANT(slice_equal(slice_of(again, sizeof again), input));
    receipt_sign(&receipt, again, signature, cluster_id, sample_authority());
    INVARIANT(receipt_verify(&receipt, again, signature, cluster_id,
                             sample_authority()->public_key) == ST_OK);
    INVARIANT(receipt_verify(&receipt, input.data, signature, cluster_id,
                             somebody) == ST_RECEIPT);
}

/* What a node of the authority states whose statement this would be. */
static void check_stated(const struct completeness_file *file)
{
    const struct identity *authority = sample_authority();
    struct completeness_file stated = *file;
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct receipt receipt = {.index = file->size, .committed_at = 1};
    struct nodecert cert = {.role = NODECERT_SERVER, .not_after_s = 3600};
    crypto_hash_sha256_state hash;
    uint8_t numbers[16];

    identity_cluster_id(cluster_id, authority->public_key);
    memcpy(cert.cluster_id, cluster_id, CLUSTER_ID_SIZE);
    memcpy(cert.receipt_key, authority->public_key, PUBLIC_KEY_SIZE);
    crypto_hash_sha256_init(&hash);
    crypto_hash_sha256_update(&hash, file->salt, SALT_SIZE);
    store_u64(numbers, file->subject);
    store_u64(numbers + 8, file->sum.count);
    crypto_hash_sha256_update(&hash, numbers, 16);
    crypto_hash_sha256_update(&hash, file->sum.rolling, HASH_SIZE);
    store_u64(numbers, file->size);
    crypto_hash_sha256_update(&hash, numbers, 8);
    crypto_hash_sha256_final(&hash, receipt.result_hash);
    nodecert_sign(stated.certificate, &cert, authority);
    receipt_sign(&receipt, stated.receipt, stated.signature, cluster_id,
                 authority);
    INVARIANT(completeness_file_judge(&receipt, &stated,
                                      authority->public_key) == ST_OK);
    stated.size ^= 1;
    INVARIANT(completeness_file_judge(&receipt, &stated,
                                      authority->public_key) == ST_RECEIPT);
    stated.signature[0] ^= 1;
    INVARIANT(completeness_file_judge(&receipt, &stated,
                                      authority->public_key) != ST_OK);
}

static void check_completeness(struct slice input)
{
    uint8_t again[COMPLETENESS_FILE_SIZE_MAX];
    struct completeness_file file;
    struct receipt receipt;
    struct writer writer;

    if (completeness_file_read(&file, input) != ST_OK)
        return;
    writer_init(&writer, again, sizeof again);
    completeness_file_write(&writer, &file);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    INVARIANT(completeness_file_judge(&receipt, &file, somebody) != ST_OK);
    check_stated(&file);
}

static void check_genesis(struct slice input)
{
    struct op_system_genesis fields;
    struct entry entry;

    if (genesis_read(&fields, &entry, input) != ST_OK)
        return;
    INVARIANT(entry.place.index == 0 && entry.header.items_count == 1);
    INVARIANT(slice_equal(entry.bytes, input));
}

static void check_rows(struct slice input)
{
    struct slice rest = input;
    struct keyring_row row;
    uint8_t key[KEY_SIZE], again[KEYRING_ROW_SIZE];
    enum status status;

    while ((status = keyring_rows_take(&row, key, &rest)) == ST_OK) {
        const uint8_t *from = rest.data - KEYRING_ROW_SIZE;

        store_u64(again, row.number);
        store_u64(again + 8, row.owner);
        store_u64(again + 16, row.first_index);
        again[24] = (uint8_t)row.class;
        memcpy(again + 25, key, KEY_SIZE);
        INVARIANT(memcmp(again, from, sizeof again) == 0);
    }
    INVARIANT((status == ST_END) == (rest.size == 0));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice input;

    if (size < 1 || sodium_init() < 0)
        return 0;
    input = slice_of(data + 1, size - 1);
    switch (data[0] % 7) {
    case 0:
    case 1:
        check_keyfile(input, data[0] % 7 == 1);
        check_secret(input);
        break;
    case 2:
        check_certificate(input);
        break;
    case 3:
        check_receipt(input);
        break;
    case 4:
        check_completeness(input);
        break;
    case 5:
        check_genesis(input);
        break;
    case 6:
        check_rows(input);
        break;
    }
    return 0;
}
