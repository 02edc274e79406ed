#include "tests/lib/records.h"

#include <string.h>

#include "protocol/voen.h"

enum { AGO = 400 }; /* Days: safely past, and more than a year. */

struct slice records_text(const char *text)
{
    return slice_of(text, strlen(text));
}

uint64_t records_voen(uint32_t n, uint8_t kind)
{
    uint32_t serial = 10000000;

    for (;; serial++) {
        uint32_t digit = voen_digit(serial);
        if (digit == VOEN_NO_DIGIT)
            continue;
        if (n-- == 0)
            return (uint64_t)serial * 100 + digit * 10 + kind;
    }
}

void records_list(struct records *records, struct list *list, int slot,
                  const struct schema *schema, const void *element)
{
    writer_init(&records->lists[slot], records->list_bytes[slot],
                RECORDS_SIZE_MAX);
    *list = list_begin(&records->lists[slot]);
    list_add(list, &records->lists[slot], schema, element);
}

static void fill_s01(struct records *records, struct record_s01 *out,
                     bool legal)
{
    struct representative person = {.surname = records_text("Məmmədova"),
                                    .given = records_text("Səidə"),
                                    .fin = records_text("7XYZ123"),
                                    .post = records_text("direktor"),
                                    .from = 18000};

    out->kind = legal ? 1 : 2;
    if (!legal) {
        out->surname = records_text("Əliyev");
        out->given = records_text("Çingiz");
        out->patronymic = records_text("Həsən");
        out->fin = records_text(RECORDS_FIN);
        return;
    }
    out->full_name = records_text("“Ülkər” MMC");
    records_list(records, &out->representatives, 0, &schema_representative,
                 &person);
}

static void fill_s02(struct records *records, struct record_s02 *out,
                     bool legal)
{
    struct address address = {.kind = legal ? 1 : 2,
                              .postal_index = records_text("AZ1000"),
                              .text = records_text("Bakı, Nizami küçəsi 1")};

    records_list(records, &out->addresses, 0, &schema_address, &address);
}

static void fill_s04(struct record_s04 *out, bool legal, int32_t today)
{
    out->kind = legal ? 1 : 2;
    out->certificate = records_text("C-1");
    out->registered = today - AGO;
    if (!legal)
        return;
    out->register_number = records_text("R-1");
    out->issued = today - AGO;
    out->legal_form = 10;
    out->ownership = 2;
}

static void fill_s05(struct records *records, struct record_s05 *out)
{
    struct contact contact = {
        .kind = 2, .value = records_text("+994501234567"), .source = 1};

    records_list(records, &out->contacts, 0, &schema_contact, &contact);
}

static void fill_s07(struct records *records, struct record_s07 *out,
                     int32_t today)
{
    struct licence licence = {.number = records_text("L-1"),
                              .kind = 1,
                              .activity = records_text("dərman satışı"),
                              .authority = records_text("Nazirlik"),
                              .issued = today - AGO,
                              .valid_to = today + 10,
                              .state = 1};

    records_list(records, &out->licences, 0, &schema_licence, &licence);
}

static void fill_s09(struct records *records, struct record_s09 *out,
                     int32_t today)
{
    struct inspection inspection = {.body = records_text(RECORDS_BODY),
                                    .act_number = records_text("A-1"),
                                    .kind = 1,
                                    .law = 1,
                                    .from = today - 20,
                                    .outcome = 3,
                                    .measure_amount = -1};

    records_list(records, &out->inspections, 0, &schema_inspection,
                 &inspection);
}

static void fill_s10(struct records *records, struct record_s10 *out,
                     int32_t today)
{
    struct support support = {.giver_kind = 1,
                              .giver = records_text(RECORDS_BODY),
                              .kind = 1,
                              .form = 1,
                              .amount = 150000,
                              .given = today - 5,
                              .state = 1};

    records_list(records, &out->supports, 0, &schema_support, &support);
}

static void fill_s11(struct records *records, struct record_s11 *out,
                     int32_t today)
{
    struct evaluation evaluation = {.evaluator = records_text(RECORDS_BODY),
                                    .kind = 1,
                                    .from = today - 40,
                                    .to = today - 10,
                                    .method = records_text("M-1"),
                                    .made = today - 1};

    records_list(records, &out->evaluations, 0, &schema_evaluation,
                 &evaluation);
}

static void fill_s12(struct records *records, struct record_s12 *out,
                     int32_t today)
{
    struct other_data value = {.type = 1,
                               .value = records_text("riskli"),
                               .from = today - 3,
                               .decision = records_text("Q-1"),
                               .authority = records_text(RECORDS_BODY),
                               .legal_basis = records_text("VM 30.2.9"),
                               .openness = 2};

    records_list(records, &out->values, 0, &schema_other_data, &value);
}

static void fill_s13(struct records *records, struct record_s13 *out,
                     int32_t today)
{
    struct service_used service = {.catalogue = 7,
                                   .giver = records_text(RECORDS_BODY),
                                   .used = today - 1,
                                   .channel = 1};

    records_list(records, &out->services, 0, &schema_service_used, &service);
}

void records_fill(struct records *records, union section_record *out,
                  uint8_t section, uint64_t subject, int32_t today)
{
    bool legal = subject % 10 == 1;

    memset(out, 0, sizeof *out);
    switch ((enum section)section) {
    case SECTION_S01:
        fill_s01(records, &out->s01, legal);
        break;
    case SECTION_S02:
        fill_s02(records, &out->s02, legal);
        break;
    case SECTION_S03:
        out->s03 = (struct record_s03){
            .number = subject, .issued = today - AGO, .state = 1};
        break;
    case SECTION_S04:
        fill_s04(&out->s04, legal, today);
        break;
    case SECTION_S05:
        fill_s05(records, &out->s05);
        break;
    case SECTION_S06:
        out->s06 = (struct record_s06){.class = CLASS_MICRO,
                                       .year = 2025,
                                       .employees = 5,
                                       .income = 1000000,
                                       .determined_by = 1,
                                       .determined = today - 1};
        break;
    case SECTION_S07:
        fill_s07(records, &out->s07, today);
        break;
    case SECTION_S08:
        out->s08.main_code = records_text("5610101");
        out->s08.from = today - AGO;
        break;
    case SECTION_S09:
        fill_s09(records, &out->s09, today);
        break;
    case SECTION_S10:
        fill_s10(records, &out->s10, today);
        break;
    case SECTION_S11:
        fill_s11(records, &out->s11, today);
        break;
    case SECTION_S12:
        fill_s12(records, &out->s12, today);
        break;
    case SECTION_S13:
        fill_s13(records, &out->s13, today);
        break;
    }
}

struct slice records_encode(struct records *records, uint8_t section,
                            const union section_record *record)
{
    writer_init(&records->writer, records->bytes, RECORDS_SIZE_MAX);
    schema_encode(section_info(section)->record, &records->writer, record);
    REQUIRE(records->writer.status == ST_OK);
    return writer_slice(&records->writer);
}
