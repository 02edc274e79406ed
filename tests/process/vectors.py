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
    check_noise_program()
    print("vectors agree")


if __name__ == "__main__":
    main()
