/*
 * verify_kinds.h: what `defter verify` judges besides logs.
 */
#ifndef DEFTER_CLIENT_PROGRAM_VERIFY_KINDS_H
#define DEFTER_CLIENT_PROGRAM_VERIFY_KINDS_H

#include "client/program/program.h"

struct report;
struct verify_options;

/*
 * verify_words(report_out, program, argc, argv): judge what the words name, as
 * `defter verify` does, and say nothing.  Gives EXIT_GOOD whatever the verdict
 * is; EXIT_USAGE or EXIT_REFUSED if nothing was judged, and that has been said.
 */
int verify_words(struct report *report_out, struct program *program, int argc,
                 char **argv);

/* Why verify_given(), or whatever else judges by the same options, judged
 * nothing; gives the exit code. */
int verify_unjudged(const struct verify_options *options,
                    const struct report *report, enum status status);

/* Say what was found, as text or JSON; gives the verdict's exit code. */
int verify_say(const struct program *program, const struct report *report);

/*
 * verify_extract_wants(argc, argv): whether one of the words is the file of an
 * extract.  Then verify_extract_run() judges it.
 */
bool verify_extract_wants(int argc, char **argv);
int verify_extract_run(struct program *program, int argc, char **argv);

/*
 * verify_completeness_wants(argc, argv): whether --completeness or --subject is
 * among the words.  Then verify_completeness_run() takes them out, counts the
 * subject's entries, and has the log verified; both are one report.
 */
bool verify_completeness_wants(int argc, char **argv);
int verify_completeness_run(struct program *program, int argc, char **argv);

#endif
