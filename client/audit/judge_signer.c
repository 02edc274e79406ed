#include <string.h>

#include "client/audit/judge_parts.h"
#include "protocol/config.h"
#include "protocol/dates.h"
#include "protocol/genesis.h"

static bool judge_load_receipts(struct judge *judge,
                                const uint8_t *authority_key)
{
    struct receipts_fault fault;
    enum status status;

    if (judge->options->receipts == NULL)
        return true;
    status = receipts_load(&judge->receipts, &fault, judge->options->receipts,
                           authority_key);
    if (status == ST_RECEIPT)
        return judge_receipt_fault(judge, REPORT_NO_INDEX, &fault);
    if (status != ST_OK)
        return judge_give_up(judge, status == ST_EXHAUSTED ? ST_EXHAUSTED
                                                           : ST_RECEIPT);
    return true;
}

static bool judge_genesis(struct judge *judge, const struct judging *judging,
                          uint8_t *key_out)
{
    const struct verify_options *options = judge->options;
    struct report *report = judge->report;
    struct op_system_genesis genesis;
    struct entry entry;
    enum status status;

    status = genesis_read(&genesis, &entry, judging->entry->bytes);
    if (status == ST_BAD_SIG)
        return judge_tampered(judge, judging,
                              "the genesis is not signed by the authority key "
                              "that it names");
    if (status != ST_OK)
        return judge_tampered(judge, judging, "it is no genesis");
    if (options->has_authority &&
        memcmp(options->authority, genesis.authority_key.b, PUBLIC_KEY_SIZE) !=
            0)
        return judge_tampered_hashes(
            judge, judging, "the genesis is of another authority",
            options->authority, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    memcpy(key_out, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    report->has_genesis = true;
    memcpy(report->authority_key, genesis.authority_key.b, PUBLIC_KEY_SIZE);
    status = authority_reserve(&judge->authority);
    if (status != ST_OK)
        return judge_give_up(judge, status);
    authority_begin(&judge->authority, &genesis);
    memcpy(report->cluster_id, judge->authority.cluster_id, CLUSTER_ID_SIZE);
    return judge_vouches(judge, genesis.origin, genesis.log_key.b) &&
           judge_load_receipts(judge, genesis.authority_key.b);
}

bool judge_signer(struct judge *judge, struct judging *judging,
                  uint8_t *key_out)
{
    const struct command_header *header = &judging->entry->header;
    const struct keys *keys = &judge->authority.keys;

    judging->signer = KEYS_NONE;
    if (judge->tree.size == 0)
        return judge_genesis(judge, judging, key_out);
    judging->signer = keys_find(keys, header->key_id);
    if (judging->signer == KEYS_NONE)
        return judge_tampered(judge, judging,
                              "it is signed with a key that no entry before it "
                              "names");
    if (header->env_tag != judge->authority.cluster_id[0])
        return judge_tampered(judge, judging,
                              "it is a command for another cluster");
    memcpy(key_out, keys->rows[judging->signer].public_key, PUBLIC_KEY_SIZE);
    return true;
}

/* Whether a node has the key, or will have once its enrolment is attested. */
static bool judge_is_node(const struct judge *judge, uint32_t signer)
{
    const struct keys_key *rows = judge->authority.keys.rows;

    /* A term of one whose enrolment is not attested is never good alone. */
    return signer != KEYS_NONE &&
           (rows[signer].is_node || rows[signer].may_be_node);
}

bool judge_is_primary(const struct judge *judge, const struct judging *judging)
{
    return judge_is_node(judge, judging->signer) &&
           (!judge->has_primary || judge->primary == judging->signer);
}

/* Whether the lineage that a forced configuration begins, begins here; what it
 * says of the one before is noted. */
static bool judge_forced(struct judge *judge, const struct judging *judging,
                         const struct op_system_epoch *fields)
{
    const struct entry_place *place = &judging->entry->place;
    struct report *report = judge->report;
    struct report_forced *out;
    struct config config;

    /* What it is worth is judged when its outcome is known. */
    if (config_decode(&config, fields->configuration) != ST_OK ||
        config.why != CONFIG_FORCED || config.base_size != place->index)
        return true;
    if (memcmp(config.base_leaf, place->previous, HASH_SIZE) != 0)
        return judge_tampered_hashes(
            judge, judging,
            "its forced configuration was signed for another log than the one "
            "before it",
            config.base_leaf, place->previous, HASH_SIZE);
    judge->forced = place->index;
    if (report->forced_count == REPORT_FORCED_MAX) {
        report->forced_left_out++;
    } else {
        out = &report->forced[report->forced_count];
        out->index = place->index;
        out->number = config.number;
        out->lost_count = config.lost_count;
        memcpy(out->previous, place->previous, HASH_SIZE);
        memcpy(out->lineage, config.lineage, LINEAGE_SIZE);
        report->forced_count++;
    }
    return true;
}

bool judge_epoch(struct judge *judge, const struct judging *judging)
{
    const struct entry_place *place = &judging->entry->place;
    struct op_system_epoch fields;
    struct field_error error;
    struct item item;
    const char *complaint;

    if (place->epoch == judge->epoch)
        return true;
    entry_item(&item, judging->entry, 0);
    if (item.clear_part.opcode != OPCODE_SYSTEM_EPOCH || item.seal_key != 0 ||
        !judge_is_node(judge, judging->signer))
        return judge_tampered_numbers(
            judge, judging, "its epoch rises, and no node begins one here",
            judge->epoch, place->epoch);
    if (schema_decode(&schema_op_system_epoch, &fields, &error,
                      item_fields(&item), SCHEMA_REFUSE_UNKNOWN) != ST_OK ||
        fields.epoch != place->epoch)
        return judge_tampered(judge, judging,
                              "it begins another epoch than its own");
    complaint = authority_epoch_read(&judge->authority, &fields, place->index,
                                     judging->signer);
    if (complaint != NULL)
        return judge_tampered(judge, judging, complaint);
    judge->epoch = place->epoch;
    judge->term = place->index;
    judge->has_primary = true;
    judge->primary = judging->signer;
    judge->report->epochs++;
    return judge_forced(judge, judging, &fields);
}

bool judge_is_timely(const struct entry *entry)
{
    int64_t signed_at = entry->header.signed_at;
    int64_t skew = SKEW_S * DATES_US_PER_SECOND;
    int64_t ttl = entry->header.ttl_s * DATES_US_PER_SECOND;

    return signed_at >= 0 && signed_at <= DATES_TIME_MAX &&
           entry->place.log_time >= signed_at - skew &&
           entry->place.log_time <= signed_at + ttl + skew;
}
