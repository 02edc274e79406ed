#include "tests/lib/suite.h"

#include "tests/lib/replica_rig.h"

static struct replica_rig rig;

START_TEST(the_first_node_writes_the_first_configuration_and_leads)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 1);
    lone_expect(&rig, "x");
    lone_end(&rig);
}
END_TEST
START_TEST(pair)
{
    lone_begin(&rig, 'A', "ABZ");
    lone_lead_alone(&rig, 2);
    lone_greet(&rig, 'B', NULL, 0);
    lone_ack_all(&rig, 'B');
    lone_tick(&rig, 100);
    lone_win(&rig);
    lone_work(&rig);
    lone_expect(&rig, "x");
    lone_end(&rig);
}
END_TEST

SUITE_MAIN("x", the_first_node_writes_the_first_configuration_and_leads, pair)
