/*
 * seal_scene.h: a consent scene with the people who seal accesses, one who
 * reads, and one who looks; one at a time.
 */
#ifndef DEFTER_TESTS_LIB_SEAL_SCENE_H
#define DEFTER_TESTS_LIB_SEAL_SCENE_H

#include "server/registry/access_seal.h"
#include "tests/lib/consent_scene.h"

#define SEAL_CASE "CIN-2026/4"
#define SEAL_LAW  "ƏAF haqqında Qanun, 17-ci maddə"

enum { SEAL_SCENE_DAYS = 30 };

extern struct scene scene;
extern struct fixture *const fixture;  /* The scene's. */
extern struct fixture_actor guard;     /* SEC */
extern struct fixture_actor head;      /* DIR */
extern struct fixture_actor auditor;   /* AUD */
extern struct fixture_actor registrar; /* REG */

/* What a page of the access list showed. */
struct seen {
    uint32_t hidden;
    uint32_t accesses;
    uint32_t sealed;
    uint32_t seals;
    uint64_t next;
    struct access_row newest;
    struct sealed_access mark; /* The newest. */
    struct seal_basis basis;   /* Of the first seal. */
    char law[300];
};

void seal_begin(void);
void seal_end(void);

/* Of the owner's reads for SEAL_CASE, for SEAL_SCENE_DAYS. */
struct op_access_seal_propose seal_proposal(void);
enum status seal_propose(const struct op_access_seal_propose *in,
                         uint32_t *seal_out);
/* Approve, refuse or lift. */
enum status seal_step(const struct fixture_actor *actor, uint16_t opcode,
                      uint32_t seal);
/* Proposed and approved; its number. */
uint32_t seal_by(const struct op_access_seal_propose *in);
uint32_t seal_live(void);

/* Read S06 of the subject for a case. */
enum status seal_read(const struct fixture_actor *actor, const char *file);

/* The access list, as one sees it; a look is itself an access. */
struct seen seal_look(const struct fixture_actor *actor);
struct seen seal_look_in(const struct fixture_actor *actor,
                         struct op_access_list in);

#endif
