/*
 * verify_extract.h: the verdict on an extract, as text and as JSON: what the
 * file shows by itself, and what the registry said where it was asked.
 */
#ifndef DEFTER_CLIENT_PROGRAM_VERIFY_EXTRACT_H
#define DEFTER_CLIENT_PROGRAM_VERIFY_EXTRACT_H

#include "client/program/extract.h"

enum { VERIFY_EXTRACT_WHY_SIZE = 512 };

/* What asking the registry gave. */
struct verify_extract_online {
    bool is_wished;
    bool was_asked;
    int code;                          /* Of the answer. */
    uint16_t superseded;               /* Sections. */
    char why[VERIFY_EXTRACT_WHY_SIZE]; /* It was wished, and not asked. */
};

/* X(name, exit code, what JSON calls it): all that can be said of one. */
#define VERIFY_EXTRACT_SAID(X)              \
    X(TRUE, GOOD, "true")                   \
    X(TAMPERED, REFUSED, "tampered")        \
    X(INCOMPLETE, INCOMPLETE, "incomplete") \
    X(SUPERSEDED, INCOMPLETE, "superseded") \
    X(ERASED, INCOMPLETE, "erased")         \
    X(UNKNOWN, REFUSED, "unknown")

/* Say the verdict.  Gives the exit code, which is that of the word that JSON
 * has. */
int verify_extract_say(const struct program *program,
                       const struct extract_load *load,
                       struct extract_report *report,
                       const struct verify_extract_online *online);

/* The same of a file that does not read as an extract. */
int verify_extract_say_unread(const struct program *program,
                              const struct extract_load *load);

#endif
