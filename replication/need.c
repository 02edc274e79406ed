#include "replication/need.h"

#include <stdio.h>
#include <stdlib.h>

void need_lacks(const char *condition, const char *file, int line)
{
    fprintf(stderr,
            "no memory is left, or no timer or lock: NEED(%s) at %s:%d\n",
            condition, file, line);
    _Exit(NEED_STATUS);
}
