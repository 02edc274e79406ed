#include "protocol/config_entry.h"

#include <string.h>

#include "protocol/contract.h"

/* The epochs of one grant. */
static bool entry_in_grant(const struct config *config, uint32_t epoch)
{
    return epoch >= config->epoch &&
           epoch - config->epoch < CONFIG_GRANT_EPOCHS;
}

static const char *entry_form(const struct config_entry *entry,
                              const struct config *config,
                              const uint8_t *cluster_id)
{
    bool member = config_has_member(config, config->primary);

    if (config->number != entry->number)
        return "brings a configuration of another number than it says";
    if (memcmp(config->cluster_id, cluster_id, CLUSTER_ID_SIZE) != 0)
        return "brings a configuration of another cluster";
    if (memcmp(config->primary, entry->node_id, NODE_ID_SIZE) != 0)
        return "brings a configuration in which another node is primary";
    if (!config_is_eligible(config, config->primary) ||
        member != (config->phase == CONFIG_NORMAL))
        return config_fault_text(CONFIG_V3_PRIMARY);
    return NULL;
}

/* ---- What came before --------------------------------------------------- */

/* Across a gap, or before any. */
static const char *entry_after_gap(const struct config *newer,
                                   const struct config *older)
{
    uint8_t lineage[LINEAGE_SIZE];

    if (newer->epoch < older->epoch ||
        (newer->epoch == older->epoch &&
         memcmp(newer->primary, older->primary, NODE_ID_SIZE) != 0))
        return config_fault_text(CONFIG_V2_EPOCH);
    if (newer->why == CONFIG_FORCED)
        config_forced_lineage(lineage, newer);
    else
        memcpy(lineage, older->lineage, LINEAGE_SIZE);
    if (memcmp(newer->lineage, lineage, LINEAGE_SIZE) != 0)
        return config_fault_text(CONFIG_V7_LINEAGE);
    return NULL;
}

static const char *entry_first(const struct config *config)
{
    enum config_fault fault = CONFIG_GOOD;

    /* Of a higher number the first may never have been entered. */
    if (config->number == 1)
        fault = config_judge(config, NULL, slice_of(NULL, 0));
    return fault == CONFIG_GOOD ? NULL : config_fault_text(fault);
}

static const char *entry_after(const struct config *newer,
                               const struct config *older,
                               struct slice older_bytes)
{
    enum config_fault fault;

    if (newer->number <= older->number)
        return "brings a configuration that does not rise";
    if (newer->number - older->number > 1)
        return entry_after_gap(newer, older);
    fault = config_judge(newer, older, older_bytes);
    return fault == CONFIG_GOOD ? NULL : config_fault_text(fault);
}

/* ---- The certificate ---------------------------------------------------- */

/* Only of the configuration right before it is known whether it had an archive.
 */
static const char *entry_certified(const struct config_entry *entry,
                                   const struct config *older,
                                   const struct config_cert_keys *keys)
{
    struct config_cert_keys with = *keys;
    struct config_cert cert;
    enum config_cert_fault fault;

    if (config_cert_decode(&cert, entry->certificate) != ST_OK)
        return "brings a certificate that is none";
    if (!slice_equal(cert.config, entry->bytes))
        return "brings a certificate of another configuration";
    with.witness_needed = older != NULL && entry->number - older->number == 1 &&
                          config_has_archive(older);
    fault = config_cert_verify(&cert, &with, CONFIG_CERT_ANY_TIME);
    return fault == CONFIG_CERT_GOOD ? NULL : config_cert_fault_text(fault);
}

/* ---- All of it ---------------------------------------------------------- */

/* The same once more: nothing is decided anew.  A certificate that was judged
 * stays good, though a witness was retired since. */
static const char *entry_again(const struct config_entry *entry,
                               const struct config_held *held,
                               const struct config *config,
                               const struct config_cert_keys *keys)
{
    if (!entry->begins)
        return "brings a configuration that the log holds";
    if (!entry_in_grant(config, entry->epoch))
        return "is of another epoch than the configuration grants";
    if (entry->certificate.size == 0 ||
        slice_equal(entry->certificate, held->certificate))
        return NULL;
    return entry_certified(entry, NULL, keys);
}

static const char *entry_next(const struct config_entry *entry,
                              const struct config *newer,
                              const struct config *older,
                              struct slice older_bytes,
                              const struct config_cert_keys *keys)
{
    bool certified = entry->certificate.size > 0;
    const char *complaint = older != NULL
                                ? entry_after(newer, older, older_bytes)
                                : entry_first(newer);

    if (complaint != NULL)
        return complaint;
    if (certified ? !entry_in_grant(newer, entry->epoch)
                  : newer->epoch != entry->epoch)
        return "is of another epoch than the configuration that it brings";
    if (newer->why == CONFIG_FORCED && !certified)
        return "brings a forced configuration without a certificate";
    if (newer->why == CONFIG_FORCED &&
        (!entry->begins || entry->index != newer->base_size))
        return "brings a forced configuration elsewhere than where it begins";
    return certified ? entry_certified(entry, older, keys) : NULL;
}

const char *config_entry_judge(const struct config_entry *entry,
                               const struct config_held *held,
                               const uint8_t *cluster_id,
                               const struct config_cert_keys *keys)
{
    struct config newer, older;
    const char *complaint;
    enum status status;

    if (entry->number == 0 && entry->bytes.size == 0) {
        if (entry->certificate.size > 0)
            return "brings a certificate and no configuration";
        return held->bytes.size == 0 ? NULL : "brings no configuration";
    }
    if (config_decode(&newer, entry->bytes) != ST_OK)
        return "brings a configuration that is none";
    complaint = entry_form(entry, &newer, cluster_id);
    if (complaint != NULL)
        return complaint;
    if (held->bytes.size == 0)
        return entry_next(entry, &newer, NULL, held->bytes, keys);
    if (slice_equal(entry->bytes, held->bytes))
        return entry_again(entry, held, &newer, keys);
    status = config_decode(&older, held->bytes);
    INVARIANT(status == ST_OK);
    return entry_next(entry, &newer, &older, held->bytes, keys);
}

/* ---- Without what came before ------------------------------------------- */

static const char *alone_certified(const struct config_entry *entry,
                                   const struct config_cert_keys *keys)
{
    struct config_cert_keys with = *keys;
    struct config_cert cert;
    enum config_cert_fault fault;
    size_t count = 0;

    if (config_cert_decode(&cert, entry->certificate) != ST_OK)
        return "brings a certificate that is none";
    if (!slice_equal(cert.config, entry->bytes))
        return "brings a certificate of another configuration";
    for (size_t i = 0; i < cert.signatures_count; i++) {
        if (cert.signatures[i].signer != CONFIG_SIGNER_WITNESS)
            cert.signatures[count++] = cert.signatures[i];
    }
    cert.signatures_count = count;
    with.witness_needed = false;
    fault = config_cert_verify(&cert, &with, CONFIG_CERT_ANY_TIME);
    return fault == CONFIG_CERT_GOOD ? NULL : config_cert_fault_text(fault);
}

const char *config_entry_alone(const struct config_entry *entry,
                               const uint8_t *cluster_id,
                               const struct config_cert_keys *keys)
{
    struct config_entry known = *entry;
    struct config config;
    const char *complaint;

    if (entry->number == 0 && entry->bytes.size == 0)
        return NULL;
    if (config_decode(&config, entry->bytes) != ST_OK)
        return "brings a configuration that is none";
    if (known.node_id == NULL)
        known.node_id = config.primary;
    complaint = entry_form(&known, &config, cluster_id);
    if (complaint != NULL)
        return complaint;
    if (entry->certificate.size > 0)
        return alone_certified(entry, keys);
    return config.why == CONFIG_FORCED
               ? "brings a forced configuration without a certificate"
               : NULL;
}
