/*
 * registry_fixture.h: the registry's rules over a state in memory, without a
 * log: every run is one entry of one item.
 *
 *   struct fixture fixture;
 *   struct fixture_actor clerk;
 *   struct result_duty_list result;
 *
 *   fixture_open(&fixture);
 *   fixture_staff(&fixture, &clerk, DUTY_REG);
 *   code = fixture_run(&fixture, &clerk, OPCODE_DUTY_LIST, &fields, 0, 0,
 *                      clerk.duty, &result);
 *   fixture_close(&fixture);
 *
 * Preparations that fail end the test.
 */
#ifndef DEFTER_TESTS_LIB_REGISTRY_FIXTURE_H
#define DEFTER_TESTS_LIB_REGISTRY_FIXTURE_H

#include "protocol/identity.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"
#include "server/store/keyring.h"

/* A key, and what it was given. */
struct fixture_actor {
    struct identity identity;
    uint64_t person;
    uint32_t organisation;
    uint16_t carrier; /* Through which it sends; 0 = its own connection. */
    uint32_t duty;    /* Its first assignment; 0 = none. */
};

enum { FIXTURE_OWNER = 1, FIXTURE_SEEDS_FIRST = 1, FIXTURE_SEAL_KEYS_MAX = 8 };

/* 2026-08-17T09:00:00Z, a Monday. */
#define FIXTURE_TIME INT64_C(1786957200000000)

struct fixture {
    struct state *state;
    struct act_services services;
    struct act act; /* As the last run left it. */
    struct fixture_actor node;
    struct fixture_actor operator; /* Holds ADM, assignment 1. */
    uint64_t index;                /* Of the next entry. */
    int64_t log_time;              /* Of the next entry; one second apart. */
    uint64_t expect_version;       /* Of the next run only. */
    uint8_t realm;                 /* 'R' unless a test says otherwise. */
    uint32_t epoch;                /* Of the next entry; 1 at first. */
    bool erased;                   /* Every stored item is destroyed. */
    struct keyring_row seal_keys[FIXTURE_SEAL_KEYS_MAX];
    size_t seal_keys_count;
    uint32_t seeds; /* Used for keys so far. */
    uint8_t *item_bytes;
    uint8_t *space_bytes;
    uint8_t *result_bytes;
    struct writer space;
    struct slice result; /* Encoded result of the last run. */
};

/* Genesis, epoch 1 and a cluster secret. */
void fixture_open(struct fixture *fixture);
void fixture_close(struct fixture *fixture);

/* The keyring has a seal key of that number; other numbers it does not know. */
void fixture_seal_key(struct fixture *fixture, const struct keyring_row *row);

/*
 * fixture_run(fixture, actor, opcode, fields, subject, purpose, duty,
 *             result_out):
 * Apply one item.  ${fields} is the op_ struct of ${opcode}, which is checked
 * and encoded as a client does it.  ${result_out} is its result_ struct, or
 * NULL; its lists live until the next run.
 */
enum status fixture_run(struct fixture *fixture,
                        const struct fixture_actor *actor, uint16_t opcode,
                        const void *fields, uint64_t subject, uint32_t purpose,
                        uint32_t duty, void *result_out);

/* Let ${days} pass. */
void fixture_wait(struct fixture *fixture, int32_t days);

/* The next key that no actor has, and its public half as fields hold it. */
void fixture_identity(struct fixture *fixture, struct identity *out);
struct bytes32 fixture_public_key(const struct identity *identity);

/* A new key and person of ${role}; level 3 with evidence. */
void fixture_enrol(struct fixture *fixture, struct fixture_actor *actor_out,
                   enum role role, uint8_t level, uint32_t organisation);
/* The enrolment's fields for a new key, signed by it. */
void fixture_enrolment(struct fixture *fixture, struct op_actor_enrol *out,
                       struct identity *identity_out, enum role role,
                       uint8_t level, uint32_t organisation, uint64_t person);
void fixture_session(struct fixture *fixture,
                     const struct fixture_actor *actor);
uint32_t fixture_organisation(struct fixture *fixture,
                              enum organisation_kind kind, uint16_t sections);
/* Assign and acknowledge; also becomes actor->duty if that is 0. */
uint32_t fixture_duty(struct fixture *fixture, struct fixture_actor *actor,
                      enum duty duty, uint16_t scope);

/* Someone of the owner's staff (auditors too) with one duty. */
void fixture_staff(struct fixture *fixture, struct fixture_actor *actor_out,
                   enum duty duty);
/* Someone of a participant with one duty, coming directly. */
void fixture_participant(struct fixture *fixture,
                         struct fixture_actor *actor_out, uint32_t organisation,
                         enum duty duty);
/* A person of level 3 with a session and a personal number of 7 characters. */
void fixture_user(struct fixture *fixture, struct fixture_actor *actor_out,
                  const char *fin);
/* An act that destroys ${keys} of the one subject or person ${about}. */
enum status fixture_propose(struct fixture *fixture,
                            const struct fixture_actor *actor,
                            uint32_t *act_out, uint64_t about, uint16_t keys);
/* A carrier; whoever has its number in actor.carrier comes through it. */
uint16_t fixture_carrier(struct fixture *fixture, enum carrier_kind kind);

/* An active subject without sections. */
void fixture_subject(struct fixture *fixture, uint64_t voen, uint8_t kind);
void fixture_subject_state(struct fixture *fixture, uint64_t voen,
                           uint8_t state);
/* ${actor} is the subject's representative by section S01. */
void fixture_represent(struct fixture *fixture, uint64_t voen,
                       const struct fixture_actor *actor);
/* A registered purpose; ${kinds} as purpose.put. */
void fixture_purpose(struct fixture *fixture, uint32_t number,
                     uint16_t sections, uint16_t kinds);

/* Access rows of the subject; the newest is in ${row_out} if not NULL. */
uint32_t fixture_accesses(struct fixture *fixture, struct row_access *row_out,
                          uint64_t subject);

/* A digest that is not zeros, as basis or evidence. */
struct bytes32 fixture_digest(uint8_t byte);
struct slice fixture_text(const char *text);

#endif
