#include "protocol/extract_words.h"

#include <string.h>

#include "protocol/extract_record.h"
#include "protocol/lines.h"
#include "protocol/render.h"

/* In the order of VERSION_FLAGS. */
static const char marks_azerbaijani[] =
    "ölçü kateqoriyası hesablanandan fərqlidir|"
    "VÖEN-in yoxlama rəqəmi fərqlidir|köhnə kod|müddəti bitib|"
    "mübahisəlidir|gecikib";

/* What a field is called in Azerbaijani, and the names of its numbers from 1.
 * Elements of lists stand behind the list's name. */
struct words {
    uint8_t section; /* 0: of every section. */
    const char *name;
    const char *label;
    const char *values;
};

static const struct words table[] = {
    {0, "extension", "Əlavə məlumat", NULL},
    {0, "extension.id", "Nömrəsi", NULL},
    {0, "extension.value", "Məzmunu", NULL},

    {1, "kind", "Növü", "hüquqi şəxs|fərdi sahibkar"},
    {1, "full_name", "Tam adı", NULL},
    {1, "short_name", "Qısa adı", NULL},
    {1, "surname", "Soyadı", NULL},
    {1, "given", "Adı", NULL},
    {1, "patronymic", "Atasının adı", NULL},
    {1, "fin", "FİN", NULL},
    {1, "representatives", "Qanuni təmsilçilər", NULL},
    {1, "representatives.surname", "Soyadı", NULL},
    {1, "representatives.given", "Adı", NULL},
    {1, "representatives.patronymic", "Atasının adı", NULL},
    {1, "representatives.fin", "FİN", NULL},
    {1, "representatives.post", "Vəzifəsi", NULL},
    {1, "representatives.from", "Tarixdən", NULL},
    {1, "representatives.to", "Tarixədək", NULL},

    {2, "addresses", "Ünvanlar", NULL},
    {2, "addresses.kind", "Növü", "hüquqi ünvan|yaşayış yeri|qeydiyyat ünvanı"},
    {2, "addresses.postal_index", "Poçt indeksi", NULL},
    {2, "addresses.region", "Rayonun kodu", NULL},
    {2, "addresses.text", "Ünvan", NULL},
    {2, "addresses.from", "Tarixdən", NULL},

    {3, "number", "VÖEN", NULL},
    {3, "issued", "Verilmə tarixi", NULL},
    {3, "state", "Vəziyyəti", "aktiv|dayandırılmış|ləğv edilmiş"},

    {4, "kind", "Növü", "hüquqi şəxs|fərdi sahibkar"},
    {4, "register_number", "Qeydiyyat nömrəsi", NULL},
    {4, "certificate", "Şəhadətnamənin nömrəsi", NULL},
    {4, "issued", "Şəhadətnamənin verilmə tarixi", NULL},
    {4, "legal_form", "Təşkilati-hüquqi formanın kodu", NULL},
    {4, "ownership", "Mülkiyyət növünün kodu", NULL},
    {4, "registered", "Qeydiyyat tarixi", NULL},
    {4, "changed", "Son dəyişikliyin tarixi", NULL},
    {4, "liquidated", "Ləğv tarixi", NULL},

    {5, "contacts", "Əlaqə vasitələri", NULL},
    {5, "contacts.kind", "Növü", "telefon|mobil|e-poçt|veb|digər"},
    {5, "contacts.value", "Nömrə və ya ünvan", NULL},
    {5, "contacts.source", "Mənbə", "təqdim edən qurum|subyekt özü"},
    {5, "contacts.verified", "Təsdiq tarixi", NULL},
    {5, "contacts.primary", "Əsas əlaqə vasitəsi", NULL},

    {6, "class", "Ölçü kateqoriyası", "mikro|kiçik|orta|iri"},
    {6, "year", "Meyar ili", NULL},
    {6, "employees", "İşçilərin orta siyahı sayı", NULL},
    {6, "income", "İllik gəlir, manat", NULL},
    {6, "determined_by", "Nəyə görə müəyyən edilib",
     "işçilərin sayı|gəlir|ilk il qaydası"},
    {6, "determined", "Müəyyən edilmə tarixi", NULL},
    {6, "body", "Müəyyən edən qurum", NULL},

    {7, "licences", "Lisenziya və icazələr", NULL},
    {7, "licences.number", "Nömrəsi", NULL},
    {7, "licences.kind", "Növü", "lisenziya|icazə"},
    {7, "licences.activity", "Fəaliyyət", NULL},
    {7, "licences.authority", "Verən qurum", NULL},
    {7, "licences.issued", "Verilmə tarixi", NULL},
    {7, "licences.valid_to", "Etibarlılıq müddətinin sonu", NULL},
    {7, "licences.state", "Vəziyyəti",
     "qüvvədədir|dayandırılıb|bərpa edilib|ləğv edilib"},
    {7, "licences.object_address", "Obyektin ünvanı", NULL},

    {8, "main_code", "Əsas fəaliyyətin kodu", NULL},
    {8, "codes", "Əlavə kodlar", NULL},
    {8, "codes.code", "Kod", NULL},
    {8, "text", "Fəaliyyət sahəsi", NULL},
    {8, "from", "Tarixdən", NULL},

    {9, "inspections", "Yoxlamalar", NULL},
    {9, "inspections.body", "Yoxlayan qurum", NULL},
    {9, "inspections.act_number", "Akt və ya qərarın nömrəsi", NULL},
    {9, "inspections.kind", "Növü", "plan üzrə|plandankənar|monitorinq"},
    {9, "inspections.law", "Tətbiq edilən qanun",
     "yoxlamalar haqqında|dayandırılma haqqında"},
    {9, "inspections.ground", "Əsas", NULL},
    {9, "inspections.from", "Başlanma tarixi", NULL},
    {9, "inspections.to", "Bitmə tarixi", NULL},
    {9, "inspections.outcome", "Nəticə",
     "pozuntu yoxdur|pozuntular var|başa çatmayıb"},
    {9, "inspections.outcome_text", "Nəticənin təsviri", NULL},
    {9, "inspections.measure", "Məhdudlaşdırıcı tədbir", NULL},
    {9, "inspections.measure_from", "Tədbirin başlanma tarixi", NULL},
    {9, "inspections.measure_to", "Tədbirin bitmə tarixi", NULL},
    {9, "inspections.measure_amount", "Məbləğ, manat", NULL},
    {9, "inspections.measure_lifted", "Tədbir götürülüb", NULL},

    {10, "supports", "Alınmış dəstək", NULL},
    {10, "supports.giver_kind", "Verənin növü",
     "dövlət orqanı|dəstək institutu|xarici dövlət|beynəlxalq təşkilat"},
    {10, "supports.giver", "Verən", NULL},
    {10, "supports.giver_id", "Verənin nömrəsi", NULL},
    {10, "supports.measure", "Kataloq nömrəsi", NULL},
    {10, "supports.kind", "Növü",
     "maliyyə|məlumat|məsləhət|təlim|infrastruktur|bazara çıxış|digər"},
    {10, "supports.form", "Forması",
     "qrant|kredit|zəmanət|subsidiya|vergi güzəşti|xidmət|digər"},
    {10, "supports.content", "Məzmunu", NULL},
    {10, "supports.amount", "Məbləğ", NULL},
    {10, "supports.currency", "Valyuta", NULL},
    {10, "supports.from", "Müddətin əvvəli", NULL},
    {10, "supports.to", "Müddətin sonu", NULL},
    {10, "supports.given", "Verilmə tarixi", NULL},
    {10, "supports.decision", "Qərarın nömrəsi", NULL},
    {10, "supports.state", "Vəziyyəti", "verilib|düzəliş edilib|ləğv edilib"},

    {11, "evaluations", "Qiymətləndirmələr", NULL},
    {11, "evaluations.evaluator", "Qiymətləndirən qurum", NULL},
    {11, "evaluations.kind", "Növü",
     "dövlət qiymətləndirməsi|dəstəyin qiymətləndirilməsi"},
    {11, "evaluations.from", "Dövrün əvvəli", NULL},
    {11, "evaluations.to", "Dövrün sonu", NULL},
    {11, "evaluations.method", "Metod", NULL},
    {11, "evaluations.grade", "Bal və ya qiymət", NULL},
    {11, "evaluations.text", "Nəticənin təsviri", NULL},
    {11, "evaluations.made", "Qiymətləndirmə tarixi", NULL},
    {11, "evaluations.measure", "Kataloq nömrəsi", NULL},

    {12, "values", "Digər məlumatlar", NULL},
    {12, "values.type", "Növünün kodu", NULL},
    {12, "values.value", "Məlumat", NULL},
    {12, "values.from", "Tarixdən", NULL},
    {12, "values.to", "Tarixədək", NULL},
    {12, "values.decision", "Qərarın nömrəsi", NULL},
    {12, "values.authority", "Qurum", NULL},
    {12, "values.legal_basis", "Hüquqi əsas", NULL},
    {12, "values.openness", "Açıqlığı", "məxfi|açıq"},

    {13, "services", "İstifadə olunmuş xidmətlər", NULL},
    {13, "services.catalogue", "Kataloq nömrəsi", NULL},
    {13, "services.giver", "Verən", NULL},
    {13, "services.used", "İstifadə tarixi", NULL},
    {13, "services.channel", "Kanal", "KOB evi|portal|EHİS|mobil"},
    {13, "services.reference", "Müraciət və ya növbə nömrəsi", NULL},
    {13, "services.outcome", "Nəticə", NULL},
};

static const struct words *find_words(uint8_t section,
                                      const struct extract_named *named)
{
    uint8_t bytes[EXTRACT_PATH_SIZE_MAX];
    struct writer name;

    writer_init(&name, bytes, sizeof bytes);
    lines_write(&name, named->field->name);
    if (named->element != 0) {
        lines_write(&name, ".");
        lines_write(&name, named->part->name);
    }
    INVARIANT(name.status == ST_OK);
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if ((table[i].section == section || table[i].section == 0) &&
            lines_equal(writer_slice(&name), table[i].name))
            return &table[i];
    }
    return NULL;
}

/* "short_name" as "short name". */
static void write_name(struct writer *writer, const char *name)
{
    for (; *name != '\0'; name++)
        writer_u8(writer, *name == '_' ? ' ' : (uint8_t)*name);
}

void extract_words_label(struct writer *writer, uint8_t section,
                         struct slice path, bool azerbaijani)
{
    const struct words *words;
    struct extract_named named;

    if (!extract_record_named(&named, section, path)) {
        writer_bytes(writer, path.data, path.size);
        return;
    }
    if (named.field == NULL) {
        lines_write(writer, azerbaijani ? "bölmə" : "section");
        return;
    }
    if (named.element != 0) {
        lines_write_number(writer, named.element);
        lines_write(writer, ": ");
    }
    words = azerbaijani ? find_words(section, &named) : NULL;
    if (words != NULL)
        lines_write(writer, words->label);
    else
        write_name(writer,
                   named.element != 0 ? named.part->name : named.field->name);
}

/* ---- Values ------------------------------------------------------------- */

/* Name number ${number}, from 1, of "a|b|c"; empty if there is none. */
static struct slice name_of(const char *names, uint64_t number)
{
    for (; number > 1; number--) {
        names += strcspn(names, "|");
        if (*names == '\0')
            return slice_of(NULL, 0);
        names++;
    }
    return slice_of(names, number == 0 ? 0 : strcspn(names, "|"));
}

static void write_not_stated(struct writer *writer, bool azerbaijani)
{
    lines_write(writer, azerbaijani ? "göstərilməyib" : "not stated");
}

static void write_money(struct writer *writer, uint64_t qepik)
{
    lines_write_number(writer, qepik / 100);
    lines_write(writer, ".");
    writer_u8(writer, (uint8_t)('0' + qepik % 100 / 10));
    writer_u8(writer, (uint8_t)('0' + qepik % 10));
}

/* Enums and truth values by name, amounts in manat. */
static bool write_number(struct writer *writer, const struct field *row,
                         const char *values, struct slice text,
                         bool azerbaijani)
{
    const char *names =
        azerbaijani && values != NULL ? values : render_names(row);
    struct slice name = {NULL, 0};
    int64_t none;
    uint64_t value;

    if (lines_equal(text, "-1") && render_none(row, &none) && none == -1) {
        write_not_stated(writer, azerbaijani);
        return true;
    }
    if (lines_read_number(&value, text, INT64_MAX) != ST_OK)
        return false;
    if (row->kind == FIELD_money) {
        write_money(writer, value);
        return true;
    }
    if (row->kind == FIELD_u32 && value == UINT32_MAX &&
        strstr(row->note, "4294967295 = not stated") != NULL) {
        write_not_stated(writer, azerbaijani);
        return true;
    }
    if (row->kind == FIELD_bool8 && value <= 1)
        name = azerbaijani ? name_of("xeyr|bəli", value + 1)
                           : name_of("no|yes", value + 1);
    else if (names != NULL)
        name = name_of(names, value);
    writer_bytes(writer, name.data, name.size);
    return name.size > 0;
}

static bool write_date(struct writer *writer, const struct field *row,
                       struct slice text, bool azerbaijani)
{
    int64_t none;

    if (!render_none(row, &none) || !lines_equal(text, "1970-01-01"))
        return false;
    write_not_stated(writer, azerbaijani);
    return true;
}

void extract_words_value(struct writer *writer, uint8_t section,
                         const struct extract_field *field, bool azerbaijani)
{
    const struct words *words = NULL;
    struct extract_named named;
    const struct field *row = NULL;

    if (extract_record_named(&named, section, field->path) &&
        named.field != NULL) {
        row = named.element != 0 ? named.part : named.field;
        words = find_words(section, &named);
    }
    if (field->kind == EXTRACT_EMPTY)
        lines_write(writer, "—");
    else if (field->kind == EXTRACT_STATE && lines_equal(field->value, "none"))
        lines_write(writer, azerbaijani ? "məlumat yoxdur" : "nothing there");
    else if (field->kind == EXTRACT_STATE)
        lines_write(writer, azerbaijani ? "məlumat var" : "given");
    else if (row != NULL && field->kind == EXTRACT_NUMBER &&
             write_number(writer, row, words == NULL ? NULL : words->values,
                          field->value, azerbaijani))
        return;
    else if (row != NULL && field->kind == EXTRACT_DATE &&
             write_date(writer, row, field->value, azerbaijani))
        return;
    else
        writer_bytes(writer, field->value.data, field->value.size);
}

void extract_words_flags(struct writer *writer, uint16_t flags,
                         bool azerbaijani)
{
    const char *names = azerbaijani ? marks_azerbaijani : VERSION_FLAGS;
    bool first = true;

    for (uint64_t bit = 0; bit < 16; bit++) {
        struct slice name = name_of(names, bit + 1);

        if ((flags & 1u << bit) == 0)
            continue;
        if (!first)
            lines_write(writer, ", ");
        first = false;
        if (name.size > 0)
            writer_bytes(writer, name.data, name.size);
        else
            lines_write_number(writer, UINT64_C(1) << bit);
    }
}
