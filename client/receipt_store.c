#include "client/receipt_store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct receipt_store {
    int fd;
};

enum status receipt_store_open(struct receipt_store **store_out,
                               const char *path)
{
    struct receipt_store *store = calloc(1, sizeof *store);
    struct stat about;

    if (store == NULL)
        return ST_INTERNAL;
    store->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
                     S_IRUSR | S_IWUSR);
    if (store->fd < 0 || fstat(store->fd, &about) != 0)
        goto failed;
    if (!S_ISREG(about.st_mode)) {
        receipt_store_close(store);
        return ST_FILE_FORMAT;
    }
    /* A crash may have torn the last record: it was never reported kept. */
    if (about.st_size % RECEIPT_STORE_RECORD_SIZE != 0 &&
        ftruncate(store->fd,
                  about.st_size - about.st_size % RECEIPT_STORE_RECORD_SIZE) !=
            0)
        goto failed;
    *store_out = store;
    return ST_OK;
failed:
    receipt_store_close(store);
    return ST_DISK_FAILED;
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

    memcpy(record, receipt, RECEIPT_SIZE);
    memcpy(record + RECEIPT_SIZE, signature, SIGNATURE_SIZE);
    memcpy(record + RECEIPT_SIZE + SIGNATURE_SIZE, certificate, NODECERT_SIZE);
    do
        written = write(store->fd, record, sizeof record);
    while (written < 0 && errno == EINTR);
    return written == (ssize_t)sizeof record ? ST_OK : ST_DISK_FAILED;
}
