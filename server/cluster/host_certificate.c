/*
 * Certificates of the operator, where no register decides.  Whether the
 * signatures are right is judged here; whether the configuration may follow the
 * one before it, by the replica.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "protocol/config_cert.h"
#include "replication/need.h"
#include "server/cluster/cluster_clock.h"
#include "server/cluster/host_private.h"

static void add_witness(struct config_cert_keys *keys, const uint8_t *node_id,
                        const uint8_t *receipt_key)
{
    size_t at = keys->witnesses_count++;

    memcpy(keys->witnesses[at].node_id, node_id, NODE_ID_SIZE);
    memcpy(keys->witnesses[at].receipt_key, receipt_key, PUBLIC_KEY_SIZE);
}

/* False if an archive's key is not known yet. */
static bool gather_keys(struct host *host, struct config_cert_keys *keys)
{
    const struct replica_options *options = &host->options.replica;
    uint8_t receipt_key[PUBLIC_KEY_SIZE];
    struct config config;
    struct slice bytes;
    bool all = true;

    memset(keys, 0, sizeof *keys);
    memcpy(keys->operator_key, host->options.operator_key, PUBLIC_KEY_SIZE);
    memcpy(keys->authority_key, host->options.identity.authority_key,
           PUBLIC_KEY_SIZE);
    keys->witness_needed = replica_config(host->replica, &config, &bytes) &&
                           config_has_archive(&config);
    if (options->archive)
        add_witness(keys, options->node_id, host->options.receipt_key);
    for (size_t i = 0; i < options->peers_count; i++) {
        if (!options->peers[i].archive)
            continue;
        if (links_receipt_key(host->links, i, receipt_key))
            add_witness(keys, options->peers[i].node_id, receipt_key);
        else
            all = false;
    }
    return all;
}

static void give(struct host *host, struct slice bytes)
{
    struct replica_event event = {.type = REPLICA_CERTIFIED};

    event.certificate = bytes;
    host_step(host, &event);
}

/* Whether the certificate forces a lineage that is not this node's.  Such a one
 * is what the operator brings, and nobody else. */
static bool begins_lineage(const struct host *host,
                           const struct config_cert *cert, bool *leads_out)
{
    const struct replica_options *options = &host->options.replica;
    struct config config;

    if (cert->kind != CONFIG_FORCED ||
        config_decode(&config, cert->config) != ST_OK ||
        memcmp(config.lineage, options->lineage, LINEAGE_SIZE) == 0)
        return false;
    *leads_out = memcmp(config.primary, options->node_id, NODE_ID_SIZE) == 0;
    return true;
}

enum status host_certify(struct host *host,
                         char refusal_out[CLUSTER_LINE_SIZE_MAX],
                         struct slice bytes, bool from_peer)
{
    struct config_cert_keys keys;
    struct config_cert cert;
    enum config_cert_fault fault;
    bool all_known = gather_keys(host, &keys);
    bool any_time = from_peer, leads = false;
    enum status status = config_cert_decode(&cert, bytes);

    (void)snprintf(refusal_out, CLUSTER_LINE_SIZE_MAX, "%s",
                   "it is no certificate");
    if (status != ST_OK)
        return status;
    /* What a peer brings may have been acted upon in its time, and a clock must
     * not tell (REPLICATION, section 5); so it is with a lineage that another
     * node began. */
    if (begins_lineage(host, &cert, &leads)) {
        (void)snprintf(refusal_out, CLUSTER_LINE_SIZE_MAX, "%s",
                       "only the operator brings a new lineage");
        if (from_peer)
            return ST_CERTIFICATE;
        any_time = !leads;
    }
    fault = config_cert_verify(&cert, &keys,
                               any_time ? CONFIG_CERT_ANY_TIME
                                        : cluster_clock_wall_us() / 1000000);
    if (fault != CONFIG_CERT_GOOD) {
        bool unknown = fault == CONFIG_CERT_SIGNATURE && !all_known;
        (void)snprintf(refusal_out, CLUSTER_LINE_SIZE_MAX, "%s",
                       unknown ? "it cannot be judged before the archive is "
                                 "linked: defter certificate again in a few "
                                 "seconds"
                               : config_cert_fault_text(fault));
        return unknown ? ST_BUSY : ST_CERTIFICATE;
    }
    give(host, bytes);
    if (host->refusal != NULL) {
        (void)snprintf(refusal_out, CLUSTER_LINE_SIZE_MAX, "%s", host->refusal);
        return ST_CERTIFICATE;
    }
    refusal_out[0] = '\0';
    return ST_OK;
}

/* ---- From a peer -------------------------------------------------------- */

struct certificate_mail {
    struct host_mail mail;
    size_t size;
    uint8_t bytes[CONFIG_CERT_SIZE_MAX];
};

static void deliver_certificate(struct host *host, struct host_mail *mail)
{
    struct certificate_mail *sent = (struct certificate_mail *)mail;
    char refusal[CLUSTER_LINE_SIZE_MAX];
    enum status status =
        host_certify(host, refusal, slice_of(sent->bytes, sent->size), true);

    /* Whoever greets sends it again, the archive too: then its key is known. */
    if (status == ST_BUSY)
        host_tell(host, CLUSTER_NOTE,
                  "a certificate that a node sent cannot be judged before the "
                  "archive that countersigned it is linked");
    else if (status != ST_OK)
        host_tell(host, CLUSTER_WARNING,
                  "a certificate that a node sent is refused: %s", refusal);
    free(sent);
}

void host_verify(struct host *host, struct slice bytes)
{
    struct certificate_mail *sent = calloc(1, sizeof *sent);

    NEED(sent != NULL);
    if (bytes.size > sizeof sent->bytes) {
        free(sent);
        return;
    }
    sent->mail.deliver = deliver_certificate;
    sent->size = bytes.size;
    if (bytes.size > 0)
        memcpy(sent->bytes, bytes.data, bytes.size);
    if (!host_post(host, &sent->mail))
        free(sent);
}

/* ---- From a file -------------------------------------------------------- */

/* Reads all of it, if it is no larger than a certificate may be. */
static enum status read_file(struct host *host, uint8_t *out, size_t *size_out)
{
    struct disk_file *file;
    uint64_t size;
    enum status status = disk_open(host->parts.disk, &file, HOST_FILE_INCOMING);

    if (status != ST_OK)
        return status;
    status = disk_size(file, &size);
    if (status == ST_OK && (size == 0 || size > CONFIG_CERT_SIZE_MAX))
        status = ST_FILE_FORMAT;
    if (status == ST_OK)
        status = disk_read_all(file, out, (size_t)size, 0);
    if (status == ST_OK)
        *size_out = (size_t)size;
    disk_close(file);
    return status;
}

/* Where it cannot be moved it is not judged again and again. */
static void put_away(struct host *host, const char *name)
{
    enum status status =
        disk_rename(host->parts.disk, HOST_FILE_INCOMING, name);

    if (status == ST_OK)
        status = disk_sync_directory(host->parts.disk, "");
    if (status != ST_OK)
        host_tell(host, CLUSTER_WARNING, "%s cannot be renamed to %s: %s",
                  HOST_FILE_INCOMING, name, status_info(status)->english);
    host->file_stuck = status != ST_OK;
}

/* It is taken once it is durable, and by the start that comes then. */
static bool begins_anew(const struct host *host, struct slice bytes)
{
    struct config_cert cert;
    bool leads;

    return config_cert_decode(&cert, bytes) == ST_OK &&
           begins_lineage(host, &cert, &leads);
}

static void wait_for_archive(struct host *host)
{
    if (!host->file_waits)
        host_tell(host, CLUSTER_NOTE,
                  "%s waits until an archive that may have witnessed it is "
                  "linked",
                  HOST_FILE_INCOMING);
    host->file_waits = true;
}

/* Whether the last look found the same.  Whoever copies it there may not have
 * done so yet; and what cannot be renamed may have been replaced. */
static bool is_seen(struct host *host, enum status status, struct slice bytes)
{
    uint8_t hash[HASH_SIZE];
    bool seen;

    crypto_hash_sha256(hash, bytes.data, bytes.size);
    seen = host->file_seen && host->file_status == status &&
           memcmp(host->file_hash, hash, HASH_SIZE) == 0;
    host->file_seen = true;
    host->file_status = status;
    memcpy(host->file_hash, hash, HASH_SIZE);
    return seen;
}

/* Whoever is told it was no certificate would look at the wrong thing. */
static const char *why_unread(enum status status)
{
    if (status == ST_OK || status == ST_FILE_FORMAT)
        return "it is no certificate";
    return "it cannot be read: it is no plain file, or not this node's user's, "
           "or its disk is at fault";
}

void host_look_for_certificate(struct host *host)
{
    uint8_t bytes[CONFIG_CERT_SIZE_MAX];
    char refusal[CLUSTER_LINE_SIZE_MAX];
    size_t size = 0;
    bool is_first = !host->file_looked;
    enum status status = read_file(host, bytes, &size);

    /* What was laid there before the start decides what this node is. */
    host->file_looked = true;
    if (status == ST_NO_FILE) {
        host->file_waits = host->file_stuck = host->file_seen = false;
        return;
    }
    if (!is_seen(host, status, slice_of(bytes, size)) && !is_first) {
        host->file_stuck = false;
        return;
    }
    if (host->file_stuck)
        return;
    (void)snprintf(refusal, sizeof refusal, "%s", why_unread(status));
    if (status == ST_OK)
        status = host_certify(host, refusal, slice_of(bytes, size), false);
    if (status == ST_BUSY) {
        wait_for_archive(host);
        return;
    }
    if (status == ST_OK && begins_anew(host, slice_of(bytes, size)))
        return;
    if (status == ST_OK)
        host_tell(host, CLUSTER_NOTE, "%s is taken", HOST_FILE_INCOMING);
    else
        host_tell(host, CLUSTER_WARNING, "%s is refused: %s",
                  HOST_FILE_INCOMING, refusal);
    put_away(host, status == ST_OK ? HOST_FILE_TAKEN : HOST_FILE_REFUSED);
}
