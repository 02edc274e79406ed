/* Nodes in rounds: each once, whatever they advise. */
#include <stdio.h>
#include <string.h>

#include "client/nodes.h"
#include "tests/lib/suite.h"

static struct nodes nodes;

static void open_nodes(const char *text)
{
    ck_assert_int_eq(nodes_open(&nodes, text), ST_OK);
}

static void advise(const char *address)
{
    nodes_advise(&nodes, slice_of(address, strlen(address)));
}

static void now_is(const char *address)
{
    ck_assert_str_eq(nodes_address(&nodes), address);
}

START_TEST(a_list_of_addresses_is_read)
{
    open_nodes(" 127.0.0.1:1 ,[::1]:2,\t127.0.0.1:3, 127.0.0.1:1");
    ck_assert_uint_eq(nodes.count, 3);
    ck_assert_str_eq(nodes.at[0].address, "127.0.0.1:1");
    ck_assert_str_eq(nodes.at[1].address, "[::1]:2");
    ck_assert_str_eq(nodes.at[2].address, "127.0.0.1:3");
}
END_TEST

START_TEST(what_is_no_list_of_addresses_is_refused)
{
    static const char nine[] =
        "127.0.0.1:1,127.0.0.1:2,127.0.0.1:3,127.0.0.1:4,127.0.0.1:5,"
        "127.0.0.1:6,127.0.0.1:7,127.0.0.1:8,127.0.0.1:9";
    static const char *const bad[] = {
        "",
        ",",
        "127.0.0.1:1,",
        ",127.0.0.1:1",
        "127.0.0.1:1,,127.0.0.1:2",
        "127.0.0.1",
        "127.0.0.1:0",
        "127.0.0.1:65536",
        "127.0.0.1:1 127.0.0.1:2",
        "localhost:7840",
        "::1:7840",
        "[::1:7840",
        "127.0.0.1:1;127.0.0.1:2",
        "127.0.0.1:00000000000000000000000000000000000000000000000000000000001",
        nine};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        ck_assert_msg(nodes_open(&nodes, bad[i]) == ST_USAGE, "%s", bad[i]);
}
END_TEST

START_TEST(a_round_tries_each_node_once)
{
    open_nodes("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    now_is("127.0.0.1:1");
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "a"));
    now_is("127.0.0.1:2");
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "b"));
    now_is("127.0.0.1:3");
    ck_assert(!nodes_fail(&nodes, ST_CONNECT, "c"));
    now_is("127.0.0.1:1");
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "a"));
}
END_TEST

START_TEST(the_node_that_worked_is_tried_first)
{
    open_nodes("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "a"));
    nodes_worked(&nodes);
    now_is("127.0.0.1:2");
    ck_assert(nodes_fail(&nodes, ST_CLOSED, "b"));
    now_is("127.0.0.1:3");
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "c"));
    now_is("127.0.0.1:1");
    ck_assert(!nodes_fail(&nodes, ST_CONNECT, "a"));
    now_is("127.0.0.1:2");
}
END_TEST

START_TEST(advice_is_followed_also_to_an_address_that_was_not_given)
{
    open_nodes("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    advise("127.0.0.1:3");
    ck_assert(nodes_fail(&nodes, ST_NOT_PRIMARY, "a"));
    now_is("127.0.0.1:3");
    advise("127.0.0.1:9");
    ck_assert(nodes_fail(&nodes, ST_NOT_PRIMARY, "c"));
    now_is("127.0.0.1:9");
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "nobody"));
    now_is("127.0.0.1:2");
    ck_assert(!nodes_fail(&nodes, ST_CONNECT, "b"));
    /* It is not called again unless it is advised again. */
    now_is("127.0.0.1:1");
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "a"));
    ck_assert(nodes_fail(&nodes, ST_CONNECT, "b"));
    ck_assert(!nodes_fail(&nodes, ST_CONNECT, "c"));
}
END_TEST

START_TEST(advice_that_is_no_address_is_not_followed)
{
    static const char long_one[] =
        "127.0.0.1:0000000000000000000000000000000000000000000000000000000001";

    open_nodes("127.0.0.1:1,127.0.0.1:2");
    advise("");
    advise("somewhere");
    advise("127.0.0.1");
    advise("127.0.0.1:0");
    advise(long_one);
    nodes_advise(&nodes, slice_of("127.0.0.1:7\0", 12));
    ck_assert_uint_eq(nodes.count, 2);
    ck_assert(nodes_fail(&nodes, ST_NOT_PRIMARY, "a"));
    now_is("127.0.0.1:2");
}
END_TEST

START_TEST(nodes_that_name_each_other_end_the_round)
{
    open_nodes("127.0.0.1:1");
    advise("127.0.0.1:2");
    ck_assert(nodes_fail(&nodes, ST_NOT_PRIMARY, "a"));
    now_is("127.0.0.1:2");
    advise("127.0.0.1:1");
    ck_assert(!nodes_fail(&nodes, ST_NOT_PRIMARY, "b"));
    now_is("127.0.0.1:1");
}
END_TEST

START_TEST(names_without_end_end_the_round)
{
    char address[ADDRESS_SIZE_MAX + 1];
    unsigned hops = 0;

    open_nodes("127.0.0.1:1,127.0.0.1:2");
    do {
        ck_assert_uint_le(++hops, NODES_MAX);
        snprintf(address, sizeof address, "127.0.0.1:%u", 1000 + hops);
        advise(address);
    } while (nodes_fail(&nodes, ST_NOT_PRIMARY, "not the primary"));
    ck_assert_uint_eq(hops, 3);
}
END_TEST

START_TEST(the_verdict_is_what_says_the_most_of_all_nodes)
{
    open_nodes("127.0.0.1:1,127.0.0.1:2,127.0.0.1:3");
    ck_assert_int_eq(nodes_verdict(&nodes), ST_OK);
    (void)nodes_fail(&nodes, ST_CERTIFICATE, "of another cluster");
    ck_assert_int_eq(nodes_verdict(&nodes), ST_CERTIFICATE);
    (void)nodes_fail(&nodes, ST_CONNECT, "nobody");
    ck_assert_int_eq(nodes_verdict(&nodes), ST_CONNECT);
    (void)nodes_fail(&nodes, ST_AUTH, "refused");
    ck_assert_int_eq(nodes_verdict(&nodes), ST_AUTH);
    /* It took the login. */
    (void)nodes_fail(&nodes, ST_NOT_PRIMARY, "not the primary");
    ck_assert_int_eq(nodes_verdict(&nodes), ST_NOT_PRIMARY);
    nodes_worked(&nodes);
    ck_assert_int_eq(nodes_verdict(&nodes), ST_OK);
}
END_TEST

START_TEST(each_address_is_named_with_its_reason)
{
    char reasons[NODES_REASON_SIZE], long_reason[300];

    open_nodes("127.0.0.1:1,[::1]:2");
    nodes_reasons(&nodes, reasons);
    ck_assert_str_eq(reasons, "");
    (void)nodes_fail(&nodes, ST_CONNECT, "refused");
    (void)nodes_fail(&nodes, ST_NOT_PRIMARY, "not the primary");
    nodes_reasons(&nodes, reasons);
    ck_assert_str_eq(reasons, "127.0.0.1:1: refused; [::1]:2: not the primary");

    memset(long_reason, 'x', sizeof long_reason - 1);
    long_reason[sizeof long_reason - 1] = '\0';
    open_nodes("[1111:1111:1111:1111:1111:1111:1111:1111]:11111,"
               "[1111:1111:1111:1111:1111:1111:1111:1112]:11111,"
               "[1111:1111:1111:1111:1111:1111:1111:1113]:11111,"
               "[1111:1111:1111:1111:1111:1111:1111:1114]:11111,"
               "[1111:1111:1111:1111:1111:1111:1111:1115]:11111,"
               "[1111:1111:1111:1111:1111:1111:1111:1116]:11111,"
               "[1111:1111:1111:1111:1111:1111:1111:1117]:11111,"
               "[1111:1111:1111:1111:1111:1111:1111:1118]:11111");
    advise("127.0.0.1:9");
    while (nodes_fail(&nodes, ST_CONNECT, long_reason))
        continue;
    nodes_reasons(&nodes, reasons);
    ck_assert_ptr_nonnull(strstr(reasons, "1118]:11111: xxx"));
    ck_assert_ptr_nonnull(strstr(reasons, "127.0.0.1:9: xxx"));
}
END_TEST

SUITE_MAIN("nodes", a_list_of_addresses_is_read,
           what_is_no_list_of_addresses_is_refused,
           a_round_tries_each_node_once, the_node_that_worked_is_tried_first,
           advice_is_followed_also_to_an_address_that_was_not_given,
           advice_that_is_no_address_is_not_followed,
           nodes_that_name_each_other_end_the_round,
           names_without_end_end_the_round,
           the_verdict_is_what_says_the_most_of_all_nodes,
           each_address_is_named_with_its_reason)
