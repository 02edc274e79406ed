/*
 * signed_log.h: a small log as a node would write it, signed and attested, for
 * tests of whoever verifies logs.
 */
#ifndef DEFTER_TESTS_LIB_SIGNED_LOG_H
#define DEFTER_TESTS_LIB_SIGNED_LOG_H

#include "protocol/catalogue.h"
#include "protocol/entry.h"
#include "protocol/identity.h"
#include "protocol/nodecert.h"
#include "protocol/receipt.h"

enum {
    SIGNED_LOG_ENTRIES_MAX = 64,
    SIGNED_LOG_ENTRY_SIZE_MAX = 2048,
    SIGNED_LOG_RESULT_SIZE_MAX = 64,
    SIGNED_LOG_RECEIPT_SIZE = RECEIPT_SIZE + SIGNATURE_SIZE + NODECERT_SIZE
};

struct signed_log_entry {
    uint8_t bytes[SIGNED_LOG_ENTRY_SIZE_MAX];
    size_t size;
    uint16_t code; /* What attestations say of it. */
    uint8_t result[SIGNED_LOG_RESULT_SIZE_MAX];
    size_t result_size;
    bool has_result_hash; /* Of a result that does not fit here. */
    uint8_t result_hash[HASH_SIZE];
};

struct signed_log {
    struct identity authority;
    struct identity node;
    struct identity owner; /* The first administrator; duty 1. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    struct signed_log_entry entries[SIGNED_LOG_ENTRIES_MAX];
    size_t count;
    uint8_t leaf[HASH_SIZE]; /* Of the newest entry. */
    uint32_t epoch;
    int64_t log_time;
    uint16_t carrier;  /* Of the next entry. */
    uint64_t subject;  /* Of the next entries; 0: none. */
    uint64_t counter;  /* Of the next entries; 0: not used. */
    uint64_t attested; /* Entries below it. */
};

/* The genesis, and epoch 1. */
void signed_log_init(struct signed_log *log);

/* A deterministic key. */
void signed_log_key(struct identity *out, uint8_t number);

/* One item, open or sealed as the table says; attested as ${code}. */
struct signed_log_entry *signed_log_add(struct signed_log *log,
                                        const struct identity *signer,
                                        enum opcode opcode, uint32_t duty,
                                        const void *fields, uint16_t code);

/* system.ping by the owner, done. */
void signed_log_ping(struct signed_log *log);

/* The owner enrols ${key} with ${level}, as staff of the owner. */
void signed_log_enrol(struct signed_log *log, const struct identity *key,
                      uint64_t person, uint16_t code);

/* The node attests everything up to now. */
void signed_log_attest(struct signed_log *log);
/* Or only what is below ${size}. */
void signed_log_attest_to(struct signed_log *log, uint64_t size);

/* The leaf of entry ${index} in its attestation. */
void signed_log_outcome(const struct signed_log *log, uint8_t out[HASH_SIZE],
                        uint64_t index);

/* Write segments into ${directory}, which is there. */
void signed_log_write(const struct signed_log *log, const char *directory,
                      uint32_t segment_size);

/* The record of a client's file of receipts for entry ${index}, signed by
 * ${node}; with another leaf hash than the entry's if ${wrong_leaf}. */
void signed_log_receipt(const struct signed_log *log,
                        uint8_t record[SIGNED_LOG_RECEIPT_SIZE], uint64_t index,
                        const struct identity *node, bool wrong_leaf);

/* Root and leaf of the first ${size} entries. */
void signed_log_root(const struct signed_log *log, uint8_t out[HASH_SIZE],
                     size_t size);

/* Link the entries from ${from} on anew, as if their places were right. */
void signed_log_relink(struct signed_log *log, size_t from);

#endif
