/*
 * dump.h: any bytes of this protocol as lines "name: value".
 *
 * Names are paths: "item[0].fields.addresses[1].text".  A dump goes as far as
 * the bytes make sense; what does not decode is a line that says why, with the
 * first bytes in hexadecimal.  Nothing is verified here.
 */
#ifndef DEFTER_PROTOCOL_DUMP_H
#define DEFTER_PROTOCOL_DUMP_H

#include "protocol/frame.h"
#include "protocol/schema.h"

enum { DUMP_PATH_SIZE_MAX = 160 };

/* Invariant: path_size <= DUMP_PATH_SIZE_MAX. */
struct dump {
    /* The slices are lent for the call; no control characters are in them. */
    void (*line)(void *context, struct slice name, struct slice value);
    void *context;
    bool full; /* Blobs are shown whole.  Set after dump_init(). */
    size_t path_size;
    uint8_t path[DUMP_PATH_SIZE_MAX];
};

void dump_init(struct dump *dump, void *context,
               void (*line)(void *context, struct slice name,
                            struct slice value));

/* One line per field of the struct at ${in}; lists line by line. */
void dump_struct(struct dump *dump, const struct schema *schema,
                 const void *in);

/* Bytes that should be a body of ${schema}. */
void dump_body(struct dump *dump, const struct schema *schema,
               struct slice bytes, enum schema_unknown unknown);

/* All frames of a record's plaintext; what follows a bad one is not read. */
void dump_frames(struct dump *dump, struct slice plaintext);

/* A frame whose header was read; COMMAND, ANSWER and EVENT included. */
void dump_frame(struct dump *dump, const struct frame *frame);

/* The body of a COMMAND frame. */
void dump_command(struct dump *dump, struct slice body);

/* A log entry; sealed items show their key's number and their size. */
void dump_entry(struct dump *dump, struct slice bytes);

/* The fields of an item, and of its result, by opcode. */
void dump_fields(struct dump *dump, uint16_t opcode, struct slice fields);
void dump_result(struct dump *dump, uint16_t opcode, uint16_t code,
                 struct slice result);

/* A section's record. */
void dump_record(struct dump *dump, uint32_t section, struct slice record);

/* RECEIPT_SIZE bytes and a signature. */
void dump_receipt(struct dump *dump, const uint8_t *receipt,
                  const uint8_t *signature);

/*
 * The pieces, for dumps of other things.  enter appends a name or a number to
 * the path and returns what leave needs; the others write one line under it.
 */
size_t dump_enter(struct dump *dump, const char *name);
size_t dump_enter_number(struct dump *dump, uint64_t number);
void dump_leave(struct dump *dump, size_t before);
void dump_text(struct dump *dump, const char *name, const char *text);
/* ${meaning} follows the number; it may be NULL. */
void dump_number(struct dump *dump, const char *name, uint64_t number,
                 const char *meaning);
void dump_hex(struct dump *dump, const char *name, const void *bytes,
              size_t size);
void dump_value(struct dump *dump, const char *name, enum field_kind kind,
                const void *member);
/* Why the bytes did not decode, and their beginning. */
void dump_refusal(struct dump *dump, enum status status, uint16_t tag,
                  struct slice bytes);

#endif
