/*
 * keyring_file.c: the keyring's file, before SQLite opens it.  The simulator
 * has its own, on no file system.
 */
#include <fcntl.h>
#include <unistd.h>

#include "server/store/keyring_private.h"

enum status keyring_file_create(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, S_IRUSR | S_IWUSR);

    if (file < 0)
        return ST_DISK_FAILED;
    close(file);
    return ST_OK;
}
