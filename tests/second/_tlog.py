"""Signed notes, checkpoints, policies, tiles and proofs, from the C2SP
specifications alone (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature,
tlog-policy, tlog-tiles, tlog-proof) and RFC 6962.

Python's standard library; Ed25519 of python3-cryptography where it is there,
else the slow one of tests/process.
"""
import base64
import binascii
import hashlib
import re

ED25519, COSIGNATURE = 1, 4
DASH = "\u2014".encode()
SIZE_MAX = 1 << 62


class Refused(Exception):
    """Something is not as the specification says."""


def need(condition, what, *where):
    if not condition:
        raise Refused(" ".join([what, *map(str, where)]))


def is_signed(public_key, message, signature):
    """Whether the Ed25519 signature is the key's."""
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ed25519
    except ImportError:
        import _ed25519
        return _ed25519.is_signed(public_key, message, signature)
    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public_key).verify(
            signature, message)
    except (InvalidSignature, ValueError):
        return False
    return True


# ---- RFC 6962 ---------------------------------------------------------------

def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_of(data):
    return sha(b"\0", data)


def node_of(left, right):
    return sha(b"\1", left, right)


def root_of(leaves):
    """Without recursion: complete subtrees, joined from the right."""
    stack = []  # (leaves, hash)
    for leaf in leaves:
        size, top = 1, leaf
        while stack and stack[-1][0] == size:
            top = node_of(stack.pop()[1], top)
            size *= 2
        stack.append((size, top))
    if not stack:
        return sha()
    top = stack.pop()[1]
    while stack:
        top = node_of(stack.pop()[1], top)
    return top


def root_from_path(leaf, index, size, path):
    """RFC 9162 section 2.1.3.2, as the root that the path leads to."""
    need(index < size, "the index is not below the size")
    last, at = size - 1, leaf
    for hash_ in path:
        need(last > 0, "the path is too long")
        if index & 1 or index == last:
            at = node_of(hash_, at)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            at = node_of(at, hash_)
        index, last = index >> 1, last >> 1
    need(last == 0, "the path is too short")
    return at


# ---- Notes ------------------------------------------------------------------

def base64_of(text, what):
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise Refused(what + " is no base64") from None
    # One text for one value: no bits left over.
    need(base64.b64encode(data) == text, what, "has another base64")
    return data


def decimal_of(text, what):
    need(re.fullmatch(rb"0|[1-9][0-9]{0,19}", text), what, "is no number")
    return int(text)


class Key:
    """A verifier key: name+keyid+base64(type || key)."""

    def __init__(self, text):
        parts = text.split(b"+", 2)
        need(len(parts) == 3 and parts[0], "no verifier key:", text)
        self.name = parts[0]
        data = base64_of(parts[2], "the verifier key")
        need(len(data) > 1, "an empty verifier key")
        self.type, self.key = data[0], data[1:]
        self.keyid = sha(self.name, b"\n", data)[:4]
        need(parts[1] == self.keyid.hex().encode(), "another keyid:", text)
        need(self.type not in (ED25519, COSIGNATURE) or len(self.key) == 32,
             "size of the verifier key")

    @staticmethod
    def of(name, type_, key):
        keyid = sha(name, b"\n", bytes([type_]), key)[:4]
        return Key(name + b"+" + keyid.hex().encode() + b"+"
                   + base64.b64encode(bytes([type_]) + key))


class Note:
    """Text and signature lines."""

    def __init__(self, data):
        need(data.endswith(b"\n"), "the note does not end in a newline")
        at = data.rfind(b"\n\n")
        need(at > 0, "no empty line before the signatures")
        self.text = data[:at + 1]
        text = self.text.decode("utf-8", "strict")
        need(not any(ord(c) < 32 and c != "\n" for c in text),
             "a control character")
        self.lines = []
        for line in data[at + 2:-1].split(b"\n"):
            words = line.split(b" ")
            need(len(words) == 3 and words[0] == DASH and words[1]
                 and b"+" not in words[1], "no signature line")
            blob = base64_of(words[2], "the signature")
            need(len(blob) > 4, "a signature that is too short")
            self.lines.append((words[1], blob[:4], blob[4:]))
        need(1 <= len(self.lines) <= 64, "number of signatures")

    def signed_by(self, key):
        """None if no line is of the key; True; a time for a cosignature."""
        found = None
        for name, keyid, blob in self.lines:
            if (name, keyid) != (key.name, key.keyid):
                continue
            if key.type == ED25519:
                good = len(blob) == 64 and is_signed(key.key, self.text, blob)
                found = True
            else:
                need(key.type == COSIGNATURE, "type of a key")
                time = int.from_bytes(blob[:8], "big")
                message = b"cosignature/v1\ntime %d\n" % time + self.text
                good = len(blob) == 72 and is_signed(key.key, message,
                                                     blob[8:])
                found = time
            need(good, "a signature is wrong:", key.name.decode())
        return found


class Checkpoint:
    """A note whose text is origin, size and root."""

    def __init__(self, data):
        try:
            self.note = Note(data)
        except UnicodeDecodeError:
            raise Refused("the note is no UTF-8") from None
        lines = self.note.text[:-1].split(b"\n")
        need(len(lines) >= 3 and all(lines), "lines of the checkpoint")
        self.origin = lines[0]
        self.size = decimal_of(lines[1], "the size")
        self.root = base64_of(lines[2], "the root")
        need(len(self.root) == 32, "size of the root")
        need(self.size <= SIZE_MAX, "the size is beyond every tree")


class Policy:
    """Which logs, which witnesses, and how many of them."""

    def __init__(self, data):
        self.logs, self.members, self.quorum = [], {}, None
        taken = set()
        for line in data.decode("utf-8").split("\n"):
            words = [w for w in re.split(r"[ \t]+", line) if w]
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "log" and len(words) in (2, 3):
                self.logs.append(Key(words[1].encode()))
            elif words[0] == "witness" and len(words) in (3, 4):
                self.add(words[1], Key(words[2].encode()))
            elif words[0] == "group" and len(words) >= 4:
                members = words[3:]
                need(len(set(members)) == len(members)
                     and all(m in self.members for m in members)
                     and not taken & set(members), "members of", words[1])
                taken |= set(members)
                count = {"any": "1", "all": str(len(members))}.get(words[2],
                                                                   words[2])
                need(1 <= decimal_of(count.encode(), "the threshold")
                     <= len(members), "threshold of", words[1])
                self.add(words[1], (int(count), members))
            elif words[0] == "quorum" and len(words) == 2:
                need(self.quorum is None, "two quorums")
                need(words[1] == "none" or words[1] in self.members,
                     "quorum of nobody:", words[1])
                self.quorum = words[1]
            else:
                raise Refused("line of the policy: " + line)
        need(self.quorum is not None and self.logs, "no quorum, or no log")

    def add(self, name, member):
        need(name not in self.members and name != "none", "name", name)
        self.members[name] = member

    def met(self, name, cosigned):
        if name == "none":
            return True
        member = self.members[name]
        if isinstance(member, Key):
            return name in cosigned
        return sum(self.met(m, cosigned) for m in member[1]) >= member[0]

    def judge(self, checkpoint):
        """Whether a log of the policy signed; times by witness; the quorum."""
        logs = [key for key in self.logs if key.name == checkpoint.origin]
        log_signed = any([checkpoint.note.signed_by(key) for key in logs])
        cosigned = {}
        for name, key in self.members.items():
            if isinstance(key, Key):
                time = checkpoint.note.signed_by(key)
                if time is not None:
                    cosigned[name] = time
        return log_signed, cosigned, self.met(self.quorum, cosigned)


# ---- Tiles ------------------------------------------------------------------

def tile_name(number):
    groups = ["%03d" % (number % 1000)]
    while number >= 1000:
        number //= 1000
        groups.insert(0, "x%03d" % (number % 1000))
    return "/".join(groups)


def tiles_of(size, level):
    """(number, width) of each tile of the level in a tree of that size."""
    count = size >> 8 * level
    for number in range(count >> 8):
        yield number, 256
    if count & 255:
        yield count >> 8, count & 255


def bundle_entries(data, width, name):
    """(offset, entry) of each; just so many, and nothing behind them."""
    at = 0
    for _ in range(width):
        need(len(data) - at >= 2, "the bundle ends early:", name)
        size = int.from_bytes(data[at:at + 2], "big")
        need(size <= len(data) - at - 2, "the bundle ends early:", name)
        yield at, data[at + 2:at + 2 + size]
        at += 2 + size
    need(at == len(data), "bytes behind the bundle:", name)


# ---- Proofs -----------------------------------------------------------------

class Proof:
    """A .tlog-proof file."""

    def __init__(self, data):
        head, empty, note = data.partition(b"\n\n")
        lines = head.split(b"\n")
        need(empty and lines.pop(0) == b"c2sp.org/tlog-proof@v1",
             "no tlog-proof")
        self.extra = None
        if lines and lines[0].startswith(b"extra "):
            self.extra = base64_of(lines.pop(0)[6:], "the extra")
        need(lines and lines[0].startswith(b"index "), "no index")
        self.index = decimal_of(lines.pop(0)[6:], "the index")
        self.path = [base64_of(line, "a hash") for line in lines]
        need(all(len(hash_) == 32 for hash_ in self.path)
             and len(self.path) <= 63, "hashes of the proof")
        self.checkpoint = Checkpoint(note)
