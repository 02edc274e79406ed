/*
 * extract.h: what `defter extract` and `defter verify` share of extracts.
 */
#ifndef DEFTER_CLIENT_PROGRAM_EXTRACT_H
#define DEFTER_CLIENT_PROGRAM_EXTRACT_H

#include "client/program/program.h"
#include "protocol/extract_judge.h"

/* A file that was read.  Order: extract_load_wipe() in any case. */
struct extract_load {
    uint8_t *bytes;
    size_t size;
    uint8_t (*commitments)[HASH_SIZE];
    struct extract_file file;
    size_t line; /* Where it ceases to be an extract. */
};

/* Gives an exit code: 0; EXIT_REFUSED for a file that is no extract; EXIT_USAGE
 * if it cannot be read, and that has been said. */
int extract_load(struct extract_load *load, const char *path);
void extract_load_wipe(struct extract_load *load);

/* What an extract is judged by.  Order: extract_trust_wipe() in any case. */
struct extract_trusted {
    const char *policy_path; /* NULL: no policy. */
    bool has_authority;
    struct extract_trust trust;
    uint8_t *policy_bytes;
    struct tlog_policy policy;
};

/* The authority's key in hexadecimal; false if it is none. */
bool extract_trust_key(struct extract_trusted *trusted, const char *text);
/* Whether anything of it was named. */
bool extract_trust_is_named(const struct extract_trusted *trusted,
                            const struct program *program);
/* Fill trusted->trust: the key given or of the cluster.conf, and the policy.
 * Gives an exit code; what is wrong has been said. */
int extract_trust_take(struct extract_trusted *trusted,
                       const struct program *program);
void extract_trust_wipe(struct extract_trusted *trusted);

/* Nothing that somebody has is overwritten.  Gives an exit code. */
int extract_put_file(const char *path, const void *bytes, size_t size);

/* Fields by name, with commas between: S06, S06.class, S01.representatives.1;
 * a name stands for all that is part of it. */
struct extract_choice {
    const char *fields; /* To be shown; NULL: all. */
    const char *hidden; /* To be kept back; NULL: none. */
};

/* Write ${file} with the chosen fields to ${out}.  A name of nothing that is
 * shown is a slip, and refused.  Gives an exit code. */
int extract_choose_put(const struct extract_file *file,
                       const struct extract_choice *choice, const char *out);

/* Sections as words: S01,S06 or S01+S06; 0 if they are none. */
uint16_t extract_sections(const char *text);

#endif
