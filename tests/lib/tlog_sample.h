/*
 * tlog_sample.h: the files of tests/vectors/tlog, the keys that signed them,
 * and the log of five entries that they tell of.
 */
#ifndef DEFTER_TESTS_LIB_TLOG_SAMPLE_H
#define DEFTER_TESTS_LIB_TLOG_SAMPLE_H

#include <stdio.h>
#include <string.h>

#include <check.h>
#include <sodium.h>

#include "protocol/note.h"
#include "protocol/tree.h"

enum { TLOG_FILE_SIZE_MAX = 4096, TLOG_ENTRIES = 5, TLOG_TIME_S = 1700000000 };

struct tlog_file {
    uint8_t bytes[TLOG_FILE_SIZE_MAX];
    struct slice slice;
};

static inline struct slice tlog_file_read(struct tlog_file *file,
                                          const char *name)
{
    char path[128];
    FILE *stream;
    size_t size;

    snprintf(path, sizeof path, "tests/vectors/tlog/%s", name);
    stream = fopen(path, "rb");
    ck_assert_msg(stream != NULL, "cannot open %s", path);
    size = fread(file->bytes, 1, sizeof file->bytes, stream);
    ck_assert_uint_lt(size, sizeof file->bytes);
    fclose(stream);
    file->slice = slice_of(file->bytes, size);
    return file->slice;
}

/* A key and who signs with it; seeds count up from ${first}. */
struct tlog_signer {
    struct identity identity;
    struct note_key key;
};

static inline void tlog_signer_make(struct tlog_signer *signer,
                                    const char *name, enum note_type type,
                                    uint8_t first)
{
    uint8_t seed[SEED_SIZE];

    ck_assert_int_ge(sodium_init(), 0);
    for (size_t i = 0; i < sizeof seed; i++)
        seed[i] = (uint8_t)(first + i);
    identity_init(&signer->identity, seed);
    note_key_init(&signer->key, slice_of(name, strlen(name)), type,
                  signer->identity.public_key);
}

static inline void tlog_log(struct tlog_signer *signer)
{
    tlog_signer_make(signer, "registry.example/kob-log", NOTE_ED25519, 0);
}

static inline void tlog_witness(struct tlog_signer *signer)
{
    tlog_signer_make(signer, "witness.example/archive-1", NOTE_COSIGNATURE, 32);
}

/* The leaf hash of "entry-${index}". */
static inline void tlog_leaf(uint8_t out[HASH_SIZE], unsigned index)
{
    char entry[32];
    int size = snprintf(entry, sizeof entry, "entry-%u", index);

    tree_leaf_hash(out, slice_of(entry, (size_t)size));
}

#endif
