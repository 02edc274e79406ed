#include "server/registry/act.h"

#include <string.h>

#include <sodium.h>

#include "protocol/contract.h"
#include "protocol/dates.h"
#include "server/registry/rows.h"

uint64_t act_keep(struct act *act)
{
    struct row_record row = {.number = act->index << 16 | act->item,
                             .item = act->stored_item};

    if (!act->kept)
        state_insert(act->state, TABLE_RECORD, &row);
    act->kept = true;
    act->record = row.number;
    return row.number;
}

static void act_mac(const struct act *act, uint8_t out[HASH_SIZE], enum tag tag,
                    struct slice value)
{
    crypto_auth_hmacsha256_state mac;

    crypto_auth_hmacsha256_init(&mac, act->services->secret, HASH_SIZE);
    crypto_auth_hmacsha256_update(&mac, tags_bytes(tag), TAG_SIZE);
    if (value.size > 0)
        crypto_auth_hmacsha256_update(&mac, value.data, value.size);
    crypto_auth_hmacsha256_final(&mac, out);
    sodium_memzero(&mac, sizeof mac);
}

void act_tag(const struct act *act, struct bytes16 *tag_out, enum tag tag,
             struct slice value)
{
    uint8_t mac[HASH_SIZE];

    memset(tag_out, 0, sizeof *tag_out);
    if (value.size == 0)
        return;
    act_mac(act, mac, tag, value);
    memcpy(tag_out->b, mac, sizeof tag_out->b);
}

void act_name_tag(const struct act *act, struct bytes32 *tag_out,
                  struct slice username)
{
    act_mac(act, tag_out->b, TAG_PWNAME, username);
}

void act_pseudonym_of(const struct act *act, struct bytes8 *out,
                      uint64_t person)
{
    uint8_t number[sizeof person];
    uint8_t mac[HASH_SIZE];

    memset(out, 0, sizeof *out);
    if (person == 0)
        return;
    store_u64(number, person);
    act_mac(act, mac, TAG_PERSON, slice_of(number, sizeof number));
    memcpy(out->b, mac, sizeof out->b);
}

void act_pseudonym(const struct act *act, struct bytes8 *out)
{
    act_pseudonym_of(act, out, act->signer.person);
}

int32_t act_day(struct state *state, int64_t time)
{
    return dates_day_at(
        time, (int32_t)state_setting(state, SETTING_utc_offset_minutes));
}

bool act_in_term(int32_t day, int32_t from, int32_t to)
{
    return from <= day && (to == 0 || day <= to);
}

bool act_is_representative(struct act *act, uint64_t subject)
{
    static const struct bytes16 none;
    struct row_person person = {.number = act->signer.person};
    struct row_representative row = {.subject = subject};
    struct state_scan scan;
    bool found = false;

    if (person.number == 0 || !state_get(act->state, TABLE_PERSON, &person) ||
        memcmp(&person.fin_tag, &none, sizeof none) == 0)
        return false;
    row.fin_tag = person.fin_tag;
    state_scan_open(act->state, &scan, INDEX_REPRESENTATIVE_BY_FIN, &row,
                    (struct state_range){.equal = 2});
    while (!found && state_scan_next(&scan, &row))
        found = act_in_term(act->today, row.from, row.to);
    state_scan_close(&scan);
    return found;
}

static bool act_is_mandated(struct act *act, uint64_t subject,
                            enum act_right right)
{
    struct row_mandate row = {.person = act->signer.person, .subject = subject};
    struct state_scan scan;
    bool found = false;

    if (row.person == 0)
        return false;
    state_scan_open(act->state, &scan, INDEX_MANDATE_BY_PERSON, &row,
                    (struct state_range){.equal = 2});
    while (!found && state_scan_next(&scan, &row)) {
        found = row.state == MANDATE_LIVE && (row.rights & right) != 0 &&
                act_in_term(act->today, row.from, row.to);
    }
    state_scan_close(&scan);
    return found;
}

bool act_is_self(struct act *act, uint64_t subject, enum act_right right)
{
    return act->duty == DUTY_USR && subject != 0 &&
           (act_is_representative(act, subject) ||
            act_is_mandated(act, subject, right));
}
