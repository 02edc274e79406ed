"""Compares the independent reader with `defter verify` on a stopped node's
log, then on changed copies of it, which both must refuse.

    _independent.py CLUSTER.CONF NODE
"""
import json
import os
import shutil
import struct
import subprocess
import sys

import _reader
from _xxh3 import xxh3_64

DEFTER = os.path.join(os.environ["DEFTER_BIN"], "defter")
OPERATIONS = _reader.operations_of("docs/PROTOCOL.md")
FIRST = "00000000000000000000.seg"
GOOD, TAMPERED, INCOMPLETE = 0, 1, 2
LIKE_A_CRASH = ["zeros behind the log", "the last checksum"]
SIGNATURES_CHECKED = 5  # Of each changed copy: they are slow.


def verify(cluster, folder, *options):
    """The exit status and the report of `defter verify`."""
    done = subprocess.run(
        [DEFTER, "--cluster", cluster, "verify", folder, "--json", *options],
        stdout=subprocess.PIPE, check=False)
    return done.returncode, json.loads(done.stdout)


def compare(log, report):
    """Whatever both count or work out is the same."""
    ours = {
        "entries": len(log.leaves),
        "size": len(log.leaves),
        "segments": log.segments,
        "bytes": log.bytes,
        "items": log.items,
        "sealed_items": log.sealed,
        "by_category": {str(key): n for key, n in log.by_category.items()},
        "by_operation": log.by_operation,
        "epochs": log.epochs,
        "epoch": log.epoch,
        "keys": len(log.keys),
        "signatures": log.signatures,
        "attestations": log.attestations,
        "attested": log.attested,
        "refused_items": log.refused,
        "authority": log.authority.hex(),
        "cluster": log.cluster_id.hex(),
        "leaf": log.leaves[-1].hex(),
        "root": _reader.root_of(log.leaves).hex(),
        "first_bad": None,
        "authority_trusted": True,
    }
    for name, value in ours.items():
        assert report[name] == value, (name, value, report[name])


class Copy:
    """A copy of the first segment in which bytes are changed and set back."""

    def __init__(self, folder, original):
        os.mkdir(folder)
        self.folder = folder
        self.path = os.path.join(folder, FIRST)
        shutil.copyfile(os.path.join(original, FIRST), self.path)
        self.frames = []  # Offset of each frame, and its entry's length.
        at = _reader.HEADER_SIZE
        while True:
            length = struct.unpack("<I", self.read(at, 4))[0]
            if length == 0:
                break
            self.frames.append((at, length))
            at += length + 16
        self.end = at

    def read(self, at, size):
        with open(self.path, "rb") as file:
            file.seek(at)
            return file.read(size)

    def write(self, at, data):
        with open(self.path, "r+b") as file:
            file.seek(at)
            file.write(data)

    def flip(self, at):
        self.write(at, bytes([self.read(at, 1)[0] ^ 1]))

    def forge(self, number, offset):
        """Flips a bit of an entry, and makes its frame's checksum anew."""
        at, length = self.frames[number]
        self.flip(at + 8 + offset)
        check = xxh3_64(self.read(at, 8 + length))
        self.write(at + 8 + length, struct.pack("<Q", check))

    def swap(self, number):
        """Two frames change places."""
        (at, first), (_, second) = self.frames[number:number + 2]
        data = self.read(at, first + second + 32)
        self.write(at, data[first + 16:] + data[:first + 16])

    def drop(self, number):
        """A frame is taken out, and those behind it move up."""
        at, length = self.frames[number]
        data = self.read(at, self.end - at)
        self.write(at, data[length + 16:] + bytes(length + 16))


def frame_of(entry):
    data = struct.pack("<II", len(entry), 0) + entry
    return data + struct.pack("<Q", xxh3_64(data))


def write_segment(folder, first, previous, frames, size):
    header = struct.pack("<8sIIQ32s", b"DFTLOG1\0", 1, size, first, previous)
    header += struct.pack("<Q", xxh3_64(header))
    name = os.path.join(folder, f"{first:020d}.seg")
    with open(name, "wb") as file:
        file.write(header.ljust(_reader.HEADER_SIZE, b"\0"))
        file.write(b"".join(frames))
        file.truncate(size)
    return name


def cut_into_segments(folder, entries, size, early=None):
    """The same log in segments of another size; a segment begins at entry
    early although there is room.  The segments' names."""
    shutil.rmtree(folder, ignore_errors=True)
    os.mkdir(folder)
    names, frames, first = [], [], 0
    left = size - _reader.HEADER_SIZE
    before = leaf = _reader.ZEROS
    for index, entry in enumerate(entries):
        frame = frame_of(entry)
        if len(frame) > left or index == early:
            names.append(write_segment(folder, first, before, frames, size))
            frames, first, before = [], index, leaf
            left = size - _reader.HEADER_SIZE
        frames.append(frame)
        left -= len(frame)
        leaf = _reader.leaf_of(entry)
    names.append(write_segment(folder, first, before, frames, size))
    return names


def swap_files(one, other):
    os.rename(one, one + "x")
    os.rename(other, one)
    os.rename(one + "x", other)


def check_segments(cluster, node, head):
    """Logs of many segments: whole ones, and others."""
    first = os.path.join(node, "log", FIRST)
    entries, _, _ = _reader.segment_at(first, 0, _reader.ZEROS)
    folder = os.path.join(node, "parted")
    end = _reader.HEADER_SIZE + sum(len(frame_of(entry))
                                    for entry in entries[:20])
    last = len(entries), _reader.leaf_of(entries[-1]), []

    def judged(name, expected, change=None, size=16384, early=None):
        names = cut_into_segments(folder, entries, size, early)
        assert len(names) > 1, name
        if change is not None:
            change(names)
        why = refused(folder)
        status, report = verify(cluster, folder, "--head", head)
        print(f"{name}: {why} / {report['first_bad']}")
        assert status == expected, (name, status)
        # What is cut off is seen by whoever knows the head.
        assert bool(why) == (expected != GOOD) or name == "no last one", name

    for size in (16384, end, end + 1, end + 3, end + 4, end + 7, end + 8):
        judged(f"segments of {size} bytes", GOOD, size=size)
    judged("an empty last one", GOOD,
           lambda names: write_segment(folder, *last, 16384))
    judged("no first one", TAMPERED, lambda names: os.remove(names[0]))
    judged("no middle one", TAMPERED, lambda names: os.remove(names[1]))
    judged("no last one", TAMPERED, lambda names: os.remove(names[-1]))
    judged("swapped ones", TAMPERED,
           lambda names: swap_files(names[1], names[2]))
    judged("one too early", TAMPERED, early=5)
    judged("another size", TAMPERED,
           lambda names: write_segment(folder, *last, 16385))
    judged("a middle one cut short", TAMPERED,
           lambda names: os.truncate(names[1], 9000))
    judged("the last one cut short", INCOMPLETE,
           lambda names: os.truncate(names[-1], 16383))


def changes(copy):
    """What is done to the copy, each by its name."""
    frames = copy.frames
    middle, last = len(frames) // 2, len(frames) - 1
    half = copy.end + (os.path.getsize(copy.path) - copy.end) // 2
    yield "the header's version", lambda: copy.flip(8)
    yield "zeros of the header", lambda: copy.flip(2000)
    yield "a frame's length", lambda: copy.flip(frames[middle][0])
    yield "a checksum", lambda: copy.flip(frames[middle + 1][0] - 8)
    yield "the last checksum", lambda: copy.flip(copy.end - 8)
    yield "an entry", lambda: copy.flip(frames[middle][0] + 100)
    yield "zeros behind the log", lambda: copy.flip(half)
    for name, offset in [("version", 0), ("category", 2), ("realm", 3),
                         ("epoch", 4), ("index", 8), ("log time", 16),
                         ("previous", 24), ("count", 56), ("carrier", 58),
                         ("size", 60), ("header", 80), ("signature", 140),
                         ("clear part", 200), ("commitment", 230),
                         ("seal key", 256), ("data", 300)]:
        yield ("forged " + name, lambda o=offset: copy.forge(middle, o))
    yield "genesis' signature", lambda: copy.forge(0, 128)
    yield "the last commitment", lambda: copy.forge(last, 225)
    yield "swapped entries", lambda: copy.swap(middle)
    yield "an entry taken out", lambda: copy.drop(middle)


def refused(folder):
    try:
        _reader.read(folder, OPERATIONS, SIGNATURES_CHECKED)
    except _reader.Refused as why:
        return str(why)
    return None


def main(cluster, node):
    log = _reader.read(os.path.join(node, "log"), OPERATIONS)
    status, report = verify(cluster, os.path.join(node, "log"))
    assert status == INCOMPLETE and report["verdict"] == "incomplete", report
    compare(log, report)
    assert log.roots > 0 and log.sealed > 0 and log.refused > 0
    assert log.epochs > 1
    head = f"{len(log.leaves)}:{_reader.root_of(log.leaves).hex()}"
    status, report = verify(cluster, node, "--head", head)
    assert status == GOOD and report["verdict"] == "good", report

    check_segments(cluster, node, head)

    copy = Copy(os.path.join(node, "changed"), os.path.join(node, "log"))
    intact = copy.read(0, copy.end)
    assert refused(copy.folder) is None
    half = copy.end + (os.path.getsize(copy.path) - copy.end) // 2
    for name, change in changes(copy):
        change()
        why = refused(copy.folder)
        status, report = verify(cluster, copy.folder)
        print(f"{name}: {why} / {report['first_bad']}")
        assert why, name
        assert (status, report["verdict"]) == (
            (INCOMPLETE, "incomplete") if name in LIKE_A_CRASH
            else (TAMPERED, "tampered")), name
        copy.write(0, intact)
        copy.write(half, b"\0")
    assert refused(copy.folder) is None
    print("both agree")


if __name__ == "__main__":
    main(*sys.argv[1:])
