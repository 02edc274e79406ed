/*
 * primitives.h: whether the cryptographic library that is loaded computes what
 * this protocol means, by known answers.
 *
 * A library is another one than the tests ran with whenever somebody upgrades
 * it.  What it must refuse counts as much as what it must compute: two nodes
 * whose libraries judge one signature differently would come to two states from
 * one log.
 */
#ifndef DEFTER_PROTOCOL_PRIMITIVES_H
#define DEFTER_PROTOCOL_PRIMITIVES_H

#include "protocol/contract.h"
#include "protocol/status.h"

/*
 * primitives_check(wrong_out):
 * Try each primitive; takes a few milliseconds.
 *
 * Order:   after sodium_init().
 * Returns: ST_OK; ST_INTERNAL, and ${*wrong_out} names the first that is wrong
 *          and what is wrong with it, for people; lent for ever.
 */
NODISCARD enum status primitives_check(const char **wrong_out);

#endif
