/*
 * memory.h: how much memory connections hold, by class, and what is refused
 * first (PROTOCOL, section 10).
 *
 * Every buffer that a peer can make grow is taken from its class before it is
 * allocated: connections before their login, sessions, and answers that wait
 * until their receiver has read earlier ones.  From MEMORY_TIGHT_PERCENT on a
 * class is tight: no connection is accepted, no login succeeds, requests of who
 * holds more than MEMORY_TIGHT_FREE_SIZE are answered 601, and of those whose
 * peer does not read whoever holds most is closed.  Half way from there to the
 * cap it is scarce, and all are answered 601, so that those who are being
 * served can finish.  At the cap whoever needs more is closed, alone.  One key,
 * or one carrier, has a share of its own: beyond it it is answered 601, and at
 * twice as much closed.  (What links to other nodes hold is
 * bounded by constants, and what waits in the queue of commands by its own
 * cap.)
 */
#ifndef DEFTER_SERVER_NET_MEMORY_H
#define DEFTER_SERVER_NET_MEMORY_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* X(UPPER, lower): the classes, each with a cap of its own; that of answers is
 * half of the sessions'. */
#define MEMORY_CLASSES(X)         \
    X(BEFORE_LOGIN, before_login) \
    X(SESSIONS, sessions)         \
    X(ANSWERS, answers)

enum memory_class {
#define X(UPPER, lower) MEMORY_##UPPER,
    MEMORY_CLASSES(X)
#undef X
        MEMORY_CLASSES_COUNT
};

/* Any thread may take and give. */
struct memory {
    struct memory_of_class {
        atomic_size_t cap;
        atomic_size_t used;
        atomic_uint_fast64_t refused;
    } of[MEMORY_CLASSES_COUNT];
};

void memory_init(struct memory *memory, size_t before_login_size,
                 size_t sessions_size);

/* Another cap for the class.  What it holds above it stays, and nothing is
 * given until there is less. */
void memory_set_cap(struct memory *memory, enum memory_class class,
                    size_t size);

/* Take ${size} bytes of the class; false, and counted, beyond its cap. */
bool memory_take(struct memory *memory, enum memory_class class, size_t size);
void memory_give(struct memory *memory, enum memory_class class, size_t size);

bool memory_is_tight(const struct memory *memory, enum memory_class class);
bool memory_is_scarce(const struct memory *memory, enum memory_class class);

/* One part of MEMORY_SHARES_COUNT, or MEMORY_SHARE_SIZE_MIN. */
size_t memory_share(const struct memory *memory, enum memory_class class);

#endif
