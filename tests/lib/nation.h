/*
 * nation.h: the subjects of a fixture of national size.
 *
 * Subject k of seed s is always the same, whatever was made before it.  Shares
 * as they were counted in the country: 87 % individuals; 97 % micro, 2.1 %
 * small and 0.8 % medium; 49 % in Baku.  Nobody in it exists.
 */
#ifndef DEFTER_TESTS_LIB_NATION_H
#define DEFTER_TESTS_LIB_NATION_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "protocol/limits.h"
#include "tests/lib/random.h"

enum {
    NATION_SUBJECTS_MAX = 5000000,
    NATION_PEOPLE_EACH = 4, /* Persons a subject may name. */
    NATION_TODAY = 20269,   /* 2025-06-30: nothing in it is younger. */
    NATION_TEXT_SIZE = 192,
    FIN_DIGITS = 7
};

enum nation_class { NATION_MICRO = 1, NATION_SMALL, NATION_MEDIUM };

struct nation_person {
    char surname[64];
    char given[64];
    char patronymic[64];
    char fin[FIN_DIGITS + 1];
    bool woman;
};

struct nation_subject {
    uint64_t number;
    uint64_t voen;
    bool legal;
    enum nation_class class;
    uint32_t territory;          /* First two digits of the VOEN. */
    struct nation_person person; /* The individual, or the head. */
    char company[NATION_TEXT_SIZE];
    char address[NATION_TEXT_SIZE];
    char phone[16];
    char email[64];
    int32_t registered; /* Day. */
    struct random random;
};

void nation_subject(struct nation_subject *out, uint64_t seed, uint64_t number);

/* Person ${which} of the subject; 0 is the subject's own. */
void nation_person(struct nation_person *out, struct nation_subject *subject,
                   uint32_t which);

/* What a record of it needs; every text is free of JSON's own signs. */
struct nation_writer {
    FILE *out;
    FILE *names;          /* Personal texts a line each; NULL: none. */
    const char *provider; /* Who evaluates (S11). */
    uint32_t bad;         /* Records in a thousand that are refused. */
    uint64_t lines;
};

/* nation_records.c: all records of a subject, a line of JSON each. */
void nation_records(struct nation_writer *writer,
                    struct nation_subject *subject);

/* nation_lists.c: the members of S07 and of S09 to S13. */
void nation_licence(FILE *out, struct nation_subject *subject);
void nation_inspection(FILE *out, struct nation_subject *subject);
void nation_support(FILE *out, struct nation_subject *subject);
void nation_evaluation(FILE *out, struct nation_subject *subject,
                       const char *provider);
void nation_other(FILE *out, struct nation_subject *subject);
void nation_service(FILE *out, struct nation_subject *subject);

/* ,"name":"2024-01-31" */
void nation_date(FILE *out, const char *name, int32_t day);
/* ,"name":"12.34" */
void nation_money(FILE *out, const char *name, int64_t qepik);

#endif
