#include "tests/lib/suite.h"

#include <stdio.h>
#include <string.h>

#include "server/options.h"

static struct options options;
static char error[OPTIONS_ERROR_SIZE];

static enum status parse(const char *text)
{
    return options_parse(&options, error, text, "/base");
}

START_TEST(a_directory_is_all_that_must_be_said)
{
    struct net_options defaults;

    net_defaults(&defaults);
    ck_assert_int_eq(parse("[node]\ndirectory = .\n"), ST_OK);
    ck_assert_str_eq(options.directory, "/base/.");
    ck_assert_str_eq(options.net.address, defaults.address);
    ck_assert_uint_eq(options.net.loops, defaults.loops);
    ck_assert_int_eq(parse("[net]\nloops = 1\n"), ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "directory"));
}
END_TEST

START_TEST(values_are_taken)
{
    ck_assert_int_eq(parse("[node]\ndirectory = /d\n[net]\nloops = 3\n"
                           "listen = [::1]:9\nconnections = 12\n"),
                     ST_OK);
    ck_assert_str_eq(options.directory, "/d");
    ck_assert_uint_eq(options.net.loops, 3);
    ck_assert_str_eq(options.net.address, "[::1]:9");
    ck_assert_uint_eq(options.net.connections, 12);
}
END_TEST

START_TEST(a_key_that_is_not_known_is_an_error_that_names_it)
{
    ck_assert_int_eq(parse("[node]\ndirectory = .\ncolour = red\n"), ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "colour"));
    ck_assert_int_eq(parse("[nod]\ndirectory = .\n"), ST_USAGE);
}
END_TEST

START_TEST(what_a_file_says_is_never_shown_raw)
{
    ck_assert_int_eq(parse("[no\x1b[2Jde]\ncol\xff\x7four = red\n"), ST_USAGE);
    ck_assert_str_eq(error, "[no?[2Jde] col??our: no such key");
}
END_TEST

START_TEST(numbers_out_of_range_or_with_a_tail_are_errors)
{
    static const char *const bad[] = {"0", "9", "-1",  "3x",
                                      "",  "x", "1e1", "99999999999999999999"};
    char text[128];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "[node]\ndirectory = .\n[net]\nloops = %s\n", bad[i]);
        ck_assert_msg(parse(text) == ST_USAGE, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error, "loops"));
    }
}
END_TEST

START_TEST(a_sandbox_is_on_unless_said_and_no_other_word_is_taken)
{
    ck_assert_int_eq(parse("[node]\ndirectory = .\n"), ST_OK);
    ck_assert_int_eq(options.sandbox, SANDBOX_ON);
    ck_assert_int_eq(parse("[node]\ndirectory = .\nsandbox = required\n"),
                     ST_OK);
    ck_assert_int_eq(options.sandbox, SANDBOX_REQUIRED);
    ck_assert_int_eq(parse("[node]\ndirectory = .\nsandbox = off\n"), ST_OK);
    ck_assert_int_eq(options.sandbox, SANDBOX_OFF);
    ck_assert_int_eq(parse("[node]\ndirectory = .\nsandbox = offf\n"),
                     ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "sandbox"));
}
END_TEST

/* Another value than in the text below, where 7 is none. */
static const char *other_value(const struct options_key *key)
{
    static const struct {
        const char *name;
        const char *value;
    } others[] = {
        {"directory", "/other"},
        {"sandbox", "off"},
        {"policy", "/other"},
        {"recovery_key", "02000000000000000000000000000000"
                         "00000000000000000000000000000002"},
        {"listen", "127.0.0.1:70"},
        {"peer", "00000000000000000000000000000002 backup 127.0.0.1:8"},
        {"archive", "yes"},
        {"mode", "manual"},
        {"timers", "wan"},
        {"etcd", "127.0.0.1:5,127.0.0.1:6"},
        {"etcd_ca", "/other"},
        {"etcd_certificate", "/other"},
        {"etcd_key", "/other"},
        {"memory_mib", "777"},
        {"minimum", "1"},
        {"beacon_ms", "499"},
        {"remove_ms", "3001"},
        {"grace_ms", "6001"},
        {"sync_ms", "10001"},
        {"drain_ms", "10001"},
    };

    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        if (strcmp(others[i].name, key->name) == 0)
            return others[i].value;
    }
    return "7";
}

START_TEST(each_key_may_change_while_a_node_runs_or_is_named)
{
    static const char before[] =
        "[node]\ndirectory = .\n[cluster]\nlisten = 127.0.0.1:2\n"
        "peer = 00000000000000000000000000000001 backup 127.0.0.1:3\n";
    static const char etcd[] = "mode = etcd\netcd = 127.0.0.1:5\netcd_ca = /a\n"
                               "etcd_certificate = /b\netcd_key = /c\n";
    struct options now;
    unsigned count, live = 0;
    const struct options_key *key = options_keys(&count);

    for (unsigned i = 0; i < count; i++, key++) {
        bool manual = strcmp(key->name, "mode") == 0;
        char text[1024];

        (void)snprintf(text, sizeof text, "%s%s", before, manual ? "" : etcd);
        ck_assert_int_eq(parse(text), ST_OK);
        now = options;
        ck_assert_ptr_null(options_fixed(&now, &options));
        if (manual)
            (void)snprintf(text, sizeof text, "%s%s", before, etcd);
        else
            (void)snprintf(text, sizeof text, "%s%s[%s]\n%s = %s\n", before,
                           etcd, key->section, key->name, other_value(key));
        ck_assert_msg(parse(text) == ST_OK, "%s: %s", key->name, error);
        const struct options_key *fixed = options_fixed(&now, &options);
        live += options_is_live(key) ? 1 : 0;
        if (options_is_live(key))
            ck_assert_ptr_null(fixed);
        else
            ck_assert_msg(fixed != NULL && fixed->name != NULL &&
                              strcmp(fixed->section, key->section) == 0 &&
                              strcmp(fixed->name, key->name) == 0,
                          "%s %s", key->section, key->name);
    }
    ck_assert_uint_gt(live, 0);
    ck_assert_uint_lt(live, count);
}
END_TEST

START_TEST(an_address_is_a_number_and_a_port)
{
    static const char *const bad[] = {"localhost:7840",  "127.0.0.1",
                                      ":7840",           "[::1]",
                                      "127.0.0.1:65536", "nonsense"};
    char text[128];

    ck_assert_int_eq(
        parse("[node]\ndirectory = .\n[net]\nlisten = 127.0.0.1:0\n"), ST_OK);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        (void)snprintf(text, sizeof text,
                       "[node]\ndirectory = .\n[net]\nlisten = %s\n", bad[i]);
        ck_assert_msg(parse(text) == ST_USAGE, "%s", bad[i]);
        ck_assert_ptr_nonnull(strstr(error, "listen"));
    }
}
END_TEST

START_TEST(a_line_that_is_neither_section_nor_key_is_an_error)
{
    ck_assert_int_eq(parse("[node]\ndirectory = .\nnonsense\n"), ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "line 3"));
}
END_TEST

START_TEST(the_manual_names_every_key)
{
    static char manual[65536];
    FILE *file = fopen("docs/OPERATING.md", "r");
    unsigned count;

    ck_assert_ptr_nonnull(file);
    manual[fread(manual, 1, sizeof manual - 1, file)] = '\0';
    (void)fclose(file);
    const struct options_key *keys = options_keys(&count);
    ck_assert_uint_gt(count, 5);
    for (unsigned i = 0; i < count; i++) {
        char row[128];
        (void)snprintf(row, sizeof row, "| `%s` | `%s` |", keys[i].section,
                       keys[i].name);
        ck_assert_msg(strstr(manual, row) != NULL, "%s", row);
    }
}
END_TEST

/* ---- A cluster ------------------------------------------------------------
 */

#define NODE_A "0102030405060708090a0b0c0d0e0f10"
#define NODE_B "0102030405060708090a0b0c0d0e0f11"
#define PAIR                    \
    "listen = 127.0.0.1:7841\n" \
    "peer = " NODE_A " backup 10.0.0.2:7841\n"

static enum status parse_cluster(const char *text)
{
    static char all[8192];

    (void)snprintf(all, sizeof all, "[node]\ndirectory = .\n[cluster]\n%s",
                   text);
    return parse(all);
}

START_TEST(without_the_section_a_node_is_alone)
{
    ck_assert_int_eq(parse("[node]\ndirectory = .\n"), ST_OK);
    ck_assert(!options.cluster.is_there);
}
END_TEST

START_TEST(a_pair_needs_an_address_and_a_peer)
{
    ck_assert_int_eq(parse_cluster(PAIR), ST_OK);
    ck_assert(options.cluster.is_there);
    ck_assert(!options.cluster.automatic);
    ck_assert(!options.cluster.archive);
    ck_assert_uint_eq(options.cluster.minimum, 2);
    ck_assert_uint_eq(options.cluster.links.peers_count, 1);
    ck_assert_uint_eq(options.cluster.links.peers[0].node_id[15], 0x10);
    ck_assert(!options.cluster.links.peers[0].archive);
    ck_assert_str_eq(options.cluster.links.peers[0].address, "10.0.0.2:7841");
    ck_assert_uint_eq(options.cluster.timers.grace_ms, OPTIONS_AS_PRESET);
}
END_TEST

START_TEST(every_key_of_a_cluster_is_taken)
{
    ck_assert_int_eq(
        parse_cluster(PAIR "peer = " NODE_B "  archive\t[fd00::3]:7841\n"
                           "archive = yes\nmode = etcd\nminimum = 3\n"
                           "etcd = 10.0.0.1:2379, [::1]:2379,10.0.0.3:2379\n"
                           "etcd_ca = ca.pem\netcd_certificate = /c.pem\n"
                           "etcd_key = k.pem\ntimers = wan\n"
                           "beacon_ms = 100\nremove_ms = 200\n"
                           "grace_ms = 300\nsync_ms = 400\ndrain_ms = 500\n"
                           "scrub_ms = 0\n"),
        ST_OK);
    ck_assert(options.cluster.archive && options.cluster.automatic);
    ck_assert(options.cluster.links.peers[1].archive);
    ck_assert_str_eq(options.cluster.links.peers[1].address, "[fd00::3]:7841");
    ck_assert_uint_eq(options.cluster.etcd_count, 3);
    ck_assert_str_eq(options.cluster.etcd[1], "[::1]:2379");
    ck_assert_str_eq(options.cluster.etcd_ca, "/base/ca.pem");
    ck_assert_str_eq(options.cluster.etcd_certificate, "/c.pem");
    ck_assert(options.cluster.timers.wan);
    ck_assert_uint_eq(options.cluster.timers.beacon_ms, 100);
    ck_assert_uint_eq(options.cluster.timers.drain_ms, 500);
    ck_assert_uint_eq(options.cluster.timers.scrub_ms, 0);
    ck_assert_uint_eq(options.cluster.minimum, 3);
}
END_TEST

START_TEST(what_is_wrong_with_a_cluster_is_an_error_that_names_the_key)
{
    static const struct {
        const char *text;
        const char *key;
    } bad[] = {
        {"listen = 127.0.0.1:1\n", "name the peers"},
        {"peer = " NODE_A " backup 10.0.0.2:1\n", "listen"},
        {"listen = here:1\n", "listen"},
        {PAIR "peer = " NODE_A " backup 10.0.0.3:1\n", "twice"},
        {PAIR "peer = " NODE_B " backup 10.0.0.2:7841\n", "twice"},
        {PAIR "peer = " NODE_B " primary 10.0.0.3:1\n", "neither backup"},
        {PAIR "peer = " NODE_B " backup ten:1\n", "numeric"},
        {PAIR "peer = " NODE_B " backup 10.0.0.3:0\n", "port"},
        {PAIR "peer = " NODE_B " backup\n", "HOST:PORT"},
        {PAIR "peer = " NODE_B " backup 10.0.0.3:1 x\n", "numeric"},
        {PAIR "peer = " NODE_B " backup 10.0.0.3:1 10.0.0.3:2 x\n",
         "HOST:PORT"},
        {PAIR "peer =\n", "HOST:PORT"},
        {PAIR "peer = 01 backup 10.0.0.3:1\n", "32"},
        {PAIR "peer = " NODE_B "00 backup 10.0.0.3:1\n", "32"},
        {PAIR "peer = x" NODE_B " backup 10.0.0.3:1\n", "32"},
        {PAIR "peer = 00000000000000000000000000000000 backup 10.0.0.3:1\n",
         "32"},
        {PAIR "archive = maybe\n", "archive"},
        {PAIR "mode = raft\n", "mode"},
        {PAIR "mode = etcd\n", "etcd: missing"},
        {PAIR "etcd = 10.0.0.1:1\n", "mode = etcd"},
        {PAIR "etcd_key = k\n", "mode = etcd"},
        {PAIR "mode = etcd\netcd = a:1\n", "etcd"},
        {PAIR "mode = etcd\netcd = 10.0.0.1:1,\n", "etcd"},
        {PAIR "mode = etcd\netcd = 10.0.0.1:1\netcd_ca = a\n", "together"},
        {PAIR "mode = etcd\netcd = 1.1.1.1:1,1.1.1.1:2,1.1.1.1:3,1.1.1.1:4,"
              "1.1.1.1:5,1.1.1.1:6\n",
         "too many"},
        {PAIR "minimum = 3\n", "minimum"},
        {PAIR "minimum = 0\n", "minimum"},
        {PAIR "beacon_ms = 1\n", "beacon_ms"},
        {PAIR "remove_ms = 500\n", "remove_ms"},
        {PAIR "grace_ms = 3000\n", "grace_ms"},
        {PAIR "timers = wan\nremove_ms = 1000\n", "remove_ms"},
        {PAIR "timers = moon\n", "timers"},
        {PAIR "colour = red\n", "colour"},
        {"listen = 127.0.0.1:1\narchive = yes\npeer = " NODE_A
         " archive 10.0.0.2:1\n",
         "none may lead"},
    };

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ck_assert_msg(parse_cluster(bad[i].text) == ST_USAGE, "%s",
                      bad[i].text);
        ck_assert_msg(strstr(error, bad[i].key) != NULL, "%s: %s", bad[i].key,
                      error);
        ck_assert_ptr_nonnull(strstr(error, "[cluster]"));
    }
}
END_TEST

START_TEST(a_cluster_has_no_more_peers_than_a_configuration_names)
{
    char text[4096] = "listen = 127.0.0.1:1\n";

    for (size_t i = 1; i <= LINKS_PEERS_MAX + 1; i++) {
        size_t used = strlen(text);

        ck_assert_int_eq(i == 1 ? ST_OK : parse_cluster(text), ST_OK);
        (void)snprintf(text + used, sizeof text - used,
                       "peer = %032zx backup 10.0.0.%zu:1\n", i, i);
    }
    ck_assert_int_eq(parse_cluster(text), ST_USAGE);
    ck_assert_ptr_nonnull(strstr(error, "too many"));
}
END_TEST

SUITE_MAIN("options", a_directory_is_all_that_must_be_said, values_are_taken,
           a_key_that_is_not_known_is_an_error_that_names_it,
           what_a_file_says_is_never_shown_raw,
           numbers_out_of_range_or_with_a_tail_are_errors,
           a_sandbox_is_on_unless_said_and_no_other_word_is_taken,
           each_key_may_change_while_a_node_runs_or_is_named,
           an_address_is_a_number_and_a_port,
           a_line_that_is_neither_section_nor_key_is_an_error,
           the_manual_names_every_key, without_the_section_a_node_is_alone,
           a_pair_needs_an_address_and_a_peer, every_key_of_a_cluster_is_taken,
           what_is_wrong_with_a_cluster_is_an_error_that_names_the_key,
           a_cluster_has_no_more_peers_than_a_configuration_names)
