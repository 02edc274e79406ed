/* fuzz-runs: 1000 plain
 *
 * fz_config_entry.c: configurations as entries of the log bring them, before or
 * after others, with certificates that the operator, the authority and an
 * archive signed or that anybody wrote.  What is entered keeps to what always
 * holds, and what is entered for the first time is judged well alone too.
 *
 * The first byte chooses how the entry is made (enum choice), the second who
 * signs its certificate (1 the operator, 2 the authority, 4 the archive; 0, it
 * is what stands at the end), the third how far its epoch is above that of its
 * configuration.  Then stand, each behind a u16 size, the configuration that
 * the log holds (empty: none) and the one that is brought; the rest is a
 * certificate.
 */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "protocol/config_entry.h"
#include "tests/lib/config_sample.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum choice {
    CHOICE_BEGINS = 1,
    CHOICE_FOLLOWS = 2, /* Number, hash and lineage are made to fit. */
    CHOICE_GAP = 4,     /* Another was won between them. */
    CHOICE_HELD = 8,    /* Its certificate is the one that the log holds. */
    CHOICE_KIND = 16,   /* The certificate is of another kind. */
    CHOICE_STRANGER = 32,
    CHOICE_NUMBER = 64,
    CHOICE_BASE = 128 /* The entry stands where the configuration begins. */
};
enum { SIGNED_BY_OPERATOR = 1, SIGNED_BY_AUTHORITY = 2, FUZZ_HEAD_SIZE = 3 };

/* What an input says, taken apart. */
struct scene {
    uint8_t choice;
    uint8_t signers;
    uint8_t epochs;
    struct slice held;
    struct slice brought;
    struct slice certificate;
};

static bool take(struct slice *out, struct slice *rest)
{
    size_t size;

    if (rest->size < 2)
        return false;
    size = load_u16(rest->data);
    if (size > rest->size - 2)
        return false;
    *out = slice_of(rest->data + 2, size);
    *rest = slice_of(rest->data + 2 + size, rest->size - 2 - size);
    return true;
}

static bool read_scene(struct scene *out, struct slice input)
{
    if (input.size < FUZZ_HEAD_SIZE)
        return false;
    *out = (struct scene){input.data[0], input.data[1], input.data[2],
                          .certificate = {NULL, 0}};
    input = slice_of(input.data + FUZZ_HEAD_SIZE, input.size - FUZZ_HEAD_SIZE);
    if (!take(&out->held, &input) || !take(&out->brought, &input))
        return false;
    out->certificate = input;
    return true;
}

static void make_follow(struct config *newer, const struct config *older,
                        struct slice older_bytes, bool gap)
{
    config_hash(newer->previous, older_bytes);
    if (older->number < UINT64_MAX - 1)
        newer->number = older->number + 1 + gap;
    if (newer->why == CONFIG_FORCED)
        config_forced_lineage(newer->lineage, newer);
    else
        memcpy(newer->lineage, older->lineage, LINEAGE_SIZE);
}

static struct slice make_certificate(uint8_t *out, const struct scene *scene,
                                     const struct config *config,
                                     struct slice bytes)
{
    enum config_why kind = config->why;

    if (scene->signers == 0 || bytes.size > CONFIG_ENCODED_SIZE_MAX)
        return scene->certificate;
    if ((scene->choice & CHOICE_KIND) != 0)
        kind = kind == CONFIG_WHY_MAX ? CONFIG_BOOT : kind + 1;
    return sample_config_cert(out, kind, bytes, scene->signers & 7u);
}

/* What holds of each configuration that comes into a log. */
static void check_good(const struct config_entry *entry,
                       const struct config_held *held, const uint8_t *cluster,
                       unsigned signers)
{
    struct config config, older;

    if (entry->bytes.size == 0) {
        INVARIANT(held->bytes.size == 0 && entry->certificate.size == 0);
        return;
    }
    INVARIANT(config_decode(&config, entry->bytes) == ST_OK);
    INVARIANT(config.number == entry->number);
    INVARIANT(memcmp(config.cluster_id, cluster, CLUSTER_ID_SIZE) == 0);
    INVARIANT(memcmp(config.primary, entry->node_id, NODE_ID_SIZE) == 0);
    INVARIANT(config_is_eligible(&config, config.primary));
    INVARIANT(entry->epoch >= config.epoch);
    INVARIANT(IMPLIES(entry->certificate.size == 0 &&
                          !slice_equal(entry->bytes, held->bytes),
                      config.why != CONFIG_FORCED));
    INVARIANT(IMPLIES(signers != 0 &&
                          !slice_equal(entry->certificate, held->certificate),
                      (signers & SIGNED_BY_OPERATOR) != 0 &&
                          (config.why != CONFIG_FORCED ||
                           (signers & SIGNED_BY_AUTHORITY) != 0)));
    if (held->bytes.size == 0 || slice_equal(entry->bytes, held->bytes))
        return;
    INVARIANT(config_decode(&older, held->bytes) == ST_OK);
    INVARIANT(config.number > older.number && config.epoch >= older.epoch);
    INVARIANT(config.why == CONFIG_FORCED ||
              memcmp(config.lineage, older.lineage, LINEAGE_SIZE) == 0);
}

static void judge(const struct scene *scene, struct config_entry *entry,
                  const struct config_held *held)
{
    static struct config_cert_keys keys;
    static uint8_t cluster[CLUSTER_ID_SIZE];
    const bool known = slice_equal(entry->certificate, held->certificate);
    const char *complaint, *alone;

    if (keys.witnesses_count == 0) {
        sample_config_keys(&keys);
        sample_cluster_id(cluster);
    }
    complaint = config_entry_judge(entry, held, cluster, &keys);
    alone = config_entry_alone(entry, cluster, &keys);
    if (complaint == NULL) {
        check_good(entry, held, cluster, scene->signers & 7u);
        INVARIANT(alone == NULL || known);
    }
    INVARIANT(complaint == NULL || complaint[0] != '\0');
    entry->node_id = NULL;
    INVARIANT(IMPLIES(alone == NULL,
                      config_entry_alone(entry, cluster, &keys) == NULL));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t stranger[NODE_ID_SIZE] = {1};
    uint8_t bytes[CONFIG_ENCODED_SIZE_MAX];
    uint8_t certificate[CONFIG_CERT_ENCODED_SIZE_MAX];
    struct config_entry entry = {.node_id = stranger};
    struct config_held held = {{NULL, 0}, {NULL, 0}};
    struct config newer, older;
    struct scene scene;

    if (sodium_init() < 0 || !read_scene(&scene, slice_of(data, size)) ||
        (scene.held.size > 0 && config_decode(&older, scene.held) != ST_OK))
        return 0;
    held.bytes = scene.held;
    entry.bytes = scene.brought;
    entry.begins = (scene.choice & CHOICE_BEGINS) != 0;
    entry.certificate = scene.certificate;
    if (config_decode(&newer, scene.brought) == ST_OK) {
        sample_cluster_id(newer.cluster_id);
        if (held.bytes.size > 0 && (scene.choice & CHOICE_FOLLOWS) != 0)
            make_follow(&newer, &older, held.bytes,
                        (scene.choice & CHOICE_GAP) != 0);
        config_encode(bytes, &newer);
        entry.bytes = slice_of(bytes, config_size(&newer));
        entry.number = newer.number + ((scene.choice & CHOICE_NUMBER) != 0);
        entry.epoch = newer.epoch + scene.epochs * 32u;
        entry.index = (scene.choice & CHOICE_BASE) != 0 ? newer.base_size : 0;
        if ((scene.choice & CHOICE_STRANGER) == 0)
            entry.node_id = newer.primary;
        entry.certificate =
            make_certificate(certificate, &scene, &newer, entry.bytes);
    }
    if ((scene.choice & CHOICE_HELD) != 0)
        held.certificate = entry.certificate;
    judge(&scene, &entry, &held);
    return 0;
}
