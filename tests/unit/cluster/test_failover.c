/* ctest-label: threads
 * libdefter against two nodes of one cluster: it finds the primary, sends the
 * same bytes again, and comes to an end whatever nodes say. */
#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/client_state.h"
#include "protocol/catalogue.h"
#include "server/node_private.h"
#include "server/pipeline/pipeline_private.h"
#include "tests/lib/node_expect.h"
#define SUITE_FORKS
#include "tests/lib/suite.h"

enum { ADDRESSES_SIZE = 256, SHORT_MS = 1500, STEPS_MAX = 20000 };

static struct node_fixture first, second;
static char addresses[ADDRESSES_SIZE];
static struct defter *client;
static struct defter_command *command;
static struct defter_answer answer;

/* A port that nobody listens on, kept from others by a socket that is bound. */
static uint16_t take_port(int *fd_out)
{
    struct sockaddr_in name = {.sin_family = AF_INET};
    socklen_t size = sizeof name;
    const int on = 1;

    *fd_out = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    ck_assert_int_ge(*fd_out, 0);
    ck_assert_int_eq(
        setsockopt(*fd_out, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on), 0);
    name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ck_assert_int_eq(bind(*fd_out, (struct sockaddr *)&name, size), 0);
    ck_assert_int_eq(getsockname(*fd_out, (struct sockaddr *)&name, &size), 0);
    return ntohs(name.sin_port);
}

static void address_of(char out[ADDRESS_SIZE_MAX + 1], uint16_t port)
{
    (void)snprintf(out, ADDRESS_SIZE_MAX + 1, "127.0.0.1:%u", port);
}

/* Two nodes that both lead. */
static void open_nodes(void)
{
    node_expect_make(&first);
    node_fixture_twin(&second, &first);
    node_fixture_start(&first);
    node_fixture_start(&second);
}

static void close_nodes(void)
{
    defter_command_free(command);
    defter_close(client);
    node_fixture_remove(&first);
    node_fixture_remove(&second);
}

static void follow(struct node_fixture *node, const char *address)
{
    pipeline_set_leading(node->node->pipeline, false, NULL, address);
}

static void follow_port(struct node_fixture *node, uint16_t port)
{
    char address[ADDRESS_SIZE_MAX + 1];

    address_of(address, port);
    follow(node, address);
}

static void lead(struct node_fixture *node)
{
    pipeline_set_leading(node->node->pipeline, true, NULL, NULL);
}

static void list(uint16_t one, uint16_t other)
{
    (void)snprintf(addresses, sizeof addresses, "127.0.0.1:%u, 127.0.0.1:%u",
                   one, other);
}

static void list_nodes(void)
{
    list(first.port, second.port);
}

/* A client of the operator with the addresses listed. */
static void open_client(bool any_node, uint32_t timeout_ms)
{
    struct defter_options options = {.address = addresses,
                                     .key_seed = first.operator.secret,
                                     .role = ROLE_STAFF,
                                     .timeout_ms = timeout_ms,
                                     .any_node = any_node};

    memcpy(options.authority_key, first.authority.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(defter_open(&client, &options), 0);
}

static void make_ping(void)
{
    struct defter_item item = {.opcode = OPCODE_SYSTEM_PING};
    struct op_system_ping ping = {.text = slice_of("once", 4)};
    uint8_t fields[64];
    struct writer writer;

    writer_init(&writer, fields, sizeof fields);
    schema_encode(&schema_op_system_ping, &writer, &ping);
    ck_assert_int_eq(defter_command_new(&command, 'R', DEFTER_RECEIPT), 0);
    ck_assert_int_eq(defter_command_item(command, &item, fields, writer.used),
                     0);
}

static void expect_done(void)
{
    ck_assert_int_eq(defter_call(client, command, &answer), 0);
    ck_assert_int_eq(answer.is_error, 0);
    ck_assert_int_eq(answer.code, 0);
}

static bool is_at(const struct node_fixture *node)
{
    char address[ADDRESS_SIZE_MAX + 1];

    address_of(address, node->port);
    return strcmp(defter_address(client), address) == 0;
}

static void expect_named(const char *text)
{
    ck_assert_msg(strstr(defter_reason(client), text) != NULL, "%s",
                  defter_reason(client));
}

static void expect_port_named(uint16_t port)
{
    char address[ADDRESS_SIZE_MAX + 1];

    address_of(address, port);
    expect_named(address);
}

/* ---- Event-driven ------------------------------------------------------- */

struct outcome {
    unsigned answers;
    int status;
    struct defter_answer answer;
};
static struct outcome outcome;

static void answered(void *context, struct defter_command *done, int status,
                     const struct defter_answer *from)
{
    (void)context;
    ck_assert_ptr_eq(done, command);
    outcome.answers++;
    outcome.status = status;
    outcome.answer = *from;
}

static void submit(void)
{
    memset(&outcome, 0, sizeof outcome);
    ck_assert_int_eq(defter_submit(client, command, NULL, answered), 0);
}

/* One step when the socket or the clock wants it. */
static void step(void)
{
    struct pollfd about = {.events = POLLIN};
    int due_ms = defter_wait_ms(client);

    about.fd = defter_fd(client);
    if ((defter_wants(client) & DEFTER_WANTS_WRITE) != 0)
        about.events = POLLIN | POLLOUT;
    (void)poll(&about, about.fd >= 0 ? 1 : 0,
               due_ms >= 0 && due_ms < 20 ? due_ms : 20);
    ck_assert(!defter_is_final(defter_step(client)));
}

static void finish(void)
{
    for (int i = 0; outcome.answers == 0; i++) {
        ck_assert_int_lt(i, STEPS_MAX);
        step();
    }
    ck_assert_uint_eq(outcome.answers, 1);
    ck_assert_int_eq(outcome.status, 0);
}

static void step_until_faulted(int code)
{
    for (int i = 0; command->fault.code != code; i++) {
        ck_assert_int_lt(i, STEPS_MAX);
        step();
    }
}

/* ---- The tests ---------------------------------------------------------- */

START_TEST(the_second_address_is_used_when_the_first_is_down)
{
    int fd;

    open_nodes();
    list(take_port(&fd), second.port);
    open_client(false, 0);
    make_ping();
    ck_assert_int_eq(defter_connect(client), 0);
    ck_assert(is_at(&second));
    expect_done();
    close(fd);
    close_nodes();
}
END_TEST

START_TEST(a_node_of_another_cluster_is_passed_over)
{
    static struct node_fixture stranger;

    open_nodes();
    node_expect_make(&stranger);
    node_fixture_start(&stranger);
    list(stranger.port, second.port);
    open_client(false, 0);
    make_ping();
    expect_done();
    ck_assert(is_at(&second));
    node_fixture_remove(&stranger);
    close_nodes();
}
END_TEST

START_TEST(a_node_that_never_answers_is_passed_over)
{
    int fd;

    open_nodes();
    list(take_port(&fd), second.port);
    ck_assert_int_eq(listen(fd, 4), 0);
    open_client(false, 0);
    make_ping();
    expect_done();
    ck_assert(is_at(&second));
    close(fd);
    close_nodes();
}
END_TEST

START_TEST(AUTH_OK_leads_to_the_primary)
{
    open_nodes();
    follow_port(&first, second.port);
    list_nodes();
    open_client(false, 0);
    ck_assert_int_eq(defter_connect(client), 0);
    ck_assert(is_at(&second));
    close_nodes();
}
END_TEST

START_TEST(advice_leads_to_a_primary_that_was_not_listed)
{
    open_nodes();
    follow_port(&first, second.port);
    list(first.port, first.port);
    open_client(false, 0);
    make_ping();
    expect_done();
    ck_assert(is_at(&second));
    close_nodes();
}
END_TEST

START_TEST(a_command_goes_after_the_primary_that_moved)
{
    open_nodes();
    follow_port(&second, first.port);
    list_nodes();
    open_client(false, 0);
    make_ping();
    expect_done();
    ck_assert(is_at(&first));
    defter_command_free(command);
    follow_port(&first, second.port);
    lead(&second);
    make_ping();
    expect_done();
    ck_assert(is_at(&second));
    ck_assert(!answer.duplicate);
    close_nodes();
}
END_TEST

START_TEST(a_command_that_was_submitted_waits_until_a_node_leads)
{
    open_nodes();
    follow_port(&first, second.port);
    follow_port(&second, first.port);
    list_nodes();
    open_client(false, 0);
    make_ping();
    submit();
    for (int i = 0; i < 100; i++)
        step();
    ck_assert_uint_eq(outcome.answers, 0);
    lead(&second);
    finish();
    ck_assert_int_eq(outcome.answer.code, 0);
    ck_assert(is_at(&second));
    close_nodes();
}
END_TEST

START_TEST(exhausted_addresses_are_each_named_with_the_reason)
{
    int one, other;
    uint16_t one_port = take_port(&one), other_port = take_port(&other);

    node_expect_make(&first);
    list(one_port, other_port);
    open_client(false, 0);
    ck_assert_int_eq(defter_connect(client), ST_CONNECT);
    expect_port_named(one_port);
    expect_port_named(other_port);
    expect_named("refused");
    close(one);
    close(other);
    defter_close(client);
    node_fixture_remove(&first);
}
END_TEST

START_TEST(nodes_that_name_each_other_end_in_time_and_are_named)
{
    open_nodes();
    follow_port(&first, second.port);
    follow_port(&second, first.port);
    list_nodes();
    open_client(false, SHORT_MS);
    ck_assert_int_eq(defter_connect(client), ST_TIMEOUT);
    expect_port_named(first.port);
    expect_port_named(second.port);
    expect_named("not the primary");
    make_ping();
    ck_assert_int_eq(defter_call(client, command, &answer), ST_TIMEOUT);
    expect_named("not the primary");
    close_nodes();
}
END_TEST

START_TEST(advice_that_is_no_address_does_no_harm)
{
    open_nodes();
    follow(&first, "primary.example:http, 127.0.0.1:1");
    list_nodes();
    open_client(false, 0);
    make_ping();
    expect_done();
    ck_assert(is_at(&second));
    close_nodes();
}
END_TEST

START_TEST(a_login_that_every_node_refuses_is_refused)
{
    uint8_t seed[SEED_SIZE] = {1};
    struct defter_options options = {
        .address = addresses, .key_seed = seed, .role = ROLE_STAFF};

    open_nodes();
    list_nodes();
    memcpy(options.authority_key, first.authority.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(defter_open(&client, &options), 0);
    make_ping();
    ck_assert_int_eq(defter_call(client, command, &answer), ST_AUTH);
    expect_port_named(first.port);
    expect_port_named(second.port);
    close_nodes();
}
END_TEST

START_TEST(a_definite_refusal_is_not_sent_again)
{
    struct defter_item item = {.opcode = OPCODE_SYSTEM_PING};
    uint64_t size;

    open_nodes();
    list_nodes();
    open_client(false, 0);
    size = pipeline_size(first.node->pipeline);
    ck_assert_int_eq(defter_command_new(&command, 'R', 0), 0);
    ck_assert_int_eq(defter_command_item(command, &item, "\xff", 1), 0);
    ck_assert_int_eq(defter_call(client, command, &answer), 0);
    ck_assert_int_ne(answer.code, 0);
    ck_assert_int_eq(answer.is_error, 1);
    ck_assert(is_at(&first));
    ck_assert_uint_eq(pipeline_size(first.node->pipeline), size);
    close_nodes();
}
END_TEST

START_TEST(a_fault_that_passes_is_waited_out_with_the_same_bytes)
{
    uint8_t hash[HASH_SIZE];

    open_nodes();
    list_nodes();
    open_client(false, 0);
    make_ping();
    atomic_store(&first.node->pipeline->stalled, true);
    submit();
    step_until_faulted(ST_READ_ONLY);
    memcpy(hash, command->hash, HASH_SIZE);
    ck_assert_uint_eq(outcome.answers, 0);
    atomic_store(&first.node->pipeline->stalled, false);
    finish();
    ck_assert_int_eq(outcome.answer.code, 0);
    ck_assert_mem_eq(hash, command->hash, HASH_SIZE);
    ck_assert(is_at(&first));
    close_nodes();
}
END_TEST

START_TEST(a_fault_that_does_not_pass_is_the_answer_in_the_end)
{
    open_nodes();
    list_nodes();
    open_client(false, SHORT_MS);
    make_ping();
    ck_assert_int_eq(defter_connect(client), 0);
    atomic_store(&first.node->pipeline->stalled, true);
    ck_assert_int_eq(defter_call(client, command, &answer), 0);
    ck_assert_int_eq(answer.is_error, 1);
    ck_assert_int_eq(answer.code, ST_READ_ONLY);
    close_nodes();
}
END_TEST

/* The node's log goes on at another address. */
static void move_first_to(uint16_t port, int reserved)
{
    node_fixture_stop(&first);
    close(reserved);
    (void)snprintf(first.options.address, sizeof first.options.address,
                   "127.0.0.1:%u", port);
    node_fixture_start(&first);
}

START_TEST(a_retry_on_the_next_node_gives_the_original_index)
{
    uint64_t size;
    int fd;
    uint16_t port = take_port(&fd);

    node_expect_make(&first);
    node_fixture_start(&first);
    list(first.port, port);
    open_client(false, 0);
    make_ping();
    ck_assert_int_eq(defter_connect(client), 0);
    size = pipeline_size(first.node->pipeline);
    submit();
    ck_assert_int_eq(defter_step(client), 0);
    /* The answer is on its way, and is never read. */
    for (int i = 0; pipeline_size(first.node->pipeline) == size; i++) {
        ck_assert_int_lt(i, STEPS_MAX);
        (void)poll(NULL, 0, 1);
    }
    ck_assert_uint_eq(outcome.answers, 0);
    client_drop(client);
    move_first_to(port, fd);
    finish();
    ck_assert_int_eq(outcome.answer.code, 0);
    ck_assert(outcome.answer.duplicate);
    ck_assert_uint_eq(outcome.answer.index, size);
    ck_assert(outcome.answer.has_receipt);
    ck_assert(is_at(&first));
    defter_command_free(command);
    defter_close(client);
    node_fixture_remove(&first);
}
END_TEST

START_TEST(any_node_answers_a_query_and_commands_go_to_the_primary)
{
    const uint8_t *rows;
    size_t size;

    open_nodes();
    follow_port(&first, second.port);
    list_nodes();
    open_client(true, 0);
    ck_assert_int_eq(defter_query(client, QUERY_STATUS, NULL, 0, &rows, &size),
                     0);
    ck_assert(is_at(&first));
    make_ping();
    expect_done();
    ck_assert(is_at(&second));
    close_nodes();
}
END_TEST

START_TEST(a_query_goes_to_the_primary_unless_any_node_will_do)
{
    const uint8_t *rows;
    size_t size;

    open_nodes();
    follow_port(&first, second.port);
    list_nodes();
    open_client(false, 0);
    ck_assert_int_eq(defter_query(client, QUERY_STATUS, NULL, 0, &rows, &size),
                     0);
    ck_assert(is_at(&second));
    close_nodes();
}
END_TEST

START_TEST(a_backup_takes_logins_by_password)
{
    static const char password[] = "twelve letters";
    struct defter_options options = {.address = addresses,
                                     .username = "operator",
                                     .password = password,
                                     .role = ROLE_STAFF,
                                     .any_node = 1};

    open_nodes();
    list(first.port, first.port);
    open_client(false, 0);
    ck_assert_int_eq(defter_password(client, "operator", password, &answer), 0);
    ck_assert_int_eq(answer.code, 0);
    defter_close(client);
    follow(&first, NULL);
    memcpy(options.authority_key, first.authority.public_key, PUBLIC_KEY_SIZE);
    ck_assert_int_eq(defter_open(&client, &options), 0);
    ck_assert_int_eq(defter_connect(client), 0);
    close_nodes();
}
END_TEST

START_TEST(addresses_that_do_not_read_are_wrong_usage)
{
    struct defter_options options = {.key_seed = first.operator.secret,
                                     .role = ROLE_STAFF};

    options.address = "localhost:7840";
    ck_assert_int_eq(defter_open(&client, &options), ST_USAGE);
    options.address = "127.0.0.1:7840,";
    ck_assert_int_eq(defter_open(&client, &options), ST_USAGE);
    options.address = "";
    ck_assert_int_eq(defter_open(&client, &options), ST_USAGE);
}
END_TEST

SUITE_MAIN("failover", the_second_address_is_used_when_the_first_is_down,
           a_node_of_another_cluster_is_passed_over,
           a_node_that_never_answers_is_passed_over,
           AUTH_OK_leads_to_the_primary,
           advice_leads_to_a_primary_that_was_not_listed,
           a_command_goes_after_the_primary_that_moved,
           a_command_that_was_submitted_waits_until_a_node_leads,
           exhausted_addresses_are_each_named_with_the_reason,
           nodes_that_name_each_other_end_in_time_and_are_named,
           advice_that_is_no_address_does_no_harm,
           a_login_that_every_node_refuses_is_refused,
           a_definite_refusal_is_not_sent_again,
           a_fault_that_passes_is_waited_out_with_the_same_bytes,
           a_fault_that_does_not_pass_is_the_answer_in_the_end,
           a_retry_on_the_next_node_gives_the_original_index,
           any_node_answers_a_query_and_commands_go_to_the_primary,
           a_query_goes_to_the_primary_unless_any_node_will_do,
           a_backup_takes_logins_by_password,
           addresses_that_do_not_read_are_wrong_usage)
