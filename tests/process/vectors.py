"""The vectors are what the code makes, and what an independent reader makes.

Hashes, trees, paths, chains and HMACs are worked out here anew, with nothing
but Python's standard library.
"""
import hashlib
import hmac
import json
import os
import struct
import subprocess
import tempfile

import _ed25519

BIN = os.environ.get("DEFTER_BIN", "build/bin")
HERE = "tests/vectors"


def tag(text):
    return text.encode().ljust(16, b"\0")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def root_of(leaves):
    """RFC 9162 section 2.1.1."""
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


def path_of(leaves, index):
    """RFC 9162 section 2.1.3.1."""
    if len(leaves) == 1:
        return []
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    if index < split:
        return path_of(leaves[:split], index) + [root_of(leaves[split:])]
    return path_of(leaves[split:], index - split) + [root_of(leaves[:split])]


def items_of(body):
    while body:
        size = struct.unpack_from("<I", body, 4)[0]
        yield body[:size]
        body = body[size:]


def leaf_of(item):
    return sha(b"\0", item[:32], sha(tag("DFT1/item"), item[32:]))


def check_body(vector, cluster_id):
    body = bytes.fromhex(vector["frame_body"])
    header, signature = body[:64], body[64:128]
    items = list(items_of(body[128:]))
    leaves = [leaf_of(item) for item in items]
    signed = tag("DFT1/command") + cluster_id + header + root_of(leaves)
    assert len(items) == vector["items"]
    assert len(items) == struct.unpack_from("<H", header, 4)[0]
    assert struct.unpack_from("<I", header, 52)[0] == len(body) - 128
    assert [leaf.hex() for leaf in leaves] == vector["leaves"]
    assert root_of(leaves).hex() == vector["body_root"]
    assert signed.hex() == vector["signed_bytes"] and len(signed) == 128
    command_hash = sha(tag("DFT1/cmdhash"), signed, signature)
    assert command_hash.hex() == vector["command_hash"]
    path = path_of(leaves, vector["path_of"])
    assert [node.hex() for node in path] == vector["path"]


def check_log(vectors):
    previous = bytes(32)
    leaves = []
    for text in vectors["log"]["entries"]:
        entry = bytes.fromhex(text)
        assert entry[24:56] == previous
        previous = sha(b"\0", entry)
        leaves.append(previous)
        count, body_size = struct.unpack_from("<H", entry, 56)[0], 192
        wire_size = 0
        for _ in range(count):
            wire_size += struct.unpack_from("<I", entry, body_size + 4)[0]
            data_size = struct.unpack_from("<I", entry, body_size + 72)[0]
            body_size += 80 + data_size
        assert body_size == len(entry)
        assert wire_size == struct.unpack_from("<I", entry, 64 + 52)[0]
    assert [leaf.hex() for leaf in leaves] == vectors["log"]["leaf_hashes"]
    assert root_of(leaves).hex() == vectors["log"]["root"]


def check_answers(ours, theirs):
    key = bytes.fromhex(theirs["log"]["seal_keys"]["4294967297"])
    salt = hmac.new(key, tag("DFT1/result") + struct.pack("<QH", 0, 0),
                    hashlib.sha256).digest()[:16]
    frame = bytes.fromhex(ours["answers"]["answer"])
    body = frame[16:]
    receipt = body[8:152]
    assert salt.hex() == ours["answers"]["result_salt_of_entry_0_item_0"]
    assert struct.unpack_from("<I", frame)[0] == len(frame) and frame[4] == 0x11
    assert struct.unpack_from("<HBBI", body) == (0, 2, 0, 16)
    assert body[216:] == salt
    assert receipt[112:144] == sha(salt)
    assert receipt[80:112].hex() == theirs["log"]["leaf_hashes"][0]
    assert receipt[48:80].hex() == theirs["command_single"]["command_hash"]
    key_id = sha(tag("DFT1/key"),
                 bytes.fromhex(theirs["ed25519"]["receipt_pk"]))[:16]
    assert receipt[32:48] == key_id


def check_handshake(ours, theirs):
    first = bytes.fromhex(ours["handshake"]["client_first"])
    server = bytes.fromhex(ours["handshake"]["server"])
    second = bytes.fromhex(ours["handshake"]["client_second"])
    assert first == (bytes.fromhex(theirs["handshake"]["preface"])
                     + struct.pack("<H", 32)
                     + bytes.fromhex(theirs["handshake"]["msg1"]))
    assert server == (struct.pack("<H", 280)
                      + bytes.fromhex(theirs["handshake"]["msg2"]))
    payload = bytes.fromhex(ours["handshake"]["msg3_payload"])
    assert struct.unpack_from("<H", second)[0] == len(second) - 2
    assert len(second) == 2 + 64 + len(payload)
    name = sha(tag("DFT1/pwname"), theirs["password"]["username"].encode())
    assert name[:16].hex() == ours["login"]["pw_name"]


def read_config(data):
    """A configuration as LOG-FORMAT section 11 lays it out."""
    members, learners, eligible = data[153:156]
    assert data[0:2] == b"\1\0"
    assert len(data) == 160 + 24 * members + 16 * (learners + eligible)
    at = 160 + 24 * members
    return {
        "why": data[3], "epoch": struct.unpack_from("<I", data, 4)[0],
        "number": struct.unpack_from("<Q", data, 8)[0],
        "lineage": data[32:48], "primary": data[48:64],
        "previous": data[104:136],
        "lost": struct.unpack_from("<I", data, 156)[0],
        "members": [data[i:i + 16] for i in range(160, at, 24)],
        "learners": [data[at + 16 * i:at + 16 * i + 16]
                     for i in range(learners)],
    }


def check_configurations(vectors, authority):
    """The chain, the forced lineage, and every signature."""
    part = {name: bytes.fromhex(text) for name, text in vectors.items()}
    first, second, forced = (
        read_config(part[name]) for name in ("first", "second", "forced"))
    assert first["previous"] == bytes(32) and first["number"] == 1
    assert sha(tag("DFT1/config"), part["first"]) == part["first_hash"]
    assert second["previous"] == part["first_hash"]
    assert second["members"] == [b"A" * 16, b"B" * 16]
    assert forced["previous"] == sha(tag("DFT1/config"), part["second"])
    bare = part["forced"][:32] + bytes(16) + part["forced"][48:]
    assert forced["lineage"] == sha(tag("DFT1/config"), bare)[:16]
    assert forced["lineage"] != second["lineage"] == first["lineage"]
    assert (first["lost"], second["lost"], forced["lost"]) == (0, 0, 5)
    certificate = part["certificate"]
    size = struct.unpack_from("<I", certificate, 4)[0]
    assert certificate[48:48 + size] == part["second"]
    signed, rest = certificate[:48 + size], certificate[48 + size:]
    keys = {1: (part["operator_key"], "DFT1/cert"),
            2: (authority, "DFT1/cert"),
            3: (part["witness_key"], "DFT1/witness")}
    assert [rest[i] for i in range(0, len(rest), 88)] == [1, 2, 3]
    for at in range(0, len(rest), 88):
        key, text = keys[rest[at]]
        assert _ed25519.is_signed(key, tag(text) + signed,
                                  rest[at + 24:at + 88])
    for name, key, size in (("statement", "node_key", 200),
                            ("request", "operator_key", 64)):
        assert _ed25519.is_signed(
            part[key], tag("DFT1/statement") + part[name][:size],
            part[name][size:]), name


def run(program, argument):
    done = subprocess.run([os.path.join(BIN, program), argument],
                          stdout=subprocess.PIPE, check=False)
    return done.returncode, done.stdout.decode()


def check_noise_program():
    path = os.path.join(HERE, "noise.json")
    code, text = run("noise_vectors", path)
    assert (code, text.splitlines()[-1]) == (0, "1 passed, 0 failed"), text
    with open(path, encoding="utf-8") as file:
        vectors = json.load(file)
    good = vectors["vectors"][0]
    bad = json.loads(json.dumps(good))
    bad["handshake_hash"] = "00" * 32
    other = dict(good, protocol_name="Noise_IK_25519_ChaChaPoly_SHA256")
    older = dict(good, name=good["protocol_name"])
    del older["protocol_name"]
    with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
        json.dump({"vectors": [good, bad, other, older]}, file)
        file.flush()
        code, text = run("noise_vectors", file.name)
    assert (code, text.splitlines()[-1]) == (1, "2 passed, 1 failed"), text


def main():
    with open(os.path.join(HERE, "protocol.json"), encoding="utf-8") as file:
        theirs = json.load(file)
    with open(os.path.join(HERE, "defter.json"), encoding="utf-8") as file:
        ours = json.load(file)
    for name in ("defter", "noise"):
        code, text = run("make_vectors", name)
        assert code == 0
        with open(os.path.join(HERE, name + ".json"), encoding="utf-8") as file:
            assert json.loads(text) == json.load(file), name + ".json is old"
    authority = bytes.fromhex(theirs["ed25519"]["authority_pk"])
    cluster_id = sha(tag("DFT1/cluster"), authority)[:16]
    assert cluster_id.hex() == theirs["ed25519"]["cluster_id"]
    for vector in ours["bodies"]:
        check_body(vector, cluster_id)
    check_log(theirs)
    check_answers(ours, theirs)
    check_handshake(ours, theirs)
    check_configurations(ours["configurations"], authority)
    check_noise_program()
    print("vectors agree")


if __name__ == "__main__":
    main()
