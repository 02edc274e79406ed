/*
 * watch_journal: an auditor sees entries as they are committed.  Event-driven
 * use of libdefter: the loop is the program's own.
 *
 *   watch_journal CLUSTER.CONF KEY DUTY [COUNT]
 *
 * Ends after COUNT entries, if it is given.
 */
#include <poll.h>
#include <stdlib.h>

#include "examples/example.h"

enum {
    ROLE_AUDITOR = 1,
    ALL_CATEGORIES = 0xff,
    STEP_MS = 200,
    CATEGORY_AT = 2, /* Of an entry (LOG-FORMAT, section 1). */
    INDEX_AT = 8,
    ITEMS_AT = 56,
    HEADER_SIZE = 192
};

struct watching {
    struct defter *client;
    struct defter_command *asking; /* NULL: the node has allowed it. */
    uint32_t duty;
    uint64_t next; /* Entry to be seen next. */
    uint64_t seen, wanted;
    int failed;
};

static void on_entry(void *context, const uint8_t *bytes, size_t size)
{
    struct watching *watching = context;

    if (size < HEADER_SIZE)
        return;
    watching->seen++;
    watching->next = example_take(bytes + INDEX_AT, 8) + 1;
    printf("entry %llu  J%u  %u item(s)  %zu bytes\n",
           (unsigned long long)example_take(bytes + INDEX_AT, 8),
           bytes[CATEGORY_AT], (unsigned)example_take(bytes + ITEMS_AT, 2),
           size);
}

/* The permission to watch is a command and an entry of its own. */
static void on_answer(void *context, struct defter_command *command, int status,
                      const struct defter_answer *answer)
{
    struct watching *watching = context;

    if (status == 0)
        status = answer->code;
    if (status == 0)
        status =
            defter_watch(watching->client, answer->index, watching, on_entry);
    watching->failed = status;
    watching->asking = NULL;
    defter_command_free(command);
}

static int ask(struct watching *watching)
{
    struct defter_item item = {.opcode = defter_opcode("journal.watch"),
                               .duty = watching->duty};
    uint8_t fields[16], *at = fields;
    int status = defter_command_new(&watching->asking, 0, DEFTER_RECEIPT);

    example_put(&at, watching->next, 8);
    example_put(&at, ALL_CATEGORIES, 2);
    if (status == 0)
        status = defter_command_item(watching->asking, &item, fields,
                                     (size_t)(at - fields));
    if (status == 0)
        status = defter_submit(watching->client, watching->asking, watching,
                               on_answer);
    return status;
}

/* One step.  A watch ends with its connection: it is asked for anew, of the
 * node that leads then. */
static int step(struct watching *watching)
{
    int status = defter_step(watching->client);

    if (defter_is_final(status))
        return status;
    if (status != 0) {
        fprintf(stderr, "%s: %s\n", defter_status_name(status),
                defter_reason(watching->client));
        if (watching->asking == NULL)
            return ask(watching);
    }
    return 0;
}

static int run(struct watching *watching)
{
    int status = ask(watching);

    while (status == 0 && watching->failed == 0 &&
           (watching->wanted == 0 || watching->seen < watching->wanted)) {
        struct pollfd about = {.events = POLLIN};
        int due_ms;
        status = step(watching);
        due_ms = defter_wait_ms(watching->client);
        about.fd = defter_fd(watching->client);
        if ((defter_wants(watching->client) & DEFTER_WANTS_WRITE) != 0)
            about.events = POLLIN | POLLOUT;
        (void)poll(&about, about.fd >= 0 ? 1 : 0,
                   due_ms >= 0 && due_ms < STEP_MS ? due_ms : STEP_MS);
    }
    return status != 0 ? status : watching->failed;
}

int main(int argc, char **argv)
{
    struct watching watching = {.seen = 0};
    struct example example;
    int status;

    if (argc < 4 || argc > 5 ||
        !example_open(&example, argv[1], argv[2], ROLE_AUDITOR) ||
        defter_open(&watching.client, &example.options) != 0) {
        fputs("usage: watch_journal CLUSTER.CONF KEY DUTY [COUNT]\n", stderr);
        return 3;
    }
    watching.duty = (uint32_t)strtoul(argv[3], NULL, 10);
    watching.wanted = argc == 5 ? strtoull(argv[4], NULL, 10) : 0;
    status = run(&watching);
    if (status != 0)
        fprintf(stderr, "%s: %s\n", defter_status_name(status),
                defter_reason(watching.client));
    defter_close(watching.client);
    defter_command_free(watching.asking);
    return status == 0 ? 0 : 2;
}
