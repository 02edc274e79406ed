/*
 * report.h: what the verifier found, as a struct, for people and as JSON.
 */
#ifndef DEFTER_CLIENT_AUDIT_REPORT_H
#define DEFTER_CLIENT_AUDIT_REPORT_H

#include <stdio.h>

#include "client/audit/walk.h"
#include "protocol/catalogue.h"
#include "protocol/entry.h"
#include "protocol/note.h"
#include "protocol/tlog_policy.h"

enum report_verdict {
    REPORT_GOOD = 0,
    REPORT_TAMPERED = 1,
    REPORT_INCOMPLETE = 2
};

/* What was given. */
enum report_kind { REPORT_LOG, REPORT_TILES, REPORT_PROOF, REPORT_UNIT };

/* Why a log without a fault is incomplete: R(NAME, sentence). */
#define REPORT_REASON_LIST(R)                                                 \
    R(END, "the end is not covered by a checkpoint, an expected head or a "   \
           "receipt")                                                         \
    R(TORN, "the end is unfinished")                                          \
    R(UNREADABLE, "a file cannot be read")                                    \
    R(UNKNOWN, "it holds operations that this verifier does not know")        \
    R(UNATTESTED, "more waits for an attestation than a node leaves waiting") \
    R(TERM, "the newest term is claimed by its node, and not attested")       \
    R(REFUSED, "the newest term was refused, and its node goes on")           \
    R(QUORUM, "the checkpoint lacks cosignatures that the policy asks for")   \
    R(LOG_KEY, "nothing says with which key the log signs: give a policy")    \
    R(GAP, "units between those that were given are missing")                 \
    R(TWICE, "entries are in more than one of the units that were given")     \
    R(RECORD, "a unit is not the one that the log's archive record names")    \
    R(STRAY,                                                                  \
      "something beside the units has no manifest: it is no unit, or no "     \
      "longer one")                                                           \
    R(FIRST, "the units of the directory do not begin at entry 0: those "     \
             "before are missing")                                            \
    R(ENTRY, "nothing says which entry is proven: give it, its leaf hash or " \
             "its receipt")                                                   \
    R(STATEMENT, "the log ends before the entry of the statement of "         \
                 "completeness")

enum report_reason {
#define R(name, text) REPORT_REASON_##name,
    REPORT_REASON_LIST(R)
#undef R
        REPORT_REASONS_COUNT
};

/* What was not checked: U(NAME, sentence). */
#define REPORT_UNCHECKED_LIST(U)                                               \
    U(AUTHORITY, "whether the authority key is the right one: none was given") \
    U(SIGNATURES, "signatures of commands")                                    \
    U(RECEIPTS, "receipts: none were given")                                   \
    U(TORN_RECEIPT, "the last receipt of the file: it is unfinished")          \
    U(SEALED, "what sealed items say: that needs their keys")                  \
    U(OUTCOMES, "whether the rules lead to the attested outcomes and state: "  \
                "that needs a replay")                                         \
    U(ROOTS, "the roots of attestations whose results are sealed")             \
    U(TAIL, "decisions of entries beyond the newest attestation")              \
    U(REGISTER, "whether a register decided the configurations that came "     \
                "without a certificate, and so who was primary in their "      \
                "terms: entries cannot show it")                               \
    U(SKIPPED, "what the skipped configurations were, and who decided them")   \
    U(WITNESS, "whether anybody but the log vouches for the checkpoint: no "   \
               "policy asks for it")                                           \
    U(LINEAGE, "the node's checkpoint: it is of a lineage before, and names "  \
               "entries that are lost (FORCED)")                               \
    U(RESUMED, "signatures that an earlier run verified; the entries are the " \
               "same")                                                         \
    U(TREE_ONLY, "what the entries say: the tree alone was asked for")         \
    U(COSIGNERS, "whether the cosigners that a unit's keys name are nodes of " \
                 "the cluster: no entry that is there enrols them")            \
    U(COUNTS, "what is counted from entry 0 on, and is 0 or empty here: "      \
              "sealed items, operations, terms, lineages, refusals, "          \
              "configurations, hidden accesses, keys, attestations")           \
    U(BEFORE, "who was allowed to do what: that needs the units from entry 0 " \
              "on")                                                            \
    U(SIGNER, "who signed the entry, and whether he was allowed to: that "     \
              "needs the log")                                                 \
    U(END, "whether entries were cut off behind the covered size")

enum report_unchecked {
#define U(name, text) REPORT_UNCHECKED_##name,
    REPORT_UNCHECKED_LIST(U)
#undef U
        REPORT_UNCHECKED_COUNT
};

#define REPORT_ONE_MORE(...) +1
enum { REPORT_OPERATIONS = 0 OPERATION_LIST(REPORT_ONE_MORE) };
#undef REPORT_ONE_MORE

enum {
    REPORT_VALUE_SIZE = 80,
    REPORT_FILE_SIZE = 256,
    REPORT_FORCED_MAX = 8,
    REPORT_REFUSED_MAX = 16,
    REPORT_SKIPPED_MAX = 16,
    REPORT_HIDDEN_MAX = 64,
    REPORT_CHECKPOINTS_MAX = 2,
    REPORT_COSIGNED_MAX = TLOG_POLICY_WITNESSES_MAX,
    REPORT_NAME_SIZE = 64
};

#define REPORT_NO_INDEX UINT64_MAX

/* The first thing that is wrong. */
struct report_fault {
    bool found;
    uint64_t index; /* REPORT_NO_INDEX: of no entry. */
    char file[REPORT_FILE_SIZE];
    uint64_t offset;
    uint64_t hash; /* Its number in a hash tile; REPORT_NO_INDEX: none. */
    const char *what;
    char expected[REPORT_VALUE_SIZE]; /* Empty where nothing is to be named. */
    char actual[REPORT_VALUE_SIZE];
};

/* What is known of a thing that an entry says. */
enum report_state {
    REPORT_CLAIMED, /* No attestation reaches it. */
    REPORT_REFUSED,
    REPORT_VERIFIED /* Attested as done, and judged here. */
};

/* A system.epoch or a system.config that was refused. */
struct report_refused {
    uint64_t index;
    uint16_t opcode;
    uint16_t code;
};

/* Configurations that were won, it seems, and are not in the log as done. */
struct report_skipped {
    uint64_t first;
    uint64_t last;
};

/* A lineage that began in this log, because no member of the one before was
 * left: what was not there any more, its entry says. */
struct report_forced {
    uint64_t index;              /* Its first entry; what was kept is before. */
    uint8_t previous[HASH_SIZE]; /* Leaf hash of the last entry kept. */
    uint64_t number;             /* Of the configuration. */
    uint8_t lineage[LINEAGE_SIZE];
    uint32_t lost_count; /* Known to be committed, from ${index} on. */
    enum report_state state;
};

/* What became of a seal that hides accesses; that its time is over, no open
 * item tells. */
enum report_hiding {
    REPORT_HIDING_PROPOSED,
    REPORT_HIDING_APPROVED,
    REPORT_HIDING_REFUSED,
    REPORT_HIDING_LIFTED
};

/* Who took a step, in which entry, and when; index 0: nobody has. */
struct report_step {
    uint64_t index;
    uint64_t person;
    int64_t time;
};

struct report_hidden {
    enum report_hiding state;
    struct report_step proposed;
    struct report_step decided;
    struct report_step lifted;
    uint8_t basis[HASH_SIZE]; /* Of the decision; zeros: none. */
};

enum report_quorum { REPORT_NO_POLICY, REPORT_QUORUM_MET, REPORT_QUORUM_NOT };

/* A checkpoint that was held against the log. */
struct report_checkpoint {
    char file[REPORT_FILE_SIZE];
    char origin[NOTE_NAME_SIZE_MAX + 1];
    uint64_t size;
    uint8_t root[HASH_SIZE];
    bool is_signed; /* By the log. */
    enum report_quorum quorum;
    /* Witnesses of the policy that signed, as the policy calls them; longer
     * names are cut. */
    char cosigned[REPORT_COSIGNED_MAX][REPORT_NAME_SIZE];
    uint32_t cosigned_count;
};

enum report_statement {
    REPORT_NO_STATEMENT,
    REPORT_STATEMENT_TRUE,
    REPORT_STATEMENT_FALSE,  /* The log says otherwise. */
    REPORT_STATEMENT_SHORT,  /* The log ends before it. */
    REPORT_STATEMENT_FORGED, /* No node of the authority signed it. */
};

/* The entries of a subject, counted, beside what somebody stated. */
struct report_counted {
    uint64_t subject; /* 0: none was counted. */
    uint64_t items;
    uint64_t entries; /* Counted in. */
    uint8_t rolling[HASH_SIZE];
    enum report_statement statement;
    uint64_t stated_items;
    uint64_t stated_entries;
};

struct report {
    enum report_kind kind;
    enum report_verdict verdict;
    uint32_t reasons;   /* Bits of enum report_reason. */
    uint32_t unchecked; /* Bits of enum report_unchecked. */
    struct report_fault fault;
    bool lacks_memory; /* Then the rest says nothing: see verify_given(). */

    uint64_t segments;
    uint64_t entries;
    uint64_t bytes; /* Of entries. */
    uint64_t items;
    uint64_t sealed_items;
    uint64_t by_category[CATEGORY_MAX + 1];
    uint64_t by_operation[REPORT_OPERATIONS]; /* As operation_list() has them.
                                               */
    uint64_t unknown_items;
    uint64_t epochs;
    uint32_t epoch;
    struct report_forced forced[REPORT_FORCED_MAX]; /* The first of them. */
    uint32_t forced_count;
    uint64_t forced_left_out;
    struct report_refused refused[REPORT_REFUSED_MAX]; /* The first. */
    uint64_t refused_count;                            /* All of them. */
    struct report_skipped skipped[REPORT_SKIPPED_MAX]; /* The first. */
    uint64_t skipped_count;                            /* All of them. */
    struct report_hidden hidden[REPORT_HIDDEN_MAX];    /* By number, from 1. */
    uint64_t hidden_count;                             /* All of them. */
    int64_t first_time;
    int64_t last_time;

    bool has_genesis;
    bool authority_trusted;
    uint8_t authority_key[PUBLIC_KEY_SIZE];
    uint8_t cluster_id[CLUSTER_ID_SIZE];
    uint8_t leaf[HASH_SIZE]; /* Of the last entry. */
    uint8_t root[HASH_SIZE];

    uint64_t keys;
    uint64_t signatures;
    uint64_t attestations;
    uint64_t attested; /* Entries below it. */
    uint64_t roots;
    uint64_t refusals;
    uint64_t receipts;
    uint64_t covered; /* Entries below it are vouched for from outside. */
    uint64_t resumed; /* Signatures below it were verified by another run. */
    uint64_t proven;  /* Of a proof: the entry's index. */
    uint64_t units;   /* Of units: their number, */
    uint64_t first;   /* the first entry, */
    uint64_t last;    /* and the last one. */
    struct report_counted counted;
    uint8_t manifest[HASH_SIZE]; /* Of one unit: the manifest's SHA-256. */
    const char *unusable;        /* See verify_given(). */
    const char *silent;          /* The same: an option, */
    const char *silent_of;       /* and of what it says nothing. */
    struct tlog_policy_error policy_error; /* Why that is no policy. */
    struct report_checkpoint checkpoints[REPORT_CHECKPOINTS_MAX];
    uint32_t checkpoints_count;
};

/*
 * report_fault(report, verdict, index, what):
 * Note the first fault; later ones are not noted, and the verdict stays.
 * REPORT_INCOMPLETE takes a reason as well: see report_reason().
 *
 * Returns: whether it is the first, so that the place may be added.
 */
bool report_fault(struct report *report, enum report_verdict verdict,
                  uint64_t index, const char *what);

/* Memory was short, and nothing can be said; false. */
bool report_lacks_memory(struct report *report);

/* Set what was expected and found: text, a number, or bytes. */
void report_numbers(struct report *report, uint64_t expected, uint64_t actual);
void report_hashes(struct report *report, const uint8_t *expected,
                   const uint8_t *actual, size_t size);
void report_texts(struct report *report, const char *expected,
                  const char *actual);

/* Whether a lineage that began here declares the entry lost.  One that was
 * refused declares nothing. */
bool report_is_lost(const struct report *report, uint64_t index);

/* A log that has a reason is not good. */
void report_reason(struct report *report, enum report_reason reason);
void report_unchecked(struct report *report, enum report_unchecked unchecked);

const char *report_verdict_name(enum report_verdict verdict);

/* Lines for people; one JSON object and a newline. */
void report_write_text(const struct report *report, FILE *out);
void report_write_json(const struct report *report, FILE *out);

#endif
