/*
 * verify_proof.h: the verdict on a file that proves one entry
 * (c2sp.org/tlog-proof).
 */
#ifndef DEFTER_CLIENT_AUDIT_VERIFY_PROOF_H
#define DEFTER_CLIENT_AUDIT_VERIFY_PROOF_H

#include "client/audit/verify.h"

/* See verify_given().  ST_NO_FILE also if the file is no proof at all: neither
 * its name nor its first line says that it is one. */
NODISCARD enum status verify_proof(struct report *report_out,
                                   const struct verify_options *options);

#endif
