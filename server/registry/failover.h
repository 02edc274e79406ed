/*
 * failover.h: by whose order the backup centre starts (P-6.1.4, R-8.2.5).
 *
 *   PROPOSED --second person--> REQUESTED --approve--> APPROVED
 *       |                          |   |                  |
 *       `---------refuse-----------'   `----activate------'
 *              v                             v
 *           REFUSED       ACTIVATED --verify--> VERIFIED --close--> CLOSED
 *
 * In realm P one person of the owner asks and nobody need approve: the operator
 * himself ensures that the backup centre starts.  In realm R an operator and
 * the head ask together, and only the coordinating body's approval, or a
 * standing order that it gave in advance, lets the node activate.  A standing
 * order that is not automatic stands for the approval, not for the request.
 *
 * Guards compare log time: an order is dead once its time is over.
 */
#ifndef DEFTER_SERVER_REGISTRY_FAILOVER_H
#define DEFTER_SERVER_REGISTRY_FAILOVER_H

#include "server/registry/act.h"
#include "server/registry/continuity.h"

enum failover_kind { FAILOVER_REAL = 1, FAILOVER_PLANNED, FAILOVER_DRILL };

enum failover_state {
    FAILOVER_PROPOSED = 1,
    FAILOVER_REQUESTED,
    FAILOVER_APPROVED,
    FAILOVER_REFUSED,
    FAILOVER_ACTIVATED,
    FAILOVER_VERIFIED,
    FAILOVER_CLOSED,
    FAILOVER_EXPIRED /* Shown only: the time is over. */
};

enum standing_state {
    STANDING_LIVE = 1,
    STANDING_REVOKED,
    STANDING_USED_UP,
    STANDING_EXPIRED /* Shown only. */
};

/* By what an activation is covered; zeros: by nothing that was asked. */
struct failover_cover {
    uint32_t failover;
    uint32_t standing;
};

/*
 * failover_find_cover(state, cover_out, realm, now):
 * What covers the activation that ${realm} waits for.  In realm P there is
 * always something, if only zeros.
 *
 * Requires: ${realm} waits.
 * Returns:  whether it may be activated.
 */
bool failover_find_cover(struct state *state, struct failover_cover *cover_out,
                         const struct row_realm *realm, int64_t now);

/*
 * failover_covers(state, realm, cover, now):
 * Returns: ST_OK; ST_NO_SUCH for a number that names nothing; ST_NO_BASIS.
 */
NODISCARD enum status failover_covers(struct state *state,
                                      const struct row_realm *realm,
                                      const struct failover_cover *cover,
                                      int64_t now);

/* What has to be entered before ${realm} may be activated. */
enum failover_lack {
    FAILOVER_LACKS_NOTHING, /* It is served, or will be in a moment. */
    FAILOVER_LACKS_REQUEST, /* failover.request, and then perhaps an approval */
    FAILOVER_LACKS_APPROVAL, /* failover.approve */
};

/* Of a realm that the cluster does not serve: nothing. */
enum failover_lack failover_lack(struct state *state, uint8_t realm,
                                 int64_t now);

/* Whether a live order says that ${node} is to become primary as planned: its
 * kind, or FAILOVER_REAL. */
enum failover_kind failover_planned(struct state *state,
                                    const struct bytes16 *node, int64_t now);

/* Whether the signer decides on the realm: DIR on P, the realm's coordinating
 * body on R. */
bool failover_may_decide(struct act *act, uint8_t realm);

/* A node that may become primary, or zeros for any. */
bool failover_target_fits(struct state *state, const struct bytes16 *node);

/* Whether the standing order holds for ${node} in ${realm} at ${now}. */
bool standing_holds(const struct row_standing *row, uint8_t realm,
                    const struct bytes16 *node, int64_t now);

#endif
