/*
 * verify_kinds.h: what `defter verify` judges besides logs.
 */
#ifndef DEFTER_CLIENT_PROGRAM_VERIFY_KINDS_H
#define DEFTER_CLIENT_PROGRAM_VERIFY_KINDS_H

#include "client/program/program.h"

/*
 * verify_extract_wants(argc, argv): whether one of the words is the file of an
 * extract.  Then verify_extract_run() judges it.
 */
bool verify_extract_wants(int argc, char **argv);
int verify_extract_run(struct program *program, int argc, char **argv);

/*
 * verify_completeness_wants(argc, argv): whether --completeness or --subject is
 * among the words.  Then verify_completeness_run() takes them out, has the log
 * verified, and counts the subject's entries.
 */
bool verify_completeness_wants(int argc, char **argv);
int verify_completeness_run(struct program *program, int argc, char **argv);

#endif
