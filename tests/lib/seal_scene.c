#include "tests/lib/seal_scene.h"

#include <string.h>

#include <check.h>

#include "protocol/dates.h"

struct scene scene;
struct fixture *const fixture = &scene.fixture;
struct fixture_actor guard, head, auditor, registrar;

void seal_begin(void)
{
    scene_open(&scene);
    fixture_staff(fixture, &guard, DUTY_SEC);
    fixture_staff(fixture, &head, DUTY_DIR);
    fixture_staff(fixture, &auditor, DUTY_AUD);
    fixture_staff(fixture, &registrar, DUTY_REG);
}

void seal_end(void)
{
    scene_close(&scene);
}

struct op_access_seal_propose seal_proposal(void)
{
    return (struct op_access_seal_propose){
        .subject = scene.subject,
        .organisation = FIXTURE_OWNER,
        .file_number = fixture_text(SEAL_CASE),
        .until = fixture->log_time + SEAL_SCENE_DAYS * DATES_US_PER_DAY,
        .legal_basis = fixture_text(SEAL_LAW),
        .basis = fixture_digest(7)};
}

enum status seal_propose(const struct op_access_seal_propose *in,
                         uint32_t *seal_out)
{
    struct result_access_seal_propose out = {.seal = 0};
    enum status code = fixture_run(fixture, &guard, OPCODE_ACCESS_SEAL_PROPOSE,
                                   in, 0, 0, guard.duty, &out);

    *seal_out = out.seal;
    return code;
}

enum status seal_step(const struct fixture_actor *actor, uint16_t opcode,
                      uint32_t seal)
{
    struct op_access_seal_approve in = {.seal = seal}; /* As all three. */

    return fixture_run(fixture, actor, opcode, &in, 0, 0, actor->duty, NULL);
}

uint32_t seal_by(const struct op_access_seal_propose *in)
{
    uint32_t seal;

    ck_assert_int_eq(seal_propose(in, &seal), ST_OK);
    ck_assert_int_eq(seal_step(&head, OPCODE_ACCESS_SEAL_APPROVE, seal), ST_OK);
    return seal;
}

uint32_t seal_live(void)
{
    struct op_access_seal_propose in = seal_proposal();

    return seal_by(&in);
}

enum status seal_read(const struct fixture_actor *actor, const char *file)
{
    struct op_section_get in = {.sections = SCENE_S06,
                                .file_number = fixture_text(file)};

    return fixture_run(fixture, actor, OPCODE_SECTION_GET, &in, scene.subject,
                       SCENE_PURPOSE, actor->duty, NULL);
}

struct seen seal_look_in(const struct fixture_actor *actor,
                         struct op_access_list in)
{
    struct result_access_list out;
    struct list_reader reader;
    struct seen seen = {0};

    ck_assert_int_eq(fixture_run(fixture, actor, OPCODE_ACCESS_LIST, &in,
                                 scene.subject,
                                 in.file_number.size > 0 ? SCENE_PURPOSE : 0,
                                 actor->duty, &out),
                     ST_OK);
    seen.hidden = out.has_hidden ? out.hidden : 0;
    seen.accesses = out.accesses.count;
    seen.sealed = out.has_sealed ? out.sealed.count : 0;
    seen.seals = out.has_seals ? out.seals.count : 0;
    seen.next = out.next;
    list_reader_init(&reader, &out.accesses);
    if (seen.accesses > 0)
        ck_assert(list_reader_next(&reader, &schema_access_row, &seen.newest));
    if (seen.sealed > 0) {
        list_reader_init(&reader, &out.sealed);
        ck_assert(list_reader_next(&reader, &schema_sealed_access, &seen.mark));
        list_reader_init(&reader, &out.seals);
        ck_assert(list_reader_next(&reader, &schema_seal_basis, &seen.basis));
        ck_assert_uint_lt(seen.basis.legal_basis.size, sizeof seen.law);
        memcpy(seen.law, seen.basis.legal_basis.data,
               seen.basis.legal_basis.size);
    }
    return seen;
}

struct seen seal_look(const struct fixture_actor *actor)
{
    return seal_look_in(actor, (struct op_access_list){.limit = PAGE_ROWS_MAX});
}
