#include "client/receipt_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <sodium.h>

struct receipt_store {
    int fd;
};

static enum status store_status(int error)
{
    if (error == ENOSPC || error == EDQUOT || error == EFBIG)
        return ST_DISK_FULL;
    return error == ELOOP || error == EACCES || error == EISDIR ||
                   error == ENXIO
               ? ST_FILE_MODE
               : ST_DISK_FAILED;
}

/* Whether a receipt, or as much of one as there is, lies at ${offset}: whoever
 * names another file of his here must not lose it. */
static enum status store_look(int fd, off_t offset)
{
    uint8_t bytes[RECEIPT_SIZE];
    struct receipt receipt;
    ssize_t got;

    do
        got = pread(fd, bytes, sizeof bytes, offset);
    while (got < 0 && errno == EINTR);
    if (got < 0)
        return ST_DISK_FAILED;
    if (sodium_is_zero(bytes, (size_t)got))
        return ST_OK; /* What a crash left of it was never written. */
    if (got == RECEIPT_SIZE)
        return receipt_decode(&receipt, bytes) == ST_OK ? ST_OK
                                                        : ST_FILE_FORMAT;
    return bytes[0] == RECEIPT_VERSION && (got < 2 || bytes[1] == 0)
               ? ST_OK
               : ST_FILE_FORMAT;
}

/* A crash may have torn the last record: it was never reported kept. */
static enum status store_mend(int fd, off_t size)
{
    off_t whole = size - size % RECEIPT_STORE_RECORD_SIZE;
    enum status status = store_look(fd, 0);

    if (status == ST_OK)
        status = store_look(fd, whole);
    if (status == ST_OK && whole != size && ftruncate(fd, whole) != 0)
        status = store_status(errno);
    return status;
}

enum status receipt_store_open(struct receipt_store **store_out,
                               const char *path)
{
    struct receipt_store *store = calloc(1, sizeof *store);
    enum status status = ST_FILE_MODE;
    struct stat about;

    if (store == NULL)
        return ST_EXHAUSTED;
    store->fd = open(
        path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK,
        S_IRUSR | S_IWUSR);
    if (store->fd < 0 || fstat(store->fd, &about) != 0)
        status = store_status(errno);
    else if (S_ISREG(about.st_mode))
        status = store_mend(store->fd, about.st_size);
    if (status != ST_OK) {
        receipt_store_close(store);
        return status;
    }
    *store_out = store;
    return ST_OK;
}

void receipt_store_close(struct receipt_store *store)
{
    if (store == NULL)
        return;
    if (store->fd >= 0)
        close(store->fd);
    free(store);
}

enum status receipt_store_add(struct receipt_store *store,
                              const uint8_t *receipt, const uint8_t *signature,
                              const uint8_t *certificate)
{
    uint8_t record[RECEIPT_STORE_RECORD_SIZE];
    ssize_t written;
    off_t end;

    memcpy(record, receipt, RECEIPT_SIZE);
    memcpy(record + RECEIPT_SIZE, signature, SIGNATURE_SIZE);
    memcpy(record + RECEIPT_SIZE + SIGNATURE_SIZE, certificate, NODECERT_SIZE);
    do
        written = write(store->fd, record, sizeof record);
    while (written < 0 && errno == EINTR);
    if (written == (ssize_t)sizeof record)
        return ST_OK;
    if (written < 0)
        return store_status(errno);
    /* Records are found by their place: half of one goes again. */
    end = lseek(store->fd, 0, SEEK_CUR);
    return end >= written && ftruncate(store->fd, end - written) == 0
               ? ST_DISK_FULL
               : ST_DISK_FAILED;
}
