/*
 * notice.h: what the system tells an organisation (PROTOCOL, section 12.7).
 *
 * A notice is a row of its own for each recipient, made in the entry of what it
 * tells; it stays unread until somebody of the recipient acknowledges it.
 */
#ifndef DEFTER_SERVER_REGISTRY_NOTICE_H
#define DEFTER_SERVER_REGISTRY_NOTICE_H

#include "server/registry/act.h"

/* As NOTICE_KINDS names them. */
enum notice_kind {
    NOTICE_INCIDENT_OPENED = 1,
    NOTICE_INCIDENT_RESTORED,
    NOTICE_FAILOVER_REQUESTED,
    NOTICE_FAILOVER_APPROVED,
    NOTICE_FAILOVER_REFUSED,
    NOTICE_FAILOVER_ACTIVATED,
    NOTICE_ARCHIVE_CHECK_DUE,
    NOTICE_ARCHIVE_UNIT_DUE,
    NOTICE_ARCHIVE_COPY_BAD,
    NOTICE_TRIED,  /* Others' data, often. */
    NOTICE_REFUSED /* Signatures, often. */
};

/*
 * Give ${notice} (its kind, realms, and what it is about) to
 *   notice_participants   every active participant
 *   notice_coordinators   the coordinating body of each realm of it; every
 *                         active coordinating body where none is named for one
 *   notice_owner          the owner, whose staff sees it
 *
 * Returns: how many notices were made.
 */
uint32_t notice_participants(struct act *act, const struct row_notice *notice);
uint32_t notice_coordinators(struct act *act, const struct row_notice *notice);
uint32_t notice_owner(struct act *act, const struct row_notice *notice);

#endif
