/*
 * aim_path.c: by which path a call is reached, as a number that is the same
 * wherever the loader puts the files.
 */
#include <dlfcn.h>
#include <execinfo.h>
#include <link.h>
#include <stdatomic.h>
#include <string.h>

#include "tests/chaos/torture/aim.h"

/* Deeper ones are told apart by what is nearest.  The table stays half empty:
 * a node has some thousands. */
enum { DEPTH_MAX = 48, PATHS = 1 << 16, FILES_MAX = 64 };
#define FNV_BASE  UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

/* Where the text of each file is that the process began with; nothing that
 * matters here is loaded later. */
struct file_range {
    uintptr_t base, from, to;
    uint64_t name;
};

static struct file_range files[FILES_MAX];
static size_t files_count;
static atomic_uint_fast64_t known[PATHS];
static atomic_uint known_count;
static _Thread_local bool is_looking;

static uint64_t mix(uint64_t hash, uint64_t value)
{
    for (unsigned i = 0; i < sizeof value; i++)
        hash = (hash ^ (value >> 8 * i & 0xff)) * FNV_PRIME;
    return hash;
}

static int add_file(struct dl_phdr_info *info, size_t size, void *context)
{
    uint64_t name = FNV_BASE;

    (void)size;
    (void)context;
    for (const char *at = info->dlpi_name; *at != '\0'; at++)
        name = mix(name, (uint8_t)*at);
    for (int i = 0; i < info->dlpi_phnum && files_count < FILES_MAX; i++) {
        const ElfW(Phdr) *part = &info->dlpi_phdr[i];

        if (part->p_type != PT_LOAD || (part->p_flags & PF_X) == 0)
            continue;
        files[files_count++] = (struct file_range){
            .base = info->dlpi_addr,
            .from = info->dlpi_addr + part->p_vaddr,
            .to = info->dlpi_addr + part->p_vaddr + part->p_memsz,
            .name = name};
    }
    return 0;
}

/* The first backtrace() loads a library. */
void aim_path_begin(void)
{
    void *frames[DEPTH_MAX];

    is_looking = true;
    (void)backtrace(frames, DEPTH_MAX);
    (void)dl_iterate_phdr(add_file, NULL);
    is_looking = false;
}

static uint64_t mix_place(uint64_t hash, uintptr_t place)
{
    for (size_t i = 0; i < files_count; i++)
        if (place >= files[i].from && place < files[i].to)
            return mix(mix(hash, files[i].name), place - files[i].base);
    return mix(hash, 0);
}

uint64_t aim_path(void)
{
    void *frames[DEPTH_MAX];
    uint64_t hash = FNV_BASE;
    int count;

    if (is_looking)
        return 0;
    is_looking = true;
    count = backtrace(frames, DEPTH_MAX);
    for (int i = 0; i < count; i++)
        hash = mix_place(hash, (uintptr_t)frames[i]);
    is_looking = false;
    return hash == 0 ? 1 : hash;
}

bool aim_path_is_new(uint64_t path)
{
    uint64_t at = path % PATHS;

    while (atomic_load(&known_count) < PATHS / 2) {
        uint_fast64_t none = 0;

        if (atomic_compare_exchange_strong(&known[at], &none, path)) {
            atomic_fetch_add(&known_count, 1);
            return true;
        }
        if (none == path)
            return false;
        at = (at + 1) % PATHS;
    }
    return false;
}
