/*
 * verify_tiles.h: the verdict on a tiles tree (c2sp.org/tlog-tiles): its entry
 * bundles are a log, its hash tiles are theirs, and its checkpoint covers them.
 */
#ifndef DEFTER_CLIENT_AUDIT_VERIFY_TILES_H
#define DEFTER_CLIENT_AUDIT_VERIFY_TILES_H

#include "client/audit/verify.h"

/* See verify_given(). */
NODISCARD enum status verify_tiles(struct report *report_out,
                                   const struct verify_options *options);

#endif
