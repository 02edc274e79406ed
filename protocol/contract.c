#include "protocol/contract.h"

#include <stdio.h>
#include <stdlib.h>

void contract_broken(const char *kind, const char *condition, const char *file,
                     int line)
{
    fprintf(stderr, "%s:%d: %s(%s) does not hold\n", file, line, kind,
            condition);
    abort();
}
