/*
 * fz_options.c: configurations as texts that people write: a node's file, a
 * list of nodes, an address.  What is taken keeps to its bounds; what is not is
 * said in one printable line.
 *
 * The first byte chooses: 0 a node's configuration, 1 a client's list of nodes,
 * 2 an address, also as one that a node advises.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "client/nodes.h"
#include "replication/replica.h"
#include "server/cluster/link_address.h"
#include "server/options_private.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { FUZZ_TEXT_MAX = 8192 };

static void check_options(const char *text)
{
    static struct options options;
    struct replica_timers timers;
    char error[OPTIONS_ERROR_SIZE];
    enum status status = options_parse(&options, error, text, "/base");

    INVARIANT(memchr(error, '\0', sizeof error) != NULL);
    INVARIANT((status == ST_OK) == (error[0] == '\0'));
    for (size_t i = 0; error[i] != '\0'; i++)
        INVARIANT((uint8_t)error[i] >= ' ' && error[i] != 0x7f);
    if (status != ST_OK)
        return;
    INVARIANT(options.directory[0] != '\0');
    INVARIANT(options.net.address == options.address);
    INVARIANT(options.net.loops >= 1 && options.net.loops <= NET_LOOPS_MAX);
    INVARIANT(options.net.connections >= 1 &&
              options.net.connections <= CONNECTIONS_MAX);
    INVARIANT(options.cluster.etcd_count <= OPTIONS_ETCD_MAX);
    INVARIANT(options.cluster.links.peers_count < CONFIG_NODES_MAX);
    options_timers(&timers, &options.cluster.timers);
    INVARIANT(timers.beacon_ms > 0);
}

/* A file says what its text says; one with a NUL in it is none. */
static void check_file(const uint8_t *data, size_t size)
{
    static struct options given, read;
    char error[OPTIONS_ERROR_SIZE], again[OPTIONS_ERROR_SIZE];
    char path[64], text[FUZZ_TEXT_MAX + 1];
    const int file = memfd_create("options", MFD_CLOEXEC);
    const char *again_is = "";
    enum status status, parsed;

    if (size > FUZZ_TEXT_MAX)
        size = FUZZ_TEXT_MAX;
    INVARIANT(file >= 0 && write(file, data, size) == (ssize_t)size);
    (void)snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    status = options_read(&read, error, path);
    (void)close(file);
    if (size > 0 && memchr(data, '\0', size) != NULL) {
        INVARIANT(status == ST_FILE_FORMAT);
        return;
    }
    memcpy(text, data, size);
    text[size] = '\0';
    parsed = options_parse(&given, again, text, "/proc/self/fd");
    /* Beside its text a file may name what is none; the text itself may have
     * these words, too. */
    if (parsed == ST_OK && status == ST_USAGE &&
        strstr(error, "no plain file") != NULL)
        status = ST_OK;
    else
        again_is = error;
    INVARIANT(parsed == status);
    INVARIANT(strcmp(again_is, again) == 0);
    if (status == ST_OK)
        INVARIANT(options_numbers_fixed(&given, &read) == NULL);
}

static void check_nodes(const char *text)
{
    static const int failures[] = {ST_CERTIFICATE, ST_REJECTED, ST_AUTH,
                                   ST_NOT_PRIMARY};
    static char reasons[NODES_REASON_SIZE];
    static struct nodes nodes;

    if (nodes_open(&nodes, text) != ST_OK)
        return;
    INVARIANT(nodes.given >= 1 && nodes.given <= ADDRESSES_MAX);
    for (uint32_t i = 0; i < nodes.given; i++)
        INVARIANT(nodes_address_reads(nodes.at[i].address));
    nodes_advise(&nodes, slice_of(text, strlen(text)));
    for (uint32_t left = NODES_MAX;
         nodes_fail(&nodes, ST_CONNECT, nodes_address(&nodes)); left--)
        INVARIANT(left > 0);
    nodes_reasons(&nodes, reasons);
    INVARIANT(nodes_verdict(&nodes) == ST_CONNECT);
    for (size_t i = 0; i < sizeof failures / sizeof failures[0]; i++) {
        nodes_worked(&nodes);
        INVARIANT(nodes_verdict(&nodes) == ST_OK);
        MAYBE(nodes_fail(&nodes, failures[i], ""));
        INVARIANT(nodes_verdict(&nodes) == failures[i]);
    }
}

static void check_address(const char *text)
{
    struct nodes nodes;
    struct link_address address, again;
    char written[LINK_ADDRESS_TEXT_SIZE];

    MAYBE(nodes_address_reads(text));
    INVARIANT(nodes_open(&nodes, "127.0.0.1:7") == ST_OK);
    nodes_advise(&nodes, slice_of(text, strlen(text)));
    INVARIANT(nodes_address_reads(nodes_address(&nodes)));
    if (!link_address_read(&address, text))
        return;
    link_address_write(written, &address);
    INVARIANT(strlen(written) < sizeof written);
    INVARIANT(link_address_same_host(&address, &address));
    if (link_address_read(&again, written))
        INVARIANT(link_address_port(&again) == link_address_port(&address));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *text;

    if (size < 1)
        return 0;
    text = malloc(size);
    if (text == NULL)
        return 0;
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    switch (data[0] % 3) {
    case 0:
        check_options(text);
        check_file(data + 1, size - 1);
        break;
    case 1:
        check_nodes(text);
        break;
    case 2:
        check_address(text);
        break;
    }
    free(text);
    return 0;
}
