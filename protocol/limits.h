/*
 * limits.h: every limit, with its unit, and how the limits depend on each
 * other.  Sizes are bytes; counts are counts; times carry their unit.
 */
#ifndef DEFTER_PROTOCOL_LIMITS_H
#define DEFTER_PROTOCOL_LIMITS_H

#include <assert.h>

/* Sizes of primitives (libsodium's, restated so that layouts can be read). */
enum {
    HASH_SIZE = 32,
    SIGNATURE_SIZE = 64,
    PUBLIC_KEY_SIZE = 32,
    SEED_SIZE = 32,
    KEY_SIZE = 32,
    TAG_SIZE = 16,
    CLUSTER_ID_SIZE = 16,
    KEY_ID_SIZE = 16,
    NODE_ID_SIZE = 16,
    LINEAGE_SIZE = 16,
    IDEM_SIZE = 16,
    SALT_SIZE = 16,
    AEAD_TAG_SIZE = 16
};

/* Preface and handshake (PROTOCOL, section 2). */
enum {
    PREFACE_SIZE = 8,
    NODECERT_SIZE = 184,
    HANDSHAKE_MSG1_SIZE = 32,
    HANDSHAKE_MSG2_SIZE = 32 + 48 + NODECERT_SIZE + AEAD_TAG_SIZE,
    HANDSHAKE_MSG3_SIZE_MIN = 64,
    HANDSHAKE_PAYLOAD_SIZE_MAX = 256,
    HANDSHAKE_MSG3_SIZE_MAX = 48 + HANDSHAKE_PAYLOAD_SIZE_MAX + AEAD_TAG_SIZE,
    HANDSHAKE_TLVS_MAX = 8,
    AGENT_SIZE_MAX = 64,
    NODECERT_LIFETIME_DAYS_MAX = 400,
    NODECERT_CLOCK_SLACK_S = 600
};
static_assert(HANDSHAKE_MSG2_SIZE == 280, "message 2 is 280 bytes");
static_assert(HANDSHAKE_MSG3_SIZE_MAX == 320, "message 3 is at most 320 bytes");

/* Records and frames (PROTOCOL, sections 3 and 4). */
enum {
    RECORD_HEADER_SIZE = 2,
    RECORD_SIZE_MIN = 17,
    RECORD_SIZE_MAX = 65535,
    RECORD_SIZE_MAX_BEFORE_LOGIN = 1040,
    RECORD_REKEY_INTERVAL = 65536,
    FRAME_HEADER_SIZE = 16,
    FRAME_SIZE_MAX = RECORD_SIZE_MAX - AEAD_TAG_SIZE,
    FRAME_SIZE_MAX_BEFORE_LOGIN = 1024,
    FRAME_BODY_SIZE_MAX = FRAME_SIZE_MAX - FRAME_HEADER_SIZE,
    FRAME_TLVS_MAX = 32,
    FRAME_TLVS_MAX_BEFORE_LOGIN = 8,
    PAD_SIZE_MAX = 1024
};
static_assert(FRAME_SIZE_MAX == 65519, "one record holds one whole frame");

/* Fields (PROTOCOL, sections 1, 4 and 6). */
enum {
    STRING_SIZE_MAX = 4096,
    BLOB_SIZE_MAX = 60000,
    LIST_COUNT_MAX = 256,
    FIELD_SIZE_MAX_BEFORE_LOGIN = 256,
    FIELDS_MAX = 40,
    TLV_HEADER_SIZE = 4,
    ELEMENT_STRUCT_SIZE_MAX = 512, /* In memory, of a list's element. */
    BODY_STRUCT_SIZE_MAX = 2048,   /* In memory, of any body. */
    FIELD_TLV = 0x8000, /* ERROR.tag of a TLV is its tag and this bit. */
    ERROR_TEXT_SIZE_MAX = 96,
    ADDRESS_SIZE_MAX = 64,
    USERNAME_SIZE_MIN = 3,
    USERNAME_SIZE_MAX = 32,
    PASSWORD_POINTS_MIN = 12,
    PASSWORD_POINTS_MAX = 128,
    PASSWORD_SIZE_MAX = 512,
    EXTENSIONS_MAX = 16,
    EXTENSION_SIZE_MAX = 1024
};

/* Commands and entries (PROTOCOL, section 6; LOG-FORMAT, sections 1 and 2). */
enum {
    COMMAND_HEADER_SIZE = 64,
    COMMAND_SIGNED_SIZE = 128,
    ITEM_CLEAR_SIZE = 32,
    ITEM_SIZE_MIN = ITEM_CLEAR_SIZE + SALT_SIZE,
    ITEMS_MAX = 256,
    ITEMS_MAX_PERSON = 16,
    ITEM_PATH_MAX = 8,
    TTL_S_MAX = 900,
    TTL_S_DEFAULT = 300,
    SKEW_S = 120,
    IDEM_RETENTION_HOURS = 48,
    RECEIPT_SIZE = 144,
    ENTRY_PREFIX_SIZE = 64,
    ENTRY_FIXED_SIZE = ENTRY_PREFIX_SIZE + COMMAND_HEADER_SIZE + SIGNATURE_SIZE,
    ENTRY_ITEM_FIXED_SIZE = ITEM_CLEAR_SIZE + HASH_SIZE + 16,
    /* What an item grows by between the wire and the entry, at most:
     * commitment, seal key number, data length, padding and the AEAD tag. */
    ENTRY_ITEM_GROWTH = 64,
    ENTRY_SIZE_MAX = 64512
};
static_assert(ENTRY_FIXED_SIZE == 192, "items begin at 192");
static_assert(ENTRY_ITEM_FIXED_SIZE == 80, "an item's data begin at 80");
static_assert(ENTRY_ITEM_GROWTH ==
                  ENTRY_ITEM_FIXED_SIZE - ITEM_CLEAR_SIZE + AEAD_TAG_SIZE,
              "growth of an item from wire to entry");
static_assert(ENTRY_SIZE_MAX + FRAME_HEADER_SIZE + 64 <= FRAME_SIZE_MAX,
              "an entry fits a frame with room for the replica's header");
static_assert(ENTRY_SIZE_MAX <= 65535, "tile bundles hold u16 lengths");

/* Answers (PROTOCOL, section 7). */
enum {
    ANSWER_FIXED_SIZE = 8,
    ANSWER_FRAMES_MAX = 16,
    RESULT_PART_SIZE_MAX =
        FRAME_BODY_SIZE_MAX - ANSWER_FIXED_SIZE - RECEIPT_SIZE - SIGNATURE_SIZE,
    RESULT_SIZE_MAX = ANSWER_FRAMES_MAX * RESULT_PART_SIZE_MAX,
    CURSOR_SIZE_MAX = 96
};

/* Seal keys (LOG-FORMAT, section 3). */
enum {
    SEAL_NONCE_SIZE = 24,
    SEAL_ARENA_KEYS_MAX = 16384 /* Opened keys held in locked memory. */
};

/* The log on disk (LOG-FORMAT, section 4). */
enum {
    SEGMENT_SIZE = 64 * 1024 * 1024,
    SEGMENT_HEADER_SIZE = 4096,
    SEGMENT_FRAME_HEADER_SIZE = 8,
    SEGMENT_FRAME_TRAILER_SIZE = 8,
    GROUP_ENTRIES_MAX = 256, /* Entries in one fdatasync. */
    GROUP_BYTES_MAX = 4 * 1024 * 1024
};

/* The node's files (LOG-FORMAT, section 5; the journal's own measures). */
enum {
    SLOT_SIZE = 4096, /* Of the mark and meta files. */
    META_CONFIGURATION_SIZE_MAX = 2048,
    SEGMENTS_MAX = 65536,      /* 4 TiB of log. */
    SEGMENT_INDEX_STRIDE = 16, /* Every 16th entry's place is held in memory. */
    JOURNAL_SCAN_SIZE = 1024 * 1024,
    JOURNAL_HOLES_MAX = 16,        /* Damaged segments that can be repaired. */
    JOURNAL_EPOCHS_MAX = 4096,     /* The newest; older ones are forgotten. */
    JOURNAL_LEAVES = 4096,         /* The newest; older ones are read. */
    JOURNAL_SCRUB_ENTRIES = 256,   /* Of one step. */
    JOURNAL_ASIDE_FILES_MAX = 256, /* Kept of what was cut off while the node */
    JOURNAL_ASIDE_SIZE_MAX = 1024 * 1024 * 1024, /* runs; then no more. */
    HALT_EVIDENCE_SIZE_MAX = ENTRY_SIZE_MAX,     /* That a halted node keeps. */
    DISK_NAME_SIZE_MAX = 96,
    SNAPSHOTS_KEPT_MAX = 2,
    ESCROW_BODY_SIZE_MAX = 64 * 1024, /* Of one sealed part. */
    SNAPSHOT_MIB_MAX = 65536,    /* Of one that is fetched from another node. */
    CONFIRMED_HOLDERS_MIN = 2,   /* Who have to attest a snapshot, if there */
    CONFIRMED_ITEMS_MAX = 16384, /* are so many; items not yet attested. */
    DISK_ZEROS_SIZE = 256 * 1024
};
static_assert((int)HALT_EVIDENCE_SIZE_MAX >= 1400,
              "a certificate is kept as evidence");
static_assert((int)JOURNAL_ASIDE_SIZE_MAX >= 8 * (int)SEGMENT_SIZE,
              "an honest tail is kept");
static_assert(SEGMENT_HEADER_SIZE + SEGMENT_FRAME_HEADER_SIZE + ENTRY_SIZE_MAX +
                      SEGMENT_FRAME_TRAILER_SIZE <=
                  SEGMENT_SIZE,
              "the largest entry fits a segment");

/* Replication (REPLICATION). */
enum {
    CONFIG_NODES_MAX = 7, /* Nodes of a cluster. */
    CONFIG_NONCE_SIZE = 16,
    CONFIG_SIZE_MAX = 1024,
    CONFIG_CERT_SIZE_MAX = 1400,
    CONFIG_GRANT_EPOCHS = 4096, /* Starts of a primary that one certificate
                                 * allows. */
    PEER_EPOCHS_MAX = 64,       /* Epochs that one frame tells of. */
    PEER_ENTRIES_SIZE_MAX = FRAME_BODY_SIZE_MAX - 64, /* In one APPEND. */
    PEER_CONFIRM_SIZE_MAX = 1024,
    PEER_SNAPSHOT_SIZE_MAX = 48 * 1024,
    PEER_KEYS_SIZE_MAX = 56 * 1024,
    PEER_NOTE_SIZE_MAX = 24 * 1024,
    PEER_COSIGNED_SIZE_MAX = 512,
    PEER_ASIDE_SIZE_MAX = PEER_NOTE_SIZE_MAX + 64, /* Body of what goes past
                                                    * the replica. */
    REPLICA_WINDOW_SIZE = 4 * 1024 * 1024,         /* On its way to one peer. */
    REPLICA_WINDOW_FRAMES = 512,
    REPLICA_RECENT_SIZE_MAX = 16 * 1024 * 1024, /* Entries held in memory. */
    REPLICA_JOBS_MAX = 1024,                    /* Given to the disk. */
    REPLICA_QUEUE_SIZE_MAX = 8 * REPLICA_WINDOW_SIZE, /* Of one peer's entries
                                                       * and keys in them. */
    REPLICA_EPOCH_MAX = 0x7fffffff, /* Numbers of seal keys hold it. */
    REPLICA_EPOCH_JUMP_MAX = 1024 * 1024,
    REPLICA_STARTS_JUMP_MAX = 1024 * 1024, /* Of a node, as a peer tells. */
    REPLICA_KEYS_MAX = 8,                  /* KEYS frames before one APPEND. */
    REPLICA_APPEND_ENTRIES_MAX = 256,      /* In one APPEND. */
    REPLICA_REPAIR_ENTRIES_MAX = 1024 * 1024, /* Of one hole. */
    REPLICA_JOIN_LAG_MAX = 2048 /* Entries behind, at most, who is let in. */
};

/* Links between nodes (REPLICATION). */
enum {
    LINK_HANDSHAKE_SIZE_MAX = 512, /* Bytes taken before it is authenticated. */
    LINK_HANDSHAKE_S_MAX = 5,
    LINK_WAITING_MAX = 32,   /* Not authenticated yet. */
    LINK_STRANGERS_MAX = 16, /* Of them from no peer's address. */
    LINK_STRANGERS_PER_SECOND_MAX = 20,
    LINK_OUTPUT_SIZE_MAX = REPLICA_WINDOW_SIZE + 2 * 1024 * 1024,
    LINK_STALL_S_MAX = 20, /* A peer may read nothing. */
    LINK_RECORD_S_MAX = 15,
    LINK_DIAL_MS_MIN = 100, /* Between two attempts. */
    LINK_DIAL_MS_MAX = 3000,
    LINK_BRIEF_MS = 1000, /* A link that ends sooner was not wanted. */
    LINK_SAY_S = 10       /* Between two lines about the same offence. */
};
static_assert((int)LINK_HANDSHAKE_SIZE_MAX >= PREFACE_SIZE + 2 +
                                                  HANDSHAKE_MSG1_SIZE + 2 +
                                                  HANDSHAKE_MSG3_SIZE_MAX,
              "a whole handshake fits");
static_assert((int)HANDSHAKE_PAYLOAD_SIZE_MAX >=
                  2 * TLV_HEADER_SIZE + AGENT_SIZE_MAX + NODECERT_SIZE,
              "message 3 holds a node's certificate");
static_assert((int)REPLICA_QUEUE_SIZE_MAX >=
                  2 * ((int)REPLICA_WINDOW_SIZE + (int)PEER_ENTRIES_SIZE_MAX +
                       (int)REPLICA_KEYS_MAX * (int)PEER_KEYS_SIZE_MAX),
              "two windows fit, each with a frame full of keys");
static_assert((int)CONFIG_SIZE_MAX <= (int)META_CONFIGURATION_SIZE_MAX,
              "a node keeps its configuration");
static_assert((int)ENTRY_SIZE_MAX + 4 <= (int)PEER_ENTRIES_SIZE_MAX,
              "the largest entry fits an APPEND");
/* The register of configurations, and etcd behind it. */
enum {
    REGISTER_VALUE_SIZE_MAX = 1024,
    REGISTER_GUARDS_MAX = 8,
    REGISTER_NODES_MAX = 16, /* Nodes whose alive keys are looked at. */
    REGISTER_CALLS_MAX = 4,  /* Proposals under way at one time. */
    ETCD_ENDPOINTS_MAX = 8,
    ETCD_ENDPOINT_SIZE_MAX = 80,
    ETCD_KEY_SIZE_MAX = 96,
    ETCD_BODY_SIZE_MAX = 8192,
    ETCD_REPLY_SIZE_MAX = 64 * 1024, /* One answer, or one line of a watch. */
    ETCD_TTL_S_MIN = 2,              /* The least that etcd grants. */
    ETCD_TTL_S_MAX = 600
};
static_assert((int)REGISTER_VALUE_SIZE_MAX <= (int)META_CONFIGURATION_SIZE_MAX,
              "a node keeps what the register holds");
static_assert(REGISTER_NODES_MAX * 512 + 4 * REGISTER_VALUE_SIZE_MAX <=
                  ETCD_REPLY_SIZE_MAX,
              "a view of everything fits one answer");

/* Tree proofs (RFC 6962). */
enum {
    TREE_HEIGHT_MAX = 64,
    PROOF_HASHES_MAX = 63,
    PROOF_SIZE_MAX = PROOF_HASHES_MAX * HASH_SIZE
};

/* The log as it is published (TRANSPARENCY). */
enum {
    NOTE_SIZE_MAX = 64 * 1024,
    NOTE_SIGNATURES_MAX = 64,
    NOTE_NAME_SIZE_MAX = 255,
    NOTE_KEYID_SIZE = 4,
    NOTE_KEY_SIZE_MAX = 309,      /* A key as text. */
    NOTE_SIGNATURE_SIZE_MAX = 72, /* That is written: time and signature. */
    CHECKPOINT_TEXT_SIZE_MAX = 4096,
    TILE_WIDTH_MAX = 256, /* Hashes or entries of a full tile. */
    TILE_HEIGHT = 8,      /* Levels of the tree in one level of tiles. */
    TILE_LEVELS = 8,      /* That a tree of TREE_SIZE_MAX has. */
    TILE_PATH_SIZE_MAX = 64,
    BUNDLE_ENTRY_SIZE_MAX = 65535,
    TLOG_PROOF_SIZE_MAX = 256 * 1024, /* The line "extra" in it. */
    TLOG_POLICY_SIZE_MAX = 64 * 1024,
    TLOG_POLICY_LOGS_MAX = 32,
    TLOG_POLICY_WITNESSES_MAX = 32,
    TLOG_POLICY_GROUPS_MAX = 32,
    WITNESS_REQUEST_SIZE_MAX = NOTE_SIZE_MAX + 4096
};
static_assert(1 << TILE_HEIGHT == TILE_WIDTH_MAX, "a full tile is a subtree");
static_assert((int)ENTRY_SIZE_MAX <= (int)BUNDLE_ENTRY_SIZE_MAX,
              "every entry fits a bundle");

/* Units of the archive (ARCHIVE-FORMAT). */
enum {
    CATEGORIES_COUNT = 8,
    ARCHIVE_BUNDLES_MAX = 30000, /* Of one unit: 7 680 000 entries. */
    ARCHIVE_FILES_MAX = 65536,
    ARCHIVE_PATH_SIZE_MAX = TILE_PATH_SIZE_MAX + 8,
    ARCHIVE_LINE_SIZE_MAX = ARCHIVE_PATH_SIZE_MAX + 92, /* Of one file. */
    ARCHIVE_MANIFEST_SIZE_MAX =
        4096 + ARCHIVE_FILES_MAX * ARCHIVE_LINE_SIZE_MAX,
    ARCHIVE_SIGNERS_MAX = 262144,
    ARCHIVE_COSIGNERS_MAX = 128,
    ARCHIVE_KEYS_SIZE_MAX = 16 * 1024 * 1024,
    ARCHIVE_TEXT_SIZE_MAX = 64 * 1024, /* FORMAT.md */
    ARCHIVE_UNITS_MAX = 65536,         /* Joined to one log. */
    ARCHIVE_BUNDLE_SIZE_MAX =          /* Of a bundle, not compressed. */
    TILE_WIDTH_MAX * (2 + BUNDLE_ENTRY_SIZE_MAX),
    /* What zstd makes of that at most, and some. */
    ARCHIVE_PACKED_SIZE_MAX =
        ARCHIVE_BUNDLE_SIZE_MAX + ARCHIVE_BUNDLE_SIZE_MAX / 128 + 4096
};
static_assert(2 * ARCHIVE_BUNDLES_MAX + 1024 <= ARCHIVE_FILES_MAX,
              "bundles, their tiles and those above fit");
static_assert(ARCHIVE_SIGNERS_MAX * 52 + ARCHIVE_COSIGNERS_MAX * 320 + 1024 <=
                  ARCHIVE_KEYS_SIZE_MAX,
              "all keys fit");

/* What a node publishes of its log (server/evidence). */
enum {
    EVIDENCE_NOTE_SIZE_MAX = 24 * 1024, /* With its cosignatures. */
    EVIDENCE_NOTES_KEPT = 32, /* The newest, while cosignatures come in. */
    EVIDENCE_SIGN_MS = 1000   /* Between two checkpoints, at least. */
};
static_assert((int)EVIDENCE_NOTE_SIZE_MAX + (int)PROOF_SIZE_MAX <=
                  (int)ENTRY_SIZE_MAX,
              "a PROOF holds hashes and a note, or an entry");

/* Connections (PROTOCOL, section 10). */
enum {
    CONNECTIONS_MAX = 12288,
    DESCRIPTORS_RESERVED = 64, /* For files, beside the connections. */
    CONNECTIONS_BEFORE_LOGIN_MAX = 256,
    CONNECTIONS_PER_SOURCE_BEFORE_LOGIN_MAX = 16,
    CONNECTIONS_PER_PERSON_KEY_MAX = 8,
    CONNECTIONS_PER_ORGANISATION_KEY_MAX = 64,
    HANDSHAKES_PER_SECOND_MAX = 1000,
    HANDSHAKES_PER_SOURCE_PER_SECOND = 20,
    HANDSHAKES_PER_SOURCE_BURST = 50,
    RX_SIZE_BEFORE_LOGIN = 2048,
    TX_SIZE_HIGH_BEFORE_LOGIN = 1024,
    TX_SIZE_MAX_BEFORE_LOGIN = 4096,
    TX_SIZE_HIGH = 256 * 1024,
    TX_SIZE_LOW = 64 * 1024,
    TX_SIZE_MAX = 1024 * 1024,
    TX_STALL_S_MAX = 20,
    TX_STALL_SIZE_MIN = 16 * 1024, /* Read in that time, or all. */
    TX_STALL_PARTS = 16, /* And this part of what is owed, if that is more. */
    HANDSHAKE_S_MAX = 5,
    LOGIN_S_MAX = 20,
    RECORD_S_MAX_BEFORE_LOGIN = 5,
    RECORD_S_MAX = 15,
    IDLE_S_PERSON = 120,
    IDLE_S_MACHINE = 300,
    LIFETIME_S_PERSON = 12 * 3600,
    LIFETIME_S_MACHINE = 7 * 24 * 3600,
    INFLIGHT_MAX_PERSON = 8,
    INFLIGHT_MAX_MACHINE = 64,
    INFLIGHT_MAX_CARRIER = 256,
    SIGNATURES_PER_PASS_MAX = 32,
    SIGNATURES_PER_PASS_MAX_BEFORE_LOGIN = 4,
    CLOSE_LINGER_SIZE_MAX = 64 * 1024,
    CLOSE_LINGER_MS_MAX = 1000,
    PING_PER_SECOND_MAX = 100,
    PING_BURST = 200,
    PAD_BYTES_PER_SECOND_MAX = 1024 * 1024,
    LISTEN_BACKLOG = 1024,
    ACCEPT_PAUSE_MS = 100,
    EVENT_CREDIT_FRAMES_MAX = 64,
    EVENT_CREDIT_BYTES_MAX = 1024 * 1024
};
static_assert((int)TX_SIZE_HIGH_BEFORE_LOGIN +
                      2 * (int)RECORD_SIZE_MAX_BEFORE_LOGIN <
                  (int)TX_SIZE_MAX_BEFORE_LOGIN,
              "what one record asks for fits behind the high mark");

/* Memory that connections may hold (PROTOCOL, section 10). */
enum {
    MEMORY_PER_CONNECTION_BEFORE_LOGIN = 16 * 1024,
    MEMORY_SESSIONS_MIB_MIN = 16,
    MEMORY_SESSIONS_MIB_DEFAULT = 512,
    MEMORY_SESSIONS_MIB_MAX = 1024 * 1024,
    /* Of a class in use: requests are 601, no connection is taken. */
    MEMORY_TIGHT_PERCENT = 80,
    /* What one key, or one carrier, holds of the sessions' memory and of the
     * answers': beyond one part of a cap its requests are 601, at two its
     * connections end. */
    MEMORY_SHARES_COUNT = 16,
    MEMORY_SHARE_SIZE_MIN = 4 * 1024 * 1024,
    /* Who holds no more is served while memory is tight. */
    MEMORY_TIGHT_FREE_SIZE = 256 * 1024,
    /* What a connection costs beside its buffers, about: events, tables. */
    MEMORY_CONNECTION_EXTRA_SIZE = 1024
};
static_assert((int)MEMORY_PER_CONNECTION_BEFORE_LOGIN >=
                  2 * ((int)RX_SIZE_BEFORE_LOGIN +
                       (int)TX_SIZE_MAX_BEFORE_LOGIN +
                       (int)MEMORY_CONNECTION_EXTRA_SIZE),
              "as many as may wait for a login have room");

/* A cluster as its clients see it (PROTOCOL, section 5.6). */
enum {
    CLUSTER_NODES_MAX = 8, /* Members that the status query lists. */
    ADDRESSES_MAX = 8,     /* Addresses that a client is given. */
    ADDRESSES_SIZE_MAX = ADDRESSES_MAX * (ADDRESS_SIZE_MAX + 2)
};

/* Rates and strikes (PROTOCOL, section 10). */
enum {
    COMMANDS_PER_SECOND_PERSON = 10,
    COMMANDS_BURST_PERSON = 40,
    COMMANDS_PER_SECOND_BODY = 500,
    COMMANDS_BURST_BODY = 2000,
    STRIKES_MAX = 16,
    STRIKES_WINDOW_S = 60,
    PENALTY_S_MIN = 60,
    PENALTY_S_MAX = 900,
    LOGIN_FAILURES_PER_CONNECTION_MAX = 3,
    LOGIN_FAILURES_FREE = 5,
    LOGIN_DELAY_S_MAX = 900,
    /* Of accounts that found no place in the table, together. */
    LOGIN_DELAY_CROWD_S_MAX = 2,
    LOGIN_CROWD_FORGOTTEN_S = 60,
    LOGIN_FAILURES_LOCK = 100,
    PW_STARTS_PER_CONNECTION_MAX = 3,
    PW_STARTS_PER_SOURCE_PER_MINUTE = 20,
    PW_PROVES_PER_SECOND_MAX = 50,
    /* A source from which an account has logged in: only its own failures delay
     * it there, for so long, and it has a share of verifications of its own. */
    LOGIN_SOURCE_KNOWN_S = 30 * 24 * 3600,
    LOGIN_SOURCES_KNOWN_MAX = 8, /* Of an account: the newest. */
    PW_PROVES_KNOWN_PER_SECOND_MAX = 50
};

/* Queues between threads (ARCHITECTURE, threads). */
enum {
    QUEUE_COMMANDS_MAX = 4096,
    QUEUE_COMMANDS_SIZE_MAX = 64 * 1024 * 1024 /* Their bodies together. */
};

/* What the server itself enters in the log. */
enum {
    ATTEST_ENTRIES_MAX = 256,
    ATTEST_DELAY_MS = 1000,
    ATTEST_IDLE_MS = 10000,
    ATTEST_LEAVES_MAX = ATTEST_ENTRIES_MAX * ITEMS_MAX,
    ATTEST_HASHES_MAX = 16, /* Of the path to one of the leaves. */
    ATTEST_ENTRY_SIZE_MAX = 4096,
    REFUSED_LINES_MAX = 64,
    REFUSED_DELAY_MS = 1000,
    NOISE_DELAY_MS = 60000,
    DEADLINES_PER_ENTRY_MAX = 256
};

static_assert((int)ATTEST_LEAVES_MAX <= 1 << (int)ATTEST_HASHES_MAX,
              "every outcome has a path");
static_assert((int)ATTEST_ENTRY_SIZE_MAX +
                      (int)ATTEST_HASHES_MAX * (int)HASH_SIZE + 2 <=
                  (int)ENTRY_SIZE_MAX,
              "a PROOF holds the path of an outcome and its attestation");
static_assert(12 * (int)LIST_COUNT_MAX + 1024 <= (int)ATTEST_ENTRY_SIZE_MAX,
              "the refusals of an attestation fit its entry");

/* What may wait for an attestation at a log's end before an auditor is told
 * (client/audit): two full queues of commands. */
enum { AUDIT_UNATTESTED_MAX = 8192 };
static_assert(AUDIT_UNATTESTED_MAX >=
                  2 * ((int)QUEUE_COMMANDS_MAX > (int)ATTEST_ENTRIES_MAX
                           ? (int)QUEUE_COMMANDS_MAX
                           : (int)ATTEST_ENTRIES_MAX),
              "a busy node that was stopped is no fault");

/* The registry's rules. */
enum {
    FEED_BATCH_RECORDS_MAX = 16384,
    FEED_REFUSED_LISTED_MAX = 256,
    FEED_NAME_SIZE_MAX = 64, /* The EHIS name of a batch. */
    FIND_TOKENS_MAX = 8,
    FIND_PREFIX_POINTS_MIN = 3,
    FIND_RESULTS_MAX = 50,
    FIND_TEXT_SIZE_MAX = 512,
    SEARCH_WORDS_MAX = 64, /* Of one subject. */
    PAGE_ROWS_MAX = 100,
    ARCHIVE_COPIES_MAX = 1000,          /* Of a unit. */
    NODES_ENROLLED_MAX = PAGE_ROWS_MAX, /* Retired ones too. */
    STANDING_NODES_MAX = 8,    /* Nodes that one standing order names. */
    DESTROY_SUBJECTS_MAX = 64, /* Subjects of one act. */
    DESTROY_KEYS_MAX = 2048,   /* Keys that one entry destroys. */
    CREDENTIAL_KEYS_MAX = 128, /* Not destroyed, of one signing key. */
    SEALS_SHOWN_MAX = 16,      /* Seals of accesses in one page. */
    STANDING_ORDER_DAYS_MAX = 366,
    FAILOVER_ORDER_DAYS_MAX = 31, /* Longest life of a request. */
    HISTORY_ROWS_MAX = 32,        /* Versions of a section in one answer. */
    CONSENT_USES_MAX = 1000,
    MANDATES_MAX = 256,    /* Of a person about a subject, ended ones too. */
    PERSON_KEYS_MAX = 256, /* Who rotates them; ended ones too. */
    SECTIONS_COUNT = 13,
    VERSIONS_SHOWN_MAX =
        SECTIONS_COUNT + 1, /* S05 also as the subject put it. */
    YEAR_MIN = 1900,
    YEAR_MAX = 2200,
    /* Size classes: employees, and yearly income in thousand manat. */
    CLASS_MICRO_EMPLOYEES_MAX = 10,
    CLASS_SMALL_EMPLOYEES_MAX = 50,
    CLASS_MEDIUM_EMPLOYEES_MAX = 250,
    CLASS_MICRO_INCOME_MAX = 200,
    CLASS_SMALL_INCOME_MAX = 3000,
    CLASS_MEDIUM_INCOME_MAX = 30000,
    QEPIK_PER_THOUSAND_MANAT = 100000,
    CLASS_FIRST_YEAR_DAYS = 365
};

/* Extracts (EXTRACT). */
enum {
    EXTRACT_FIELDS_MAX = 5120, /* Disclosures of one extract. */
    EXTRACT_PATH_SIZE_MAX = 64,
    /* A section's line: its words, and the source's name. */
    EXTRACT_SECTION_LINE_SIZE_MAX = 96 + 256,
    /* A field's line: an extension's value is the longest, in hexadecimal. */
    EXTRACT_FIELD_LINE_SIZE_MAX =
        EXTRACT_PATH_SIZE_MAX + 16 + 2 * EXTENSION_SIZE_MAX,
    EXTRACT_HASHES_PART_MAX = 256, /* Commitments in one part of a result. */
    EXTRACT_HASHES_PARTS_MAX = EXTRACT_FIELDS_MAX / EXTRACT_HASHES_PART_MAX,
    EXTRACT_TEXT_PART_SIZE_MAX = 32 * 1024,
    EXTRACT_TEXT_PARTS_MAX = 28,
    EXTRACT_ENTRY_SIZE_MAX = 512, /* An entry of extract.issue alone. */
    EXTRACT_FILE_SIZE_MAX = 2 * 1024 * 1024
};
static_assert((int)CREDENTIAL_KEYS_MAX <= (int)DESTROY_KEYS_MAX,
              "an entry destroys the credentials of a signing key");
static_assert((int)EXTRACT_FIELDS_MAX % (int)EXTRACT_HASHES_PART_MAX == 0,
              "parts are full but the last");
static_assert((int)EXTRACT_TEXT_PARTS_MAX * (int)EXTRACT_TEXT_PART_SIZE_MAX +
                      (int)EXTRACT_TEXT_PARTS_MAX * 2 + 256 <=
                  (int)RESULT_SIZE_MAX,
              "all that an extract covers fits one result");
static_assert(2 * (int)EXTRACT_FIELDS_MAX * (int)HASH_SIZE + 4096 <=
                  (int)RESULT_SIZE_MAX,
              "commitments are sorted beside the list of them");
static_assert((int)EXTRACT_TEXT_PARTS_MAX * (int)EXTRACT_TEXT_PART_SIZE_MAX +
                      (int)EXTRACT_FIELDS_MAX * 64 + (int)TLOG_PROOF_SIZE_MAX +
                      2 * (int)ATTEST_ENTRY_SIZE_MAX +
                      ((int)ATTEST_HASHES_MAX + (int)PROOF_HASHES_MAX) * 64 +
                      8192 <=
                  (int)EXTRACT_FILE_SIZE_MAX,
              "the largest extract fits a file");

/* Password key derivation a client accepts (PROTOCOL, section 5). */
enum {
    KDF_PASSES_MIN = 2,
    KDF_PASSES_MAX = 10,
    KDF_MEMORY_KIB_MIN = 19456,
    KDF_MEMORY_KIB_MAX = 1048576,
    KDF_PASSES_DEFAULT = 3,
    KDF_MEMORY_KIB_DEFAULT = 65536,
    WRAPPED_KEY_SIZE = 72
};

#endif
