#!/usr/bin/env python3
"""tests/vectors/frames.json, read with nothing but docs/PROTOCOL.md at hand.

The tables of section 4 are taken from the document.  Each frame is built from
its fields by these tables, and read back by them, in Python alone.  The file
must also be what bin/make_frames prints today.
"""
import hashlib
import json
import os
import re
import struct
import subprocess
import sys

ROOT = os.path.realpath(os.environ.get(
    "DEFTER_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.environ.get("DEFTER_BUILD", os.path.join(ROOT, "build"))

NUMBERS = {"u8": "<B", "bool8": "<B", "enum8": "<B", "u16": "<H",
           "mask16": "<H", "u32": "<I", "mask32": "<I", "u64": "<Q",
           "voen": "<Q", "date": "<i", "i64": "<q", "time": "<q",
           "money": "<q"}
BYTES = {"bytes8": 8, "bytes16": 16, "bytes32": 32, "bytes64": 64}
VERSION, MORE, RECEIPT = 1, 1, 2
# What follows the fixed fields of an ANSWER (section 7.1).
BEHIND = ("receipt", "receipt_signature", "rest")


class Row:
    def __init__(self, number, name, kind, values):
        self.tag = int(number[4:]) if number.startswith("TLV ") else 0
        self.name, self.kind = name, kind
        element = re.search(r"at most (\d+) of `(\w+)`", values)
        self.element = element.group(2) if element else None
        self.count_max = int(element.group(1)) if element else 0
        sizes = re.fullmatch(r"(\d+)(?: to (\d+))? bytes", values)
        self.size_min = int(sizes.group(1)) if sizes else 0
        self.size_max = int(sizes.group(2) or sizes.group(1)) if sizes else 0


def block(text, name):
    return re.search(r"<!-- catalogue:%s -->\n(.*?)<!-- end -->" % name, text,
                     re.S).group(1)


def documented():
    """({name: type}, {frame or element: rows}) from the document."""
    path = os.path.join(ROOT, "docs", "PROTOCOL.md")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    types = {name: int(number, 16) for number, name in re.findall(
        r"^\| (0x[0-9a-f]{2}) \| (\w+) \|", block(text, "frames"), re.M)}
    tables, rows = {}, None
    for line in block(text, "frame-fields").split("\n"):
        title = re.match(r"\*\*0x\w\w (\w+)\*\*|Element `(\w+)`:", line)
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if title:
            rows = tables.setdefault(title.group(1) or title.group(2), [])
        elif len(cells) == 5 and re.fullmatch(r"(TLV )?\d+", cells[0]):
            rows.append(Row(*cells[:4]))
    return types, tables


def raw(value):
    if isinstance(value, dict):
        return bytes.fromhex(value["byte"]) * value["count"]
    return bytes.fromhex(value)


def encode_value(tables, row, value, in_tlv):
    if row.kind in NUMBERS:
        return struct.pack(NUMBERS[row.kind], int(value))
    if row.kind == "list":
        assert len(value) <= row.count_max
        return struct.pack("<H", len(value)) + b"".join(
            encode(tables, row.element, each) for each in value)
    data = raw(value)
    if row.kind in BYTES:
        assert len(data) == BYTES[row.kind]
        return data
    assert row.size_min <= len(data) <= row.size_max, row.name
    return data if in_tlv else struct.pack("<H", len(data)) + data


def encode(tables, name, fields):
    out = b""
    for row in tables[name]:
        if row.tag == 0:
            out += encode_value(tables, row, fields[row.name], False)
        elif row.name in fields:
            data = encode_value(tables, row, fields[row.name], True)
            out += struct.pack("<HH", row.tag, len(data)) + data
    return out + b"".join(raw(fields.get(part, "")) for part in BEHIND)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, size):
        assert size <= len(self.data) - self.at, "short"
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, form):
        return struct.unpack(form, self.take(struct.calcsize(form)))[0]

    def left(self):
        return len(self.data) - self.at


def decode_value(tables, row, reader, in_tlv):
    if row.kind in NUMBERS:
        return reader.number(NUMBERS[row.kind])
    if row.kind in BYTES:
        return reader.take(BYTES[row.kind])
    if row.kind == "list":
        return [decode_fixed(tables, row.element, reader)
                for _ in range(reader.number("<H"))]
    size = reader.left() if in_tlv else reader.number("<H")
    return reader.take(size)


def decode_fixed(tables, name, reader):
    return {row.name: decode_value(tables, row, reader, False)
            for row in tables[name] if row.tag == 0}


def decode(tables, name, data):
    reader = Reader(data)
    fields = decode_fixed(tables, name, reader)
    if name == "ANSWER":
        if fields["flags"] & RECEIPT:
            fields["receipt"] = reader.take(144)
            fields["receipt_signature"] = reader.take(64)
        fields["rest"] = reader.take(reader.left())
    known = {row.tag: row for row in tables[name] if row.tag}
    last = 0
    while reader.left():
        tag = reader.number("<H")
        assert tag > last, "order"
        last = tag
        value = Reader(reader.take(reader.number("<H")))
        fields[known[tag].name] = decode_value(tables, known[tag], value, True)
        assert value.left() == 0
    return fields


def same(stated, found):
    if isinstance(found, list):
        return len(stated) == len(found) and all(
            set(a) == set(b) and all(same(a[key], b[key]) for key in a)
            for a, b in zip(stated, found))
    if isinstance(found, bytes):
        return raw(stated) == found
    return int(stated) == found


def check(types, tables, vector):
    name, fields = vector["name"], dict(vector["fields"])
    flags = fields.pop("more", 0) * MORE
    body = raw(fields["rest"]) if name == "PAD" else \
        encode(tables, name, fields)
    frame = struct.pack("<IBBHQ", 16 + len(body), types[name], flags, VERSION,
                        int(vector["request_id"])) + body
    if "frame" in vector:
        assert frame.hex() == vector["frame"], "the frame differs"
    else:
        assert len(frame) == vector["size"], "the size differs"
        assert hashlib.sha256(frame).hexdigest() == vector["sha256"]
    if name == "PAD":
        assert not any(body)
        return
    found = decode(tables, name, body)
    assert set(found) == set(fields), "other fields"
    for key in found:
        assert same(fields[key], found[key]), key


def main():
    types, tables = documented()
    path = os.path.join(ROOT, "tests", "vectors", "frames.json")
    with open(path, encoding="ascii") as file:
        text = file.read()
    today = subprocess.run([os.path.join(BUILD, "bin", "make_frames")],
                           stdout=subprocess.PIPE, check=True,
                           encoding="ascii").stdout
    failed = 0
    if text != today:
        print("frames.json is not what make_frames prints")
        failed += 1
    vectors = json.loads(text)["frames"]
    seen = set()
    for vector in vectors:
        seen.add(vector["name"])
        try:
            check(types, tables, vector)
        except AssertionError as error:
            print("%s, %s: %s" % (vector["name"], vector["extent"], error))
            failed += 1
    for name in set(types) - seen - {"COMMAND", "EVENT"}:
        print("no vector of " + name)
        failed += 1
    # A reader that cannot fail proves nothing.
    broken = dict(vectors[0], frame="00" + vectors[0]["frame"][2:])
    try:
        check(types, tables, broken)
        print("a broken frame was taken for a good one")
        failed += 1
    except AssertionError:
        pass
    print("%d frames, %d failed" % (len(vectors), failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
