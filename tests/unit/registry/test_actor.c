#include "tests/lib/registry_fixture.h"

#include <string.h>

#include "tests/lib/suite.h"

START_TEST(the_fixture_enrols_staff_and_users)
{
    struct fixture fixture;
    struct fixture_actor clerk, user;

    fixture_open(&fixture);
    fixture_staff(&fixture, &clerk, DUTY_REG);
    fixture_user(&fixture, &user, "1234567");
    ck_assert_uint_eq(clerk.person, 2);
    ck_assert_uint_eq(user.person, 3);
    fixture_close(&fixture);
}
END_TEST

SUITE_MAIN("actor", the_fixture_enrols_staff_and_users)
