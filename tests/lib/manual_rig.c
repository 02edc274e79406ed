#include <string.h>

#include "tests/lib/manual_rig.h"
#include "tests/lib/suite.h"

struct replica_rig manual_rig;
struct rig_log manual_log;
/* What was certified last, and its bytes. */
struct sample_config manual_newest;

void manual_begin(char self)
{
    lone_begin(&manual_rig, self, "ABZ");
    memset(&manual_log, 0, sizeof manual_log);
    manual_rig.options.automatic = false;
    lone_start(&manual_rig);
    lone_forget(&manual_rig);
}

void manual_certified(struct slice bytes)
{
    struct replica_event event = {.type = REPLICA_CERTIFIED};

    event.certificate = bytes;
    lone_event(&manual_rig, &event);
}

struct slice manual_certificate(const struct sample_config *config)
{
    static uint8_t bytes[CONFIG_CERT_ENCODED_SIZE_MAX];

    return sample_config_cert(bytes, config->config.why, config->slice, 7);
}

void manual_certify(void)
{
    sample_config_encode(&manual_newest);
    manual_certified(manual_certificate(&manual_newest));
}

/* The first one: A alone. */
void manual_first(uint8_t minimum)
{
    sample_config(&manual_newest.config);
    manual_newest.config.minimum = minimum;
    manual_newest.config.base_size = 0;
    memset(manual_newest.config.base_leaf, 0, HASH_SIZE);
    manual_certify();
}

void manual_next(enum config_why why)
{
    struct config config;

    config_succeed(&config, &manual_newest.config, manual_newest.slice, why);
    manual_newest.config = config;
}

void manual_go(void)
{
    for (int i = 0; i < 40; i++) {
        lone_work(&manual_rig);
        lone_tick(&manual_rig, 100);
    }
    lone_work(&manual_rig);
}

void manual_begin_alone(uint8_t minimum)
{
    manual_begin('A');
    manual_first(minimum);
    manual_go();
    ck_assert(manual_rig.leads);
    lone_submit(&manual_rig, 1);
    lone_work(&manual_rig);
    lone_forget(&manual_rig);
}

/* A and B in sync, with that minimum. */
void manual_begin_pair(uint8_t minimum)
{
    manual_begin_alone(minimum);
    lone_greet(&manual_rig, 'B', NULL, 0);
    lone_ack_all(&manual_rig, 'B');
    manual_next(CONFIG_ADD);
    config_admit(&manual_newest.config, sample_node('B'), 1);
    manual_certify();
    lone_work(&manual_rig);
    ck_assert_uint_eq(manual_rig.published, 1);
    lone_forget(&manual_rig);
}

void manual_vouch_for_b(void)
{
    struct replica_event event = {.type = REPLICA_VOUCH};

    memcpy(event.node_id, sample_node('B'), NODE_ID_SIZE);
    lone_event(&manual_rig, &event);
}

void manual_pass(int64_t ms)
{
    for (int64_t at = 0; at < ms; at += 100) {
        lone_tick(&manual_rig, 100);
        lone_work(&manual_rig);
    }
}
