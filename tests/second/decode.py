#!/usr/bin/env python3
"""A second decoder of commands, frames, items, entries and records.

It knows what docs/PROTOCOL.md and docs/LOG-FORMAT.md say, tables included, and
shares no code with the programs.  It answers on standard output what comes on
standard input, each as u32 size and that many bytes, until the input ends:

    u8 0, body of a COMMAND frame       u8 3, entry
    u8 1, u8 type, body of a frame      u8 4, u8 section, record
    u8 2, u16 opcode, fields            u8 5, u16 opcode, result

The answer is a line: "refused" (of a command with the code), or "ok" and what
was read.  tests/fuzz/fz_differential.c asks, and compares.
"""
import hashlib
import os
import re
import struct
import sys

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
SIZES = {"u8": 1, "bool8": 1, "enum8": 1, "u16": 2, "mask16": 2, "u32": 4,
         "mask32": 4, "u64": 8, "voen": 8, "date": 4, "i64": 8, "time": 8,
         "money": 8}
SIGNED = {"date", "i64", "time", "money"}
BYTES = {"bytes8": 8, "bytes16": 16, "bytes32": 32, "bytes64": 64}
TEXTS = {"str", "name", "fin", "email", "phone", "digits", "username", "blob"}
ATEXT = r"[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~]"
SHAPES = {
    "fin": re.compile(rb"[0-9A-HJ-NP-Z]{7}"),
    "digits": re.compile(rb"[0-9]+"),
    "username": re.compile(rb"[a-z0-9._-]+"),
    "phone": re.compile(rb"\+[1-9][0-9]{6,14}"),
    "email": re.compile((r"(?=[^@]{1,64}@)%s+(\.%s+)*@%s+(\.%s+)+"
                         % ((ATEXT,) * 4)).encode()),
}


class Refused(Exception):
    """With the code that section 6.4 says, where it says one."""


def need(condition, code=0):
    if not condition:
        raise Refused(code)


# ---- The tables of the document ----------------------------------------------

def day_of(text):
    year, month, day = map(int, text.split("-"))
    years = year - (month <= 2)
    era, part = divmod(years, 400)
    of_year = (153 * ((month + 9) % 12) + 2) // 5 + day - 1
    return (era * 146097 + part * 365 + part // 4 - part // 100 + of_year
            - 719468)


class Row:
    def __init__(self, number, name, kind, values):
        self.tag = int(number[4:]) if number.startswith("TLV ") else 0
        self.name, self.kind = name, kind
        self.low, self.high, self.only, self.element = None, None, None, None
        self.bits = None
        self.bound(values)

    def bound(self, values):
        days = re.fullmatch(r"([\d-]{10}) to ([\d-]{10})", values)
        span = re.fullmatch(r"(-?\d+)(?: to (\d+))?(?: bytes)?", values)
        part = re.fullmatch(r"at most (\d+) of `(\w+)`", values)
        if part:
            self.high, self.element = int(part[1]), part[2]
        elif days:
            self.low, self.high = day_of(days[1]), day_of(days[2])
            if self.kind == "time":
                self.low *= 86400000000
                self.high *= 86400000000
        elif values == "0 or 1":
            self.low, self.high = 0, 1
        elif span:
            self.low, self.high = int(span[1]), int(span[2] or span[1])
        elif values.startswith("from "):
            self.low = int(values[5:])
        elif values.startswith(("bit ", "one or more: bit ")):
            self.low = 1 if values.startswith("one") else 0
            self.bits = sum(1 << int(bit) for bit in
                            re.findall(r"bit (\d+) ", values))
        elif values != "any":
            self.only = {int(each.split(" ")[0])
                         for each in values.split(", ")}

    def number(self, value):
        need(self.low is None or value >= self.low)
        need(self.high is None or value <= self.high)
        need(self.only is None or value in self.only)
        need(self.bits is None or value & ~self.bits == 0)


def tables_of(path):
    """({frame type: rows}, {opcode: (fields, result)}, {section: rows},
    {element: rows})"""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    frames, operations, sections, elements = {}, {}, {}, {}
    for name in ("frame-fields", "operation-fields", "operation-elements",
                 "sections"):
        block = text.split("<!-- catalogue:%s -->\n" % name)[1]
        rows = None
        for line in block.split("<!-- end -->")[0].split("\n"):
            element = re.match(r"Element `(\w+)`:", line)
            frame = re.match(r"\*\*0x(\w\w) (\w+)\*\*", line)
            operation = re.match(r"\*\*0x(\w{4}) ", line)
            section = re.match(r"\*\*S(\d\d) ", line)
            cells = [cell.strip() for cell in line.split("|")[1:-1]]
            if element:
                rows = elements.setdefault(element[1], [])
            elif frame:
                rows = frames.setdefault(int(frame[1], 16), [])
            elif operation:
                both = operations.setdefault(int(operation[1], 16), ([], []))
                rows = both[0]
            elif section:
                rows = sections.setdefault(int(section[1]), [])
            elif line.startswith("Result:"):
                rows = both[1]
            elif len(cells) == 5 and re.fullmatch(r"(TLV )?\d+", cells[0]):
                rows.append(Row(*cells[:4]))
    return frames, operations, sections, elements


# ---- Fields ------------------------------------------------------------------

def is_text(data):
    """Section 1."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    for point in map(ord, text):
        if (point < 0x20 or 0x7f <= point < 0xa0 or point & 0xfffe == 0xfffe
                or 0xfdd0 <= point <= 0xfdef or point in (0x2028, 0x2029,
                                                          0xfeff)
                or 0x202a <= point <= 0x202e or 0x2066 <= point <= 0x2069):
            return False
    return True


def text_fits(kind, data):
    if kind == "blob" or not data:
        return True
    if kind in SHAPES:
        return SHAPES[kind].fullmatch(data) is not None
    if kind == "name" and (data[0] == 0x20 or data[-1] == 0x20 or not any(
            byte >= 0x80 or chr(byte).isalpha() for byte in data)):
        return False
    return is_text(data)


class Reader:
    def __init__(self, data):
        self.data, self.at = data, 0

    def left(self):
        return len(self.data) - self.at

    def take(self, size, code=0):
        need(size <= self.left(), code)
        self.at += size
        return self.data[self.at - size:self.at]

    def number(self, size, signed=False):
        return int.from_bytes(self.take(size), "little", signed=signed)


class Decoder:
    def __init__(self):
        (self.frames, self.operations, self.sections,
         self.elements) = tables_of(os.path.join(ROOT, "docs", "PROTOCOL.md"))

    def value(self, row, reader, in_tlv):
        if row.kind in SIZES:
            number = reader.number(SIZES[row.kind], row.kind in SIGNED)
            row.number(number)
            return str(number)
        if row.kind in BYTES:
            return reader.take(BYTES[row.kind]).hex()
        if row.kind == "list":
            count = reader.number(2)
            need(count <= row.high)
            return "[%s]" % "".join(
                "{%s }" % self.fixed(self.elements[row.element], reader)
                for _ in range(count))
        assert row.kind in TEXTS, row.kind
        size = reader.left() if in_tlv else reader.number(2)
        data = reader.take(size)
        need(row.low <= size <= row.high and text_fits(row.kind, data))
        return data.hex()

    def fixed(self, rows, reader):
        return "".join(" %s=%s" % (row.name, self.value(row, reader, False))
                       for row in rows if row.tag == 0)

    def body(self, rows, data, in_frame):
        reader = Reader(data)
        told = self.fixed(rows, reader)
        known = {row.tag: row for row in rows if row.tag}
        last = count = 0
        while reader.left():
            tag = reader.number(2)
            value = Reader(reader.take(reader.number(2)))
            count += 1
            need(count <= 32 and tag > last)
            last = tag
            if tag not in known:
                need(in_frame and tag % 2 == 1)
                continue
            told += " %s=%s" % (known[tag].name,
                                self.value(known[tag], value, True))
            need(value.left() == 0)
        return told

    # ---- Commands and entries --------------------------------------------

    @staticmethod
    def header(data):
        (version, flags, count, realm, env_tag, key_id, idem, signed_at, ttl,
         size, counter) = struct.unpack("<HHHBB16s16sqIIQ", data)
        told = (" flags=%d items=%d realm=%d env=%d key_id=%s idem=%s"
                " signed_at=%d ttl=%d size=%d counter=%d" % (
                    flags, count, realm, env_tag, key_id.hex(), idem.hex(),
                    signed_at, ttl, size, counter))
        return (version, flags, count, realm, env_tag, idem, signed_at, ttl,
                size, counter), told

    @staticmethod
    def clear(data):
        return (" {opcode=%d version=%d size=%d duty=%d purpose=%d subject=%d"
                " expect=%d" % struct.unpack("<HHIIIQQ", data))

    def command(self, body):
        """Section 6.4, steps 1 to 3, in that order."""
        need(len(body) >= 128, 104)
        (version, flags, count, realm, env_tag, idem, signed_at, ttl, size,
         counter), told = self.header(body[:64])
        need(192 + len(body) - 128 + 64 * count <= 64512, 105)
        need(size == len(body) - 128, 313)
        need(version == 1, 300)
        need(flags & ~3 == 0, 108)
        need(any(idem) and ttl and 0 <= signed_at <= 1 << 62
             and counter < 1 << 63, 301)
        need(realm in (0, 0x50, 0x52) and env_tag == 0x48, 310)
        need(ttl <= 900, 307)
        need(1 <= count <= 256, 312)
        reader, seen = Reader(body[128:]), 0
        while reader.left():
            need(reader.left() >= 48, 313)
            length, = struct.unpack_from("<I", reader.data, reader.at + 4)
            need(length >= 48, 313)
            item = reader.take(length, 313)
            seen += 1
            told += self.clear(item[:32]) + " salt=%s fields=%s}" % (
                item[32:48].hex(), item[48:].hex())
        need(seen == count, 312)
        return told

    def entry(self, data):
        """LOG-FORMAT, sections 1 and 2."""
        need(192 <= len(data) <= 64512)
        (version, category, realm, epoch, index, time, previous, count,
         carrier, size) = struct.unpack_from("<HBBIQq32sHHI", data)
        (inner, _, inner_count, inner_realm, *_, wire, _), told = self.header(
            data[64:128])
        need(version == 1 and inner == 1 and 1 <= category <= 8)
        need(realm == inner_realm and count == inner_count)
        need(1 <= count <= 256 and size == len(data) - 192)
        told += (" category=%d epoch=%d index=%d time=%d previous=%s"
                 " carrier=%d" % (category, epoch, index, time,
                                  previous.hex(), carrier))
        reader, total = Reader(data[192:]), 0
        for _ in range(count):
            clear, commitment = reader.take(32), reader.take(32)
            key, size, zero = (reader.number(8), reader.number(4),
                               reader.number(4))
            length, = struct.unpack_from("<I", clear, 4)
            need(zero == 0 and length >= 48)
            need(size == length - 32 + (16 if key else 0))
            secret = reader.take(size)
            need(key or commitment == hashlib.sha256(
                b"DFT1/item".ljust(16, b"\0") + secret).digest())
            total += length
            told += self.clear(clear) + " key=%d data=%s}" % (key,
                                                              secret.hex())
        need(reader.left() == 0 and total == wire)
        return told

    def told(self, data):
        need(data)
        kind, rest = data[0] % 6, data[1:]
        if kind == 0:
            return self.command(rest)
        if kind == 3:
            return self.entry(rest)
        if kind in (1, 4):
            need(rest)
            tables = self.frames if kind == 1 else self.sections
            need(rest[0] in tables)
            return self.body(tables[rest[0]], rest[1:], kind == 1)
        need(len(rest) >= 2)
        opcode, = struct.unpack_from("<H", rest)
        need(opcode in self.operations)
        return self.body(self.operations[opcode][kind == 5], rest[2:], False)

    def verdict(self, data):
        try:
            return "ok" + self.told(data)
        except Refused as why:
            return "refused %d" % why.args[0]


def main():
    decoder = Decoder()
    source, target = sys.stdin.buffer, sys.stdout.buffer
    while True:
        head = source.read(4)
        if len(head) < 4:
            return 0
        size, = struct.unpack("<I", head)
        answer = decoder.verdict(source.read(size)).encode()
        target.write(struct.pack("<I", len(answer)) + answer)
        target.flush()


if __name__ == "__main__":
    sys.exit(main())
