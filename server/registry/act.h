/*
 * act.h: one item of a command being applied, and what handlers may use.
 *
 * A handler is a function named after its operation in operations.def:
 *
 *   enum status consent_ask(struct act *act, const struct op_consent_ask *in,
 *                           struct result_consent_ask *out);
 *
 * It decides by the state and the act alone (no clock, no randomness, nothing
 * of this node), so that every node decides alike.  It checks everything first
 * and changes rows only when it will return ST_OK (or ST_NOT_MODIFIED for
 * reads).  A refusal leaves no row changed, but for a batch, which remembers
 * the records that it refused.  What any other refused item leaves behind (its
 * place in the access list) the dispatcher writes.
 *
 * permit.c has already checked, in this order: the key is active (311), a
 * session is open where one is needed (200), the level (215), the carrier and
 * the duty (210), the letter of the matrix.  The letters s, g and 2 are left to
 * the handler, which finds the letter in act->letter.
 */
#ifndef DEFTER_SERVER_REGISTRY_ACT_H
#define DEFTER_SERVER_REGISTRY_ACT_H

#include <stdbool.h>
#include <stdint.h>

#include "protocol/catalogue.h"
#include "protocol/tags.h"
#include "server/store/state.h"

struct keyring_row;

/* Services of the node that handlers need; the same answers on every node. */
struct act_services {
    void *context;
    /* Open a stored item (row_record.item) and give its fields without the
     * salt. ST_OK; ST_ERASED if its key was destroyed.  Lent until the next
     * call. */
    enum status (*open_item)(void *context, struct slice item,
                             struct slice *fields_out);
    /* SALT_SIZE bytes that go with the key of a stored item: that of the
     * result of its place in the log (index << 16 | item), and that of
     * disclosure ${number} of the extract issued there.  ST_OK; ST_ERASED. */
    enum status (*result_salt)(void *context, struct slice item, uint64_t place,
                               uint8_t out[SALT_SIZE]);
    enum status (*extract_salt)(void *context, struct slice item,
                                uint64_t place, uint32_t number,
                                uint8_t out[SALT_SIZE]);
    /* Whose the seal key ${number} is: see keyring_row(). */
    enum status (*seal_key)(void *context, struct keyring_row *row_out,
                            uint64_t number);
    /* Entry bytes by index; ${index} is below the entry being applied. */
    enum status (*read_entry)(void *context, uint64_t index,
                              struct slice *entry_out);
    /* Entries that the search index holds: see search.h. */
    struct search *search;
    /* Cluster secret (system.secret), zeros until it is set. */
    uint8_t secret[HASH_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
};

struct act {
    struct state *state;
    struct act_services *services;

    /* Place in the log. */
    uint64_t index;
    uint32_t epoch;
    int64_t log_time; /* Microseconds since 1970. */
    int32_t today;    /* Civil day at log_time, by the setting. */
    uint16_t item;
    bool more_items; /* Of this command will follow. */

    /* The signer, and in what capacity. */
    struct row_key signer; /* permit.c fills it by its key_id. */
    enum duty duty;        /* DUTY_USR where he acts for a subject. */
    uint32_t assignment;   /* 0: by the key's role. */
    uint32_t organisation; /* Under which the duty is held; 0 none. */
    uint8_t organisation_kind;
    uint16_t scope;       /* Of the assignment. */
    uint16_t carrier;     /* 0: the signer's own connection. */
    uint8_t carrier_kind; /* carrier.enrol's kind. */
    char letter;          /* Of the matrix: y, s, g or 2. */

    /* The item. */
    const struct operation_info *operation;
    uint8_t realm;
    uint64_t subject;
    uint32_t purpose;
    uint64_t expect_version;
    uint64_t record;          /* Number under which the item is kept. */
    struct slice stored_item; /* The item as it stands in the entry. */
    uint8_t commitment[HASH_SIZE];
    struct slice file_number; /* The reader's case; lent, empty: none named. */

    /* What the handler leaves for the dispatcher. */
    uint16_t sections; /* Sections asked for or touched, for the access list. */
    uint32_t consent;  /* Consent case used, for the access list. */
    uint64_t by_subject; /* Subject for whom the signer asks; 0 none. */
    uint16_t field;      /* Field at fault of a refused record. */
    bool no_access_row;  /* The access list is not concerned. */
    bool kept;           /* The item has a row in TABLE_RECORD. */

    /* What permit.c found out for an earlier item of the same command.  Zero
     * when a command begins; dispatch.c forgets it when rows behind it change.
     */
    struct act_capacity {
        bool known;
        bool session;    /* Open, or not needed. */
        bool feeds;      /* The organisation may feed by EHIS. */
        bool held;       /* The duty asked for is the signer's. */
        bool realm_open; /* No failover of the realm waits. */
        uint8_t duty;
        uint8_t organisation_kind;
        uint8_t carrier_kind;
        uint16_t scope;
        uint32_t organisation;
        uint32_t number; /* Assignment asked for. */
        uint64_t index;
    } capacity;

    /* The batch that earlier items of the same command put to.  Its row is
     * written once a command, by feed_flush(); see feed.c. */
    struct act_feed {
        bool held;
        uint64_t index; /* Entry in which it is held. */
        struct row_feed row;
        uint8_t ehis_batch[FEED_NAME_SIZE_MAX];
    } feed;

    /* Space for the lists and texts of the result, given anew for each item. */
    struct writer *space;
};

/* Keep the act's item in TABLE_RECORD (once); gives act->record. */
uint64_t act_keep(struct act *act);

/*
 * act_tag(act, tag_out, tag, value):
 * HMAC-SHA-256 under the cluster secret of T(tag) and ${value}, cut to 16: how
 * rows are found by a text that they may not hold.  TAG_FIN for personal
 * numbers (representative.fin_tag, person.fin_tag), TAG_FILE for file numbers.
 * An empty value gives zeros, which no search matches.
 */
void act_tag(const struct act *act, struct bytes16 *tag_out, enum tag tag,
             struct slice value);

/* True if the signer's person may act for ${subject} with ${right} today: by
 * section S01 (himself or representative) or by a live mandate. */
enum act_right {
    RIGHT_READ = 1,
    RIGHT_CHANGE = 2,
    RIGHT_ACCESS_LIST = 4,
    RIGHT_CASES = 8,
    RIGHT_CONSENT = 16,
    RIGHT_ANY = 31 /* Whichever of them. */
};
bool act_is_self(struct act *act, uint64_t subject, enum act_right right);

/* By section S01 alone: himself or the representative, who has every right. */
bool act_is_representative(struct act *act, uint64_t subject);

/* True if ${day} is in the term; ${to} 0 is open. */
bool act_in_term(int32_t day, int32_t from, int32_t to);

/* Civil day of ${time} by the setting utc_offset_minutes. */
int32_t act_day(struct state *state, int64_t time);

/* Purpose registered, covers ${sections} and this actor: ST_OK, ST_NO_PURPOSE.
 */
NODISCARD enum status act_check_purpose(struct act *act, uint16_t sections);

/* What a credential is found by: HMAC-SHA-256 under the cluster secret of
 * T("DFT1/pwname") and the account's name, whole. */
void act_name_tag(const struct act *act, struct bytes32 *tag_out,
                  struct slice username);

/* Pseudonyms shown in access lists: of the signer's person, and of any.  Zeros
 * for no person (0). */
void act_pseudonym(const struct act *act, struct bytes8 *out);
void act_pseudonym_of(const struct act *act, struct bytes8 *out,
                      uint64_t person);

#endif
