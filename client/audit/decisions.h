/*
 * decisions.h: outcomes, as the attestations state them (LOG-FORMAT,
 * section 6).
 *
 * Items wait here until an attestation says what became of them, and are then
 * judged in the order of the log.
 */
#ifndef DEFTER_CLIENT_AUDIT_DECISIONS_H
#define DEFTER_CLIENT_AUDIT_DECISIONS_H

#include "client/audit/authority.h"
#include "client/audit/walk.h"

/* What may wait: no node leaves so much without an attestation. */
enum {
    DECISIONS_ITEMS_MAX = 1 << 20,
    DECISIONS_FIELDS_SIZE_MAX = 64 * 1024 * 1024
};

struct decisions_item {
    struct authority_act act;
    struct walk_place place;
    uint8_t *fields; /* Of act, owned. */
};

/* Told of each outcome, in the order of the log; genesis excepted. */
typedef void decisions_decided(void *context, const struct authority_act *act,
                               uint16_t code);

struct decisions {
    struct authority *authority;
    decisions_decided *decided; /* May be NULL. */
    void *context;
    struct decisions_item *items; /* From ${head} on, in order. */
    size_t head, count, room;
    size_t fields_size;
    uint64_t size; /* Entries below it are attested. */
    bool is_lost;  /* Too many waited, or one is unknown. */
    uint64_t attestations_count;
    uint64_t roots_count; /* Whose root could be worked out. */
    uint64_t refusals_count;
};

/* What is wrong, and with which entry. */
struct decisions_fault {
    enum status status; /* Not ST_OK: nothing is wrong, but memory is short. */
    const char *what;
    uint64_t index;
    bool has_place; /* Else it is the attestation's own. */
    struct walk_place place;
};

/* Order: ends with decisions_free(). */
void decisions_init(struct decisions *decisions, struct authority *authority);
void decisions_free(struct decisions *decisions);

/*
 * decisions_wait(decisions, act, place):
 * Keeps a copy of the act's fields.
 *
 * Returns: ST_OK; ST_EXHAUSTED if memory is short.
 * Order:   items in the order of the log.
 */
NODISCARD enum status decisions_wait(struct decisions *decisions,
                                     const struct authority_act *act,
                                     struct walk_place place);

/* What follows cannot be judged here: ranges are still compared. */
void decisions_give_up(struct decisions *decisions);

/*
 * decisions_stands(decisions, stated, signer):
 * Whether the node is primary by what it states itself.  A node that states
 * that its own term was refused is not, unless it was primary before: servers
 * refuse such an attestation, and it states nothing.
 */
bool decisions_stands(const struct decisions *decisions,
                      const struct op_system_attest *stated, uint32_t signer);

/*
 * decisions_attested(decisions, fault_out, index, stated):
 * A node attested the range in entry ${index}.
 *
 * Returns: false if that cannot be, and ${*fault_out} says why; also if memory
 *          is short, and ${fault_out->status} is not ST_OK.
 */
bool decisions_attested(struct decisions *decisions,
                        struct decisions_fault *fault_out, uint64_t index,
                        const struct op_system_attest *stated);

#endif
