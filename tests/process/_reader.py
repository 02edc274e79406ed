"""A verifier of logs, made from docs/LOG-FORMAT.md and docs/PROTOCOL.md alone.

It shares nothing with the node or with `defter verify`: Python's standard
library, and the operations table as it stands in the document.  It does not
look at sealed contents, at duties and levels, or at when a key is active.
"""
import hashlib
import os
import re
import struct

from _ed25519 import is_signed
from _xxh3 import xxh3_64

SEGMENT_NAME = re.compile(r"[0-9]{20}\.seg")
HEADER_SIZE = 4096
ENTRY_SIZES = range(192, 64512 + 1)
ZEROS = bytes(32)
END_OF_TIME = 2932897 * 86400 * 1000000  # 10000-01-01 UTC.
GENESIS, EPOCH, ATTEST, PING = 0x0001, 0x0002, 0x0004, 0x0010
ENROL, ROTATE, NODE = 0x0110, 0x0112, 0x000b
# What a node alone decides: from others it is a refused command.
NODES_ONLY = {0x0001, 0x0002, 0x0003, 0x0004, 0x0005, 0x0006, 0x0007, 0x000a,
              0x0507, 0x0508, 0x0d15, 0x0f00, 0x0f06, 0x0f14}
REALMS = {"system": {0}, "P": {0x50}, "R": {0x52}, "P or R": {0x50, 0x52}}
ROW = re.compile(r"\| 0x([0-9a-f]{4}) \| (\S+) \| (\d+) \| ([^|]+) \| (\d) "
                 r"\| \w+ \| ([^|]+) \|")


class Refused(Exception):
    """The log is not as the documents say."""


def need(condition, what, *where):
    if not condition:
        raise Refused(" ".join([what, *map(str, where)]))


def tag(text):
    return text.encode().ljust(16, b"\0")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def leaf_of(data):
    return sha(b"\0", data)


def key_id_of(key):
    return sha(tag("DFT1/key"), key)[:16]


def root_of(leaves):
    """The tree of LOG-FORMAT section 7."""
    if not leaves:
        return sha(b"")
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


class Operation:
    """A row of the operations table (PROTOCOL section 12.2)."""

    def __init__(self, name, version, realm, category, sealed_under):
        self.name, self.version = name, int(version)
        self.realms, self.category = REALMS[realm], int(category)
        self.is_open = sealed_under == "open"
        self.has_result = True


def operations_of(path):
    """The operations of the document, by opcode."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    table = text.split("<!-- catalogue:operations -->")[1]
    operations = {int(row[0], 16): Operation(*row[1:]) for row in
                  ROW.findall(table.split("<!-- end -->")[0])}
    fields = text.split("<!-- catalogue:operation-fields -->")[1]
    for part in fields.split("<!-- end -->")[0].split("\n**0x")[1:]:
        operations[int(part[:4], 16)].has_result = "Result: none." not in part
    return operations


class Fields:
    """Reads an operation's fields; none may be left."""

    def __init__(self, data, *where):
        self.data, self.at, self.where = data, 0, where

    def take(self, size):
        need(size <= len(self.data) - self.at, "fields too short", *self.where)
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size):
        return int.from_bytes(self.take(size), "little")

    def text(self, low, high):
        data = self.take(self.number(2))
        need(low <= len(data) <= high, "size of a text", *self.where)
        return data.decode("utf-8")

    def end(self):
        need(self.at == len(self.data), "fields too long", *self.where)


class Item:
    """Section 2: one stored item of an entry's body."""

    def __init__(self, body, at, index):
        need(len(body) - at >= 80, "an item cut short in entry", index)
        self.clear = body[at:at + 32]
        (self.opcode, self.version, self.wire_size) = struct.unpack_from(
            "<HHI", self.clear)
        self.commitment = body[at + 32:at + 64]
        (self.seal, size, zero) = struct.unpack_from("<QII", body, at + 64)
        need(zero == 0 and self.wire_size >= 48, "item of entry", index)
        growth = -32 if self.seal == 0 else -16
        need(size == self.wire_size + growth, "data size in entry", index)
        need(size <= len(body) - at - 80, "an item too long in entry", index)
        self.data = body[at + 80:at + 80 + size]
        self.end = at + 80 + size
        need(self.seal or sha(tag("DFT1/item"), self.data) == self.commitment,
             "commitment of an open item in entry", index)

    def fields(self, *where):
        return Fields(self.data[16:], *where)


class Entry:
    """Section 1: well formed, whatever its place is."""

    def __init__(self, data, index):
        need(len(data) in ENTRY_SIZES, "size of entry", index)
        (version, self.category, self.realm, self.epoch, self.index, self.time,
         self.previous, count, self.carrier, size) = struct.unpack_from(
             "<HBBIQq32sHHI", data)
        self.header, self.signature = data[64:128], data[128:192]
        (env_version, _, inner_count, realm, self.env_tag, self.key_id, _,
         _, _, wire_size, _) = struct.unpack("<HHHBB16s16sqIIQ", self.header)
        need(version == 1 and env_version == 1, "version of entry", index)
        need(1 <= self.category <= 8, "category of entry", index)
        need(realm == self.realm, "realm of entry", index)
        need(count == inner_count and 1 <= count <= 256, "items of", index)
        need(size == len(data) - 192, "body_len of entry", index)
        self.items, at = [], 0
        for _ in range(count):
            self.items.append(Item(data[192:], at, index))
            at = self.items[-1].end
        need(at == size, "bytes behind the items of entry", index)
        need(sum(item.wire_size for item in self.items) == wire_size,
             "body_len in the header of entry", index)
        self.leaf = leaf_of(data)
        self.size = len(data)

    def signed_bytes(self, cluster_id):
        leaves = [leaf_of(item.clear + item.commitment) for item in self.items]
        return (tag("DFT1/command") + cluster_id + self.header
                + root_of(leaves))

    def command_hash(self, cluster_id):
        return sha(tag("DFT1/cmdhash"), self.signed_bytes(cluster_id),
                   self.signature)


def segment_at(path, index, previous):
    """Section 4: the entries of one segment, which begins at index, each as
    its bytes; the room behind the last one; the segment's size."""
    name = os.path.basename(path)
    with open(path, "rb") as file:
        header = file.read(HEADER_SIZE).ljust(HEADER_SIZE, b"\0")
        (magic, version, size, first, before, check) = struct.unpack_from(
            "<8sIIQ32sQ", header)
        need(magic == b"DFTLOG1\0" and version == 1, "no segment:", name)
        need(check == xxh3_64(header[:56]), "checksum of the header of", name)
        need(not any(header[64:]), "bytes behind the header of", name)
        need(int(name[:20]) == first == index, "first index of", name)
        need(before == previous, "hash before the segment", name)
        data = file.read(size - HEADER_SIZE + 1)
    need(len(data) == size - HEADER_SIZE, "size of", name)
    entries, at = [], 0
    while len(data) - at >= 4:
        length, zero = struct.unpack("<II", data[at:at + 8].ljust(8, b"\0"))
        if length == 0:
            break
        where = (name, "offset", HEADER_SIZE + at)
        need(zero == 0 and length in ENTRY_SIZES, "frame in", *where)
        end = at + 8 + length
        need(end + 8 <= len(data), "frame beyond the end of", *where)
        check = int.from_bytes(data[end:end + 8], "little")
        need(check == xxh3_64(data[at:end]), "checksum in", *where)
        entries.append(data[at + 8:end])
        at = end + 8
    need(not data[at:].strip(b"\0"), "bytes behind the last frame of", name)
    return entries, len(data) - at, size


def result_hash(item, row, index):
    """Of an item that was done; None where it is not known without keys."""
    if item.opcode == PING:
        return sha(struct.pack("<Q", index))
    if item.opcode == ROTATE:
        return sha(key_id_of(item.fields(index).take(32)))
    return sha(b"") if row.is_open and not row.has_result else None


class Log:
    """Sections 6 and 9: what the entries say when they follow each other."""

    def __init__(self, operations, signatures):
        self.operations, self.to_verify = operations, signatures
        self.leaves, self.results, self.command_hashes = [], [], []
        self.keys = {}
        self.node = self.cluster_id = self.authority = None
        self.nodes = set()
        self.epoch = self.time = self.epochs = self.attested = 0
        self.bytes = self.signatures = self.attestations = self.refused = 0
        self.items = self.sealed = self.segments = self.roots = 0
        self.first_time = None
        self.by_category = dict.fromkeys(range(1, 9), 0)
        self.by_operation = {}

    def name(self, key):
        self.keys[key_id_of(key)] = key
        return key_id_of(key)

    def genesis(self, entry):
        item = entry.items[0]
        need(len(entry.items) == 1 and item.opcode == GENESIS
             and item.seal == 0 and entry.epoch == 0
             and entry.previous == ZEROS, "the first entry is no genesis")
        fields = item.fields("genesis")
        fields.text(1, 64)
        need(1 <= fields.number(1) <= 3, "environment of genesis")
        need(1 <= fields.number(2) <= 3, "realms of genesis")
        self.authority = fields.take(32)
        fields.take(16 + 32)
        receipt, _, operator, _, _ = (fields.take(32) for _ in range(5))
        fields.text(1, 256)
        fields.end()
        self.cluster_id = sha(tag("DFT1/cluster"), self.authority)[:16]
        need(entry.key_id == self.name(self.authority),
             "genesis is not signed by its authority")
        self.node = self.name(receipt)
        self.nodes.add(self.node)
        self.name(operator)

    def follows(self, entry):
        index = len(self.leaves)
        need(entry.index == index, "index", entry.index, "instead of", index)
        need(entry.previous == (self.leaves[-1] if index else ZEROS),
             "previous of entry", index)
        need(self.time <= entry.time < END_OF_TIME, "log time of", index)
        need(entry.epoch >= self.epoch, "epoch of entry", index)
        if entry.epoch > self.epoch:
            item = entry.items[0]
            need(item.opcode == EPOCH and entry.key_id in self.nodes
                 and item.fields("epoch").number(4) == entry.epoch,
                 "epoch begun in", index)
            self.epochs += 1
            self.node = entry.key_id  # Whose term it is.

    def judge_items(self, entry):
        hashes = []
        for item in entry.items:
            need(item.opcode in self.operations, "operation of", entry.index)
            row = self.operations[item.opcode]
            need(item.version == row.version and entry.category == row.category
                 and entry.realm in row.realms
                 and row.is_open == (item.seal == 0),
                 row.name, "in entry", entry.index)
            need(item.seal >> 32 <= entry.epoch,
                 "seal key of a later epoch in entry", entry.index)
            self.by_operation[row.name] = (
                self.by_operation.get(row.name, 0) + 1)
            self.items += 1
            self.sealed += item.seal != 0
            is_allowed = (item.opcode not in NODES_ONLY
                          or entry.key_id == self.node)
            hashes.append((result_hash(item, row, entry.index), is_allowed))
        self.results.append(hashes)

    def learn(self, entry):
        """What open items say about keys, terms and outcomes."""
        for item in entry.items:
            if item.seal:
                continue
            fields = item.fields("in entry", entry.index)
            if item.opcode in (ENROL, ROTATE):
                self.name(fields.take(32))
            elif item.opcode == NODE:
                fields.take(16)
                fields.text(1, 64)
                fields.take(1)
                self.nodes.add(self.name(fields.take(32)))
            elif item.opcode == ATTEST and entry.key_id == self.node:
                self.attest(entry, fields)

    def attest(self, entry, fields):
        first, last = fields.number(8), fields.number(8)
        root, _ = fields.take(32), fields.take(32)
        count = fields.number(2)
        need(first == self.attested and first <= last < entry.index
             and count <= 256, "attestation", entry.index)
        codes = {}
        for _ in range(count):
            index, item, code = (fields.number(size) for size in (8, 2, 2))
            need(first <= index <= last and code
                 and item < len(self.results[index]) and
                 (index, item) not in codes, "refusal in", entry.index)
            codes[index, item] = code
        fields.end()
        leaves = []
        for index in range(first, last + 1):
            for item, (result, is_allowed) in enumerate(self.results[index]):
                code = codes.get((index, item), 0)
                need(code or is_allowed or index == 0, "done in", index)
                self.decided(index, item, code)
                result = sha(b"") if code else result
                leaves.append(result and leaf_of(
                    struct.pack("<QHH", index, item, code) + result))
        if all(leaves):
            need(root == root_of(leaves), "attested root in", entry.index)
            self.roots += 1
        self.attested = last + 1
        self.attestations += 1
        self.refused += count

    def decided(self, index, item, code):
        """An attestation states the item's outcome; in the log's order."""

    def take(self, data):
        entry = Entry(data, len(self.leaves))
        self.follows(entry)
        if entry.index == 0:
            self.genesis(entry)
            self.first_time = entry.time
        need(entry.env_tag == self.cluster_id[0], "env_tag of", entry.index)
        need(entry.key_id in self.keys, "signer of entry", entry.index)
        if self.to_verify is None or entry.index < self.to_verify:
            need(is_signed(self.keys[entry.key_id],
                           entry.signed_bytes(self.cluster_id),
                           entry.signature), "signature of", entry.index)
            self.signatures += 1
        if entry.index == 0:
            del self.keys[entry.key_id]  # It signs nothing else.
        self.judge_items(entry)
        self.learn(entry)
        self.command_hashes.append(entry.command_hash(self.cluster_id))
        self.leaves.append(entry.leaf)
        self.epoch, self.time = entry.epoch, entry.time
        self.bytes += entry.size
        self.by_category[entry.category] += 1


def read(folder, operations, signatures=None):
    """The log in a folder of segments; the first signatures are verified."""
    names = sorted(name for name in os.listdir(folder)
                   if SEGMENT_NAME.fullmatch(name))
    need(names, "no segments in", folder)
    log = Log(operations, signatures)
    room = common = 0
    for name in names:
        last = log.leaves[-1] if log.leaves else ZEROS
        entries, left, size = segment_at(os.path.join(folder, name),
                                         len(log.leaves), last)
        need(size == (common or size), "another size:", name)
        need(entries or name == names[-1], name, "holds no entry")
        need(not entries or len(entries[0]) + 16 > room, name,
             "begins too early")
        for data in entries:
            log.take(data)
        room, common = left, size
    log.segments = len(names)
    return log
