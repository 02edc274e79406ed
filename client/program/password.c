#include <sodium.h>
#include <stdio.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/program.h"
#include "protocol/status.h"

/* Twice at a terminal, so that a slip locks nobody out. */
static int ask_new(char out[PASSWORD_SIZE_MAX + 2])
{
    char again[PASSWORD_SIZE_MAX + 2];
    bool terminal = false;
    int code =
        cluster_ask(out, PASSWORD_SIZE_MAX + 2, "new password: ", &terminal);

    if (code == EXIT_GOOD && terminal)
        code = cluster_ask(again, sizeof again, "once more: ", &terminal);
    if (code == EXIT_GOOD && terminal && strcmp(out, again) != 0)
        code = program_fail(EXIT_USAGE, "the two differ");
    sodium_memzero(again, sizeof again);
    return code;
}

static int report(const struct program *program,
                  const struct defter_answer *answer)
{
    const struct status_info *info = status_info((uint32_t)answer->code);

    if (program->json)
        printf("{\"code\":%d,\"status\":\"%s\"}\n", answer->code,
               defter_status_name(answer->code));
    else
        printf("%s: %s (%d)\n", defter_status_name(answer->code),
               info == NULL           ? ""
               : program->azerbaijani ? info->azerbaijani
                                      : info->english,
               answer->code);
    return answer->code == ST_OK ? EXIT_GOOD : EXIT_REFUSED;
}

/* `defter password NAME`: who is logged in by --key, or by --user. */
int password_run(struct program *program, int argc, char **argv)
{
    struct defter *client = NULL;
    struct defter_answer answer = {0};
    char password[PASSWORD_SIZE_MAX + 2];
    int code, status;

    if (argc != 2)
        return program_usage(argv[0]);
    code = cluster_connect(&client, program, 0);
    if (code == EXIT_GOOD)
        code = ask_new(password);
    if (code == EXIT_GOOD) {
        status = defter_password(client, argv[1], password, &answer);
        if (status != ST_OK)
            code = program_fail(
                status == ST_USAGE ? EXIT_USAGE : EXIT_INCOMPLETE, "%s: %s",
                defter_status_name(status), defter_reason(client));
        else
            code = report(program, &answer);
    }
    sodium_memzero(password, sizeof password);
    defter_close(client);
    return code;
}
