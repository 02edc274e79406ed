/*
 * hidden.h: accesses that two persons hid from a subject (access.seal_*), as
 * far as open items tell: who proposed, decided and lifted it, and when.  From
 * whom, by which law and until when is sealed in the proposal.
 */
#ifndef DEFTER_CLIENT_AUDIT_HIDDEN_H
#define DEFTER_CLIENT_AUDIT_HIDDEN_H

#include "client/audit/authority.h"
#include "client/audit/report.h"

/* Whether acts of the operation are to be told to hidden_done(). */
bool hidden_is_about(uint16_t opcode);

/*
 * hidden_done(report, act, person):
 * ${person} did ${act}, as an attestation says: note it in the report.
 *
 * Requires: hidden_is_about() of its operation.
 * Order:    acts in the order of the log.
 */
void hidden_done(struct report *report, const struct authority_act *act,
                 uint64_t person);

#endif
