/*
 * fz_section_check.c: section, kind of subject, path and strictness, then a
 * record.  What is taken encodes to the same bytes and keeps to its flags; what
 * is refused says so by a status of the wire.
 */
#include <stddef.h>
#include <stdint.h>

#include "server/registry/section_check.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { HEAD_SIZE = 4, TODAY = 20682 };
#define LEGAL      UINT64_C(1400057421)
#define INDIVIDUAL UINT64_C(1000276532)

/* Flags that a record earns by itself when it is put. */
enum {
    FLAGS_AT_PUT = FLAG_CLASS_DIFFERS | FLAG_VOEN_DIFFERS | FLAG_LEGACY_CODE
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t again[FRAME_SIZE_MAX];
    struct section_scene scene = {.today = TODAY,
                                  .provider = slice_of("Some body", 9)};
    union section_record record;
    struct section_finding finding;
    struct writer writer;
    struct slice input;
    enum status status;
    uint8_t section;

    if (size < HEAD_SIZE)
        return 0;
    section = (uint8_t)(data[0] % SECTIONS_COUNT + 1);
    scene.subject = data[1] % 2 == 0 ? LEGAL : INDIVIDUAL;
    scene.kind = (uint8_t)(scene.subject % 10);
    scene.path = (uint8_t)(data[2] % 4 + 1);
    scene.voen_strict = data[3] % 2 == 0;
    scene.registered_known = data[3] % 4 > 1;
    input = slice_of(data + HEAD_SIZE, size - HEAD_SIZE);
    status = section_check(&scene, &record, &finding, section, input);
    INVARIANT(status_is_wire(status));
    if (status != ST_OK)
        return 0;
    INVARIANT((finding.flags & ~FLAGS_AT_PUT) == 0 && finding.field == 0);
    if (section == SECTION_S07)
        MAYBE(section_check_expired(&record.s07, TODAY));
    writer_init(&writer, again, sizeof again);
    schema_encode(section_info(section)->record, &writer, &record);
    INVARIANT(writer.status == ST_OK);
    INVARIANT(slice_equal(writer_slice(&writer), input));
    return 0;
}
