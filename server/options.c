#include "server/options.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <ini.h>
#include <sodium.h>

#include "server/net/listener.h"
#include "server/options_private.h"

enum { OPTIONS_FILE_SIZE_MAX = 64 * 1024, OPTIONS_ESCROW_S = 3600 };

/* U(section, name, member, lo, hi): a number. */
#define OPTIONS_NUMBERS(U)                                                     \
    U(net, loops, net.loops, 1, NET_LOOPS_MAX)                                 \
    U(net, connections, net.connections, 1, CONNECTIONS_MAX)                   \
    U(net, connections_before_login, net.connections_before_login, 1,          \
      CONNECTIONS_MAX)                                                         \
    U(net, connections_per_source, net.connections_per_source, 1,              \
      CONNECTIONS_MAX)                                                         \
    U(net, connections_per_person, net.connections_per_person, 1,              \
      CONNECTIONS_MAX)                                                         \
    U(net, connections_per_organisation, net.connections_per_organisation, 1,  \
      CONNECTIONS_MAX)                                                         \
    U(net, handshakes_per_source_burst, net.handshakes_per_source_burst, 1,    \
      1000000)                                                                 \
    U(net, commands_per_second_person, net.commands_per_second_person, 1,      \
      1000000)                                                                 \
    U(net, commands_per_second_body, net.commands_per_second_body, 1, 1000000) \
    U(net, memory_mib, net.memory_mib, MEMORY_SESSIONS_MIB_MIN,                \
      MEMORY_SESSIONS_MIB_MAX)                                                 \
    U(net, session_lifetime_person_s, net.session_lifetime_person_s, 1,        \
      31536000)                                                                \
    U(net, session_lifetime_machine_s, net.session_lifetime_machine_s, 1,      \
      31536000)                                                                \
    U(cluster, minimum, cluster.minimum, 1, CONFIG_NODES_MAX)                  \
    U(cluster, beacon_ms, cluster.timers.beacon_ms, 20, 60000)                 \
    U(cluster, remove_ms, cluster.timers.remove_ms, 50, 600000)                \
    U(cluster, grace_ms, cluster.timers.grace_ms, 100, 600000)                 \
    U(cluster, sync_ms, cluster.timers.sync_ms, 100, 600000)                   \
    U(cluster, drain_ms, cluster.timers.drain_ms, 100, 600000)                 \
    U(cluster, scrub_ms, cluster.timers.scrub_ms, 0, 604800000)                \
    U(escrow, period_s, escrow.period_s, 1, 31536000)

struct options_number {
    struct options_key key;
    size_t offset; /* Of a uint32_t in struct options. */
    long lo;
    long hi;
};

static const struct options_number numbers[] = {
#define U(section, name, member, lo, hi) \
    {{#section, #name}, offsetof(struct options, member), lo, hi},
    OPTIONS_NUMBERS(U)
#undef U
};
enum { OPTIONS_NUMBERS_COUNT = sizeof numbers / sizeof numbers[0] };

static const struct options_key keys[] = {{"node", "directory"},
                                          {"net", "listen"},
                                          {"evidence", "policy"},
                                          {"escrow", "directory"},
                                          {"escrow", "recovery_key"},
                                          {"node", "sandbox"},
#define K(name) {"cluster", #name},
                                          OPTIONS_CLUSTER_WORDS(K)
#undef K
#define U(section, name, member, lo, hi) {#section, #name},
                                              OPTIONS_NUMBERS(U)
#undef U
};

const struct options_key *options_keys(unsigned *count_out)
{
    *count_out = sizeof keys / sizeof keys[0];
    return keys;
}

static bool options_is(const struct options_key *key, const char *section,
                       const char *name)
{
    return strcmp(key->section, section) == 0 && strcmp(key->name, name) == 0;
}

const struct options_key *options_key_find(const char *section,
                                           const char *name)
{
    size_t i = 0;

    while (i < sizeof keys / sizeof keys[0] &&
           !options_is(&keys[i], section, name))
        i++;
    ENSURE(i < sizeof keys / sizeof keys[0]);
    return &keys[i];
}

const struct options_key *options_numbers_fixed(const struct options *now,
                                                const struct options *next)
{
    for (unsigned i = 0; i < OPTIONS_NUMBERS_COUNT; i++) {
        size_t offset = numbers[i].offset;

        if (!options_is_live(&numbers[i].key) &&
            memcmp((const uint8_t *)now + offset,
                   (const uint8_t *)next + offset, sizeof(uint32_t)) != 0)
            return &numbers[i].key;
    }
    return NULL;
}

void options_defaults(struct options *options)
{
    memset(options, 0, sizeof *options);
    net_defaults(&options->net);
    (void)snprintf(options->address, sizeof options->address, "%s",
                   options->net.address);
    options->net.address = options->address;
    options_cluster_defaults(&options->cluster);
    options->escrow.period_s = OPTIONS_ESCROW_S;
}

int options_refuse(struct options_reading *reading, const char *section,
                   const char *name, const char *why)
{
    if (!reading->refused)
        (void)snprintf(reading->error, OPTIONS_ERROR_SIZE, "[%.40s] %.40s: %s",
                       section, name, why);
    /* Names that are not known stand as the file has them. */
    for (char *at = reading->error; *at != '\0'; at++) {
        if (*at < ' ' || *at > '~')
            *at = '?';
    }
    reading->refused = true;
    return 0;
}

static int options_number(struct options_reading *reading,
                          const struct options_number *number,
                          const char *value)
{
    const struct options_key *key = &number->key;
    uint8_t *base = (uint8_t *)reading->options;
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

int options_path(struct options_reading *reading, char *out,
                 const char *section, const char *name, const char *value)
{
    int size;

    if (value[0] == '/')
        size = snprintf(out, OPTIONS_PATH_SIZE_MAX, "%s", value);
    else
        size =
            snprintf(out, OPTIONS_PATH_SIZE_MAX, "%s/%s", reading->base, value);
    if (value[0] == '\0' || size < 0 || size >= OPTIONS_PATH_SIZE_MAX)
        return options_refuse(reading, section, name, "not a path");
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

static int options_recovery_key(struct options_reading *reading,
                                const char *value)
{
    struct options_escrow *escrow = &reading->options->escrow;
    size_t size = 0;

    if (sodium_hex2bin(escrow->recovery_key, PUBLIC_KEY_SIZE, value,
                       strlen(value), NULL, &size, NULL) != 0 ||
        size != PUBLIC_KEY_SIZE)
        return options_refuse(reading, "escrow", "recovery_key",
                              "not 64 hexadecimal digits");
    escrow->has_recovery_key = true;
    return 1;
}

static int options_sandbox(struct options_reading *reading, const char *value)
{
    static const char *const words[] = {[SANDBOX_ON] = "on",
                                        [SANDBOX_REQUIRED] = "required",
                                        [SANDBOX_OFF] = "off"};

    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcmp(value, words[i]) == 0) {
            reading->options->sandbox = (enum sandbox_mode)i;
            return 1;
        }
    }
    return options_refuse(reading, "node", "sandbox",
                          "neither on, required nor off");
}

static int options_take(void *user, const char *section, const char *name,
                        const char *value)
{
    struct options_reading *reading = user;

    if (strcmp(section, "cluster") == 0)
        reading->options->cluster.is_there = true;
    for (unsigned i = 0; i < OPTIONS_NUMBERS_COUNT; i++) {
        if (options_is(&numbers[i].key, section, name))
            return options_number(reading, &numbers[i], value);
    }
    if (options_is(&keys[0], section, name))
        return options_path(reading, reading->options->directory, section, name,
                            value);
    if (options_is(&keys[1], section, name))
        return options_listen(reading, value);
    if (options_is(&keys[2], section, name))
        return options_path(reading, reading->options->policy, section, name,
                            value);
    if (options_is(&keys[3], section, name))
        return options_path(reading, reading->options->escrow.directory,
                            section, name, value);
    if (options_is(&keys[4], section, name))
        return options_recovery_key(reading, value);
    if (options_is(&keys[5], section, name))
        return options_sandbox(reading, value);
    if (strcmp(section, "cluster") == 0)
        return options_cluster_take(reading, name, value);
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
    return options_cluster_judge(&reading) ? ST_OK : ST_USAGE;
}

/* A plain file, or a link to one: who waits for a pipe hears no signal. */
static enum status options_open(FILE **file_out, char *error, const char *path)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    enum status status = ST_DISK_FAILED;
    struct stat found;
    int cause = errno;

    *file_out = NULL;
    if (fd < 0 && cause == ENOENT)
        return ST_NO_FILE;
    if (fd >= 0 && fstat(fd, &found) == 0 && !S_ISREG(found.st_mode)) {
        status = ST_FILE_FORMAT;
        (void)snprintf(error, OPTIONS_ERROR_SIZE, "(no plain file)");
        goto fail;
    }
    if (fd >= 0) {
        *file_out = fdopen(fd, "r");
        cause = errno;
    }
    if (*file_out != NULL)
        return ST_OK;
    (void)snprintf(error, OPTIONS_ERROR_SIZE, "(%s)", strerror(cause));
fail:
    if (fd >= 0)
        (void)close(fd);
    return status;
}

/* What a library opens later, in a thread that must not wait for a pipe. */
static enum status options_judge_files(const struct options *options,
                                       char *error)
{
    const struct options_cluster *cluster = &options->cluster;
    const char *const files[][2] = {
        {"etcd_ca", cluster->etcd_ca},
        {"etcd_certificate", cluster->etcd_certificate},
        {"etcd_key", cluster->etcd_key},
    };
    struct stat found;

    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        if (files[i][1][0] == '\0' || stat(files[i][1], &found) != 0 ||
            S_ISREG(found.st_mode))
            continue;
        (void)snprintf(error, OPTIONS_ERROR_SIZE, "[cluster] %s: no plain file",
                       files[i][0]);
        return ST_USAGE;
    }
    return ST_OK;
}

enum status options_read(struct options *options, char *error, const char *path)
{
    char base[OPTIONS_PATH_SIZE_MAX];
    char *text = malloc(OPTIONS_FILE_SIZE_MAX);
    FILE *file = NULL;
    enum status status = ST_EXHAUSTED;
    int size;

    error[0] = '\0';
    if (text != NULL)
        status = options_open(&file, error, path);
    if (status != ST_OK)
        goto fail;
    size_t read = fread(text, 1, OPTIONS_FILE_SIZE_MAX, file);
    status = ST_DISK_FAILED; /* A part of it must not pass for all. */
    if (ferror(file))
        goto fail;
    status = ST_TOO_LARGE;
    if (read == OPTIONS_FILE_SIZE_MAX)
        goto fail;
    status = ST_FILE_FORMAT;
    if (memchr(text, '\0', read) != NULL) {
        (void)snprintf(error, OPTIONS_ERROR_SIZE, "(a zero byte in it)");
        goto fail;
    }
    text[read] = '\0';
    const char *slash = strrchr(path, '/');
    size = slash == NULL
               ? snprintf(base, sizeof base, ".")
               : snprintf(base, sizeof base, "%.*s", (int)(slash - path), path);
    status = ST_TOO_LARGE;
    if (size < 0 || (size_t)size >= sizeof base)
        goto fail;
    status = options_parse(options, error, text, size == 0 ? "/" : base);
    if (status == ST_OK)
        status = options_judge_files(options, error);
fail:
    if (file != NULL)
        (void)fclose(file);
    free(text);
    return status;
}
