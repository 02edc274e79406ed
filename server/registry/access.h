/*
 * access.h: who tried to see a subject's data, and why.
 *
 * A view over the journal that the subject can page through: every read, every
 * step of a consent case, and what was refused to others.
 */
#ifndef DEFTER_SERVER_REGISTRY_ACCESS_H
#define DEFTER_SERVER_REGISTRY_ACCESS_H

#include "server/registry/act.h"

/*
 * access_note(act, code):
 * Write the access row that the item just decided as ${code} leaves, if it
 * leaves one, and count what was refused to others (denial.h).  No row is
 * written about a subject that does not exist, about what the node itself does,
 * and about what bodies feed.
 */
void access_note(struct act *act, enum status code);

/* Write the row of an item that was done and undone with its batch, if it would
 * have left one: that it was tried is not undone. */
void access_note_undone(struct act *act);

/* Write the row of one ${subject} that a search shows, while it is decided. */
void access_note_found(struct act *act, uint64_t subject);

/* Write the row of one line of journal.refused, if its subject exists. */
void access_note_refused(struct act *act, const struct refused_line *line,
                         uint16_t position);

#endif
