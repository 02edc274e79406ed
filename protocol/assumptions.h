/*
 * assumptions.h: what this code takes for granted of the machine, checked when
 * it is compiled.
 */
#ifndef DEFTER_PROTOCOL_ASSUMPTIONS_H
#define DEFTER_PROTOCOL_ASSUMPTIONS_H

#include <assert.h>
#include <limits.h>
#include <stddef.h>
#include <stdint.h>

static_assert(CHAR_BIT == 8, "bytes are octets");
static_assert(sizeof(size_t) == 8, "sizes are 64 bits wide");
static_assert(sizeof(int) == 4, "int is 32 bits wide");
static_assert((-1 & 3) == 3, "negative numbers are two's complement");
static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "tested on little-endian machines only");

#endif
