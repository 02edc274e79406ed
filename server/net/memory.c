#include "server/net/memory.h"

#include "protocol/contract.h"
#include "protocol/limits.h"

void memory_init(struct memory *memory, size_t before_login_size,
                 size_t sessions_size)
{
    const size_t caps[MEMORY_CLASSES_COUNT] = {
        [MEMORY_BEFORE_LOGIN] = before_login_size,
        [MEMORY_SESSIONS] = sessions_size,
        [MEMORY_ANSWERS] = sessions_size / 2,
    };

    for (int i = 0; i < MEMORY_CLASSES_COUNT; i++) {
        atomic_init(&memory->of[i].cap, caps[i]);
        atomic_init(&memory->of[i].used, 0);
        atomic_init(&memory->of[i].refused, 0);
    }
}

void memory_set_cap(struct memory *memory, enum memory_class class, size_t size)
{
    atomic_store_explicit(&memory->of[class].cap, size, memory_order_relaxed);
}

static size_t cap_of(const struct memory_of_class *of)
{
    return atomic_load_explicit(&of->cap, memory_order_relaxed);
}

bool memory_take(struct memory *memory, enum memory_class class, size_t size)
{
    struct memory_of_class *of = &memory->of[class];
    size_t cap = cap_of(of);
    size_t used = atomic_load_explicit(&of->used, memory_order_relaxed);

    do {
        if (used > cap || size > cap - used) {
            atomic_fetch_add(&of->refused, 1);
            return false;
        }
    } while (!atomic_compare_exchange_weak(&of->used, &used, used + size));
    return true;
}

void memory_give(struct memory *memory, enum memory_class class, size_t size)
{
    size_t used = atomic_fetch_sub(&memory->of[class].used, size);

    INVARIANT(used >= size);
}

static bool is_used(const struct memory_of_class *of, size_t percent)
{
    size_t used = atomic_load_explicit(&of->used, memory_order_relaxed);

    return used / percent >= cap_of(of) / 100;
}

bool memory_is_tight(const struct memory *memory, enum memory_class class)
{
    return is_used(&memory->of[class], MEMORY_TIGHT_PERCENT);
}

bool memory_is_scarce(const struct memory *memory, enum memory_class class)
{
    return is_used(&memory->of[class], (MEMORY_TIGHT_PERCENT + 100) / 2);
}

size_t memory_share(const struct memory *memory, enum memory_class class)
{
    size_t share = cap_of(&memory->of[class]) / MEMORY_SHARES_COUNT;

    return share > MEMORY_SHARE_SIZE_MIN ? share : MEMORY_SHARE_SIZE_MIN;
}
