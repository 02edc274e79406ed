/*
 * own_sections: a subject's person reads what the registry has of the subject.
 * Blocking use of libdefter.
 *
 *   own_sections CLUSTER.CONF KEY VOEN
 */
#include <stdlib.h>

#include "examples/example.h"

enum {
    ROLE_USER = 2,
    ALL_SECTIONS = 0x1fff, /* S01 to S13. */
    SALT_SIZE = 16,        /* Before the result of a sealed operation. */
    DIGEST_SIZE = 32,
    DAY_S = 86400
};

/* What is left of a result to be read; short ones leave nothing. */
struct rest {
    const uint8_t *at;
    size_t size;
};

static uint64_t take(struct rest *rest, unsigned size)
{
    uint64_t value;

    if (rest->size < size) {
        rest->size = 0;
        return 0;
    }
    value = example_take(rest->at, size);
    rest->at += size;
    rest->size -= size;
    return value;
}

static void skip(struct rest *rest, size_t size)
{
    if (size > rest->size)
        size = rest->size;
    rest->at += size;
    rest->size -= size;
}

/* The elements of section.get's list, `version_row` (PROTOCOL, section 12). */
static void print_versions(struct rest rest)
{
    uint64_t count = take(&rest, 2);

    for (uint64_t i = 0; i < count && rest.size > 0; i++) {
        unsigned section = (unsigned)take(&rest, 1);
        unsigned long long version = take(&rest, 8);
        unsigned provider, record_size;
        long long as_of;

        (void)take(&rest, 1); /* state */
        provider = (unsigned)take(&rest, 4);
        skip(&rest, take(&rest, 2)); /* provider's number */
        as_of = (int32_t)take(&rest, 4);
        skip(&rest, 8 + 1 + DIGEST_SIZE + 2); /* when, path, basis, flags */
        record_size = (unsigned)take(&rest, 2);
        skip(&rest, record_size);
        printf("S%02u version %llu of organisation %u, as of %lld days, "
               "%u bytes\n",
               section, version, provider, as_of, record_size);
    }
}

static int read_sections(struct defter *client, uint64_t subject)
{
    struct defter_item item = {.opcode = defter_opcode("section.get"),
                               .subject = subject};
    struct defter_command *command = NULL;
    struct defter_answer answer;
    uint8_t fields[32], *at = fields;
    int status;

    example_put(&at, ALL_SECTIONS, 2);
    example_put(&at, 0, 8); /* whatever the version */
    example_put(&at, 0, 4); /* no consent: one's own */
    example_put(&at, 0, 2); /* no file number */
    status = defter_command_new(&command, 'R', DEFTER_RECEIPT);
    if (status == 0)
        status =
            defter_command_item(command, &item, fields, (size_t)(at - fields));
    if (status == 0)
        status = defter_call(client, command, &answer);
    defter_command_free(command);
    if (status != 0) {
        fprintf(stderr, "%s: %s\n", defter_status_name(status),
                defter_reason(client));
        return 2;
    }
    if (answer.code != 0 || answer.result_size < SALT_SIZE) {
        fprintf(stderr, "refused: %s\n", defter_status_name(answer.code));
        return 1;
    }
    printf("entry %llu says that you read this\n",
           (unsigned long long)answer.index);
    print_versions((struct rest){answer.result + SALT_SIZE,
                                 answer.result_size - SALT_SIZE});
    return 0;
}

int main(int argc, char **argv)
{
    struct example example;
    struct defter *client;
    int code;

    if (argc != 4 || !example_open(&example, argv[1], argv[2], ROLE_USER)) {
        fputs("usage: own_sections CLUSTER.CONF KEY VOEN\n", stderr);
        return 3;
    }
    if (defter_open(&client, &example.options) != 0)
        return 3;
    code = read_sections(client, strtoull(argv[3], NULL, 10));
    defter_close(client);
    return code;
}
