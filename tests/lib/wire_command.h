/*
 * wire_command.h: commands and answers over a struct wire.
 *
 *   wire_command_begin(&command, cluster_id);
 *   command.header.ttl_s = 1;              what a test wants otherwise
 *   wire_command_item(&command, opcode, &fields);
 *   body = wire_command_sign(&command, &identity);
 *   wire_send_command(&wire, body);
 *   wire_answer(&wire, &answer);
 */
#ifndef DEFTER_TESTS_LIB_WIRE_COMMAND_H
#define DEFTER_TESTS_LIB_WIRE_COMMAND_H

#include "protocol/answer.h"
#include "protocol/command_build.h"
#include "protocol/receipt.h"
#include "tests/lib/wire.h"

struct wire_command {
    struct command_build build;
    struct command_header header; /* Taken as it is when signed. */
    struct item_clear clear;      /* Of the next item; opcode and size apart. */
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t buffer[FRAME_BODY_SIZE_MAX];
    uint8_t fields[FRAME_BODY_SIZE_MAX];
};

/* Realm R, a fresh idem, now, RECEIPT. */
void wire_command_begin(struct wire_command *command,
                        const uint8_t *cluster_id);
/* ${fields} is the op_ struct of ${opcode}. */
void wire_command_item(struct wire_command *command, uint16_t opcode,
                       const void *fields);
void wire_command_bytes(struct wire_command *command, uint16_t opcode,
                        struct slice fields);
/* The body; it may be changed, and lives in the command. */
struct slice wire_command_sign(struct wire_command *command,
                               const struct identity *identity);
/* A system.ping with ${text}. */
struct slice wire_command_ping(struct wire_command *command,
                               const uint8_t *cluster_id,
                               const struct identity *identity,
                               const char *text);

/* As the next request. */
void wire_send_command(struct wire *wire, struct slice body);

/* What came in answer to a command, ERROR or ANSWER. */
struct wire_answer {
    bool is_error;
    uint8_t scope; /* Of an ERROR. */
    uint16_t code;
    uint16_t tag;
    uint16_t item;
    uint32_t retry_after_ms;
    uint64_t request_id;
    bool duplicate;
    bool has_receipt;
    uint8_t receipt_bytes[RECEIPT_SIZE];
    uint8_t receipt_signature[SIGNATURE_SIZE];
    struct receipt receipt;
    size_t result_size;
    uint8_t result[4096];
};

/* PINGs of the node are passed over.  False if the node closed instead. */
bool wire_answer(struct wire *wire, struct wire_answer *answer);

#endif
