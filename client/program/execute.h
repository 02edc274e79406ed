/*
 * execute.h: one operation typed as words, from text to answer.
 *
 *   section.get subject=1400057421 purpose=7 sections=S01+S06
 *
 * Words of the item's clear part: subject=, purpose=, as= (the number of the
 * duty's assignment), expect= (the version expected), realm=.
 * The others name the operation's fields.
 */
#ifndef DEFTER_CLIENT_PROGRAM_EXECUTE_H
#define DEFTER_CLIENT_PROGRAM_EXECUTE_H

#include "client/program/program.h"
#include "protocol/catalogue.h"

/* What words mean. */
struct execution {
    const struct operation_info *operation;
    struct defter_item item;
    uint8_t realm; /* 0: by the operation. */
    uint8_t *memory;
    size_t fields_size; /* Encoded fields at the beginning of memory. */
};

/*
 * execute_parse(execution, count, words): words[0] names the
 * operation. Gives an exit code; what is wrong has been said.  Order:
 * execute_free().
 */
int execute_parse(struct execution *execution, int count, char **words);
void execute_free(struct execution *execution);

/* The realm of the command's header. */
uint8_t execute_realm(const struct execution *execution);

/* Send it and print the answer.  Gives an exit code. */
int execute_send(struct defter *client, const struct program *program,
                 const struct execution *execution);

/* Parse, send, print, over an open client. */
int execute_words(struct defter *client, const struct program *program,
                  int count, char **words);

#endif
