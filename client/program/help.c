#include "client/program/help.h"

#include <stdio.h>
#include <string.h>

#include "protocol/render.h"

static void help_options(bool azerbaijani)
{
    fputs(
        azerbaijani
            ? "istifadə: defter [SEÇİMLƏR] ALTƏMR ...\n"
              "          defter [SEÇİMLƏR] ƏMƏLİYYAT ad=qiymət ...\n\n"
              "  --cluster FAYL   klasterin faylı ($DEFTER_CLUSTER, "
              "cluster.conf)\n"
              "  --key FAYL       giriş açarı ($DEFTER_KEY)\n"
              "  --user AD        açarın yerinə ad və parolla giriş\n"
              "  --role ROL       auditor, user, participant, staff (susmaya "
              "görə), payment,\n"
              "                   coordinator, cloud, provider, portal, EHIS\n"
              "  --signer FAYL    bu açarla imzalamaq, qoşulma --key ilə\n"
              "  --address H:P,…  fayldakı ünvanların yerinə\n"
              "  --receipts FAYL  yoxlanmış qəbzləri burada saxlamaq\n"
              "  --json           cavablar JSON ilə\n"
              "  --az             azərbaycanca ($LANG az ilə başlayanda da)\n"
              "  --version        proqramın nömrəsi\n\n"
            : "usage: defter [OPTIONS] SUBCOMMAND ...\n"
              "       defter [OPTIONS] OPERATION name=value ...\n\n"
              "  --cluster FILE   the cluster's file ($DEFTER_CLUSTER, "
              "cluster.conf)\n"
              "  --key FILE       the key to log in with ($DEFTER_KEY)\n"
              "  --user NAME      log in by name and password instead\n"
              "  --role ROLE      auditor, user, participant, staff (if not "
              "said), payment,\n"
              "                   coordinator, cloud, provider, portal, EHIS\n"
              "  --signer FILE    sign with this key over --key's connection\n"
              "  --address H:P,.. instead of the file's addresses\n"
              "  --receipts FILE  keep verified receipts here\n"
              "  --json           answers as JSON\n"
              "  --az             in Azerbaijani (also if $LANG begins with "
              "az)\n"
              "  --version        the program's number\n\n",
        stdout);
}

void help_all(const struct program *program)
{
    uint32_t count;
    const struct operation_info *operations = operation_list(&count);
    bool azerbaijani = program->azerbaijani;

    help_options(azerbaijani);
    for (const struct subcommand *at = program_subcommands(); at->name != NULL;
         at++)
        printf("  %-11s %s\n", at->name,
               azerbaijani ? at->azerbaijani : at->english);
    puts(azerbaijani
             ? "  help        altəmr, əməliyyat və ya bölmə (S06) haqqında\n\n"
               "əməliyyatlar:"
             : "  help        On a subcommand, an operation or a section "
               "(S06)\n\n"
               "operations:");
    for (uint32_t i = 0; i < count; i++)
        printf("  %-21s %s\n", operations[i].name,
               azerbaijani ? operations[i].azerbaijani : operations[i].english);
    puts(
        azerbaijani
            ? "\nçıxış kodu: 0 yaxşı, 1 imtina və ya saxtalaşdırma, 2 natamam, "
              "3 səhv istifadə"
            : "\nexit status: 0 good, 1 refused or tampered with, 2 "
              "incomplete, 3 wrong usage");
}

int help_usage(void)
{
    return program_fail(EXIT_USAGE,
                        "usage: defter [OPTIONS] SUBCOMMAND | OPERATION ... "
                        "(`defter help` lists them)");
}

/* How a value is written; names of enums and masks stand in the note. */
static const char *written_as(const struct field *field)
{
    switch (field->kind) {
    case FIELD_u8:
    case FIELD_u16:
    case FIELD_u32:
    case FIELD_u64:
    case FIELD_i64:
        return "number";
    case FIELD_bool8:
        return "yes|no";
    case FIELD_mask16:
    case FIELD_mask32:
        return "a+b";
    case FIELD_enum8:
        return "one of";
    case FIELD_date:
        return "2026-08-17";
    case FIELD_time:
        return "2026-08-17T09:30:00Z";
    case FIELD_money:
        return "12.34";
    case FIELD_voen:
        return "ten digits";
    case FIELD_list:
        return "{a=b,c=d},...";
    case FIELD_bytes8:
        return "16 hex digits";
    case FIELD_bytes16:
        return "32 hex digits";
    case FIELD_bytes32:
        return "64 hex digits";
    case FIELD_bytes64:
        return "128 hex digits";
    case FIELD_phone:
        return "+994501234567";
    case FIELD_digits:
        return "digits";
    case FIELD_blob:
        return "hex";
    case FIELD_str:
    case FIELD_name:
    case FIELD_fin:
    case FIELD_email:
    case FIELD_username:
        return "text";
    }
    return "";
}

static bool is_record(const struct field *field)
{
    return field->kind == FIELD_blob && strcmp(field->name, "record") == 0;
}

static void help_schema(const struct schema *schema, int indent)
{
    const struct field *rows = schema->rows();

    for (uint16_t i = 0; i < schema->fields_count; i++) {
        const struct field *row = &rows[i];
        const char *names = render_names(row);
        printf("%*s%-16s %-21s %s%s%s%s\n", indent, "", row->name,
               is_record(row) ? "{\"a\":\"b\"}" : written_as(row), row->note,
               names != NULL && names != row->note ? ": " : "",
               names != NULL && names != row->note ? names : "",
               row->tag != 0 ? " (optional)" : "");
        if (row->kind == FIELD_list)
            help_schema(row->element, indent + 2);
    }
}

static void help_settings(void)
{
#define LINE(number, name, initial, lo, hi, text) \
    printf("      %2d %-21s %s; at first %d\n", number, #name, text, initial);
    SETTING_LIST(LINE)
#undef LINE
}

static void help_who(const struct operation_info *operation)
{
    printf("  who      ");
    for (uint32_t duty = 1; duty < DUTIES_COUNT; duty++) {
        char letter = operation->who[duty - 1];
        if (letter != '.')
            printf("%s%s ", duty_name(duty),
                   letter == 'y'   ? ""
                   : letter == 's' ? "(own)"
                   : letter == 'g' ? "(by consent)"
                                   : "(with a second person)");
    }
    printf("\n  level    %u\n", operation->level);
}

void help_operation(const struct operation_info *operation, bool azerbaijani)
{
    printf("%s: %s\n", operation->name,
           azerbaijani ? operation->azerbaijani : operation->english);
    help_who(operation);
    puts("  takes    beside what stands in every item:\n"
         "    as=NUMBER        assignment of the duty one acts by; none: for "
         "oneself\n"
         "    subject=VOEN     the subject it is about\n"
         "    purpose=NUMBER   registered purpose of a reading\n"
         "    expect=NUMBER    version that is to be changed\n"
         "    realm=P|R        of a system operation\n"
         "  and");
    help_schema(operation->fields, 4);
    if (operation->opcode == OPCODE_ACTOR_ENROL)
        puts("  `defter prove FILE --as ROLE` prints the words about the new "
             "key");
    if (operation->opcode == OPCODE_CONFIG_CHANGE)
        help_settings();
    puts("  gives");
    help_schema(operation->result, 4);
    puts("Texts with blanks are quoted; `defter help S06` shows a section's "
         "record.");
}

static bool help_section(const char *word, bool azerbaijani)
{
    const struct section_info *info;

    for (uint32_t number = 1; (info = section_info(number)) != NULL; number++) {
        if (strcmp(info->name, word) != 0)
            continue;
        printf("%s: %s\n", info->name,
               azerbaijani ? info->azerbaijani : info->english);
        help_schema(info->record, 2);
        puts("As a member of an operation: record={\"name\":\"value\",...}; "
             "lists are [{...}].");
        return true;
    }
    return false;
}

int help_about(const struct program *program, const char *word)
{
    const struct operation_info *operation;

    for (const struct subcommand *at = program_subcommands(); at->name != NULL;
         at++) {
        if (strcmp(at->name, word) != 0)
            continue;
        printf("usage: defter %s\n\n%s.\n", at->usage,
               program->azerbaijani ? at->azerbaijani : at->english);
        return EXIT_GOOD;
    }
    operation = operation_named(slice_of(word, strlen(word)));
    if (operation != NULL) {
        help_operation(operation, program->azerbaijani);
        return EXIT_GOOD;
    }
    if (help_section(word, program->azerbaijani))
        return EXIT_GOOD;
    return program_fail(EXIT_USAGE,
                        "%s: no such subcommand, operation or section "
                        "(try `defter help`)",
                        word);
}
