/*
 * defter.h: libdefter, the client of a Defter cluster.
 *
 * One `struct defter` is one login on one connection, with the node of the
 * cluster that leads; it is made anew when it breaks, with the same node or
 * with another.  Two ways to use it:
 *
 *   blocking       defter_call() sends a command and waits for its answer
 *   event-driven   defter_submit() with a callback; the caller's loop watches
 *                  defter_fd() for defter_wants() and calls defter_step()
 *
 * What it does for its caller: it pins the authority's key, logs in, opens a
 * session where one is needed, finds the primary, sends the same bytes again
 * after a lost connection, a failover or a busy node (so that a command is done
 * once, whatever happens), verifies every receipt and keeps it.
 *
 * Results are int: 0, or a number of the status list (PROTOCOL, section 9;
 * defter_status_name()).  Not thread-safe: one thread per client.
 */
#ifndef DEFTER_CLIENT_DEFTER_H
#define DEFTER_CLIENT_DEFTER_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define DEFTER_API_VERSION 1

struct defter;         /* A client. */
struct defter_command; /* A command being built, then signed. */

/* Set all to zero, then what is needed. Texts are copied. */
struct defter_options {
    const char *address; /* "host:port,host:port,...": numeric hosts, IPv6 in
                            brackets; 8 at most, in the order to try. */
    uint8_t authority_key[32]; /* Ed25519, pinned. */
    const uint8_t *key_seed;   /* 32 bytes: login by key; or NULL and: */
    const char *username;      /* login by password, */
    const char *password;      /* UTF-8 in NFC. */
    uint16_t role;             /* PROTOCOL, roles: 2 = subject's person. */
    const char *agent;         /* Name of the program, NULL: libdefter. */
    const char *receipts_path; /* File receipts are added to; NULL: none. */
    uint32_t timeout_ms;       /* Of a blocking call; 0: 30 000. */
    int any_node; /* 1: stay with a node that is not the primary, which answers
                     queries only; commands go to the primary all the same. */
};

/*
 * defter_open(client_out, options): make a client; it connects when first used.
 * Returns: 0; 1040 USAGE for options that contradict themselves or an address
 *          that does not read; 700.
 * Owns:    gives ${*client_out}; close with defter_close(), which takes NULL.
 */
int defter_open(struct defter **client_out,
                const struct defter_options *options);
void defter_close(struct defter *client);

/*
 * Connect and log in now.  Each node is tried once, and as long as one says
 * that another is the primary, they are tried again. Returns: 0, or why not
 * (201, 600, 1030 to 1035, ...); defter_reason() then names each address and
 * what was wrong with it.
 */
int defter_connect(struct defter *client);

/* The address that is called, or was last; lent until the next call. */
const char *defter_address(const struct defter *client);

/* Whether after ${status} it makes no sense to try on (a refused login, wrong
 * options, a receipt that does not verify); others may pass. */
int defter_is_final(int status);

/* The last failure in words; lent until the next call. */
const char *defter_reason(const struct defter *client);

const char *defter_status_name(int status);

/* What the server said at login, once connected. */
struct defter_session {
    uint8_t key_id[16]; /* The login's signing key. */
    uint8_t node_id[16];
    uint8_t cluster_id[16];
    uint64_t log_size; /* Entries applied at login. */
    uint16_t role;
    uint8_t level;
    uint16_t items_max;
    uint16_t inflight_max;
    int64_t clock_offset_us; /* Server's clock less ours. */
};
int defter_session(const struct defter *client, struct defter_session *out);

/* Flags of a command. */
enum {
    DEFTER_RECEIPT = 1, /* Answer with a signed receipt. */
    DEFTER_ATOMIC = 2   /* All items or none. */
};

/*
 * defter_command_new(command_out, realm, flags): begin a command.  ${realm} is
 * 'P', 'R' or 0 for system operations.
 */
int defter_command_new(struct defter_command **command_out, uint8_t realm,
                       uint16_t flags);
void defter_command_free(struct defter_command *command);

/* Sign with another key than the login's (a carrier's connection). */
void defter_command_signer(struct defter_command *command,
                           const uint8_t seed[32]);
/* Use the signer's counter; 0 (the default): not used. */
void defter_command_counter(struct defter_command *command, uint64_t counter);

/* The clear part of an item (PROTOCOL, section 6). */
struct defter_item {
    uint16_t opcode;
    uint16_t version; /* 0: 1. */
    uint32_t duty;    /* Assignment number; 0: for oneself. */
    uint32_t purpose;
    uint64_t subject;
    uint64_t expect_version;
};

/*
 * defter_command_item(command, item, fields, size): add an item whose fields
 * are encoded already.
 * Returns: 0; 105 too large; 312 too many items.
 */
int defter_command_item(struct defter_command *command,
                        const struct defter_item *item, const void *fields,
                        size_t size);

/*
 * defter_command_commitment(command, number, out): what the signature holds of
 * item ${number}'s secret part (PROTOCOL, section 6), as feeds sum it up.
 * Returns: 0; 312 if there is no such item.
 */
int defter_command_commitment(const struct defter_command *command,
                              uint16_t number, uint8_t out[32]);

/* Opcode of an operation's name ("consent.ask"); 0 if there is none. */
uint16_t defter_opcode(const char *name);

/* The answer to a command; pointers are lent until the next call. */
struct defter_answer {
    int code;        /* 0, or the decision. */
    int is_error;    /* It was refused before it became an entry. */
    int duplicate;   /* It had been done before. */
    int omitted;     /* Duplicate whose result is not given again. */
    int has_receipt; /* Verified; the fields below are set. */
    uint64_t index;
    uint64_t epoch;
    int64_t committed_at;
    uint8_t receipt[144];
    uint8_t signature[64];
    uint16_t field; /* Of an error: which field. */
    uint16_t item;  /* Of an error: which item; 65535 none. */
    uint32_t retry_after_ms;
    uint16_t items_count; /* Of the command. */
    const uint8_t *result;
    size_t result_size;
};

/*
 * defter_call(client, command, answer_out): send and wait.  The same bytes are
 * sent again after a broken connection, after 600 (to the primary) and after
 * 314, 601, 602, 603 and 604 (with growing pauses).  Where a receipt says that
 * it came to nothing, a session is opened after 200, and after 305 and 306 it
 * is signed anew by the receipt's time, unless that is a day off or more.  An
 * answer with ${duplicate} is a success: it was done before, at that index.
 * Returns: 0 and an answer, whatever its code; else no answer came: 1033
 *          CONNECT, 1035 TIMEOUT (outcome unknown), 1036 RECEIPT, 201, ...
 */
int defter_call(struct defter *client, struct defter_command *command,
                struct defter_answer *answer_out);

/*
 * defter_on_fault(client, context, passes): ${passes} runs inside
 * defter_step(), and so while defter_call() waits, whenever a command was
 * answered ${code} and will be sent again.  NULL: nobody is told.
 */
void defter_on_fault(struct defter *client, void *context,
                     void (*passes)(void *context, int code));

/*
 * defter_password(client, username, password, answer_out): let the person who
 * is logged in log in by name and password from now on, or change the password
 * (password.set, password.change).  The node sees neither the password nor the
 * signing key.
 * Returns: 0 and an answer, whatever its code; 1040 USAGE for a name that is
 * not [a-z0-9._-]{3,32} or a password that is not of 12 to 128 characters; else
 * as defter_call().
 */
int defter_password(struct defter *client, const char *username,
                    const char *password, struct defter_answer *answer_out);

/* A public query; ${rows_out} is lent until the next call. */
int defter_query(struct defter *client, uint16_t query, const void *fields,
                 size_t size, const uint8_t **rows_out, size_t *rows_size_out);

/* ---- Proofs -------------------------------------------------------------- */

/* What shows others that an entry is in the log; verified before it is given.
 * The note is a C2SP signed note, lent until the next call. */
struct defter_proof {
    int standing;   /* The node's word: 1 local, 2 replicated, 3 witnessed. */
    uint64_t index; /* Of the entry; consistency: the older size. */
    uint64_t tree_size; /* Of the checkpoint in the note, */
    uint8_t root[32];   /* and its root. */
    size_t hashes_count;
    uint8_t hashes[63][32]; /* The nearest sibling first. */
    const uint8_t *note;
    size_t note_size;
};

/*
 * defter_proof_entry(client, index, leaf, log_key, newest, proof_out),
 * defter_proof_command(client, key_id, idem, leaf, log_key, newest, proof_out):
 * That the entry whose leaf hash is ${leaf} (it stands in its receipt, at 80)
 * is in the log, at ${index}, or wherever the command of this key and
 * idempotency number stands.  ${log_key} is the log's verifier key as text
 * (name+id+base64); NULL: the one that the node named.  ${newest}: by the
 * newest checkpoint, else by the newest witnessed one that holds it.  Waits for
 * a checkpoint that holds it. Returns: 0; 500 if there is no such entry; 1027
 * PROOF if it does not verify; 303 BAD_SIG, 1029 ORIGIN and others for a
 * checkpoint that this log did not sign; 601 if no checkpoint came in time;
 * 1040 USAGE for a key that is none.
 */
int defter_proof_entry(struct defter *client, uint64_t index,
                       const uint8_t leaf[32], const char *log_key, int newest,
                       struct defter_proof *proof_out);
int defter_proof_command(struct defter *client, const uint8_t key_id[16],
                         const uint8_t idem[16], const uint8_t leaf[32],
                         const char *log_key, int newest,
                         struct defter_proof *proof_out);

/*
 * defter_proof_consistency(client, older_size, older_root, log_key, proof_out):
 * The newest checkpoint, and that the tree of ${older_size} entries with this
 * root is its beginning; size 0 asks for the checkpoint alone, and the root may
 * be NULL.
 * Returns: as above; 500 also if the node's checkpoint is older; after 1027
 *          ${*proof_out} is what the node showed, signed by the log.
 */
int defter_proof_consistency(struct defter *client, uint64_t older_size,
                             const uint8_t older_root[32], const char *log_key,
                             struct defter_proof *proof_out);

/*
 * defter_proof_bytes(client, index, entry_out, size_out): the entry itself, if
 * this login's key signed it, or carried it; lent until the next call.
 * Returns: 0; 500 if it is not there, or is somebody else's.
 */
int defter_proof_bytes(struct defter *client, uint64_t index,
                       const uint8_t **entry_out, size_t *size_out);

/* The log's verifier key as the node named it at login.
 * Returns: 0; 500 if it named none, or ${size} is too small. */
int defter_log_key(struct defter *client, char *out, size_t size);

/* ---- Extracts ------------------------------------------------------------ */

/*
 * defter_extract(client, subject, sections, signer_seed, answer_out, file_out,
 *                size_out):
 * Have a signed extract of ${sections} (bit n - 1: section n) issued, open it,
 * and put it into a file that needs nothing else (EXTRACT, section 4), with all
 * of its fields.  ${signer_seed}: as defter_command_signer(), or NULL; the
 * connection is then its carrier's.  The attestation of the answer is waited
 * for, a second or two, and a checkpoint that holds it; of a node with a policy
 * a witnessed one, 5 s at most.  Where they did not come in time the file lacks
 * them, and says so when it is verified.
 * Returns: 0 and an answer; with its code 0 a file, else ${*file_out} is NULL;
 *          1036 RECEIPT if what is disclosed is not what was signed; else as
 *          defter_call().
 * Owns:    gives ${*file_out}; defter_extract_free() takes it, and NULL.
 */
int defter_extract(struct defter *client, uint64_t subject, uint16_t sections,
                   const uint8_t *signer_seed, struct defter_answer *answer_out,
                   uint8_t **file_out, size_t *size_out);
void defter_extract_free(uint8_t *file, size_t size);

/*
 * defter_extract_attest(client, file, size, file_out, size_out):
 * The same extract, of which fields may be kept back, with its attestation and
 * a newer checkpoint, for the key that signed extract.issue, or the carrier
 * through which it came; the node remembers as long as it remembers commands.
 * Returns: 0; 500 if the node does not know, or another one attested it, and
 *          then a new extract is to be issued; 601 if it did not come in time;
 *          1014 for a file that is none; 1036 for one that is not true; else as
 *          defter_call().
 * Owns:    gives ${*file_out}; defter_extract_free() takes it.
 */
int defter_extract_attest(struct defter *client, const uint8_t *file,
                          size_t size, uint8_t **file_out, size_t *size_out);

/*
 * defter_extract_check(client, file, size, signer_seed, answer_out,
 *                      superseded_out):
 * Ask whether an extract still holds: ${*superseded_out} are the sections that
 * have changed since.  Whether the file is true, it does not say: for that it
 * is verified.
 * Returns: 0 and an answer, 500 if there is no such extract; 1014 for a file
 *          that is none; else as defter_call().
 */
int defter_extract_check(struct defter *client, const uint8_t *file,
                         size_t size, const uint8_t *signer_seed,
                         struct defter_answer *answer_out,
                         uint16_t *superseded_out);

/*
 * defter_completeness(client, item, file_number, signer_seed, answer_out,
 *                     file_out, size_out):
 * How many entries name the item's subject, stated and signed, as a file of
 * ${*size_out} bytes (LOG-FORMAT, section 12).  Duty and purpose are the
 * item's; ${file_number} may be empty.
 * Returns: 0 and an answer; with its code 0 a file; 1036 RECEIPT; else as
 *          defter_call().
 */
enum { DEFTER_COMPLETENESS_SIZE = 1024 };
int defter_completeness(struct defter *client, const struct defter_item *item,
                        const char *file_number, const uint8_t *signer_seed,
                        struct defter_answer *answer_out, uint8_t *file_out,
                        size_t *size_out);

/*
 * Event-driven use.  ${answered} runs inside defter_step(); ${status} is 0 with
 * an answer, else why there is none.  The command stays the caller's and must
 * live until then.  It is sent again as defter_call() does, for faults that
 * pass until the client's timeout; it is never signed anew.
 */
int defter_submit(struct defter *client, struct defter_command *command,
                  void *context,
                  void (*answered)(void *context,
                                   struct defter_command *command, int status,
                                   const struct defter_answer *answer));
enum { DEFTER_WANTS_READ = 1, DEFTER_WANTS_WRITE = 2 };
int defter_fd(const struct defter *client); /* -1: not connected. */
int defter_wants(const struct defter *client);
/* Milliseconds until defter_step() is due though the socket is not ready; -1:
 * it need not be called before. */
int defter_wait_ms(const struct defter *client);
/* Move what can be moved; never waits.  Returns 0, or why the session ended, or
 * why no node would do: what is not answered yet goes out again with the next
 * connection (unless defter_is_final()), and a watch is to be asked for anew.
 */
int defter_step(struct defter *client);
/* Commands submitted and not answered. */
size_t defter_pending(const struct defter *client);

/*
 * Watching the journal (auditors).  After a granted journal.watch, entries from
 * its index come to ${entry} inside defter_step().
 */
int defter_watch(struct defter *client, uint64_t index, void *context,
                 void (*entry)(void *context, const uint8_t *bytes,
                               size_t size));

#ifdef __cplusplus
}
#endif

#endif
