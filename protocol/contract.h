/*
 * contract.h: what a programmer promises, checked in every build.
 *
 * REQUIRE at entry, ENSURE at exit, INVARIANT inside.  A contract that does not
 * hold is a mistake in this program: the process stops at once, before it can
 * acknowledge anything built on the mistake.  Bytes from outside (a peer, a
 * disk, a user) are never judged by a contract; they are judged by a status.
 */
#ifndef DEFTER_PROTOCOL_CONTRACT_H
#define DEFTER_PROTOCOL_CONTRACT_H

#include <stdbool.h>

#define NODISCARD __attribute__((warn_unused_result))

/* Prints kind, condition, file and line to standard error, then aborts. */
__attribute__((noreturn, cold)) void contract_broken(const char *kind,
                                                     const char *condition,
                                                     const char *file,
                                                     int line);

#define CONTRACT_CHECK(kind, condition) \
    ((condition) ? (void)0              \
                 : contract_broken(kind, #condition, __FILE__, __LINE__))

#define REQUIRE(condition)   CONTRACT_CHECK("REQUIRE", condition)
#define ENSURE(condition)    CONTRACT_CHECK("ENSURE", condition)
#define INVARIANT(condition) CONTRACT_CHECK("INVARIANT", condition)

/* Documents that both truth values are expected here. */
#define MAYBE(condition) ((void)(condition))

#define IMPLIES(premise, conclusion) (!(premise) || (conclusion))

#endif
