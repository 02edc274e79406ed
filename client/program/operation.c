#include <stdio.h>
#include <string.h>

#include "client/program/cluster.h"
#include "client/program/execute.h"
#include "client/program/program.h"

/* Before anything is sent, so that a slip costs no connection. */
int operation_run(struct program *program, int argc, char **argv)
{
    struct execution execution;
    struct defter *client = NULL;
    int code = execute_parse(&execution, argc, argv);

    if (code == EXIT_GOOD)
        code = cluster_connect(&client, program, 0);
    if (code == EXIT_GOOD)
        code = execute_send(client, program, &execution);
    defter_close(client);
    execute_free(&execution);
    return code;
}
