/*
 * Whoever prints an address of a link asks for the link's name: libevent does
 * so for each guest of a witness.  Under the sandbox there is none, and the
 * process goes on.
 */
#include <errno.h>
#include <net/if.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/sandbox.h"
#include "sandbox/sandbox_private.h"
#include "tests/lib/suite.h"

static void say(enum sandbox_news news, const char *line)
{
    (void)fprintf(stderr, "%d: %s\n", (int)news, line);
}

/* 0; else what is wrong. */
static int print_address(void)
{
    struct sandbox_rules rules = {.mode = SANDBOX_ON, .say = say};
    struct sockaddr_in6 guest = {.sin6_family = AF_INET6, .sin6_scope_id = 1};
    char host[NI_MAXHOST], name[IF_NAMESIZE];

    guest.sin6_addr.s6_addr[0] = 0xfe;
    guest.sin6_addr.s6_addr[1] = 0x80;
    guest.sin6_addr.s6_addr[15] = 1;
    if (sandbox_enter(&rules) != ST_OK)
        return 1;
    if (if_indextoname(1, name) != NULL)
        return 2;
    if (getnameinfo((struct sockaddr *)&guest, sizeof guest, host, sizeof host,
                    NULL, 0, NI_NUMERICHOST) != 0)
        return 3;
    return strcmp(host, "fe80::1%1") == 0 ? 0 : 4;
}

START_TEST(an_address_of_a_link_is_printed_with_its_number)
{
    int state;
    pid_t pid;

    if (SANDBOX_SANITIZED)
        return;
    pid = fork();
    ck_assert_int_ge(pid, 0);
    if (pid == 0)
        _exit(print_address());
    ck_assert_int_eq(waitpid(pid, &state, 0), pid);
    ck_assert_msg(WIFEXITED(state), "signal %d", WTERMSIG(state));
    ck_assert_int_eq(WEXITSTATUS(state), 0);
}
END_TEST

SUITE_MAIN("sandbox_links", an_address_of_a_link_is_printed_with_its_number)
