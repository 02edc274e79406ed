/*
 * denial.h: keys that try what is not theirs, counted a civil day at a time and
 * told to the owner, whose security officers see it (R-10.1.2, R-9.2.3,
 * P-7.1.1).
 *
 * Each limit is told when it is reached, and again at ten times as many, so
 * that a flood of refusals makes no flood of notices.
 */
#ifndef DEFTER_SERVER_REGISTRY_DENIAL_H
#define DEFTER_SERVER_REGISTRY_DENIAL_H

#include "server/registry/act.h"

/*
 * denial_tried(act, code):
 * The signer was refused with ${code} what is about somebody else, or about
 * nobody: whether the subject exists makes no difference here, nor to the work
 * that is done.
 */
void denial_tried(struct act *act, enum status code);

/* What a line of journal.refused says of its session's signatures. */
void denial_refused(struct act *act, const struct refused_line *line);

#endif
