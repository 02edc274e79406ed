/*
 * catalogue_tables: prints the tables of docs/PROTOCOL.md and of
 * docs/REPLICATION.md from the code's own tables, each between the markers that
 * it has in the document.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "protocol/catalogue.h"
#include "protocol/dates.h"
#include "protocol/render.h"

static void begin(const char *name)
{
    printf("<!-- catalogue:%s -->\n", name);
}

static void end(void)
{
    printf("<!-- end -->\n");
}

static void print_value(const struct field *field, int64_t value)
{
    uint8_t text[64];
    struct writer writer;

    writer_init(&writer, text, sizeof text);
    if (field->kind == FIELD_date) {
        uint8_t date[DATES_DATE_SIZE];
        dates_format(date, (int32_t)value);
        writer_bytes(&writer, date, sizeof date);
    } else {
        render_i64(&writer, value);
    }
    printf("%.*s", (int)writer.used, (const char *)text);
}

/* "1 legal, 2 individual", or of a mask "bit 0 S01, bit 1 S02", in front of
 * which stands "one or more: " where it must not be empty. */
static void print_names(const struct field *field)
{
    const char *names = render_names(field);
    bool mask = field->kind != FIELD_enum8;

    if (mask && field->lo > 0)
        printf("one or more: ");
    for (int number = mask ? 0 : 1; *names != '\0'; number++) {
        int size = (int)strcspn(names, "|");
        printf("%s%d %.*s", mask ? "bit " : "", number, size, names);
        names += size;
        if (*names == '|') {
            names++;
            printf(", ");
        }
    }
}

static void print_number_bounds(const struct field *field)
{
    size_t size = schema_kind_size(field->kind);
    bool is_signed = field->kind == FIELD_i64 || field->kind == FIELD_date ||
                     field->kind == FIELD_money || field->kind == FIELD_time;
    bool widest = !is_signed && size < sizeof(int64_t) &&
                  field->hi == (INT64_C(1) << (8 * size)) - 1;

    if (field->lo == INT64_MIN ||
        (field->lo == 0 && (widest || field->hi == INT64_MAX))) {
        printf("any");
    } else if (field->hi == INT64_MAX || widest) {
        printf("from ");
        print_value(field, field->lo);
    } else if (field->kind == FIELD_time) {
        printf("1970-01-01 to 2200-12-31");
    } else {
        print_value(field, field->lo);
        printf(" to ");
        print_value(field, field->hi);
    }
}

static void print_bounds(const struct field *field)
{
    size_t size = schema_kind_size(field->kind);

    if (field->kind == FIELD_list)
        printf("at most %" PRId64 " of `%s`", field->hi, field->element->name);
    else if (field->kind == FIELD_bool8)
        printf("0 or 1");
    else if (field->kind >= FIELD_bytes8 && field->kind <= FIELD_bytes64)
        printf("%zu bytes", size);
    else if (size == 0 && field->lo == field->hi)
        printf("%" PRId64 " bytes", field->lo);
    else if (size == 0)
        printf("%" PRId64 " to %" PRId64 " bytes", field->lo, field->hi);
    else if (render_names(field) != NULL)
        print_names(field);
    else
        print_number_bounds(field);
}

static const char *const kind_names[] = {
#define K(kind, type, size) #kind,
    FIELD_KIND_LIST(K)
#undef K
        "list"};

static void print_row(const struct field *field, unsigned number)
{
    bool named = render_names(field) == field->note;

    if (field->tag == 0)
        printf("| %u ", number);
    else
        printf("| TLV %u ", field->tag);
    printf("| %s | %s | ", field->name, kind_names[field->kind]);
    print_bounds(field);
    printf(" | %s |\n", named ? "" : field->note);
}

static void print_fields(const struct schema *schema, const char *title)
{
    const struct field *rows = schema->rows();

    if (schema->fields_count == 0) {
        printf("%s: none.\n\n", title);
        return;
    }
    printf("%s:\n\n", title);
    printf("| # | field | kind | values | meaning |\n|--|--|--|--|--|\n");
    for (uint16_t i = 0; i < schema->fields_count; i++)
        print_row(&rows[i], i + 1u);
    printf("\n");
}

static const char *route_name(enum message_route route)
{
    switch (route) {
    case ROUTE_C:
        return "client to server";
    case ROUTE_S:
        return "server to client";
    case ROUTE_BOTH:
        return "both";
    }
    return "?";
}

static const char *when_name(enum message_when when)
{
    switch (when) {
    case WHEN_CHAN:
        return "before login";
    case WHEN_OPEN:
        return "after login";
    case WHEN_ANY:
        return "always";
    }
    return "?";
}

static bool laid_out_elsewhere(const struct message_info *info)
{
    return info->schema->fields_count == 0;
}

static void print_frames(void)
{
    uint32_t count;
    const struct message_info *rows = message_list(&count);

    begin("frames");
    printf("| type | name | direction | allowed |\n|--|--|--|--|\n");
    for (uint32_t i = 0; i < count; i++)
        printf("| 0x%02x | %s | %s | %s |\n", rows[i].number, rows[i].name,
               route_name(rows[i].route), when_name(rows[i].when));
    end();
    begin("frame-fields");
    for (uint32_t i = 0; i < count; i++) {
        if (laid_out_elsewhere(&rows[i]))
            continue;
        printf("**0x%02x %s**\n\n", rows[i].number, rows[i].name);
        print_fields(rows[i].schema, "Body");
    }
#define ELEMENT(lower, UPPER) \
    print_fields(&schema_##lower, "Element `" #lower "`");
    MESSAGE_ELEMENT_LIST(ELEMENT)
#undef ELEMENT
    end();
}

static void print_peers(void)
{
    uint32_t count;
    const struct peer_info *rows = peer_list(&count);

    begin("peer-frames");
    printf("| type | name | meaning |\n|--|--|--|\n");
    for (uint32_t i = 0; i < count; i++)
        printf("| 0x%02x | %s | %s |\n", rows[i].number, rows[i].name,
               rows[i].english);
    end();
    begin("peer-fields");
    for (uint32_t i = 0; i < count; i++) {
        printf("**0x%02x %s**\n\n", rows[i].number, rows[i].name);
        print_fields(rows[i].schema, "Body");
    }
#define ELEMENT(lower, UPPER) \
    print_fields(&schema_##lower, "Element `" #lower "`");
    PEER_ELEMENT_LIST(ELEMENT)
#undef ELEMENT
    end();
}

static void print_roles_and_duties(void)
{
    begin("roles");
    printf("| number | word | who |\n|--|--|--|\n");
#define ROLE(number, UPPER, english) \
    printf("| %d | " #UPPER " | " english " |\n", number);
    ROLE_LIST(ROLE)
#undef ROLE
    end();
    begin("duties");
    printf("| number | word | who | in Azerbaijani |\n|--|--|--|--|\n");
#define DUTY(number, UPPER, english, azerbaijani) \
    printf("| %d | " #UPPER " | " english " | " azerbaijani " |\n", number);
    DUTY_LIST(DUTY)
#undef DUTY
    end();
}

static void print_small_lists(void)
{
    begin("features");
    printf("| bit | word | meaning |\n|--|--|--|\n");
#define FEATURE(bit, UPPER, english) \
    printf("| %d | " #UPPER " | " english " |\n", bit);
    FEATURE_LIST(FEATURE)
#undef FEATURE
    end();
    begin("bye");
    printf("| code | word | meaning |\n|--|--|--|\n");
#define BYE(number, UPPER, english) \
    printf("| %d | " #UPPER " | " english " |\n", number);
    BYE_LIST(BYE)
#undef BYE
    end();
    begin("settings");
    printf("| number | name | initially | from | to | meaning |\n"
           "|--|--|--|--|--|--|\n");
#define SET(number, name, initial, lo, hi, meaning)                     \
    printf("| %d | " #name " | %d | %d | %d | " meaning " |\n", number, \
           initial, lo, hi);
    SETTING_LIST(SET)
#undef SET
    end();
}

static const char *retry_name(enum status_retry retry)
{
    switch (retry) {
    case RETRY_NO:
        return "no";
    case RETRY_SAME:
        return "yes, the same bytes";
    case RETRY_RESIGN:
        return "signed anew";
    case RETRY_LATER:
        return "later, the same bytes";
    case RETRY_OTHER:
        return "another node, the same bytes";
    case RETRY_REREAD:
        return "after reading again";
    case RETRY_RELOGIN:
        return "after a new login";
    }
    return "?";
}

static void print_statuses(void)
{
    uint32_t count;
    const struct status_info *rows = status_list(&count);

    begin("statuses");
    printf("| code | word | usual scope | retry | meaning | in Azerbaijani "
           "|\n|--|--|--|--|--|--|\n");
    for (uint32_t i = 0; i < count; i++) {
        if (status_is_wire((uint32_t)rows[i].status))
            printf("| %d | %s | %s | %s | %s | %s |\n", (int)rows[i].status,
                   rows[i].name,
                   rows[i].scope == SCOPE_REQUEST ? "request" : "connection",
                   retry_name(rows[i].retry), rows[i].english,
                   rows[i].azerbaijani);
    }
    end();
}

/* The limits that a peer meets; limits.h has them all. */
#define LIMITS(X)                                                              \
    X(RECORD_SIZE_MIN, "bytes", "smallest L of a record")                      \
    X(RECORD_SIZE_MAX_BEFORE_LOGIN, "bytes",                                   \
      "largest L from a client "                                               \
      "before login")                                                          \
    X(RECORD_SIZE_MAX, "bytes", "largest L")                                   \
    X(RECORD_REKEY_INTERVAL, "records", "between two rekeys of a direction")   \
    X(FRAME_SIZE_MAX_BEFORE_LOGIN, "bytes",                                    \
      "frame from a client before "                                            \
      "login")                                                                 \
    X(FRAME_SIZE_MAX, "bytes", "frame")                                        \
    X(FRAME_TLVS_MAX_BEFORE_LOGIN, "TLVs", "in a client's frame before login") \
    X(FRAME_TLVS_MAX, "TLVs", "in a body or an item")                          \
    X(HANDSHAKE_TLVS_MAX, "TLVs", "in message 3")                              \
    X(PAD_SIZE_MAX, "bytes", "body of a PAD")                                  \
    X(STRING_SIZE_MAX, "bytes", "any text")                                    \
    X(BLOB_SIZE_MAX, "bytes", "any blob that a client sends")                  \
    X(LIST_COUNT_MAX, "elements", "any list")                                  \
    X(FIELD_SIZE_MAX_BEFORE_LOGIN, "bytes",                                    \
      "any field from a client before "                                        \
      "login")                                                                 \
    X(ERROR_TEXT_SIZE_MAX, "bytes", "text of an ERROR")                        \
    X(ITEMS_MAX, "items", "in a command")                                      \
    X(ITEMS_MAX_PERSON, "items", "in a person's command")                      \
    X(TTL_S_MAX, "s", "ttl of a command")                                      \
    X(TTL_S_DEFAULT, "s", "ttl that a client should use")                      \
    X(SKEW_S, "s", "slack between clocks")                                     \
    X(IDEM_RETENTION_HOURS, "h", "a command is remembered")                    \
    X(ENTRY_SIZE_MAX, "bytes", "entry that a command becomes")                 \
    X(ENTRY_FIXED_SIZE, "bytes", "of it beside the items")                     \
    X(ENTRY_ITEM_GROWTH, "bytes", "that an item grows by in it, at most")      \
    X(RESULT_PART_SIZE_MAX, "bytes", "result in one ANSWER frame")             \
    X(ANSWER_FRAMES_MAX, "frames", "in one answer")                            \
    X(CURSOR_SIZE_MAX, "bytes", "cursor of a QUERY")                           \
    X(EXTENSIONS_MAX, "elements", "extension list of a record")                \
    X(EXTENSION_SIZE_MAX, "bytes", "value of an extension")                    \
    X(HANDSHAKE_S_MAX, "s", "preface and handshake, absolute")                 \
    X(LOGIN_S_MAX, "s", "login after the handshake, absolute")                 \
    X(RECORD_S_MAX_BEFORE_LOGIN, "s", "an incomplete record before login")     \
    X(RECORD_S_MAX, "s", "an incomplete record, from its first byte")          \
    X(IDLE_S_PERSON, "s", "a person's connection without a frame")             \
    X(IDLE_S_MACHINE, "s", "a machine's connection without a frame")           \
    X(LIFETIME_S_PERSON, "s", "a person's connection")                         \
    X(LIFETIME_S_MACHINE, "s", "a machine's connection")                       \
    X(TX_STALL_S_MAX, "s", "answers that nobody reads")                        \
    X(TX_STALL_SIZE_MIN, "bytes", "read in that time, or all: not slow")       \
    X(TX_STALL_PARTS, "parts", "of what waits, one in that time, if more")     \
    X(TX_SIZE_HIGH_BEFORE_LOGIN, "bytes",                                      \
      "of unread answers before login: no more is read")                       \
    X(TX_SIZE_HIGH, "bytes", "of unread answers: no more is read")             \
    X(TX_SIZE_MAX, "bytes", "of unread answers: closed")                       \
    X(MEMORY_TIGHT_PERCENT, "percent", "of a cap of memory: requests are 601") \
    X(MEMORY_SHARES_COUNT, "parts", "of a cap, one for each key or carrier")   \
    X(MEMORY_SHARE_SIZE_MIN, "bytes", "of such a part at least")               \
    X(MEMORY_TIGHT_FREE_SIZE, "bytes", "who holds no more is still served")    \
    X(QUEUE_COMMANDS_MAX, "commands", "in the queue, then 601")                \
    X(QUEUE_COMMANDS_SIZE_MAX, "bytes", "in the queue, then 601")              \
    X(INFLIGHT_MAX_PERSON, "requests", "in flight, person")                    \
    X(INFLIGHT_MAX_MACHINE, "requests", "in flight, machine")                  \
    X(INFLIGHT_MAX_CARRIER, "requests", "in flight, carrier")                  \
    X(COMMANDS_PER_SECOND_PERSON, "per s", "commands of a person's key")       \
    X(COMMANDS_BURST_PERSON, "commands", "burst of a person's key")            \
    X(COMMANDS_PER_SECOND_BODY, "per s", "commands of a machine's key")        \
    X(COMMANDS_BURST_BODY, "commands", "burst of a machine's key")             \
    X(PING_PER_SECOND_MAX, "per s", "PINGs")                                   \
    X(PING_BURST, "PINGs", "burst")                                            \
    X(PAD_BYTES_PER_SECOND_MAX, "bytes per s", "PADs")                         \
    X(EVENT_CREDIT_FRAMES_MAX, "frames", "credit of a WATCH")                  \
    X(EVENT_CREDIT_BYTES_MAX, "bytes", "credit of a WATCH")                    \
    X(STRIKES_MAX, "strikes", "in STRIKES_WINDOW_S; the next is 605")          \
    X(STRIKES_WINDOW_S, "s", "window of strikes")                              \
    X(PENALTY_S_MIN, "s", "first penalty of a source; it doubles")             \
    X(PENALTY_S_MAX, "s", "longest penalty")                                   \
    X(LOGIN_FAILURES_PER_CONNECTION_MAX, "failures", "answered request-wise")  \
    X(LOGIN_FAILURES_FREE, "failures", "of an account before delays begin")    \
    X(LOGIN_DELAY_S_MAX, "s", "longest delay; the first is 1 s, it doubles")   \
    X(LOGIN_DELAY_CROWD_S_MAX, "s", "longest, of those without a place")       \
    X(LOGIN_CROWD_FORGOTTEN_S, "s", "without a failure of theirs ends it")     \
    X(LOGIN_FAILURES_LOCK, "failures", "in a row that lock password login")    \
    X(PW_STARTS_PER_CONNECTION_MAX, "PW_STARTs", "on a connection")            \
    X(PW_STARTS_PER_SOURCE_PER_MINUTE, "PW_STARTs", "a minute and source")     \
    X(PW_PROVES_PER_SECOND_MAX, "per s", "PW_PROVEs of all strangers")         \
    X(PW_PROVES_KNOWN_PER_SECOND_MAX, "per s",                                 \
      "PW_PROVEs of those who logged in from there before")                    \
    X(LOGIN_SOURCE_KNOWN_S, "s", "a source is known after a login")            \
    X(LOGIN_SOURCES_KNOWN_MAX, "sources", "known of an account")               \
    X(KDF_PASSES_MIN, "passes", "a client accepts at least")                   \
    X(KDF_PASSES_MAX, "passes", "a client accepts at most")                    \
    X(KDF_MEMORY_KIB_MIN, "KiB", "a client accepts at least")                  \
    X(KDF_MEMORY_KIB_MAX, "KiB", "a client accepts at most")                   \
    X(CONNECTIONS_PER_PERSON_KEY_MAX, "connections", "of a person's key")      \
    X(CONNECTIONS_PER_ORGANISATION_KEY_MAX, "connections",                     \
      "of an organisation's key")                                              \
    X(CONNECTIONS_PER_SOURCE_BEFORE_LOGIN_MAX, "connections",                  \
      "of an address before login")                                            \
    X(HANDSHAKES_PER_SOURCE_PER_SECOND, "per s", "handshakes of an address")   \
    X(FIND_TOKENS_MAX, "words", "in subject.find")                             \
    X(FIND_PREFIX_POINTS_MIN, "letters", "before a *")                         \
    X(FIND_RESULTS_MAX, "rows", "of subject.find")                             \
    X(PAGE_ROWS_MAX, "rows", "of a list operation")

static void print_limits(void)
{
    begin("limits");
    printf("| limit | value | unit | of |\n|--|--|--|--|\n");
#define X(name, unit, meaning) \
    printf("| " #name " | %d | " unit " | " meaning " |\n", (int)name);
    LIMITS(X)
#undef X
    end();
}

static const char *op_realm_name(const struct operation_info *row)
{
    static const char *const names[] = {"system", "P or R", "P", "R"};

    return names[row->realm];
}

static const char *seal_name(enum operation_seal seal)
{
    switch (seal) {
    case SEAL_OPEN:
        return "open";
    case SEAL_SUBJECT_RECORD:
        return "subject record";
    case SEAL_SUBJECT_EVIDENCE:
        return "subject evidence";
    case SEAL_ORGANISATION:
        return "organisation";
    case SEAL_PERSON:
        return "person";
    case SEAL_PERSON_NAMED:
        return "person named";
    case SEAL_CREDENTIAL:
        return "credential";
    case SEAL_CLUSTER:
        return "cluster secret";
    }
    return "?";
}

static void print_operations(void)
{
    uint32_t count;
    const struct operation_info *rows = operation_list(&count);

    begin("operations");
    printf("| opcode | operation | version | realm | J | access | sealed "
           "under | level | carrier | what it does | in Azerbaijani |\n"
           "|--|--|--|--|--|--|--|--|--|--|--|\n");
    for (uint32_t i = 0; i < count; i++) {
        const struct operation_info *row = &rows[i];
        printf("| 0x%04x | %s | %u | %s | %u | %s | %s | %u | %s | %s | %s |\n",
               row->opcode, row->name, row->version, op_realm_name(row),
               row->category, row->access == ACCESS_READ ? "read" : "write",
               seal_name(row->seal), row->level,
               row->carrier == CARRIER_EHIS ? "EHIS" : "any", row->english,
               row->azerbaijani);
    }
    end();
}

static void print_matrix(void)
{
    uint32_t count;
    const struct operation_info *rows = operation_list(&count);

    begin("matrix");
    printf("| operation |");
    for (uint32_t duty = 1; duty < DUTIES_COUNT; duty++)
        printf(" %s |", duty_name(duty));
    printf("\n|--|");
    for (uint32_t duty = 1; duty < DUTIES_COUNT; duty++)
        printf("--|");
    printf("\n");
    for (uint32_t i = 0; i < count; i++) {
        printf("| %s |", rows[i].name);
        for (const char *who = rows[i].who; *who != '\0'; who++)
            printf(" %c |", *who == '.' ? ' ' : *who);
        printf("\n");
    }
    end();
}

static void print_operation_fields(void)
{
    uint32_t count;
    const struct operation_info *rows = operation_list(&count);

    begin("operation-fields");
    for (uint32_t i = 0; i < count; i++) {
        printf("**0x%04x %s**: %s.\n\n", rows[i].opcode, rows[i].name,
               rows[i].english);
        print_fields(rows[i].fields, "Fields");
        print_fields(rows[i].result, "Result");
    }
    end();
    begin("operation-elements");
#define ELEMENT(lower, UPPER) \
    print_fields(&schema_##lower, "Element `" #lower "`");
    OPERATION_ELEMENT_LIST(ELEMENT)
#undef ELEMENT
    end();
}

static void print_sections(void)
{
    begin("sections");
    for (uint32_t i = 1; i <= SECTIONS_COUNT; i++) {
        const struct section_info *info = section_info(i);
        printf("**%s %s** (%s)\n\n", info->name, info->english,
               info->azerbaijani);
        print_fields(info->record, "Record");
    }
#define ELEMENT(lower, UPPER) \
    print_fields(&schema_##lower, "Element `" #lower "`");
    SECTION_ELEMENT_LIST(ELEMENT)
#undef ELEMENT
    end();
}

static void print_queries(void)
{
    uint32_t count;
    const struct query_info *rows = query_list(&count);

    begin("queries");
    for (uint32_t i = 0; i < count; i++) {
        printf("**%u %s**: %s.\n\n", rows[i].number, rows[i].name,
               rows[i].english);
        print_fields(rows[i].fields, "Fields");
        print_fields(rows[i].rows, "Rows");
    }
    end();
}

int main(void)
{
    print_frames();
    print_peers();
    print_roles_and_duties();
    print_small_lists();
    print_statuses();
    print_limits();
    print_operations();
    print_matrix();
    print_operation_fields();
    print_sections();
    print_queries();
    return 0;
}
