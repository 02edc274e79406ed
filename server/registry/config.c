#include "protocol/contract.h"
#include "server/registry/destroy.h"
#include "server/registry/dispatch.h"
#include "server/registry/rows.h"

static const struct config_setting {
    uint16_t number;
    int64_t lo;
    int64_t hi;
} config_settings[] = {
#define SETTING(number, name, initial, lo, hi, text) {number, lo, hi},
    SETTING_LIST(SETTING)
#undef SETTING
};
enum { CONFIG_COUNT = sizeof config_settings / sizeof config_settings[0] };
static_assert((int)CONFIG_COUNT <= (int)LIST_COUNT_MAX,
              "one answer lists them all");

static const struct config_setting *config_find(uint16_t number)
{
    for (uint32_t i = 0; i < CONFIG_COUNT; i++) {
        if (config_settings[i].number == number)
            return &config_settings[i];
    }
    return NULL;
}

/* A coordinating body is one, and active, or 0 for none (P-6.1.4, R-8.2.5:
 * each realm has one of its own). */
static enum status config_check_coordinator(struct act *act, uint16_t setting,
                                            int64_t value)
{
    struct row_organisation row = {.number = (uint32_t)value};

    if ((setting != SETTING_coordinator_portal &&
         setting != SETTING_coordinator_registry) ||
        value == 0)
        return ST_OK;
    if (!state_get(act->state, TABLE_ORGANISATION, &row))
        return ST_NO_SUCH;
    return row.kind == ORGANISATION_COORDINATOR &&
                   row.state == ORGANISATION_ACTIVE
               ? ST_OK
               : ST_BAD_FIELD;
}

/* Whoever may not destroy yet may not make it easier either. */
static bool config_is_of_destruction(uint16_t setting)
{
    return setting == SETTING_destroy_hour ||
           setting == SETTING_destroy_delay_hours ||
           setting == SETTING_destroy_duty_days;
}

enum status config_change(struct act *act, const struct op_config_change *in,
                          struct result_config_change *out)
{
    const struct config_setting *setting = config_find(in->setting);
    struct row_setting row = {.setting = in->setting};
    enum status status;
    bool exists;

    (void)out;
    if (setting == NULL)
        return ST_NO_SUCH;
    if (in->value < setting->lo || in->value > setting->hi)
        return ST_BAD_FIELD;
    if (!rows_is_given(&in->basis))
        return ST_NO_BASIS;
    if (config_is_of_destruction(in->setting) && !destroy_may_act(act))
        return ST_NO_DUTY;
    status = config_check_coordinator(act, in->setting, in->value);
    if (status != ST_OK)
        return status;
    exists = state_get(act->state, TABLE_SETTING, &row);
    row.value = in->value;
    row.basis = in->basis;
    if (exists)
        state_update(act->state, TABLE_SETTING, &row);
    else
        state_insert(act->state, TABLE_SETTING, &row);
    return ST_OK;
}

enum status config_list(struct act *act, const struct op_config_list *in,
                        struct result_config_list *out)
{
    struct setting_row row;

    (void)in;
    out->settings = list_begin(act->space);
    for (uint32_t i = 0; i < CONFIG_COUNT; i++) {
        row.setting = config_settings[i].number;
        row.value = state_setting(act->state, row.setting);
        list_add(&out->settings, act->space, &schema_setting_row, &row);
    }
    return ST_OK;
}
