#include "client/audit/receipts.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "protocol/dates.h"
#include "protocol/nodecert.h"

enum { RECEIPTS_ROOM_MIN = 256 };

/* The last certificate that was found good: most receipts have the same. */
struct receipts_reading {
    struct nodecert_expected expected;
    bool has_certificate;
    uint8_t certificate[NODECERT_SIZE];
    struct nodecert cert;
};

static bool receipts_certified(struct receipts_reading *reading,
                               const uint8_t *certificate, int64_t when)
{
    enum nodecert_fault fault;

    reading->expected.now_s = when / DATES_US_PER_SECOND;
    if (reading->has_certificate &&
        memcmp(reading->certificate, certificate, NODECERT_SIZE) == 0 &&
        reading->expected.now_s >= reading->cert.not_before_s &&
        reading->expected.now_s <= reading->cert.not_after_s)
        return true;
    reading->has_certificate =
        nodecert_verify(&reading->cert, &fault, certificate, &reading->expected,
                        NULL) == ST_OK;
    memcpy(reading->certificate, certificate, NODECERT_SIZE);
    return reading->has_certificate;
}

static const char *receipts_judge(struct receipts_reading *reading,
                                  struct receipts_one *out,
                                  const uint8_t *record)
{
    const uint8_t *signature = record + RECEIPT_SIZE;
    const uint8_t *certificate = signature + SIGNATURE_SIZE;
    struct receipt receipt;

    if (receipt_decode(&receipt, record) != ST_OK)
        return "not a receipt";
    if (!receipts_certified(reading, certificate, receipt.committed_at))
        return "its node has no certificate of this authority for that time";
    if (receipt_verify(&receipt, record, signature,
                       reading->expected.cluster_id,
                       reading->cert.receipt_key) != ST_OK)
        return "not signed by the node that its certificate names";
    out->index = receipt.index;
    out->epoch = receipt.epoch;
    out->committed_at = receipt.committed_at;
    memcpy(out->command_hash, receipt.command_hash, HASH_SIZE);
    memcpy(out->entry_hash, receipt.entry_hash, HASH_SIZE);
    return NULL;
}

static int receipts_compare(const void *a, const void *b)
{
    const struct receipts_one *one = a, *other = b;

    if (one->index != other->index)
        return one->index < other->index ? -1 : 1;
    return one->offset < other->offset ? -1 : one->offset > other->offset;
}

/* False if memory is short. */
static bool receipts_add(struct receipts *receipts, size_t *room,
                         const struct receipts_one *one)
{
    struct receipts_one *rows = receipts->rows;

    if (receipts->count == *room) {
        *room = *room == 0 ? RECEIPTS_ROOM_MIN : *room * 2;
        rows = reallocarray(rows, *room, sizeof *rows);
    }
    if (rows == NULL)
        return false;
    receipts->rows = rows;
    receipts->rows[receipts->count++] = *one;
    return true;
}

static enum status receipts_read(struct receipts *receipts,
                                 struct receipts_fault *fault,
                                 struct receipts_reading *reading, FILE *file)
{
    uint8_t record[RECEIPTS_RECORD_SIZE];
    size_t room = 0, got;

    while ((got = fread(record, 1, sizeof record, file)) == sizeof record) {
        struct receipts_one one = {.offset = (uint64_t)receipts->count *
                                             sizeof record};

        if (receipts->count == RECEIPTS_MAX)
            return ST_TOO_LARGE;
        fault->offset = one.offset;
        fault->what = receipts_judge(reading, &one, record);
        if (fault->what != NULL)
            return ST_RECEIPT;
        if (!receipts_add(receipts, &room, &one))
            return ST_EXHAUSTED;
    }
    receipts->torn_size = got;
    return ferror(file) ? ST_DISK_FAILED : ST_OK;
}

enum status receipts_load(struct receipts *receipts,
                          struct receipts_fault *fault_out, const char *path,
                          const uint8_t *authority_key)
{
    struct receipts_reading reading = {.expected = {.role = NODECERT_SERVER}};
    int opened = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    FILE *file = NULL;
    struct stat about;
    enum status status;

    memset(receipts, 0, sizeof *receipts);
    *fault_out = (struct receipts_fault){.what = NULL};
    if (opened < 0)
        return errno == ENOENT ? ST_NO_FILE : ST_DISK_FAILED;
    /* Nobody may ever write into a pipe. */
    if (fstat(opened, &about) != 0 || !S_ISREG(about.st_mode)) {
        close(opened);
        return ST_DISK_FAILED;
    }
    file = fdopen(opened, "rb");
    if (file == NULL) {
        close(opened);
        return ST_EXHAUSTED;
    }
    memcpy(reading.expected.authority_key, authority_key, PUBLIC_KEY_SIZE);
    identity_cluster_id(reading.expected.cluster_id, authority_key);
    status = receipts_read(receipts, fault_out, &reading, file);
    fclose(file);
    if (status == ST_OK && receipts->count > 0)
        qsort(receipts->rows, receipts->count, sizeof *receipts->rows,
              receipts_compare);
    return status;
}

void receipts_free(struct receipts *receipts)
{
    free(receipts->rows);
    memset(receipts, 0, sizeof *receipts);
}

static const char *receipts_compare_entry(const struct receipts_one *one,
                                          const struct entry *entry,
                                          const uint8_t *leaf,
                                          const uint8_t *hash)
{
    if (memcmp(one->entry_hash, leaf, HASH_SIZE) != 0)
        return "a receipt names another entry at this index";
    if (memcmp(one->command_hash, hash, HASH_SIZE) != 0 ||
        one->epoch != entry->place.epoch ||
        one->committed_at != entry->place.log_time)
        return "a receipt says of this entry what is not in it";
    return NULL;
}

bool receipts_hold(struct receipts *receipts, struct receipts_fault *fault_out,
                   const struct entry *entry, const uint8_t *leaf,
                   const uint8_t *cluster_id)
{
    uint8_t composed[COMMAND_SIGNED_SIZE], hash[HASH_SIZE];

    if (receipts->next == receipts->count ||
        receipts->rows[receipts->next].index != entry->place.index)
        return true;
    entry_compose(entry, composed, cluster_id);
    command_hash(hash, composed, entry->signature);
    for (; receipts->next < receipts->count; receipts->next++) {
        const struct receipts_one *one = &receipts->rows[receipts->next];

        if (one->index != entry->place.index)
            break;
        fault_out->offset = one->offset;
        fault_out->what = receipts_compare_entry(one, entry, leaf, hash);
        if (fault_out->what != NULL)
            return false;
    }
    return true;
}
