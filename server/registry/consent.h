/*
 * consent.h: consent cases, each for one asker, subject, purpose and file
 * (R-4.3, R-9.1.3, R-10.1.6, R-10.1.7).
 *
 *            .--refuse--> REFUSED      .--last use--> SPENT
 *   ASKED --+--withdraw-> WITHDRAWN   |--revoke----> REVOKED
 *            |--lapse---> LAPSED      |--end-------> ENDED
 *            `--grant---> GRANTED ----'
 *
 * All but ASKED and GRANTED are final.  Guards compare log time, so a case is
 * dead when its time is over, before the node enters consent.lapse or .end.
 */
#ifndef DEFTER_SERVER_REGISTRY_CONSENT_H
#define DEFTER_SERVER_REGISTRY_CONSENT_H

#include "server/registry/act.h"

enum consent_state {
    CONSENT_ASKED = 1,
    CONSENT_GRANTED,
    CONSENT_REFUSED,
    CONSENT_WITHDRAWN,
    CONSENT_LAPSED,
    CONSENT_SPENT,
    CONSENT_REVOKED,
    CONSENT_ENDED
};

enum consent_operation {
    CONSENT_VIEW = 1,
    CONSENT_COPY = 2,
    CONSENT_EXTRACT = 4
};

/*
 * consent_check(act, row_out, consent, sections, file_number):
 * Whether the signer may view ${sections} of act->subject under the case
 * ${consent}.  Notes in the act, for the access list, what was tried.
 *
 * Returns: ST_OK; ST_NO_PURPOSE if the item names no purpose or no file;
 *          ST_NO_GRANT for whatever else is missing, a case that does not exist
 *          included, so that the answer tells nothing.
 */
NODISCARD enum status consent_check(struct act *act,
                                    struct row_consent *row_out,
                                    uint32_t consent, uint16_t sections,
                                    struct slice file_number);

/* Count one use; the last one spends the case.  Order: after consent_check()
 * said ST_OK and nothing else can refuse the item. */
void consent_use(struct act *act, struct row_consent *row);

/* The subject was closed or left the scope: what it granted ends now. */
void consent_subject_left(struct act *act, uint64_t subject);

/* A case whose time is over, and the operation that the node has to enter. */
struct consent_due {
    uint32_t consent;
    uint16_t opcode; /* OPCODE_CONSENT_LAPSE or OPCODE_CONSENT_END. */
};

/*
 * consent_due(state, due_out, due_max, now):
 * The first ${due_max} cases whose time is over at ${now}.
 *
 * Returns: how many there are in ${due_out}.
 */
uint32_t consent_due(struct state *state, struct consent_due *due_out,
                     uint32_t due_max, int64_t now);

#endif
