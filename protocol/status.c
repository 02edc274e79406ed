#include "protocol/status.h"

#include <stddef.h>

static const struct status_info status_rows[] = {
#define X(name, number, scope, retry, blame, english, azerbaijani) \
    {ST_##name,     #name,   SCOPE_##scope, RETRY_##retry,         \
     BLAME_##blame, english, azerbaijani},
#include "protocol/status.def"
#undef X
};

const struct status_info *status_list(uint32_t *count_out)
{
    *count_out = sizeof status_rows / sizeof status_rows[0];
    return status_rows;
}

const struct status_info *status_info(uint32_t status)
{
    uint32_t count = sizeof status_rows / sizeof status_rows[0];

    for (uint32_t i = 0; i < count; i++) {
        if ((uint32_t)status_rows[i].status == status)
            return &status_rows[i];
    }
    return NULL;
}

const char *status_name(uint32_t status)
{
    const struct status_info *info = status_info(status);
    return info == NULL ? "UNKNOWN" : info->name;
}

bool status_is_wire(uint32_t status)
{
    return status < 1000 && status_info(status) != NULL;
}
