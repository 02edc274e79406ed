#include "tests/lib/feeder.h"

#include <stdio.h>
#include <string.h>

#include <check.h>
#include <sodium.h>

void feeder_open(struct feeder *feeder, struct fixture *fixture,
                 uint16_t sections)
{
    uint32_t organisation =
        fixture_organisation(fixture, ORGANISATION_BODY_WITH_SYSTEM, sections);

    memset(feeder, 0, sizeof *feeder);
    feeder->fixture = fixture;
    fixture_participant(fixture, &feeder->actor, organisation, DUTY_SUP);
    feeder->actor.carrier = fixture_carrier(fixture, CARRIER_KIND_EHIS);
    fixture_session(fixture, &feeder->actor);
}

enum status feeder_begin(struct feeder *feeder, const char *name, bool atomic,
                         uint16_t sections)
{
    struct op_feed_begin in = {.ehis_batch = fixture_text(name),
                               .mode = 1,
                               .atomic = atomic,
                               .sections = sections};
    struct result_feed_begin out;
    enum status code =
        fixture_run(feeder->fixture, &feeder->actor, OPCODE_FEED_BEGIN, &in, 0,
                    0, feeder->actor.duty, &out);

    if (code != ST_OK)
        return code;
    feeder->batch = out.batch;
    feeder->next = out.next;
    if (out.next == 0)
        memset(&feeder->rolling, 0, sizeof feeder->rolling);
    return ST_OK;
}

void feeder_count(struct feeder *feeder)
{
    uint8_t step[2 * HASH_SIZE];

    memcpy(step, feeder->rolling.b, HASH_SIZE);
    memcpy(step + HASH_SIZE, feeder->fixture->act.commitment, HASH_SIZE);
    crypto_hash_sha256(feeder->rolling.b, step, sizeof step);
    feeder->next++;
}

enum status feeder_put(struct feeder *feeder, uint64_t subject, uint8_t section,
                       struct slice bytes, const char *message)
{
    struct op_feed_put in = {.batch = feeder->batch,
                             .seq = feeder->next,
                             .section = section,
                             .as_of = 20000,
                             .provider_record = fixture_text("P-1"),
                             .record = bytes};
    enum status code;

    if (message != NULL)
        in.ehis_message = fixture_text(message);
    code = fixture_run(feeder->fixture, &feeder->actor, OPCODE_FEED_PUT, &in,
                       subject, 0, feeder->actor.duty, NULL);
    feeder_count(feeder);
    return code;
}

enum status feeder_put_record(struct feeder *feeder, uint64_t subject,
                              uint8_t section,
                              const union section_record *record)
{
    return feeder_put(feeder, subject, section,
                      records_encode(&feeder->records, section, record), NULL);
}

enum status feeder_commit(struct feeder *feeder, struct result_feed_commit *out)
{
    struct op_feed_commit in = {.batch = feeder->batch,
                                .count = feeder->next,
                                .rolling = feeder->rolling};

    return fixture_run(feeder->fixture, &feeder->actor, OPCODE_FEED_COMMIT, &in,
                       0, 0, feeder->actor.duty, out);
}

void feeder_bring(struct feeder *feeder, uint64_t subject, uint8_t section,
                  const union section_record *record)
{
    struct result_feed_commit out;
    char name[32];

    snprintf(name, sizeof name, "bring-%llu",
             (unsigned long long)feeder->fixture->index);
    ck_assert_int_eq(feeder_begin(feeder, name, false, SECTION_BIT(section)),
                     ST_OK);
    ck_assert_int_eq(feeder_put_record(feeder, subject, section, record),
                     ST_OK);
    ck_assert_int_eq(feeder_commit(feeder, &out), ST_OK);
    ck_assert_uint_eq(out.committed, 1);
}

void feeder_bring_good(struct feeder *feeder, uint64_t subject, uint8_t section)
{
    union section_record record;

    records_fill(&feeder->records, &record, section, subject,
                 act_day(feeder->fixture->state, feeder->fixture->log_time));
    feeder_bring(feeder, subject, section, &record);
}
