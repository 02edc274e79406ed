/*
 * tags.h: the domain tags (PROTOCOL, section 8).
 *
 * Whatever this project hashes under a key or signs begins with one of these
 * tags, so bytes made for one purpose never pass for another.  A function that
 * signs takes the tag from this enumeration, never as a pointer.
 */
#ifndef DEFTER_PROTOCOL_TAGS_H
#define DEFTER_PROTOCOL_TAGS_H

#include <stdint.h>

#include "protocol/limits.h"

/*
 * Permanent: a retired tag is marked here and never used again.
 * DFT1/chain and DFT1/checkpoint were retired before their first use.
 */
#define TAGS_LIST(X)               \
    X(CLUSTER, "DFT1/cluster")     \
    X(KEY, "DFT1/key")             \
    X(ITEM, "DFT1/item")           \
    X(NODECERT, "DFT1/nodecert")   \
    X(AUTH, "DFT1/auth")           \
    X(PWAUTH, "DFT1/pwauth")       \
    X(PWNAME, "DFT1/pwname")       \
    X(PWSALT, "DFT1/pwsalt")       \
    X(PWWRAP, "DFT1/pwwrap")       \
    X(COMMAND, "DFT1/command")     \
    X(CMDHASH, "DFT1/cmdhash")     \
    X(RECEIPT, "DFT1/receipt")     \
    X(RESULT, "DFT1/result")       \
    X(EXTRACT, "DFT1/extract")     \
    X(ENROL, "DFT1/enrol")         \
    X(FIN, "DFT1/fin")             \
    X(FILE, "DFT1/file")           \
    X(PERSON, "DFT1/person")       \
    X(SNAPSHOT, "DFT1/snapshot")   \
    X(CERT, "DFT1/cert")           \
    X(WITNESS, "DFT1/witness")     \
    X(STATEMENT, "DFT1/statement") \
    X(COMPLETE, "DFT1/complete")   \
    X(CONFIG, "DFT1/config")

#define TAGS_ENUM(name, text) TAG_##name,
enum tag { TAGS_LIST(TAGS_ENUM) TAGS_COUNT };
#undef TAGS_ENUM

/*
 * tags_bytes(tag):
 * The TAG_SIZE bytes of ${tag}: its ASCII text, padded with zeros.
 *
 * Requires: tag < TAGS_COUNT.
 */
const uint8_t *tags_bytes(enum tag tag);

#endif
