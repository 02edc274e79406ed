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

static void check_certificate(struct slice input)
{
    static const uint8_t seed[SEED_SIZE] = {1};
    struct nodecert_expected expected = {.role = NODECERT_SERVER};
    uint8_t again[NODECERT_SIZE];
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
}

static void check_receipt(struct slice input)
{
    uint8_t again[RECEIPT_SIZE];
    struct receipt receipt;

    if (input.size != RECEIPT_SIZE ||
        receipt_decode(&receipt, input.data) != ST_OK)
        return;
    receipt_encode(again, &receipt);
    INVARIANT(slice_equal(slice_of(again, sizeof again), input));
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
