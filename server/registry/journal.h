/*
 * journal.h: whose eyes the journal is open to.
 */
#ifndef DEFTER_SERVER_REGISTRY_JOURNAL_H
#define DEFTER_SERVER_REGISTRY_JOURNAL_H

#include "server/registry/act.h"

/*
 * journal_visible(act):
 * Categories whose entries the act's signer may read, bit 0 = J1: an auditor
 * what his assignment says (nothing said: all), security its own, operations
 * what concerns machines.
 */
uint16_t journal_visible(const struct act *act);

#endif
