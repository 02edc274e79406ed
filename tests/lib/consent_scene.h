/*
 * consent_scene.h: a subject with sections, its person, and an institution that
 * asks, over the registry fixture.
 */
#ifndef DEFTER_TESTS_LIB_CONSENT_SCENE_H
#define DEFTER_TESTS_LIB_CONSENT_SCENE_H

#include "server/registry/consent.h"
#include "tests/lib/feeder.h"
#include "tests/lib/registry_fixture.h"

enum { SCENE_PURPOSE = 7, SCENE_PURPOSE_OTHER = 8 };
/* Personal number of the representative in good records of S01. */
#define SCENE_FIN  "7XYZ123"
#define SCENE_FILE "QRANT-2026/17"
#define SCENE_S06  (1 << 5)
#define SCENE_S08  (1 << 7)
#define SCENE_S10  (1 << 9)
#define SCENE_DAY  INT64_C(86400000000)

struct scene {
    struct fixture fixture;
    struct feeder feeder;
    uint64_t subject;           /* Legal; has S01, S06, S08 and S10. */
    struct fixture_actor owner; /* Its representative by S01. */
    uint32_t body;
    struct fixture_actor asker; /* REQ of the body. */
};

void scene_open(struct scene *scene);
void scene_close(struct scene *scene);

/* The body asks for ${sections} for 20 days; the case in ${case_out}. */
enum status scene_ask(struct scene *scene, uint32_t *case_out,
                      uint16_t sections);

/* The fields of a grant that has all the law demands. */
struct op_consent_grant scene_grant_fields(const struct scene *scene,
                                           uint32_t consent, uint16_t sections,
                                           uint16_t uses, int32_t days);
enum status scene_grant(struct scene *scene, uint32_t consent,
                        uint16_t sections, uint16_t uses, int32_t days);

/* The body reads; ${out} may be NULL. */
enum status scene_read(struct scene *scene, uint32_t consent, uint16_t sections,
                       struct result_consent_read *out);

/* A step of the subject on ${version} of the case; ${fields} as opcode's. */
enum status scene_step(struct scene *scene, uint16_t opcode, const void *fields,
                       uint64_t version);

/* The row of a case. */
struct row_consent scene_case(struct scene *scene, uint32_t consent);

#endif
