#include "server/options.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <ini.h>

#include "server/net/listener.h"

enum { OPTIONS_FILE_SIZE_MAX = 64 * 1024 };

/* U(section, name, member, lo, hi): a number. */
#define OPTIONS_NUMBERS(U)                                                     \
    U(net, loops, loops, 1, NET_LOOPS_MAX)                                     \
    U(net, connections, connections, 1, CONNECTIONS_MAX)                       \
    U(net, connections_before_login, connections_before_login, 1,              \
      CONNECTIONS_MAX)                                                         \
    U(net, connections_per_source, connections_per_source, 1, CONNECTIONS_MAX) \
    U(net, connections_per_person, connections_per_person, 1, CONNECTIONS_MAX) \
    U(net, connections_per_organisation, connections_per_organisation, 1,      \
      CONNECTIONS_MAX)                                                         \
    U(net, handshakes_per_source_burst, handshakes_per_source_burst, 1,        \
      1000000)                                                                 \
    U(net, commands_per_second_person, commands_per_second_person, 1, 1000000) \
    U(net, commands_per_second_body, commands_per_second_body, 1, 1000000)     \
    U(net, session_lifetime_person_s, session_lifetime_person_s, 1, 31536000)  \
    U(net, session_lifetime_machine_s, session_lifetime_machine_s, 1, 31536000)

struct options_number {
    struct options_key key;
    size_t offset; /* Of a uint32_t in struct net_options. */
    long lo;
    long hi;
};

static const struct options_number numbers[] = {
#define U(section, name, member, lo, hi) \
    {{#section, #name}, offsetof(struct net_options, member), lo, hi},
    OPTIONS_NUMBERS(U)
#undef U
};
enum { OPTIONS_NUMBERS_COUNT = sizeof numbers / sizeof numbers[0] };

static const struct options_key keys[] = {{"node", "directory"},
                                          {"net", "listen"},
#define U(section, name, member, lo, hi) {#section, #name},
                                          OPTIONS_NUMBERS(U)
#undef U
};

/* A file being read. */
struct options_reading {
    struct options *options;
    const char *base;
    char *error;
    bool refused;
};

const struct options_key *options_keys(unsigned *count_out)
{
    *count_out = sizeof keys / sizeof keys[0];
    return keys;
}

void options_defaults(struct options *options)
{
    memset(options, 0, sizeof *options);
    net_defaults(&options->net);
    (void)snprintf(options->address, sizeof options->address, "%s",
                   options->net.address);
    options->net.address = options->address;
}

static int options_refuse(struct options_reading *reading, const char *section,
                          const char *name, const char *why)
{
    if (!reading->refused)
        (void)snprintf(reading->error, OPTIONS_ERROR_SIZE, "[%.40s] %.40s: %s",
                       section, name, why);
    reading->refused = true;
    return 0;
}

static bool options_is(const struct options_key *key, const char *section,
                       const char *name)
{
    return strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0;
}

static int options_number(struct options_reading *reading,
                          const struct options_number *number,
                          const char *value)
{
    const struct options_key *key = &number->key;
    uint8_t *base = (uint8_t *)&reading->options->net;
    char *end;
    long read;

    errno = 0;
    read = strtol(value, &end, 10);
    if (errno != 0 || end == value || *end != '\0')
        return options_refuse(reading, key->section, key->name, "not a number");
    if (read < number->lo || read > number->hi)
        return options_refuse(reading, key->section, key->name, "out of range");
    uint32_t stored = (uint32_t)read;
    memcpy(base + number->offset, &stored, sizeof stored);
    return 1;
}

static int options_directory(struct options_reading *reading, const char *value)
{
    struct options *options = reading->options;
    int size;

    if (value[0] == '/')
        size = snprintf(options->directory, sizeof options->directory, "%s",
                        value);
    else
        size = snprintf(options->directory, sizeof options->directory, "%s/%s",
                        reading->base, value);
    if (value[0] == '\0' || size < 0 ||
        (size_t)size >= sizeof options->directory)
        return options_refuse(reading, "node", "directory", "not a path");
    return 1;
}

static int options_listen(struct options_reading *reading, const char *value)
{
    struct options *options = reading->options;
    int size = snprintf(options->address, sizeof options->address, "%s", value);

    if (size <= 0 || (size_t)size >= sizeof options->address ||
        !listener_reads(value))
        return options_refuse(reading, "net", "listen",
                              "not a numeric address and a port");
    return 1;
}

static int options_take(void *user, const char *section, const char *name,
                        const char *value)
{
    struct options_reading *reading = user;

    for (unsigned i = 0; i < OPTIONS_NUMBERS_COUNT; i++) {
        if (options_is(&numbers[i].key, section, name))
            return options_number(reading, &numbers[i], value);
    }
    if (options_is(&keys[0], section, name))
        return options_directory(reading, value);
    if (options_is(&keys[1], section, name))
        return options_listen(reading, value);
    return options_refuse(reading, section, name, "no such key");
}

enum status options_parse(struct options *options, char *error,
                          const char *text, const char *base)
{
    struct options_reading reading = {options, base, error, false};
    int line;

    options_defaults(options);
    error[0] = '\0';
    line = ini_parse_string(text, options_take, &reading);
    if (line != 0) {
        if (!reading.refused)
            (void)snprintf(error, OPTIONS_ERROR_SIZE,
                           "line %d: neither [section] nor key = value", line);
        return ST_USAGE;
    }
    if (options->directory[0] == '\0') {
        (void)options_refuse(&reading, "node", "directory", "missing");
        return ST_USAGE;
    }
    return ST_OK;
}

enum status options_read(struct options *options, char *error, const char *path)
{
    char base[OPTIONS_PATH_SIZE_MAX];
    char *text = malloc(OPTIONS_FILE_SIZE_MAX);
    FILE *file = fopen(path, "re");
    enum status status = ST_NO_FILE;
    int size;

    error[0] = '\0';
    if (text == NULL || file == NULL)
        goto fail;
    size_t read = fread(text, 1, OPTIONS_FILE_SIZE_MAX, file);
    status = ST_TOO_LARGE;
    if (read == OPTIONS_FILE_SIZE_MAX || memchr(text, '\0', read) != NULL)
        goto fail;
    text[read] = '\0';
    const char *slash = strrchr(path, '/');
    size = slash == NULL
               ? snprintf(base, sizeof base, ".")
               : snprintf(base, sizeof base, "%.*s", (int)(slash - path), path);
    if (size < 0 || (size_t)size >= sizeof base)
        goto fail;
    status = options_parse(options, error, text, size == 0 ? "/" : base);
fail:
    if (file != NULL)
        (void)fclose(file);
    free(text);
    return status;
}
