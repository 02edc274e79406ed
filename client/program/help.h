/*
 * help.h: what `defter help`, `--help` and wrong usage say.
 */
#ifndef DEFTER_CLIENT_PROGRAM_HELP_H
#define DEFTER_CLIENT_PROGRAM_HELP_H

#include "client/program/program.h"
#include "protocol/catalogue.h"

/* Options, subcommands and operations, to standard output. */
void help_all(const struct program *program);

/* Where help is to be had, to standard error; gives EXIT_USAGE. */
int help_usage(void);

/* Every field that an operation takes and gives. */
void help_operation(const struct operation_info *operation, bool azerbaijani);

/*
 * help_about(program, word):
 * Help on a subcommand, an operation or a section (S01 to S13).
 * Returns: EXIT_GOOD; EXIT_USAGE if there is no such thing.
 */
int help_about(const struct program *program, const char *word);

#endif
