#!/usr/bin/env python3
"""A second verifier of signed extracts, from docs/EXTRACT.md alone.

    verify_extract.py FILE --authority HEX [--policy FILE]

Exit status: 0 true, 1 tampered with, 2 incomplete.  Python's standard library;
Ed25519 of python3-nacl or python3-cryptography where one is there, else the
slow one of tests/process.
"""
import argparse
import base64
import hashlib
import os
import re
import struct
import sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "process"))

DASH = "\u2014 ".encode()
ISSUE = 0x0330
ATTEST = 0x0004
SKEW_US = 120 * 10**6
SECTIONS = ["S%02d" % n for n in range(1, 14)]


class Tampered(Exception):
    pass


class Incomplete(Exception):
    pass


def need(condition, what):
    if not condition:
        raise Tampered(what)


def is_signed(key, message, signature):
    try:
        from nacl.exceptions import BadSignatureError
        from nacl.signing import VerifyKey
        try:
            VerifyKey(key).verify(message, signature)
            return True
        except (BadSignatureError, ValueError):
            return False
    except ImportError:
        pass
    try:
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric import ed25519
        try:
            ed25519.Ed25519PublicKey.from_public_bytes(key).verify(
                signature, message)
            return True
        except (InvalidSignature, ValueError):
            return False
    except ImportError:
        import _ed25519
        return _ed25519.is_signed(key, message, signature)


def tag(name):
    return ("DFT1/" + name).encode().ljust(16, b"\0")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def base64_of(text):
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        raise Tampered("not base64") from None
    need(base64.b64encode(data) == text, "base64 written in another way")
    return data


def decimal_of(text):
    need(re.fullmatch(rb"0|[1-9][0-9]*", text), "no number")
    return int(text)


# ---- The file (EXTRACT, section 4) ------------------------------------------

class Lines:
    def __init__(self, data):
        need(data.endswith(b"\n"), "the last line does not end")
        self.left = data[:-1].split(b"\n")

    def starts(self, word):
        return bool(self.left) and self.left[0].startswith(word)

    def take(self, word=b""):
        need(self.starts(word), "no line " + word.decode())
        return self.left.pop(0)[len(word):]


def follows(before, section):
    """Ascending; of S05 the subject's own is the last."""
    (older, path, *_), (newer, to, *_) = before.split(b" "), section.split(b" ")
    order = [SECTIONS.index(n.decode("ascii", "replace"))
             for n in (older, newer)]
    return order[0] < order[1] or (
        older == newer and path not in (b"none", b"self") and to == b"self")


class Extract:
    def __init__(self, data):
        lines = Lines(data)
        need(lines.take() == b"defter.extract@v1",
             "line 1 is not that of an extract")
        self.number = decimal_of(lines.take(b"number "))
        subject = lines.take(b"subject ")
        need(re.fullmatch(rb"[0-9]{10}", subject), "no taxpayer number")
        self.subject = int(subject)
        names = lines.take(b"sections ").decode("ascii", "replace").split("+")
        need(names == [n for n in SECTIONS if n in names], "no sections")
        self.mask = sum(1 << SECTIONS.index(n) for n in names)
        self.salt = base64_of(lines.take(b"salt "))
        self.commitments = []
        while lines.starts(b"commitment "):
            self.commitments.append(base64_of(lines.take(b"commitment ")))
        need(self.commitments == sorted(set(self.commitments)), "not sorted")
        need(self.commitments and len(self.salt) == 16 and
             all(len(c) == 32 for c in self.commitments), "wrong sizes")
        self.receipt = base64_of(lines.take(b"receipt "))
        self.signature = base64_of(lines.take(b"signature "))
        self.certificate = base64_of(lines.take(b"certificate "))
        need(len(self.receipt) == 144 and len(self.signature) == 64 and
             len(self.certificate) == 184, "wrong sizes")
        self.entry = None
        if lines.starts(b"entry "):
            self.entry = base64_of(lines.take(b"entry "))
        self.attestation = None
        if self.entry is not None and lines.starts(b"attestation "):
            self.take_attestation(lines)
        self.shown = []
        section = None
        while lines.left and lines.left[0] != b"":
            if lines.starts(b"section "):
                before, section = section, lines.take(b"section ")
                need(before is None or follows(before, section),
                     "sections out of order")
                need(lines.starts(b"field "), "a section without a field")
            salt, _, field = lines.take(b"field ").partition(b" ")
            salt = base64_of(salt)
            need(section and len(salt) == 16, "no disclosure")
            self.shown.append(
                sha(tag("extract"), b"\1", salt, section, b"\n", field))
        self.proof = None
        if lines.left:
            lines.take()
            self.proof = b"\n".join(lines.left) + b"\n"

    def take_attestation(self, lines):
        """The entry, who signed it, from the outcome to it, from it to the
        checkpoint."""
        self.attestation = base64_of(lines.take(b"attestation "))
        self.attester = base64_of(lines.take(b"attester "))
        self.outcome, self.attested = [], []
        while lines.starts(b"outcome "):
            side, _, text = lines.take(b"outcome ").partition(b" ")
            need(side in (b"left", b"right"), "no side")
            self.outcome.append((side, base64_of(text)))
        while lines.starts(b"attested "):
            self.attested.append(base64_of(lines.take(b"attested ")))
        need(len(self.attester) == 184 and len(self.outcome) <= 16 and
             len(self.attested) <= 63 and
             all(len(h) == 32 for _, h in self.outcome) and
             all(len(h) == 32 for h in self.attested), "wrong sizes")

    def result(self):
        """The result of extract.issue, as the node hashed it."""
        parts = [self.commitments[i:i + 256]
                 for i in range(0, len(self.commitments), 256)]
        out = self.salt + struct.pack("<QQHH", self.number, self.subject,
                                      self.mask, len(parts))
        for part in parts:
            out += struct.pack("<H", 32 * len(part)) + b"".join(part)
        return out


# ---- Receipt, certificate, entry --------------------------------------------

def node_of(certificate, authority, time):
    """The receipt key of a server whose certificate is good at that time."""
    (version, role, _, begin, end, cluster, _, _,
     node_key) = struct.unpack("<HHIqq16s16s32s32s", certificate[:120])
    need(version == 1 and role == 1, "versions")
    need(cluster == sha(tag("cluster"), authority)[:16],
         "a certificate of another cluster")
    need(is_signed(authority, tag("nodecert") + certificate[:120],
                   certificate[120:]), "certificate not signed")
    need(begin - 600 <= time // 1000000 <= end + 600,
         "certificate not valid then")
    return node_key


def judge_receipt(extract, authority):
    cluster = sha(tag("cluster"), authority)[:16]
    (version, code, flags, index, epoch, time, key_id, command, entry,
     result) = struct.unpack("<HHIQQq16s32s32s32s", extract.receipt)
    need(version == 1, "versions")
    node_key = node_of(extract.certificate, authority, time)
    need(key_id == sha(tag("key"), node_key)[:16], "another node's receipt")
    need(is_signed(node_key, tag("receipt") + cluster + extract.receipt,
                   extract.signature), "receipt not signed")
    need(code == 0 and flags == 0 and sha(extract.result()) == result,
         "not what was signed")
    return cluster, index, epoch, time, command, entry


def judge_entry(extract, receipt):
    cluster, index, epoch, time, command, leaf = receipt
    entry = extract.entry
    need(sha(b"\0", entry) == leaf, "another entry")
    header, signature = entry[64:128], entry[128:192]
    clear, commitment = entry[192:224], entry[224:256]
    root = sha(b"\0", clear, commitment)
    signed = tag("command") + cluster + header + root
    need(struct.unpack_from("<IQq", entry, 4) == (epoch, index, time) and
         struct.unpack_from("<H", entry, 56) == (1,) and
         sha(tag("cmdhash"), signed, signature) == command and
         struct.unpack_from("<H", clear) == (ISSUE,) and
         struct.unpack_from("<Q", clear, 16) == (extract.subject,),
         "an entry that did not issue this")


# ---- The attestation (LOG-FORMAT, section 6) --------------------------------

def judge_attestation(extract, receipt, authority):
    """Returns the attestation's index."""
    cluster, index, epoch, time, _, _ = receipt
    entry = extract.attestation
    (version, category, realm, its_epoch, its_index, its_time, _, items,
     carrier, _) = struct.unpack_from("<HBBIQq32sHHI", entry)
    header, signature = entry[64:128], entry[128:192]
    signed_at, ttl = struct.unpack_from("<qI", header, 40)
    clear, commitment, data = entry[192:224], entry[224:256], entry[272:]
    need(version == 1 and items == 1 and
         struct.unpack_from("<HH", clear) == (ATTEST, 1) and
         struct.unpack_from("<QII", entry, 256) == (0, len(data), 0) and
         sha(tag("item"), data) == commitment, "no attestation")
    need(category == 7 and realm == 0 and header[6] == 0 and carrier == 0 and
         header[2:4] == bytes(2) and header[56:64] == bytes(8) and
         clear[8:32] == bytes(24), "an attestation as no node writes it")
    need(signed_at - SKEW_US <= its_time <=
         signed_at + ttl * 10**6 + SKEW_US, "an attestation out of its time")
    first, last, root = struct.unpack_from("<QQ32s", data, 16)
    need(first <= index <= last < its_index and its_epoch >= epoch and
         its_time >= time, "an attestation of other entries")
    node_key = node_of(extract.attester, authority, its_time)
    need(header[8:24] == sha(tag("key"), node_key)[:16] and
         is_signed(node_key, tag("command") + cluster + header +
                   sha(b"\0", clear, commitment), signature),
         "an attestation that its node did not sign")
    at = sha(b"\0", struct.pack("<QHH", index, 0, 0), sha(extract.result()))
    for side, other in extract.outcome:
        at = sha(b"\1", other, at) if side == b"left" else \
            sha(b"\1", at, other)
    need(at == root, "another decision or answer")
    return its_index


# ---- Proof, checkpoint, policy (C2SP) ---------------------------------------

def key_of(text):
    name, _, rest = text.partition("+")
    keyid, _, data = rest.partition("+")
    data = base64.b64decode(data)
    need(hashlib.sha256(name.encode() + b"\n" + data).hexdigest()[:8] == keyid,
         "a key with another number")
    return name, bytes.fromhex(keyid), data[0], data[1:]


def policy_of(path):
    log, witnesses, groups, quorum = None, {}, {}, None
    for line in open(path, encoding="utf-8"):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if words[0] == "log":
            log = key_of(words[1])
        elif words[0] == "witness":
            witnesses[words[1]] = key_of(words[2])
        elif words[0] == "group":
            groups[words[1]] = (words[2], words[3:])
        elif words[0] == "quorum":
            quorum = words[1]
    return log, witnesses, groups, quorum


def satisfied(name, groups, signers):
    if name == "none" or name in signers:
        return True
    if name not in groups:
        return False
    rule, members = groups[name]
    count = sum(satisfied(m, groups, signers) for m in members)
    return count >= {"all": len(members), "any": 1}.get(
        rule, int(rule) if rule.isdigit() else 1)


def note_of(data):
    text, _, lines = data.rpartition(b"\n\n")
    text += b"\n"
    need(lines.endswith(b"\n"), "a note that does not end")
    signatures = []
    for line in lines[:-1].split(b"\n"):
        need(line.startswith(DASH), "no signature line")
        name, _, blob = line[len(DASH):].partition(b" ")
        blob = base64_of(blob)
        need(name and len(blob) > 4, "no signature line")
        signatures.append((name, blob[:4], blob[4:]))
    return text, signatures


def blobs_of(key, signatures):
    return [blob for name, keyid, blob in signatures
            if name == key[0].encode() and keyid == key[1]]


def root_by(leaf, index, size, path):
    """RFC 9162, section 2.1.3.2."""
    need(index < size, "no such leaf")
    node, last, root = index, size - 1, leaf
    for other in path:
        need(last > 0, "a proof that is too long")
        if node & 1 or node == last:
            root = sha(b"\1", other, root)
            while not node & 1 and node:
                node, last = node >> 1, last >> 1
        else:
            root = sha(b"\1", root, other)
        node, last = node >> 1, last >> 1
    need(last == 0, "a proof that is too short")
    return root


def judge_proof(extract, index, leaf, policy):
    lines = Lines(extract.proof)
    need(lines.take() == b"c2sp.org/tlog-proof@v1", "no proof")
    need(decimal_of(lines.take(b"index ")) == index, "another entry's proof")
    path = []
    while lines.left and lines.left[0]:
        path.append(base64_of(lines.take()))
        need(len(path[-1]) == 32, "wrong sizes")
    need(lines.left, "no checkpoint")
    lines.take()
    text, signatures = note_of(b"\n".join(lines.left) + b"\n")
    origin, size, root = text.split(b"\n")[:3]
    size, root = decimal_of(size), base64_of(root)
    if policy is None:
        raise Incomplete("no policy")
    log, witnesses, groups, quorum = policy
    need(origin.decode() == log[0], "another log")
    blobs = blobs_of(log, signatures)
    need(blobs and all(is_signed(log[3], text, b) for b in blobs),
         "a checkpoint that the log did not sign")
    signers = set()
    for name, key in witnesses.items():
        for blob in blobs_of(key, signatures):
            need(len(blob) == 72, "wrong sizes")
            time = struct.unpack(">Q", blob[:8])[0]
            message = b"cosignature/v1\ntime %d\n" % time + text
            need(is_signed(key[3], message, blob[8:]), "a witness's line")
            signers.add(name)
    need(root_by(leaf, index, size, path) == root, "the log does not hold it")
    if not satisfied(quorum, groups, signers):
        raise Incomplete("too few witnesses")
    return size, root


def judge(data, authority, policy):
    """Raises Tampered or Incomplete; else the extract is true."""
    extract = Extract(data)
    receipt = judge_receipt(extract, authority)
    need(len(set(extract.shown)) == len(extract.shown), "shown twice")
    need(set(extract.shown) <= set(extract.commitments),
         "a field that is not what was signed")
    if extract.entry is not None:
        judge_entry(extract, receipt)
    if extract.attestation is not None:
        attested = judge_attestation(extract, receipt, authority)
    if extract.entry is None or extract.proof is None:
        raise Incomplete("not tied to the log")
    size, root = judge_proof(extract, receipt[1], receipt[5], policy)
    if extract.attestation is None:
        raise Incomplete("the word of one node alone")
    need(root_by(sha(b"\0", extract.attestation), attested, size,
                 extract.attested) == root,
         "the log does not hold the attestation")


def verdict(data, authority, policy):
    try:
        judge(data, authority, policy)
    except Tampered as why:
        return 1, str(why)
    except (ValueError, struct.error) as why:
        return 1, "not well formed: " + str(why)
    except Incomplete as why:
        return 2, str(why)
    return 0, "true"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("file")
    parser.add_argument("--authority", required=True, type=bytes.fromhex)
    parser.add_argument("--policy")
    words = parser.parse_args()
    policy = policy_of(words.policy) if words.policy else None
    with open(words.file, "rb") as file:
        code, why = verdict(file.read(), words.authority, policy)
    print(why if code == 0 else ["", "tampered: ", "incomplete: "][code] + why)
    return code


if __name__ == "__main__":
    sys.exit(main())
