"""Ed25519 verification, RFC 8032 section 5.1, strict and slow."""
import hashlib

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_1 = pow(2, (P - 1) // 4, P)

# Points are (X, Y, Z, T): x = X/Z, y = Y/Z, xy = T/Z.
NEUTRAL = (0, 1, 1, 0)


def add(left, right):
    a = (left[1] - left[0]) * (right[1] - right[0]) % P
    b = (left[1] + left[0]) * (right[1] + right[0]) % P
    c = 2 * left[3] * right[3] * D % P
    d = 2 * left[2] * right[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return (e * f % P, g * h % P, f * g % P, e * h % P)


def times(scalar, point):
    total = NEUTRAL
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point = add(point, point)
        scalar >>= 1
    return total


def same(left, right):
    return ((left[0] * right[2] - right[0] * left[2]) % P == 0
            and (left[1] * right[2] - right[1] * left[2]) % P == 0)


def point_of(data):
    """The point of its 32 bytes; None where they are no canonical one."""
    y = int.from_bytes(data, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if len(data) != 32 or y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_1 % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return (x, y, 1, x * y % P)


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public_key, message, signature):
    key, first = point_of(public_key), point_of(signature[:32])
    scalar = int.from_bytes(signature[32:], "little")
    if key is None or first is None or len(signature) != 64 or scalar >= L:
        return False
    if same(times(8, key), NEUTRAL) or same(times(8, first), NEUTRAL):
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    challenge = int.from_bytes(digest, "little") % L
    return same(times(scalar, BASE), add(first, times(challenge, key)))


# ---- What signs: for logs and keys that tests make up ------------------------

def packed(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def expanded(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little")
    return scalar & ((1 << 254) - 8) | 1 << 254, digest[32:]


def public_key(seed):
    return packed(times(expanded(seed)[0], BASE))


def sign(seed, message):
    scalar, prefix = expanded(seed)
    nonce = int.from_bytes(hashlib.sha512(prefix + message).digest(),
                           "little") % L
    first, key = packed(times(nonce, BASE)), packed(times(scalar, BASE))
    challenge = int.from_bytes(hashlib.sha512(first + key + message).digest(),
                               "little") % L
    return first + ((nonce + challenge * scalar) % L).to_bytes(32, "little")
