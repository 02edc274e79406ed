#!/usr/bin/env python3
"""Writes what the published vectors hold into the corpora of the fuzz targets.

    tests/fuzz/seed.py        names begin with "vector-"; others are not touched

A fuzzer that begins with good inputs need not guess a checksum or a signature.
"""
import json
import os
import struct
import sys
from base64 import b64encode

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "process"))

from _xxh3 import xxh3_64  # noqa: E402

COMMAND, FRAME, FIELDS, ENTRY = range(4)  # As decode.py has them.
FILE_SIZE_MAX = 1024  # Longer ones cost more than they find.
# Under which number fz_session asks for what a frame answers.
ASKED = {3: 1, 5: 1, 0x11: 2, 0x15: 3, 0x13: 4, 0x19: 5, 0x7f: 2}
FROM_BOTH = {6, 7, 8, 0x0f}
FROM_CLIENTS = {1, 2, 4, 6, 7, 8, 0x0f, 0x10, 0x12, 0x14, 0x16, 0x18, 0x1a}
NODE_CONF = b"""[node]
directory = /var/lib/defter
[net]
listen = 127.0.0.1:7840
loops = 2
connections = 100
[cluster]
listen = 127.0.0.1:7841
mode = manual
peer = 00112233445566778899aabbccddeeff backup 127.0.0.1:7842
minimum = 1
timers = wan
beacon_ms = 100
[evidence]
policy = policy.txt
"""


# What people write, well and badly, beside NODE_CONF.
ETCD = b"mode = etcd\nminimum = 1\nlisten = 127.0.0.1:7841\n"
NODE_CONFS = {
    "etcd": ETCD + b"etcd = 127.0.0.1:2379, [::1]:2379\n"
    b"etcd_ca = ca\netcd_certificate = c\netcd_key = /k\narchive = no\n"
    b"peer = 00112233445566778899aabbccddeeff archive 127.0.0.1:7842 [::1]:1\n"
    b"[escrow]\ndirectory = /e\nrecovery_key = " + b"ab" * 32 +
    b"\n[node]\nsandbox = required\n[evidence]\npolicy = /p\n",
    "etcd-none": ETCD,
    "etcd-many": ETCD + b"etcd = " + b"127.0.0.1:1, " * 9 + b"127.0.0.1:1\n",
    "etcd-long": ETCD + b"etcd = " + b"1" * 200 + b"\n",
    "etcd-name": ETCD + b"etcd = localhost:1\n",
    "etcd-files": ETCD + b"etcd = 127.0.0.1:1\netcd_ca = /a\n",
    "etcd-manual": b"listen = 127.0.0.1:1\nminimum = 1\n"
    b"etcd = 127.0.0.1:1\n",
    "archive-alone": b"listen = 127.0.0.1:1\nminimum = 1\narchive = yes\n",
    "archive-word": b"archive = perhaps\n",
    "listen-none": b"minimum = 1\n",
    "minimum": b"listen = 127.0.0.1:1\nminimum = 3\n",
    "remove": b"listen = 127.0.0.1:1\nminimum = 1\nbeacon_ms = 900\n"
    b"remove_ms = 900\n",
    "grace": b"listen = 127.0.0.1:1\nminimum = 1\nremove_ms = 900\n"
    b"grace_ms = 900\n",
    "peer-again": b"peer = %032x backup 127.0.0.1:1\n" % 1 * 2,
    "peer-many": b"".join(
        b"peer = %032x backup 127.0.0.1:%d\n" % (i, i) for i in range(1, 40)),
    "peer-long": b"peer = " + b"0" * 300 + b"\n",
    "peer-words": b"peer = 00 backup\n",
    "peer-number": b"peer = 00 backup 127.0.0.1:1\n",
    "peer-role": b"peer = 00112233445566778899aabbccddeeff x 127.0.0.1:1\n",
    "peer-address": b"peer = 00112233445566778899aabbccddeeff backup x\n",
    "key": b"unknown = 1\n",
    "sandbox": b"[node]\nsandbox = perhaps\n",
    "recovery": b"[escrow]\nrecovery_key = 00\n",
    "number": b"[net]\nloops = x\n",
    "range": b"[net]\nloops = 0\n",
    "listen": b"[net]\nlisten = localhost:1\n",
    "path": b"[evidence]\npolicy =\n",
    "section": b"[nobody]\nname = 1\n",
    "no-key": b"neither\n",
    "nul": b"listen = \0",
}
# A policy's lines, each of which is wrong behind good ones.
POLICY_ENDS = {
    "quorum-again": "quorum w\nquorum w\n", "quorum-words": "quorum w w\n",
    "quorum-unknown": "quorum nobody\n", "quorum-none": "quorum none\n",
    "no-quorum": "", "keyword": "nothing\n", "log-again": "log LOG\n",
    "witness-again": "witness v WITNESS\n", "name-again": "witness w WITNESS\n",
    "witness-role": "witness v LOG\n", "log-role": "log WITNESS\n",
    "log-words": "log\n", "key": "log x+y\n", "reserved": "group none 1 w\n",
    "member-again": "group a 1 w\ngroup b 1 w\nquorum b\n",
    "member-unknown": "group a 1 nobody\n", "no-member": "group a 1\n",
    "threshold": "group a 2 w\nquorum a\n", "any": "group a any w\nquorum a\n",
    "group-again": "group a any w\ngroup a any a\n", "control": "quorum \1\n",
    "long-name": "group %s any w\nquorum a\n" % ("a" * 300),
    "words": "log LOG url more\n", "no-end": "quorum w",
    "too-large": "#" * 1000 + "\n",
}


def vectors(name):
    path = os.path.join(HERE, "..", "vectors", name + ".json")
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def put(target, name, *parts):
    data = b"".join(parts)
    folder = os.path.join(HERE, "corpus", target)
    os.makedirs(folder, exist_ok=True)
    if len(data) <= FILE_SIZE_MAX:
        with open(os.path.join(folder, "vector-" + name), "wb") as file:
            file.write(data)


def base64(data):
    return b64encode(data).decode()


def part(data):
    """A part of mutate_parts() (tests/lib/mutate.h)."""
    return struct.pack("<H", len(data) - 1) + data


def raw(text):
    return bytes.fromhex(text)


def put_frame(name, frame):
    size, kind = struct.unpack_from("<IB", frame)
    assert size == len(frame)
    put("fz_differential", "frame-" + name, bytes([FRAME, kind]), frame[16:])
    for choice in (1, 0):
        put("fz_frame", "%s-%d" % (name, choice), bytes([choice | 2]), frame)
    if kind in FROM_BOTH:
        for choice in (0, 3):
            # A server's PING, BYE and PAD have no number, its PONG has one.
            number = struct.pack("<Q", kind == 7)
            put("fz_session", "%s-%d" % (name, choice), bytes([choice]),
                part(frame[:8] + number + frame[16:]))
        put("fz_frame", name + "-numbered", b"\3",
            frame[:8] + number + frame[16:])
    if kind in FROM_CLIENTS:
        put("fz_connection", name, bytes([kind not in (1, 2, 4)]), part(frame))
    else:
        number = ASKED.get(kind, 0)
        put("fz_session", name, bytes([3 if kind not in (3, 5) else 0]),
            part(frame[:8] + struct.pack("<Q", number) + frame[16:]))


def put_answers(frame):
    """What joins, and what is mixed; what nobody sealed."""
    def numbered(number, more):
        return (frame[:5] + bytes([more]) + frame[6:8]
                + struct.pack("<Q", number) + frame[16:])

    first, last, other = numbered(2, 1), numbered(2, 0), numbered(3, 0)
    put("fz_session", "answer-in-two", b"\3", part(first), part(last))
    put("fz_session", "answers-mixed", b"\3", part(first + other))
    for choice in (4, 8):
        for name, data in (("short", b"\0\0"), ("long", b"\xff" * 70),
                           ("zeros", bytes(200)),
                           ("rejected", b"DFT1\0" + bytes(59))):
            put("fz_session", "unsealed-%s-%d" % (name, choice),
                bytes([choice]), part(data), part(data))


def put_body(name, body):
    put("fz_command", name, body)
    put("fz_envelope", name, b"\5", body)
    put("fz_differential", "command-" + name, bytes([COMMAND]), body)


def put_entry(name, entry):
    put("fz_log", name, entry)
    put("fz_differential", "entry-" + name, bytes([ENTRY]), entry)


def put_files(ours, theirs):
    certificate = raw(theirs["nodecert"])
    put("fz_files", "certificate", b"\2", certificate)
    put("fz_files", "receipt", b"\3", raw(theirs["receipt"]["fields"]))
    key = struct.pack("<8sHHI16s32s32s", b"DFTKEY1", 2, 1, 0,
                      raw(theirs["ed25519"]["cluster_id"]),
                      raw(theirs["ed25519"]["user_seed"]),
                      raw(theirs["ed25519"]["user_pk"]))
    put("fz_files", "key", b"\0", key, struct.pack("<Q", xxh3_64(key)))
    row = struct.pack("<QQQB32s", 7, 1400057421, 12, 1, b"k" * 32)
    gone = struct.pack("<QQQB32s", 8, 20, 12, 0, bytes(32))
    put("fz_files", "rows", b"\6", row, gone)
    told = ["defter.completeness@v1", "subject 1400057421", "count 17",
            "rolling " + base64(bytes(32)), "size 512",
            "salt " + base64(bytes(16)),
            "receipt " + base64(raw(theirs["receipt"]["fields"])),
            "signature " + base64(raw(theirs["receipt"]["signature"])),
            "certificate " + base64(certificate), ""]
    put("fz_files", "completeness", b"\4", "\n".join(told).encode())
    payload = raw(ours["handshake"]["msg3_payload"])
    record = part(raw(ours["records"]["frame"]))
    for choice, data in ((0, payload), (8, payload), (1, certificate),
                         (5, certificate), (13, certificate),
                         (2, payload + struct.pack("<HH", 4, 184)
                          + certificate)):
        put("fz_channel", "choice-%d" % choice, bytes([choice]),
            struct.pack("<H", len(data)), data, record, record)


def tlog(name):
    with open(os.path.join(HERE, "..", "vectors", "tlog", name), "rb") as file:
        return file.read()


def put_notes():
    note, request = tlog("log5/checkpoint"), tlog("add-checkpoint.req")
    line = b"\xe2\x80\x94 " + note.split(b"\xe2\x80\x94 ")[-1]
    for choice in (0, 2):
        put("fz_exchange", "note-%d" % choice, bytes([choice]), note)
    put("fz_exchange", "line", b"\1", struct.pack("<Q", 5), line)
    keys = [tlog(name + ".vkey").decode().strip()
            for name in ("log", "witness")]
    for name, text in POLICY_ENDS.items():
        text = "log LOG\nwitness w WITNESS https://w.example/\n" + text
        text = text.replace("LOG", keys[0]).replace("WITNESS", keys[1])
        put("fz_note", "policy-" + name, b"\2", text.encode())
    for older, newer in ((0, 5), (5, 70000), (255, 1), (65536, 1 << 40)):
        put("fz_note", "walk-%d-%d" % (older, newer), b"\7",
            struct.pack("<QQ", older, newer))
    for method, path, body in (("POST", "/add-checkpoint", request),
                               ("GET", "/" + "0" * 64 + "/checkpoint", b""),
                               ("HEAD", "/", b"")):
        head = "%s %s HTTP/1.1\r\nHost: w\r\nContent-Length: %d\r\n\r\n" % (
            method, path, len(body))
        put("fz_http", method.lower(), b"\0", head.encode(), body)
    for code, kind, body in ((200, "text/plain", line), (404, "", b""),
                             (409, "text/x.tlog.size", b"3\n")):
        head = ("HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %d\r\n"
                "\r\n" % (code, kind, len(body)))
        put("fz_http", "answer-%d" % code, b"\1", head.encode(), body)


def main():
    ours, theirs, frames = (vectors(name)
                            for name in ("defter", "protocol", "frames"))
    for each in frames["frames"]:
        if "frame" in each:
            put_frame("%s-%s" % (each["name"].lower(),
                                 each["extent"].replace(" ", "-")),
                      raw(each["frame"]))
    for name in ("answer", "error"):
        put_frame(name, raw(ours["answers"][name]))
    put_answers(raw(ours["answers"]["answer"]))
    for number, each in enumerate(ours["bodies"]):
        put_body("items-%d-%d" % (each["items"], number),
                 raw(each["frame_body"]))
    for name in ("single", "batch3"):
        put_body(name, raw(theirs["command_" + name]["wire_frame"])[16:])
    for number, text in enumerate(theirs["log"]["entries"]):
        put_entry("entry-%d" % number, raw(text))
    put_files(ours, theirs)
    put_notes()
    put("fz_options", "node", b"\0", NODE_CONF)
    for name, text in NODE_CONFS.items():
        put("fz_options", "node-" + name, b"\0",
            b"[node]\ndirectory = /d\n[cluster]\n", text)
    put("fz_options", "nodes", b"\1", b"127.0.0.1:7840, [::1]:7841")
    put("fz_options", "address", b"\2", b"[::ffff:127.0.0.1]:7841")
    put("fz_differential", "fields", bytes([FIELDS, 0x10, 0]),
        struct.pack("<H4sHQ", 4, b"ping", 1, 7))


if __name__ == "__main__":
    main()
