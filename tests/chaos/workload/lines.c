#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "protocol/command.h"
#include "protocol/receipt.h"
#include "tests/chaos/workload/workload.h"

enum { NS_PER_S = 1000000000, VALUE_SIZE = 8 };

uint64_t workload_now_ns(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_BOOTTIME, &now);
    return (uint64_t)now.tv_sec * NS_PER_S + (uint64_t)now.tv_nsec;
}

static void write_hex(FILE *file, const uint8_t *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(file, "%02x", bytes[i]);
}

/* Client, name, id and time; false if it was never signed. */
static bool write_head(FILE *file, uint32_t client,
                       const struct workload_op *op)
{
    struct command_header header;

    if (op->command->body == NULL)
        return false;
    command_header_decode(&header, op->command->body);
    fprintf(file, "op %" PRIu32 " %s ", client, op->name);
    write_hex(file, header.key_id, sizeof header.key_id);
    write_hex(file, header.idem, sizeof header.idem);
    fprintf(file, " %" PRIu64, op->invoked_ns);
    return true;
}

/* The answer of chain.head: the log's size and its last leaf hash. */
static void write_value(FILE *file, const struct workload_op *op,
                        const struct defter_answer *answer)
{
    if (strcmp(op->name, "chain.head") != 0 || answer->code != 0 ||
        answer->omitted || answer->result_size < VALUE_SIZE + HASH_SIZE) {
        fputs(" - -\n", file);
        return;
    }
    fprintf(file, " %" PRIu64 " ", load_u64(answer->result));
    write_hex(file, answer->result + VALUE_SIZE, HASH_SIZE);
    putc('\n', file);
}

void workload_write_acked(FILE *file, uint32_t client,
                          const struct workload_op *op,
                          const struct defter_answer *answer)
{
    struct receipt receipt;

    if (!write_head(file, client, op))
        return;
    /* libdefter has verified it. */
    if (receipt_decode(&receipt, answer->receipt) != ST_OK)
        memset(&receipt, 0, sizeof receipt);
    fprintf(file, " %" PRIu64 " acked %d %" PRIu64 " %" PRIu64 " ",
            workload_now_ns(), answer->code, receipt.epoch, receipt.index);
    write_hex(file, receipt.entry_hash, HASH_SIZE);
    write_value(file, op, answer);
}

void workload_write_open(FILE *file, uint32_t client,
                         const struct workload_op *op)
{
    if (!write_head(file, client, op))
        return;
    if (op->doubt)
        fprintf(file, " - unknown %d - - - - -\n", op->last_code);
    else
        fprintf(file, " %" PRIu64 " refused %d - - - - -\n", workload_now_ns(),
                op->last_code);
}
