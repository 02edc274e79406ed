/*
 * node_log.h: a log of two nodes, first and second, and what the verifier
 * says of it; of one test alone.
 */
#ifndef DEFTER_TESTS_UNIT_AUDIT_NODE_LOG_H
#define DEFTER_TESTS_UNIT_AUDIT_NODE_LOG_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

#include "client/audit/verify.h"
#include "protocol/checkpoint.h"
#include "protocol/enrol.h"
#include "tests/lib/signed_log.h"
#include "tests/lib/suite.h"

enum { TEST_SEGMENT_SIZE = 64 * 1024, TEST_DUTY_ADM = 1 };

static struct signed_log made;
static struct identity first, second;
static struct report report;
static uint8_t receipt[SIGNED_LOG_RECEIPT_SIZE];
static bool has_receipt;
static uint8_t note[1024]; /* A checkpoint. */
static size_t note_size;   /* 0: none. */
static bool note_is_own;   /* The node's; else it is given. */

static inline void setup(void)
{
    ck_assert_int_ge(sodium_init(), 0);
    signed_log_init(&made);
    has_receipt = false;
    note_size = 0;
    first = made.node;
    signed_log_key(&second, 0x52);
}

/* A checkpoint of the log as it is, of a lineage if ${suffix} is not "". */
static inline void sign_note(const char *suffix)
{
    char origin[32];
    struct checkpoint checkpoint = {.size = made.count};
    struct note_key key;
    struct writer writer;

    (void)snprintf(origin, sizeof origin, "test%s", suffix);
    checkpoint.origin = slice_of(origin, strlen(origin));
    signed_log_root(&made, checkpoint.root, made.count);
    note_key_init(&key, checkpoint.origin, NOTE_ED25519,
                  made.authority.public_key);
    writer_init(&writer, note, sizeof note);
    checkpoint_sign(&writer, &checkpoint, &key, &made.authority);
    ck_assert_int_eq(writer.status, ST_OK);
    note_size = writer.used;
}

static inline void write_bytes(const char *path, const void *bytes, size_t size)
{
    FILE *file = fopen(path, "wb");

    ck_assert_ptr_nonnull(file);
    ck_assert_uint_eq(fwrite(bytes, 1, size, file), size);
    fclose(file);
}

static inline void judge(void)
{
    char directory[] = "/tmp/defter-audit-XXXXXX";
    struct verify_options options = {.directory = directory, .threads = 2};
    char path[sizeof directory + 16], checkpoint[sizeof directory + 16];
    char command[sizeof directory + 16];

    ck_assert_ptr_nonnull(mkdtemp(directory));
    (void)snprintf(path, sizeof path, "%s/log", directory);
    ck_assert_int_eq(mkdir(path, 0700), 0);
    signed_log_write(&made, path, TEST_SEGMENT_SIZE);
    (void)snprintf(path, sizeof path, "%s/receipts", directory);
    if (has_receipt) {
        write_bytes(path, receipt, sizeof receipt);
        options.receipts = path;
    }
    (void)snprintf(checkpoint, sizeof checkpoint, "%s/%s", directory,
                   note_is_own ? "checkpoint" : "given");
    if (note_size > 0)
        write_bytes(checkpoint, note, note_size);
    if (note_size > 0 && !note_is_own)
        options.checkpoint = checkpoint;
    options.has_head = true;
    options.head_size = made.count;
    signed_log_root(&made, options.head_root, made.count);
    ck_assert_int_eq(verify_log(&report, &options), ST_OK);
    (void)snprintf(command, sizeof command, "rm -r %s", directory);
    ck_assert_int_eq(system(command), 0);
}

static inline void expect_good(void)
{
    judge();
    ck_assert_msg(!report.fault.found, "entry %llu: %s",
                  (unsigned long long)report.fault.index, report.fault.what);
    ck_assert_int_eq(report.verdict, REPORT_GOOD);
}

static inline void expect_tampered(uint64_t index, const char *what)
{
    judge();
    ck_assert(report.fault.found);
    ck_assert_msg(strstr(report.fault.what, what) != NULL, "%s",
                  report.fault.what);
    ck_assert_uint_eq(report.fault.index, index);
    ck_assert_int_eq(report.verdict, REPORT_TAMPERED);
}

static inline void expect_claimed(void)
{
    judge();
    ck_assert_msg(!report.fault.found, "%s", report.fault.what);
    ck_assert_int_eq(report.verdict, REPORT_INCOMPLETE);
    ck_assert_uint_eq(report.reasons, 1U << REPORT_REASON_TERM);
}

/* The owner enrols ${node}, which cosigns unless ${cosigner} is NULL; the
 * item's outcome is ${code}. */
static inline void enrol_as(const struct identity *node, uint8_t number,
                            uint8_t role, bool proven, uint16_t code,
                            const struct identity *cosigner)
{
    struct enrol_claim claim = {.role = (uint16_t)(ENROL_NODE_ROLES + role),
                                .level = 3};
    struct op_node_enrol fields = {.node_id = {{number}},
                                   .label = slice_of("b", 1),
                                   .role = role,
                                   .channel_key = {{7}},
                                   .basis = {{1}}};
    struct signed_log_entry *entry;

    memcpy(fields.receipt_key.b, node->public_key, PUBLIC_KEY_SIZE);
    if (cosigner != NULL) {
        fields.has_cosigner_key = true;
        memcpy(fields.cosigner_key.b, cosigner->public_key, PUBLIC_KEY_SIZE);
    }
    if (proven)
        enrol_prove(fields.proof.b, &claim, made.cluster_id, node);
    entry = signed_log_add(&made, &made.owner, OPCODE_NODE_ENROL, TEST_DUTY_ADM,
                           &fields, code);
    if (code == ST_OK) {
        memcpy(entry->result, node->key_id, KEY_ID_SIZE);
        entry->result_size = KEY_ID_SIZE;
    }
}

static inline void enrol(uint8_t role, bool proven, uint16_t code)
{
    enrol_as(&second, 2, role, proven, code, NULL);
}

static inline void begin_epoch(const struct identity *node)
{
    struct op_system_epoch fields = {.epoch = ++made.epoch};

    signed_log_add(&made, node, OPCODE_SYSTEM_EPOCH, 0, &fields, ST_OK);
    made.node = *node; /* Who attests from here on. */
}

/* ${node} begins a term, which is refused, and attests that itself: servers
 * refuse that as well, unless it was primary before. */
static inline void begin_refused(const struct identity *node,
                                 uint16_t attest_code)
{
    struct op_system_epoch fields = {.epoch = ++made.epoch};
    uint64_t attested = made.attested;

    signed_log_add(&made, node, OPCODE_SYSTEM_EPOCH, 0, &fields, ST_BAD_FIELD);
    made.node = *node;
    signed_log_attest(&made);
    made.entries[made.count - 1].code = attest_code;
    if (attest_code != ST_OK)
        made.attested = attested;
}

static inline void ping(uint16_t code)
{
    struct op_system_ping fields = {.text = slice_of("x", 1)};
    struct signed_log_entry *entry = signed_log_add(
        &made, &made.owner, OPCODE_SYSTEM_PING, TEST_DUTY_ADM, &fields, code);

    if (code == ST_OK) {
        store_u64(entry->result, made.count - 1);
        entry->result_size = 8;
    }
}

static inline void activate(enum operation_realm realm)
{
    struct op_failover_activate fields = {
        .for_realm = realm == OP_REALM_R ? 2 : 1, .epoch = made.epoch};
    struct signed_log_entry *entry = signed_log_add(
        &made, &made.node, OPCODE_FAILOVER_ACTIVATE, 0, &fields, ST_OK);

    store_u32(entry->result, 1);
    entry->result_size = 4;
}

#endif
