#include "server/pipeline/clock.h"

#include <time.h>

enum {
    CLOCK_US_PER_S = 1000000,
    CLOCK_NS_PER_US = 1000,
    CLOCK_US_PER_MS = 1000
};

static int64_t clock_read(clockid_t id)
{
    struct timespec now = {0};

    (void)clock_gettime(id, &now);
    return (int64_t)now.tv_sec * CLOCK_US_PER_S + now.tv_nsec / CLOCK_NS_PER_US;
}

static int64_t clock_system_wall(void *context)
{
    (void)context;
    return clock_read(CLOCK_REALTIME);
}

static int64_t clock_system_boot(void *context)
{
    (void)context;
    return clock_read(CLOCK_BOOTTIME);
}

struct clock_source clock_system(void)
{
    return (struct clock_source){
        .context = NULL,
        .wall = clock_system_wall,
        .boot = clock_system_boot,
    };
}

int64_t clock_wall(const struct clock_source *clock)
{
    return clock->wall(clock->context);
}

int64_t clock_boot(const struct clock_source *clock)
{
    return clock->boot(clock->context);
}

int64_t clock_boot_ms(const struct clock_source *clock)
{
    return clock_boot(clock) / CLOCK_US_PER_MS;
}
