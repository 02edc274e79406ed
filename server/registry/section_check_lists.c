#include "server/registry/section_check_lists.h"

#include "protocol/text.h"

/* The element must be judged against its list, so every walk looks alike. */
#define WALK(reader, list, element, lower) \
    list_reader_init(&(reader), (list));   \
    while (list_reader_next(&(reader), &schema_##lower, &(element)))

enum address_kind {
    ADDRESS_LEGAL = 1,
    ADDRESS_RESIDENCE = 2,
    ADDRESS_REGISTRATION = 3
};

enum contact_kind {
    CONTACT_PHONE = 1,
    CONTACT_MOBILE = 2,
    CONTACT_EMAIL = 3,
    CONTACT_WEB = 4,
    CONTACT_OTHER = 5
};
enum contact_source { SOURCE_PROVIDER = 1, SOURCE_SELF = 2 };

enum {
    KIND_LEGAL = 1, /* enum subject_kind */
    GIVER_FOREIGN_STATE = 3,
    OTHER_DATA_RISKY_TAXPAYER = 1,
    CURRENCY_SIZE = 3
};

/* Both ends of a term; 0 = open. */
static bool in_order(int32_t from, int32_t to)
{
    return to == 0 || to >= from;
}

enum status section_check_lists_s02(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s02 *record)
{
    struct list_reader reader;
    struct address address;

    WALK(reader, &record->addresses, address, address)
    {
        bool legal = address.kind == ADDRESS_LEGAL;
        if (legal != (scene->kind == KIND_LEGAL))
            return SECTION_REFUSE(finding, s02, addresses);
    }
    return ST_OK;
}

static bool web_valid(struct slice value)
{
    bool dot = false;

    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] <= ' ')
            return false;
        dot = dot || (value.data[i] == '.' && i > 0 && i + 1 < value.size);
    }
    return dot;
}

static bool contact_valid(const struct contact *contact)
{
    switch ((enum contact_kind)contact->kind) {
    case CONTACT_PHONE:
    case CONTACT_MOBILE:
        return text_is(FIELD_phone, contact->value);
    case CONTACT_EMAIL:
        return text_is(FIELD_email, contact->value);
    case CONTACT_WEB:
        return web_valid(contact->value);
    case CONTACT_OTHER:
        return true;
    }
    return false;
}

/* A provider states what it knows, a subject what it declares; neither may
 * speak in the other's name, and only a provider verifies. */
enum status section_check_lists_s05(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s05 *record)
{
    bool self = scene->path == PATH_SELF;
    struct list_reader reader;
    struct contact contact;

    WALK(reader, &record->contacts, contact, contact)
    {
        if (!contact_valid(&contact) ||
            contact.source != (self ? SOURCE_SELF : SOURCE_PROVIDER) ||
            (self && contact.verified != 0) || contact.verified > scene->today)
            return SECTION_REFUSE(finding, s05, contacts);
    }
    return ST_OK;
}

enum status section_check_lists_s07(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s07 *record)
{
    struct list_reader reader;
    struct licence licence;

    WALK(reader, &record->licences, licence, licence)
    {
        if (licence.issued > scene->today ||
            !in_order(licence.issued, licence.valid_to))
            return SECTION_REFUSE(finding, s07, licences);
    }
    return ST_OK;
}

/* Without a measure, nothing may be said of its term or amount. */
static bool measure_valid(const struct inspection *inspection)
{
    if (inspection->measure.size == 0)
        return inspection->measure_from == 0 && inspection->measure_to == 0 &&
               inspection->measure_amount == -1 && !inspection->measure_lifted;
    return inspection->measure_from != 0 &&
           in_order(inspection->measure_from, inspection->measure_to);
}

enum status section_check_lists_s09(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s09 *record)
{
    struct list_reader reader;
    struct inspection inspection;

    WALK(reader, &record->inspections, inspection, inspection)
    {
        if (inspection.from > scene->today ||
            !in_order(inspection.from, inspection.to) ||
            !measure_valid(&inspection))
            return SECTION_REFUSE(finding, s09, inspections);
    }
    return ST_OK;
}

static bool currency_valid(struct slice currency)
{
    if (currency.size == 0)
        return true;
    for (size_t i = 0; i < currency.size; i++) {
        if (currency.data[i] < 'A' || currency.data[i] > 'Z')
            return false;
    }
    return currency.size == CURRENCY_SIZE;
}

/* Foreign givers do not report here: the participant that knows of the support
 * does, so the owner alone is no source for it. */
static bool giver_valid(const struct section_scene *scene, uint8_t giver_kind)
{
    if (giver_kind < GIVER_FOREIGN_STATE)
        return true;
    return scene->path == PATH_EHIS || scene->path == PATH_SUBMISSION;
}

enum status section_check_lists_s10(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s10 *record)
{
    struct list_reader reader;
    struct support support;

    WALK(reader, &record->supports, support, support)
    {
        if (!giver_valid(scene, support.giver_kind) ||
            !currency_valid(support.currency) || support.given > scene->today ||
            !in_order(support.from, support.to))
            return SECTION_REFUSE(finding, s10, supports);
    }
    return ST_OK;
}

/* Through EHIS a body reports its own evaluations and nobody else's; the owner
 * enters from the evaluator's paper. */
enum status section_check_lists_s11(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s11 *record)
{
    struct list_reader reader;
    struct evaluation evaluation;

    WALK(reader, &record->evaluations, evaluation, evaluation)
    {
        if ((scene->path == PATH_EHIS &&
             !slice_equal(evaluation.evaluator, scene->provider)) ||
            evaluation.from == 0 || evaluation.to < evaluation.from ||
            evaluation.made > scene->today)
            return SECTION_REFUSE(finding, s11, evaluations);
    }
    return ST_OK;
}

/* Of the registered types there is one, and it rests on a decision. */
enum status section_check_lists_s12(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s12 *record)
{
    struct list_reader reader;
    struct other_data value;

    (void)scene;
    WALK(reader, &record->values, value, other_data)
    {
        if (value.type != OTHER_DATA_RISKY_TAXPAYER ||
            value.decision.size == 0 || value.from == 0 ||
            !in_order(value.from, value.to))
            return SECTION_REFUSE(finding, s12, values);
    }
    return ST_OK;
}

enum status section_check_lists_s13(const struct section_scene *scene,
                                    struct section_finding *finding,
                                    const struct record_s13 *record)
{
    struct list_reader reader;
    struct service_used service;

    WALK(reader, &record->services, service, service_used)
    {
        if (service.used > scene->today)
            return SECTION_REFUSE(finding, s13, services);
    }
    return ST_OK;
}
