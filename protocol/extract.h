/*
 * extract.h: what a signed extract commits to (EXTRACT, sections 2 and 3).
 *
 * Every field of every section that an extract covers is one disclosure: two
 * lines of text, that of the section and that of the field, behind a salt that
 * only the extract's holder gets.  What the node signs is the sorted list of
 * their commitments, so that each can be shown or kept back by itself.
 *
 *   salt       = first 16 bytes of HMAC-SHA-256(seal key of the item,
 *                T("DFT1/extract") ‖ u64 index ‖ u16 item ‖ u32 number)
 *   commitment = SHA-256(T("DFT1/extract") ‖ u8 1 ‖ salt ‖ line of the section
 *                ‖ "\n" ‖ line of the field)
 *   root       = SHA-256(T("DFT1/extract") ‖ u8 2 ‖ u32 count ‖ commitments)
 *
 * number counts the disclosures of an extract from 0, in the order in which
 * they are made.  The root is known to holders alone, and is what they show
 * when they ask whether the extract is still what holds.
 */
#ifndef DEFTER_PROTOCOL_EXTRACT_H
#define DEFTER_PROTOCOL_EXTRACT_H

#include <stdint.h>

#include "protocol/bytes.h"
#include "protocol/limits.h"

/* Wipe nothing, lend nothing: all of these are pure. */
void extract_salt(uint8_t out[SALT_SIZE], const uint8_t key[KEY_SIZE],
                  uint64_t index, uint16_t item, uint32_t number);

void extract_commit(uint8_t out[HASH_SIZE], const uint8_t salt[SALT_SIZE],
                    struct slice section_line, struct slice field_line);

/*
 * extract_root(out, commitments, count):
 * Requires: ${commitments} are sorted and none is there twice.
 */
void extract_root(uint8_t out[HASH_SIZE],
                  const uint8_t (*commitments)[HASH_SIZE], uint32_t count);

/* ---- Lines ------------------------------------------------------------- */

/* How the record of a section came; 0: there is none. */
enum extract_path {
    EXTRACT_NONE = 0,
    EXTRACT_EHIS = 1,
    EXTRACT_SUBMISSION = 2,
    EXTRACT_OWNER = 3,
    EXTRACT_SELF = 4,
    EXTRACT_PATHS_COUNT
};

/*
 * Whose record it is, of when, and in which version.
 * Invariants: of a path EXTRACT_NONE only the section is set; source is 0 and
 * without a name exactly where the path is EXTRACT_SELF.
 */
struct extract_section {
    uint8_t section; /* 1 to SECTIONS_COUNT. */
    enum extract_path path;
    uint64_t version; /* From 1. */
    int32_t as_of;
    int64_t received;
    uint16_t flags;
    uint32_t source; /* Organisation. */
    struct slice source_name;
};

/*
 * extract_section_write(writer, section):
 *   S07 EHIS 12 2026-08-11 2026-08-17T09:00:00.000000Z 8 5 Name of the body
 *   S05 self 2 2026-08-11 2026-08-17T09:00:00.000000Z 0 0
 *   S12 none
 * Section, path, version, state of, received, flags, source and its name,
 * without a "\n".
 *
 * Requires: the invariants; dates that dates.h can write; a version and a
 *           source within 63 and 32 bits; a name that text_valid() takes.
 */
void extract_section_write(struct writer *writer,
                           const struct extract_section *section);

/*
 * extract_section_read(section_out, line):
 * Returns: ST_OK; ST_FILE_FORMAT for anything but the one way to write it.
 * Owns:    ${*section_out} borrows from ${line}.
 */
NODISCARD enum status extract_section_read(struct extract_section *section_out,
                                           struct slice line);

/* The word of a line: "EHIS", or "none". */
const char *extract_path_name(enum extract_path path);

/*
 * What stands in the line of a field: path, kind and value, with one blank in
 * between.
 *
 *   representatives list 2                  how many elements follow
 *   representatives.1.surname text Quliyeva
 *   representatives.1.patronymic empty      a text or blob of no bytes
 *   issued date 2019-04-12
 *   valid_to number 0
 *   . state given                           of the section: given or none
 */
#define EXTRACT_KINDS(X) \
    X(STATE, "state")    \
    X(TEXT, "text")      \
    X(EMPTY, "empty")    \
    X(NUMBER, "number")  \
    X(DATE, "date")      \
    X(TIME, "time")      \
    X(HEX, "hex")        \
    X(LIST, "list")

#define EXTRACT_KIND_ENUM(name, word) EXTRACT_##name,
enum extract_kind { EXTRACT_KINDS(EXTRACT_KIND_ENUM) EXTRACT_KINDS_COUNT };
#undef EXTRACT_KIND_ENUM

struct extract_field {
    struct slice path; /* [a-z0-9_.] */
    enum extract_kind kind;
    struct slice value; /* Empty of EXTRACT_EMPTY alone. */
};

void extract_field_write(struct writer *writer,
                         const struct extract_field *field);

/*
 * extract_field_read(field_out, line):
 * Returns: ST_OK; ST_FILE_FORMAT for anything but the one way to write it.
 * Owns:    ${*field_out} borrows from ${line}.
 */
NODISCARD enum status extract_field_read(struct extract_field *field_out,
                                         struct slice line);

#endif
