/*
 * access_seal.h: accesses that a law hides from a subject for a while
 * (R-8.2.14, A-12).
 *
 *   PROPOSED --approve--> LIVE --lift--> LIFTED
 *       |                   |
 *     refuse             (until)
 *       v                   v
 *    REFUSED              ENDED
 *
 * The security officer proposes, the head of the owner decides: two persons.
 * ENDED is no state of a row: that log time has reached the end is compared
 * wherever it matters, so nothing has to happen for an access to be shown.
 *
 * A seal permits nothing: no check of a permission asks for it.  It marks the
 * reads that it covers as they are entered, never older ones, and what it has
 * marked stays marked, so that no later seal hides it for longer.
 */
#ifndef DEFTER_SERVER_REGISTRY_ACCESS_SEAL_H
#define DEFTER_SERVER_REGISTRY_ACCESS_SEAL_H

#include "server/registry/act.h"

/* As SEAL_STATES names them. */
enum seal_state {
    SEAL_PROPOSED = 1,
    SEAL_LIVE,
    SEAL_REFUSED,
    SEAL_LIFTED,
    SEAL_ENDED /* Shown only: the end has come. */
};

/* Who asked, and for which of his cases; empty: it is not known, or none. */
struct access_seal_asker {
    uint64_t person;
    struct slice file_number;
};

/* Operations about seals leave nothing in an access list. */
bool access_seal_is_about(uint16_t opcode);

/*
 * access_seal_cover(act, access, asker):
 * Mark ${access}, a row just written, with the seal that covers it, if there is
 * one: a live one of its subject that names its organisation, and its purpose
 * and case where it names such; of several the one that ends last.  Only reads
 * of the registry are covered, and none by the subject's own persons, under the
 * subject's consent, or by the two persons behind the seal.
 */
void access_seal_cover(struct act *act, const struct row_access *access,
                       struct access_seal_asker asker);

/* The seal that covers an access; false if there is none. */
bool access_seal_of(struct act *act, struct row_access_seal *seal_out,
                    const struct row_access *access);

/* Whether ${seal} hides at the act's log time what it covers. */
bool access_seal_hides(const struct act *act,
                       const struct row_access_seal *seal);

/* How many accesses of ${subject} are hidden at the act's log time. */
uint32_t access_seal_hidden(struct act *act, uint64_t subject);

/* What the proposal says in words, lent until the next item is opened; empty if
 * it was destroyed. */
void access_seal_words(struct act *act, struct op_access_seal_propose *out,
                       const struct row_access_seal *seal);

#endif
