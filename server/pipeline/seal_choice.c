#include "server/pipeline/seal_choice.h"

#include <string.h>

#include <sodium.h>

#include "server/registry/rows.h"

void seal_choice_init(struct seal_choice *choice, struct keyring *keyring,
                      uint32_t epoch)
{
    uint64_t last = keyring_last(keyring);

    choice->keyring = keyring;
    choice->next = ((uint64_t)epoch << 32) + 1;
    if (choice->next <= last)
        choice->next = last + 1;
}

static uint64_t seal_choice_new(struct seal_choice *choice,
                                enum keyring_class class, uint64_t owner,
                                uint64_t index)
{
    struct keyring_row row = {
        .number = choice->next++,
        .owner = owner,
        .first_index = index,
        .class = class,
    };

    keyring_stage(choice->keyring, &row, NULL);
    return row.number;
}

static uint64_t seal_choice_own(struct seal_choice *choice,
                                enum keyring_class class, uint64_t owner,
                                uint64_t index)
{
    uint64_t number = keyring_find(choice->keyring, class, owner);

    return number != 0 ? number : seal_choice_new(choice, class, owner, index);
}

static uint64_t seal_choice_signer(struct seal_choice *choice,
                                   const struct work *work, uint64_t index)
{
    if (work->origin.organisation != 0)
        return seal_choice_own(choice, KEYRING_ORGANISATION,
                               work->origin.organisation, index);
    return seal_choice_own(choice, KEYRING_PERSON,
                           keyring_person(work->command.header.key_id), index);
}

/* Who serves no organisation states nobody's identity, and shall make no keys
 * of people that may not be there. */
static uint64_t seal_choice_named(struct seal_choice *choice,
                                  const struct work *work,
                                  const uint8_t *key_id, uint64_t index)
{
    if (work->origin.organisation == 0)
        return seal_choice_signer(choice, work, index);
    return seal_choice_own(choice, KEYRING_PERSON, keyring_person(key_id),
                           index);
}

/* Whether the item may be the first of its subject. */
static bool seal_choice_opens(const struct work *work,
                              const struct item_clear *clear)
{
    if (clear->subject == 0 || clear->subject > INT64_MAX)
        return false;
    if (clear->opcode == OPCODE_SUBJECT_OPEN)
        return work->origin.organisation != 0;
    return clear->opcode == OPCODE_FEED_PUT &&
           work->origin.carrier_kind == CARRIER_KIND_EHIS;
}

static uint64_t seal_choice_subject(struct seal_choice *choice,
                                    enum keyring_class class,
                                    const struct work *work,
                                    const struct item_clear *clear,
                                    uint64_t index)
{
    uint64_t number =
        clear->subject > INT64_MAX
            ? 0
            : keyring_find(choice->keyring, class, clear->subject);

    if (number != 0)
        return number;
    /* Of somebody whose records were destroyed: an act reaches it there. */
    if (!seal_choice_opens(work, clear) && class == KEYRING_RECORD &&
        clear->subject <= INT64_MAX)
        number =
            keyring_find(choice->keyring, KEYRING_EVIDENCE, clear->subject);
    if (number != 0)
        return number;
    if (!seal_choice_opens(work, clear))
        return seal_choice_signer(choice, work, index);
    /* Both at once: consents come later, and never make a key. */
    number = seal_choice_new(choice, KEYRING_RECORD, clear->subject, index);
    (void)seal_choice_own(choice, KEYRING_EVIDENCE, clear->subject, index);
    return number;
}

static uint64_t seal_choice_item(struct seal_choice *choice,
                                 const struct work *work,
                                 const struct command_item *item,
                                 uint64_t index)
{
    const struct item_clear *clear = &item->clear_part;
    const uint8_t *key_id = work->command.header.key_id;

    switch (operation_info(clear->opcode)->seal) {
    case SEAL_OPEN:
        return 0;
    case SEAL_SUBJECT_RECORD:
        return seal_choice_subject(choice, KEYRING_RECORD, work, clear, index);
    case SEAL_SUBJECT_EVIDENCE:
        return seal_choice_subject(choice, KEYRING_EVIDENCE, work, clear,
                                   index);
    case SEAL_ORGANISATION:
        return seal_choice_signer(choice, work, index);
    case SEAL_PERSON:
        return seal_choice_own(choice, KEYRING_PERSON, keyring_person(key_id),
                               index);
    case SEAL_PERSON_NAMED:
        REQUIRE(item->fields.size >= KEY_ID_SIZE);
        return seal_choice_named(choice, work, item->fields.data, index);
    case SEAL_CREDENTIAL:
        return seal_choice_new(choice, KEYRING_CREDENTIAL,
                               keyring_person(key_id), index);
    case SEAL_CLUSTER:
        return seal_choice_own(choice, KEYRING_CLUSTER, 0, index);
    }
    return 0;
}

/* Items of one command often share a key. */
static void seal_choice_open(struct seal_choice *choice,
                             struct entry_seal *seals, size_t at)
{
    enum status status;

    seals[at].key = choice->keys[at];
    if (seals[at].number == 0)
        return;
    if (at > 0 && seals[at].number == seals[at - 1].number) {
        memcpy(choice->keys[at], choice->keys[at - 1], KEY_SIZE);
        return;
    }
    status = keyring_key(choice->keyring, choice->keys[at], seals[at].number);
    INVARIANT(status == ST_OK);
}

bool seal_choice_has_room(const struct seal_choice *choice,
                          const struct work *work)
{
    const struct command *command = &work->command;
    size_t count = 0;

    for (size_t i = 0; i < command->header.items_count; i++) {
        uint16_t opcode = command->items[i].clear_part.opcode;

        if (operation_info(opcode)->seal == SEAL_CREDENTIAL)
            count++;
    }
    return count == 0 ||
           keyring_has_room(choice->keyring, KEYRING_CREDENTIAL,
                            keyring_person(command->header.key_id), count,
                            CREDENTIAL_KEYS_MAX);
}

void seal_choice_make(struct seal_choice *choice,
                      struct entry_seal seals_out[ITEMS_MAX],
                      const struct work *work, uint64_t index)
{
    const struct command *command = &work->command;

    for (size_t i = 0; i < command->header.items_count; i++) {
        seals_out[i].number =
            seal_choice_item(choice, work, &command->items[i], index);
        seal_choice_open(choice, seals_out, i);
    }
}

void seal_choice_forget(struct seal_choice *choice, size_t count)
{
    sodium_memzero(choice->keys, count * KEY_SIZE);
}
