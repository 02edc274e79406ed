"""XXH3-64 (xxHash 0.8, seed 0, default secret) of 17 bytes and more."""
import struct

MASK = (1 << 64) - 1
PRIME32 = (0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D)
PRIME64 = (0x9E3779B185EBCA87, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9,
           0x85EBCA77C2B2AE63, 0x27D4EB2F165667C5)
SECRET = bytes.fromhex(
    "b8fe6c3923a44bbe7c01812cf721ad1cded46de9839097db7240a4a4b7b3671f"
    "cb79e64eccc0e578825ad07dccff7221b8084674f743248ee03590e6813a264c"
    "3c2852bb91c300cb88d0658b1b532ea371644897a20df94e3819ef46a9deacd8"
    "a8fa763fe39c343ff9dcbbc7c70b4f1d8a51e04bcdb45931c89f7ec9d9787364"
    "eac5ac8334d3ebc3c581a0fffa1363eb170ddd51b7f0da49d316552629d4689e"
    "2b16be587d47a1fc8ff8b8d17ad031ce45cb3a8f95160428afd7fbcabb4b407e")

STRIPE = 64
STRIPES_OF_A_BLOCK = (len(SECRET) - STRIPE) // 8


def word(data, at):
    return int.from_bytes(data[at:at + 8], "little")


def avalanche(value):
    value ^= value >> 37
    value = value * 0x165667919E3779F9 & MASK
    return value ^ value >> 32


def fold(left, right):
    product = left * right
    return (product ^ product >> 64) & MASK


def mix(data, at, secret):
    return fold(word(data, at) ^ word(SECRET, secret),
                word(data, at + 8) ^ word(SECRET, secret + 8))


def short(data):
    """17 to 128 bytes: from both ends to the middle."""
    size = len(data)
    total = size * PRIME64[0]
    for pair in range((size - 1) // 32 + 1):
        total += mix(data, 16 * pair, 32 * pair)
        total += mix(data, size - 16 * (pair + 1), 32 * pair + 16)
    return avalanche(total & MASK)


def middle(data):
    """129 to 240 bytes."""
    size = len(data)
    total = size * PRIME64[0]
    for part in range(8):
        total += mix(data, 16 * part, 16 * part)
    total = avalanche(total & MASK)
    for part in range(8, size // 16):
        total += mix(data, 16 * part, 16 * (part - 8) + 3)
    total += mix(data, size - 16, 136 - 17)
    return avalanche(total & MASK)


def accumulate(lanes, stripe, secret):
    for lane, (value, key) in enumerate(zip(stripe, secret)):
        key ^= value
        lanes[lane ^ 1] += value
        lanes[lane] += (key & 0xFFFFFFFF) * (key >> 32)


def scramble(lanes):
    for lane in range(8):
        value = lanes[lane] & MASK
        value ^= value >> 47
        value ^= word(SECRET, len(SECRET) - STRIPE + 8 * lane)
        lanes[lane] = value * PRIME32[0] & MASK


def long(data):
    """241 bytes and more: eight lanes."""
    stripes = struct.Struct("<8Q")
    secrets = [stripes.unpack_from(SECRET, 8 * number)
               for number in range(STRIPES_OF_A_BLOCK)]
    lanes = [PRIME32[2], *PRIME64[:4], PRIME32[1], PRIME64[4], PRIME32[0]]
    for number in range((len(data) - 1) // STRIPE):
        place = number % STRIPES_OF_A_BLOCK
        accumulate(lanes, stripes.unpack_from(data, STRIPE * number),
                   secrets[place])
        if place == STRIPES_OF_A_BLOCK - 1:
            scramble(lanes)
    accumulate(lanes, stripes.unpack_from(data, len(data) - STRIPE),
               stripes.unpack_from(SECRET, len(SECRET) - STRIPE - 7))
    total = len(data) * PRIME64[0]
    for pair in range(0, 8, 2):
        total += fold(lanes[pair] & MASK ^ word(SECRET, 11 + 8 * pair),
                      lanes[pair + 1] & MASK ^ word(SECRET, 19 + 8 * pair))
    return avalanche(total & MASK)


def xxh3_64(data):
    if len(data) < 17:
        raise ValueError("shorter inputs do not occur in a log")
    if len(data) <= 128:
        return short(data)
    return middle(data) if len(data) <= 240 else long(data)
