#include "client/program/cluster.h"

#include <errno.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "client/nodes.h"
#include "client/program/file.h"
#include "protocol/catalogue.h"
#include "protocol/files.h"
#include "protocol/identity.h"

struct parsing {
    struct cluster *cluster;
    bool has_authority;
};

/* A line of addresses behind those of earlier lines. */
static int add_addresses(struct cluster *cluster, const char *more)
{
    size_t used = strlen(cluster->addresses);
    int size =
        snprintf(cluster->addresses + used, sizeof cluster->addresses - used,
                 "%s%s", used > 0 ? "," : "", more);

    return size >= 0 && (size_t)size < sizeof cluster->addresses - used;
}

static int take_key(void *context, const char *section, const char *name,
                    const char *value)
{
    struct parsing *parsing = context;
    size_t got;

    if (strcmp(section, "cluster") != 0)
        return 0;
    if (strcmp(name, "authority") == 0) {
        parsing->has_authority =
            sodium_hex2bin(parsing->cluster->authority_key, PUBLIC_KEY_SIZE,
                           value, strlen(value), NULL, &got, NULL) == 0 &&
            got == PUBLIC_KEY_SIZE;
        return parsing->has_authority;
    }
    if (strcmp(name, "address") == 0)
        return add_addresses(parsing->cluster, value);
    return strcmp(name, "id") == 0;
}

int cluster_load(struct cluster *cluster, const struct program *program)
{
    const char *path = program->cluster;
    struct parsing parsing = {.cluster = cluster};
    int line;

    if (path == NULL)
        path = getenv("DEFTER_CLUSTER");
    if (path == NULL)
        path = FILE_CLUSTER_CONF;
    memset(cluster, 0, sizeof *cluster);
    line = file_parse(path, take_key, &parsing);
    if (line < 0 && errno == ENOMEM)
        return program_fail(EXIT_USAGE, "%s: %s", path,
                            status_info(ST_EXHAUSTED)->english);
    if (line < 0)
        return program_fail(EXIT_USAGE,
                            "%s: cannot be read (name the cluster with "
                            "--cluster FILE)",
                            path);
    if (line > 0)
        return program_fail(EXIT_USAGE, "%s:%d: not a cluster's configuration",
                            path, line);
    if (!parsing.has_authority)
        return program_fail(EXIT_USAGE,
                            "%s: not a cluster's configuration: it names no "
                            "authority",
                            path);
    if (program->address != NULL) {
        cluster->addresses[0] = '\0';
        if (!add_addresses(cluster, program->address))
            return program_fail(EXIT_USAGE, "too many addresses");
    }
    identity_cluster_id(cluster->cluster_id, cluster->authority_key);
    return EXIT_GOOD;
}

int cluster_authority(uint8_t key_out[PUBLIC_KEY_SIZE],
                      const struct program *program)
{
    struct cluster cluster;
    int code;

    if (program->cluster == NULL && getenv("DEFTER_CLUSTER") == NULL &&
        access(FILE_CLUSTER_CONF, F_OK) != 0)
        return program_fail(EXIT_USAGE,
                            "nothing says whom you trust: give --authority "
                            "KEY, or the cluster.conf with --cluster FILE");
    code = cluster_load(&cluster, program);
    if (code == EXIT_GOOD)
        memcpy(key_out, cluster.authority_key, PUBLIC_KEY_SIZE);
    return code;
}

int cluster_seed(uint8_t seed_out[SEED_SIZE], const char *path)
{
    struct keyfile keyfile;
    enum status status = file_read_key(&keyfile, path, KEYFILE_SIGNER);

    if (status != ST_OK)
        return program_fail(EXIT_USAGE, "%s: %s", path,
                            status_info(status)->english);
    memcpy(seed_out, keyfile.secret, SEED_SIZE);
    keyfile_wipe(&keyfile);
    return EXIT_GOOD;
}

uint16_t cluster_role(const char *text)
{
    char *end;
    unsigned long number = strtoul(text, &end, 10);

    if (*text != '\0' && *end == '\0' && number > 0 && number <= UINT16_MAX)
        return (uint16_t)number;
    for (uint32_t role = 1; role <= ROLE_EHIS; role++) {
        if (strcasecmp(role_name(role), text) == 0)
            return (uint16_t)role;
    }
    return 0;
}

int cluster_ask(char *out, size_t size, const char *prompt, bool *terminal_out)
{
    struct termios shown, hidden;
    bool terminal = tcgetattr(STDIN_FILENO, &shown) == 0;
    char *line;

    *terminal_out = terminal;
    if (terminal) {
        fputs(prompt, stderr);
        hidden = shown;
        hidden.c_lflag &= ~(tcflag_t)ECHO;
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden);
    }
    line = fgets(out, (int)size, stdin);
    if (terminal) {
        (void)tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
        fputc('\n', stderr);
    }
    if (line == NULL)
        return program_fail(EXIT_USAGE, "no password was given");
    out[strcspn(out, "\n")] = '\0';
    return EXIT_GOOD;
}

static int open_client(struct defter **client_out,
                       const struct defter_options *options)
{
    int status = defter_open(client_out, options);
    const char *english;

    if (status == 0)
        return EXIT_GOOD;
    english = status_info((uint32_t)status)->english;
    if (status == ST_USAGE || status == ST_INTERNAL)
        return program_fail(EXIT_USAGE, "%s", english);
    /* The one file that it opens. */
    return program_fail(EXIT_USAGE, "%s: %s", options->receipts_path, english);
}

/* Said here, where it can be said which. */
static int check_addresses(const char *addresses)
{
    struct nodes nodes;

    if (nodes_open(&nodes, addresses) == ST_OK)
        return EXIT_GOOD;
    return program_fail(EXIT_USAGE,
                        "\"%s\": not one to %d addresses, each a number and a "
                        "port: 127.0.0.1:7840, [::1]:7840",
                        addresses, ADDRESSES_MAX);
}

static int read_who(struct cluster_login *login, const struct program *program)
{
    const char *key =
        program->key != NULL ? program->key : getenv("DEFTER_KEY");
    bool terminal;

    if (program->user != NULL) {
        login->options.username = program->user;
        login->options.password = login->password;
        return cluster_ask(login->password, sizeof login->password,
                           "password: ", &terminal);
    }
    if (key == NULL)
        return program_fail(EXIT_USAGE, "name your key with --key FILE");
    login->options.key_seed = login->seed;
    return cluster_seed(login->seed, key);
}

int cluster_login_read(struct cluster_login *login,
                       const struct program *program, uint16_t role)
{
    int code;

    memset(login, 0, sizeof *login);
    login->options.agent = "defter";
    login->options.receipts_path = program->receipts;
    login->options.role = role;
    code = cluster_load(&login->cluster, program);
    if (code == EXIT_GOOD)
        code = check_addresses(login->cluster.addresses);
    if (code != EXIT_GOOD)
        return code;
    if (program->role != NULL)
        login->options.role = cluster_role(program->role);
    else if (role == 0)
        login->options.role = ROLE_STAFF;
    if (login->options.role == 0)
        return program_fail(EXIT_USAGE, "unknown role %s", program->role);
    login->options.address = login->cluster.addresses;
    login->options.timeout_ms = program->timeout_ms;
    login->options.any_node = program->any_node;
    memcpy(login->options.authority_key, login->cluster.authority_key,
           PUBLIC_KEY_SIZE);
    return read_who(login, program);
}

void cluster_login_wipe(struct cluster_login *login)
{
    sodium_memzero(login, sizeof *login);
}

int cluster_client(struct defter **client_out, const struct program *program,
                   uint16_t role)
{
    struct cluster_login login;
    int code = cluster_login_read(&login, program, role);

    if (code == EXIT_GOOD)
        code = open_client(client_out, &login.options);
    cluster_login_wipe(&login);
    return code;
}

/* Whoever waits for a command is told why, once for each. */
static struct {
    bool azerbaijani;
    bool said;
} patience;

static void say_read_only(void *context, int code)
{
    MAYBE(context == NULL);
    if (code != ST_READ_ONLY || patience.said)
        return;
    patience.said = true;
    fputs(patience.azerbaijani
              ? "defter: reyestr indi yazı qəbul etmir (604); cəhd davam edir\n"
              : "defter: the registry does not take writes now (604); going on "
                "trying\n",
          stderr);
}

void cluster_watch_faults(struct defter *client, const struct program *program)
{
    patience.azerbaijani = program->azerbaijani;
    patience.said = false;
    defter_on_fault(client, NULL, say_read_only);
}

/* What can be done about the commonest refusal. */
static void advise(int status)
{
    if (status == ST_AUTH)
        fputs("  the key must be of this cluster, enrolled and not revoked, "
              "and --role the\n  one it was enrolled with; of a password "
              "login, the name and the password\n",
              stderr);
    else if (status == ST_CONNECT)
        fputs("  is the node running, and its address that of --cluster or "
              "--address?\n",
              stderr);
    else if (status == ST_NOT_PRIMARY)
        fputs("  no node leads just now, or its address is not known here; "
              "`defter status`\n  asks each of them\n",
              stderr);
}

int cluster_say_failure(int status, const char *reason)
{
    (void)program_fail(EXIT_INCOMPLETE, "%s: %s", defter_status_name(status),
                       reason);
    advise(status);
    if (status == ST_USAGE)
        return EXIT_USAGE;
    return status == ST_AUTH ? EXIT_REFUSED : EXIT_INCOMPLETE;
}

int cluster_connect(struct defter **client_out, const struct program *program,
                    uint16_t role)
{
    int code = cluster_client(client_out, program, role);
    int status;

    if (code != EXIT_GOOD)
        return code;
    cluster_watch_faults(*client_out, program);
    status = defter_connect(*client_out);
    return status == 0
               ? EXIT_GOOD
               : cluster_say_failure(status, defter_reason(*client_out));
}
