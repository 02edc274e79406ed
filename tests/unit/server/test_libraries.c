#include <string.h>

#include <sodium.h>

#include "server/libraries.h"
#include "tests/lib/suite.h"

static char why[LIBRARIES_WHY_SIZE];

static const struct libraries good = {
    .sqlite = 3040001, .sqlite_threads = true, .sodium = 1000018};

START_TEST(the_libraries_of_this_machine_may_be_worked_with)
{
    struct libraries loaded;

    ck_assert_int_ge(sodium_init(), 0);
    ck_assert_msg(libraries_check(why) == ST_OK, "%s", why);
    libraries_loaded(&loaded);
    ck_assert_int_ge(loaded.sqlite, 3040001);
    ck_assert_int_ge(loaded.sodium, 1000018);
}
END_TEST

START_TEST(a_release_of_sqlite_that_is_known_to_be_bad_is_refused_with_why)
{
    static const struct {
        int version;
        const char *why;
    } bad[] = {
        {3034001, "SQLite 3.34.1: it has no STRICT"},
        {3035000, "SQLite 3.35.0: it can corrupt"},
        {3037001, "SQLite 3.37.1: it can corrupt"},
        {3037002, "tested"},
        {3040000, "tested"},
        {3041001, "SQLite 3.41.1: it reads past"},
    };
    static const int fit[] = {3040001, 3041002, 3046001, 3053004};
    struct libraries loaded = good;

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        loaded.sqlite = bad[i].version;
        ck_assert_int_eq(libraries_judge(why, &loaded), ST_INTERNAL);
        ck_assert_msg(strstr(why, bad[i].why) != NULL, "%s", why);
    }
    for (size_t i = 0; i < sizeof fit / sizeof fit[0]; i++) {
        loaded.sqlite = fit[i];
        ck_assert_msg(libraries_judge(why, &loaded) == ST_OK, "%d", fit[i]);
    }
}
END_TEST

START_TEST(sqlite_for_one_thread_and_an_old_libsodium_are_refused)
{
    struct libraries loaded = good;

    ck_assert_int_eq(libraries_judge(why, &loaded), ST_OK);
    loaded.sqlite_threads = false;
    ck_assert_int_eq(libraries_judge(why, &loaded), ST_INTERNAL);
    ck_assert_ptr_nonnull(strstr(why, "one thread"));
    loaded = good;
    loaded.sodium = 1000017;
    ck_assert_int_eq(libraries_judge(why, &loaded), ST_INTERNAL);
    ck_assert_ptr_nonnull(strstr(why, "libsodium 1.0.17"));
    /* A version that nobody can read. */
    loaded.sodium = 0;
    ck_assert_int_eq(libraries_judge(why, &loaded), ST_INTERNAL);
}
END_TEST

SUITE_MAIN("libraries", the_libraries_of_this_machine_may_be_worked_with,
           a_release_of_sqlite_that_is_known_to_be_bad_is_refused_with_why,
           sqlite_for_one_thread_and_an_old_libsodium_are_refused)
