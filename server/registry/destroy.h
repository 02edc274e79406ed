/*
 * destroy.h: destruction acts (R-8.2.2; docs/ERASURE.md).
 *
 *   PROPOSED --approve--> APPROVED --execute--> ORDERED --erase--> ERASED
 *       |                    |                                       |
 *       `---refuse-----------`------refuse------.      all confirm   v
 *                                               v                CONFIRMED
 *                                            REFUSED
 *
 * The personal data officer proposes, the head decides, the archivist orders:
 * three persons.  The primary then names the keys in an entry of its own, at
 * the hour that the setting destroy_hour gives; from that entry on whatever
 * those keys sealed is ERASED, on every node, by the rows in TABLE_ERASED and
 * never by what a node's keyring happens to hold.  Each node destroys its
 * copies (server/pipeline/erasure.h) and says so in an entry that it signed;
 * one that is retired before it does is gone, and holds up nothing.
 *
 * An act is about subjects or about persons whose keys have all ended; with
 * them go their identity and the credentials of their accounts.  A credential
 * that its holder replaced is destroyed without persons, by an act that begins
 * as ERASED, at the same hour.
 */
#ifndef DEFTER_SERVER_REGISTRY_DESTROY_H
#define DEFTER_SERVER_REGISTRY_DESTROY_H

#include "server/registry/act.h"
#include "server/store/keyring.h"

/* As DESTROY_STATES names them. */
enum destroy_state {
    DESTROY_PROPOSED = 1,
    DESTROY_APPROVED,
    DESTROY_REFUSED,
    DESTROY_ORDERED,
    DESTROY_ERASED,
    DESTROY_CONFIRMED
};

/* As ERASED_KEYS names them. */
enum destroy_class {
    DESTROY_RECORD = 1,
    DESTROY_EVIDENCE,
    DESTROY_PERSON,
    DESTROY_CREDENTIAL
};
#define DESTROY_BIT(class) ((uint16_t)(1u << ((class) - 1)))

/* An act is about subjects, or about persons. */
#define DESTROY_OF_SUBJECTS \
    (DESTROY_BIT(DESTROY_RECORD) | DESTROY_BIT(DESTROY_EVIDENCE))
#define DESTROY_OF_PERSONS \
    (DESTROY_BIT(DESTROY_PERSON) | DESTROY_BIT(DESTROY_CREDENTIAL))

/* As DESTROY_GROUNDS_ALL names it: of an act that nobody proposed, because the
 * holder himself put something else in its place. */
enum { DESTROY_GROUND_REPLACED = 6 };

/* Whether the signer has held the duty that he acts under for so long that he
 * may act in a destruction (setting destroy_duty_days): whoever makes persons
 * and gives them duties must not destroy by them before anybody sees it. */
bool destroy_may_act(struct act *act);

/* Whether an act destroyed the seal key ${number}; 0 is no key. */
bool destroy_is_erased(struct state *state, uint64_t number);

/* Whether an act destroyed the records of ${subject}. */
bool destroy_subject_is_erased(struct state *state, uint64_t subject);

/*
 * destroy_check_subject(act):
 * Whether the item may be decided although an act may have destroyed the
 * records of its subject.  What a stranger asks about one is left to the
 * handler, which answers him as it does about any other; so is what is about
 * no subject, whichever it names.
 *
 * Returns: ST_OK; ST_ERASED.
 */
NODISCARD enum status destroy_check_subject(struct act *act);

/* ---- Whose it was (destroy_former.c) ------------------------------------- */

/* Before the evidence of ${subject} is forgotten: remember who could act for
 * it. */
void destroy_keep_former(struct act *act, uint64_t subject);

/* Whether the signer could act for the item's subject until its evidence was
 * destroyed. */
bool destroy_was_self(struct act *act);

/* ---- Persons and their credentials (destroy_person.c) -------------------- */

/* Whether all keys of ${person} have ended. */
bool destroy_person_has_ended(struct state *state, uint64_t person);

/* The act destroyed ${keys} of ${person}: who he is is known no more. */
void destroy_person(struct act *act, uint64_t person, uint16_t keys);

/* The stored ${item} of the credential of ${key_id} is referred to no more. */
void destroy_replaced(struct act *act, struct slice item,
                      const struct bytes16 *key_id);

/* Keys of credentials whose hour has come at ${now}, the oldest first, at most
 * ${max}; gives how many. */
uint32_t destroy_replaced_due(struct state *state, struct erased_key *keys_out,
                              uint32_t max, int64_t now);

/* Makes the act of destroy.erase without one, as in erase_check(). */
NODISCARD enum status destroy_replaced_check(struct act *act,
                                             const struct op_destroy_erase *in);

/* ---- For the node that leads -------------------------------------------- */

enum { DESTROY_BATCH_MAX = 8 }; /* Acts that one entry executes. */

/* The first time from ${from} on that is the hour of the nightly batch by civil
 * time; ${from} itself where the setting says at once. */
int64_t destroy_hour(struct state *state, int64_t from);

/* Acts that are due at ${now}, lowest number first; gives how many.  One about
 * a person waits until his keys have ended. */
uint32_t destroy_due(struct state *state, uint32_t acts_out[DESTROY_BATCH_MAX],
                     int64_t now);

/* The next subject of ${act} above ${after}; 0 if there is none. */
uint64_t destroy_next_subject(struct state *state, uint32_t act,
                              uint64_t after);

/* A confirmation that has yet to come. */
struct destroy_awaited {
    uint32_t act;
    uint64_t erased_at;
    struct bytes16 key_id; /* The node's. */
};

/* The first ${max} of them, by act; gives how many. */
uint32_t destroy_awaited(struct state *state, struct destroy_awaited *out,
                         uint32_t max);

/* A node was retired: it holds up no act any more that it has not confirmed. */
void destroy_node_retired(struct act *act);

/* ---- For each node ------------------------------------------------------- */

/* Whether the seal key of that row is of the class, and of the subject or the
 * person, that the act names it for. */
bool destroy_is_named(struct state *state, const struct erased_key *key,
                      const struct keyring_row *row);

/* Owners of seal keys, as the keyring knows them, that are of one subject or
 * person. */
struct destroy_owners {
    struct state *state;
    uint64_t of;
    enum destroy_class class;
    struct bytes16 last; /* Key of the person. */
    bool begun;
};

struct destroy_owners destroy_owners(struct state *state,
                                     enum destroy_class class, uint64_t of);
bool destroy_next_owner(struct destroy_owners *owners, uint64_t *owner_out);

/* The class of the keyring that acts call ${class}. */
enum keyring_class destroy_keyring_class(enum destroy_class class);

/*
 * destroy_unconfirmed(state, fields_out, node, after):
 * The first act above ${after} that was executed and that ${node} still has to
 * confirm.  The caller sets the snapshot.
 * Returns: false if there is none.
 */
bool destroy_unconfirmed(struct state *state,
                         struct op_destroy_confirm *fields_out,
                         const struct bytes16 *node, uint32_t after);

#endif
