"""What a log says of the archive units that it was put into, from LOG-FORMAT,
PROTOCOL and AUDIT alone: the archive records, the manifests that archivists
sealed, and the nodes that may cosign.
"""
import os
import re

import _reader
import _tlog

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PREPARE, SEAL = 0x0f00, 0x0f01
ENROLLED_COSIGNER = 2  # The TLV of node.enrol.


class Record:
    """An archive.prepare that was done; what sealed it, if anything did."""

    def __init__(self, index, fields):
        self.index, self.sealed, self.manifest = index, None, None
        self.number, self.first = fields.number(4), fields.number(8)
        self.last, self.bytes = fields.number(8), fields.number(8)
        self.leaf_before, self.leaf_after, self.root = (
            fields.take(32).hex() for _ in range(3))
        self.categories = [fields.number(4) for _ in range(fields.number(2))]
        fields.end()

    def concerns(self, manifest):
        return (self.number == manifest.head["number"]
                or self.first <= manifest.last and manifest.first <= self.last)

    def differs(self, manifest, digest):
        """What of the unit is not as the record says; None."""
        head = manifest.head
        if (manifest.first, manifest.last) != (self.first, self.last):
            return "the archive record gives this unit other entries"
        if head["number"] != self.number:
            return "the archive record gives these entries another number"
        if (head["leaf-before"], head["leaf-after"], head["root"]) != (
                self.leaf_before, self.leaf_after, self.root):
            return "the archive record has other hashes"
        if (head["bytes"], manifest.categories) != (self.bytes,
                                                    self.categories):
            return "the archive record counts other entries"
        if self.manifest not in (None, digest):
            return "the manifest is not the one that an archivist sealed"
        return None


class UnitLog(_reader.Log):
    """The log, and what it says of its units and its nodes."""

    def __init__(self):
        super().__init__(_reader.operations_of(
            os.path.join(ROOT, "docs", "PROTOCOL.md")), 0)
        self.records, self.waiting = [], {}
        self.cosigners = []  # (name of the node's key, key)
        self.origin = None

    def enrolled(self, node_id, key):
        if any(key):
            self.cosigners.append(
                (self.origin + b"/node/" + node_id[:4].hex().encode(), key))

    def genesis(self, entry):
        super().genesis(entry)
        fields = entry.items[0].fields("genesis")
        self.origin = fields.text(1, 64).encode()
        fields.take(1 + 2 + 32)
        node_id = fields.take(16)
        fields.take(4 * 32)
        self.enrolled(node_id, fields.take(32))

    def learn(self, entry):
        for number, item in enumerate(entry.items):
            if item.seal == 0 and item.opcode in (PREPARE, SEAL, _reader.NODE):
                self.waiting[entry.index, number] = item
        super().learn(entry)

    def decided(self, index, item, code):
        waited = self.waiting.pop((index, item), None)
        if waited is None or code:
            return
        try:
            self.done(index, waited.opcode, waited.fields(index))
        except _reader.Refused:
            pass  # No node takes such fields: nothing was done.

    def done(self, index, opcode, fields):
        if opcode == PREPARE:
            record = Record(index, fields)
            first = self.records[-1].last + 1 if self.records else 0
            if (record.number == len(self.records) + 1 and
                    record.first == first <= record.last < index and
                    len(record.categories) == 8):
                self.records.append(record)
        elif opcode == SEAL:
            number, manifest = fields.number(4), fields.take(32).hex()
            fields.end()
            if 0 < number <= len(self.records) and \
                    self.records[number - 1].sealed is None:
                self.records[number - 1].sealed = index
                self.records[number - 1].manifest = manifest
        else:
            self.node_enrolled(fields)

    def node_enrolled(self, fields):
        node_id = fields.take(16)
        fields.text(1, 64)
        fields.take(1 + 2 * 32)
        fields.text(0, 64)
        fields.take(64 + 32)
        while fields.at < len(fields.data):
            tag, size = fields.number(2), fields.number(2)
            value = fields.take(size)
            if tag == ENROLLED_COSIGNER and size == 32:
                self.enrolled(node_id, value)

    def other_record(self, manifest, digest):
        """The first record that the unit does not fit, one that was sealed
        before others, and what is wrong; or None."""
        found = None
        for record in self.records:
            what = record.concerns(manifest) and record.differs(manifest,
                                                                digest)
            if what and (found is None or record.sealed is not None
                         and found[0].sealed is None):
                found = record, what
        return found

    def is_cosigner(self, key):
        """Whether it is the key of an enrolled node; a key under another name,
        or a name with another key, is refused."""
        for name, enrolled in self.cosigners:
            if (name == key.name) != (enrolled == key.key):
                raise _tlog.Refused("another cosigner's key than the log's")
            if name == key.name:
                return True
        return False


def category_counts(log):
    return {str(number): count for number, count in log.by_category.items()}
