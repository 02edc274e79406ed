#!/usr/bin/env python3
"""`defter witness`, driven as a log and as a stranger would.

The log is made here: its key, its tree and its notes are of Python alone, by
the specifications (c2sp.org/signed-note, tlog-checkpoint, tlog-cosignature,
tlog-witness), and so is the judgement of what the witness signs.  It is killed
at random moments while the log lies: of one size there is never a signature on
two roots.
"""
import base64
import hashlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import _ed25519  # noqa: E402

BIN = os.environ.get("DEFTER_BIN", "build/bin")
ORIGIN = "lying.example/log"
SEED = int(os.environ.get("SEED", "0")) or random.randrange(1, 1 << 30)


def b64(data):
    return base64.b64encode(data).decode("ascii")


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


# ---- The tree (RFC 6962) ---------------------------------------------------

def root_of(leaves):
    if not leaves:
        return sha()
    if len(leaves) == 1:
        return leaves[0]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha(b"\1", root_of(leaves[:split]), root_of(leaves[split:]))


def subproof(older, leaves, whole):
    if older == len(leaves):
        return [] if whole else [root_of(leaves)]
    split = 1 << (len(leaves) - 1).bit_length() - 1
    if older <= split:
        return subproof(older, leaves[:split], whole) + \
            [root_of(leaves[split:])]
    return subproof(older - split, leaves[split:], False) + \
        [root_of(leaves[:split])]


def consistency(older, leaves):
    return [] if older in (0, len(leaves)) else subproof(older, leaves, True)


def history(which, size):
    """Two histories that part at leaf 3."""
    return [sha(b"\0", b"%d" % (i if i < 3 else i + 1000 * which))
            for i in range(size)]


# ---- The log ---------------------------------------------------------------

LOG_SEED = bytes(range(32))


def log_key():
    public = _ed25519.public_key(LOG_SEED)
    keyid = sha(ORIGIN.encode(), b"\n\1", public)[:4]
    return public, keyid


def text_of(leaves):
    return "%s\n%d\n%s\n" % (ORIGIN, len(leaves), b64(root_of(leaves)))


def note_of(leaves):
    public, keyid = log_key()
    text = text_of(leaves)
    line = "\u2014 %s %s\n" % (
        ORIGIN, b64(keyid + _ed25519.sign(LOG_SEED, text.encode())))
    return text + "\n" + line


def request(older, leaves, note=None):
    proof = "".join(b64(one) + "\n" for one in consistency(older, leaves))
    return ("old %d\n%s\n%s" % (older, proof, note or note_of(leaves))).encode()


# ---- The witness -----------------------------------------------------------

class Witness:
    patience = 20  # Seconds that an answer may take.

    def __init__(self, directory):
        self.directory = directory
        self.process = None
        self.port = 0
        made = subprocess.run(
            [BIN + "/defter", "witness", "init", "--dir", directory, "--name",
             "outside.example/w"], check=True, capture_output=True)
        name, keyid, blob = made.stdout.decode().strip().split("+", 2)
        blob = base64.b64decode(blob)
        assert blob[0] == 4 and len(blob) == 33, "type 4, and a key"
        self.name, self.keyid, self.key = name, bytes.fromhex(keyid), blob[1:]
        assert self.keyid == sha(name.encode(), b"\n", blob)[:4], "keyid"
        public, keyid = log_key()
        with open(directory + "/logs", "w", encoding="ascii") as logs:
            logs.write("# the log of this test\nlog %s+%s+%s\n"
                       % (ORIGIN, keyid.hex(), b64(b"\1" + public)))

    def start(self, *options):
        self.process = subprocess.Popen(
            [BIN + "/defter", "witness", "--dir", self.directory, "--listen",
             "127.0.0.1:0", *options],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        line = self.process.stdout.readline().decode()
        assert "port " in line, self.process.stderr.read()
        self.port = int(line.split("port ")[1])

    def end(self, how):
        self.process.send_signal(how)
        self.process.stdout.close()
        said = self.process.stderr.read().decode()
        self.process.stderr.close()
        status = self.process.wait()
        self.process = None
        return status, said

    def ask(self, method, path, body=None):
        """(status, type, body); None where the connection broke."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=self.patience)
        try:
            connection.request(method, path, body)
            answer = connection.getresponse()
            return (answer.status, answer.getheader("Content-Type"),
                    answer.read())
        except (OSError, http.client.HTTPException):
            return None
        finally:
            connection.close()

    def add(self, body):
        return self.ask("POST", "/add-checkpoint", body)

    def served(self):
        return self.ask("GET", "/%s/checkpoint" % sha(ORIGIN.encode()).hex())

    def verify(self, text, line):
        """That ${line} is this witness's over ${text}, and of now."""
        words = line.decode().split(" ")
        assert words[0] == "\u2014" and words[1] == self.name, line
        assert len(words) == 3 and words[2].endswith("\n"), line
        blob = base64.b64decode(words[2][:-1], validate=True)
        assert len(blob) == 76 and blob[:4] == self.keyid, line
        stamp = int.from_bytes(blob[4:12], "big")
        assert abs(stamp - time.time()) < 3600, stamp
        message = "cosignature/v1\ntime %d\n%s" % (stamp, text)
        assert _ed25519.is_signed(self.key, message.encode(), blob[12:]), \
            "the cosignature does not verify"


# ---- What is shown ---------------------------------------------------------

def expect(got, status, kind=None, body=None):
    assert got is not None, "no answer"
    assert got[0] == status, got
    assert kind is None or got[1] == kind, got
    assert body is None or got[2] == body, got


def answers(witness):
    size_type = "text/x.tlog.size"
    witness.start()
    expect(witness.served(), 404)
    expect(witness.add(request(3, history(0, 5))), 409, size_type, b"0\n")
    got = witness.add(request(0, history(0, 5)))
    expect(got, 200)
    witness.verify(text_of(history(0, 5)), got[2])
    expect(witness.add(request(0, history(0, 7))), 409, size_type, b"5\n")
    # A lying log: another root of the size, and another history behind it.
    expect(witness.add(request(5, history(1, 5))), 422)
    expect(witness.add(request(5, history(1, 9))), 422)
    # A wrong proof; an old size above the new one; another signature.
    good = request(5, history(0, 9))
    line = good.split(b"\n")[1]
    expect(witness.add(good.replace(line, b64(b"x" * 32).encode())), 422)
    expect(witness.add(request(5, history(0, 5)).replace(b"old 5", b"old 6")),
           400)
    blob = good.rstrip(b"\n").split(b" ")[-1]
    wrong = bytearray(base64.b64decode(blob))
    wrong[20] ^= 1
    expect(witness.add(good.replace(blob, base64.b64encode(bytes(wrong)))), 403)
    expect(witness.add(good.replace(ORIGIN.encode(), b"other.example/log")),
           404)
    expect(witness.add(b"old 5\n"), 400)
    expect(witness.add(b"x" * 200000), 413)
    expect(witness.ask("GET", "/add-checkpoint"), 405)
    expect(witness.ask("GET", "/../logs"), 404)
    expect(witness.add(good), 200)
    note = note_of(history(0, 9))
    got = witness.served()
    expect(got, 200)
    assert got[2].decode().startswith(note), "the log's own note comes first"
    witness.verify(text_of(history(0, 9)), got[2][len(note.encode()):])
    # One process at a time has the directory.
    second = subprocess.run(
        [BIN + "/defter", "witness", "--dir", witness.directory, "--listen",
         "127.0.0.1:0"], capture_output=True, check=False)
    assert second.returncode == 1 and b"another process" in second.stderr
    status, said = witness.end(signal.SIGTERM)
    assert status == 0, status
    assert "TWO ROOTS OF ONE SIZE" in said, said
    kept = [name for name in os.listdir(witness.directory + "/state")
            if name.endswith(".conflict")]
    assert len(kept) == 1, kept


def noise(witness, dice):
    """Strangers who speak no HTTP, or stop in the middle; it goes on."""
    witness.start()
    idle = []
    for _ in range(40):
        link = socket.create_connection(("127.0.0.1", witness.port),
                                        source_address=("127.0.0.2", 0))
        link.sendall(dice.choice([
            b"", b"\0" * 50, b"POST /add-checkpoint HTTP/1.1\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: 9\r\n\r\nold",
            b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * 3000,
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nContent-Length: "
            b"99999999999\r\n\r\n",
            b"POST /add-checkpoint HTTP/1.1\r\nTransfer-Encoding: chunked"
            b"\r\n\r\nfffffff\r\n"]))
        idle.append(link)
    expect(witness.add(request(9, history(0, 9))), 200)
    for link in idle:
        link.close()
    expect(witness.add(request(9, history(0, 9))), 200)
    assert witness.end(signal.SIGTERM)[0] == 0


def repeats(witness):
    """What is public is repeated by anybody: the same line, and no write."""
    witness.start()
    path = "%s/state/%s" % (witness.directory, sha(ORIGIN.encode()).hex())
    before = os.stat(path).st_ino, os.stat(path).st_mtime_ns
    first = witness.add(request(9, history(0, 9)))
    expect(first, 200)
    for _ in range(20):
        expect(witness.add(request(9, history(0, 9))), 200, body=first[2])
    assert before == (os.stat(path).st_ino, os.stat(path).st_mtime_ns), \
        "a repetition was written"
    assert witness.served()[2].endswith(first[2])
    assert witness.end(signal.SIGTERM)[0] == 0


def heads(witness):
    """HEAD says what GET would, and has no body."""
    witness.start()
    whole = len(witness.served()[2])
    paths = ["/%s/checkpoint" % sha(ORIGIN.encode()).hex(), "/nothing",
             "/add-checkpoint"]
    for path, status in zip(paths, (b"200", b"404", b"405")):
        link = socket.create_connection(("127.0.0.1", witness.port))
        link.sendall(b"HEAD %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode())
        said = b""
        for part in iter(lambda: link.recv(65536), b""):  # It is closed.
            said += part
        link.close()
        head, end, body = said.partition(b"\r\n\r\n")
        assert head.split(b" ")[1] == status and end and not body, said
        assert status != b"200" or b"Length: %d\r\n" % whole in said, said
    assert witness.end(signal.SIGTERM)[0] == 0


def slow(witness):
    """Strangers who send a byte now and then hold no more connections than an
    address may have, and none of them for long."""
    most, longest = 16, 10
    witness.start()
    begun = time.monotonic()
    links = []
    for _ in range(most + 60):
        link = socket.create_connection(("127.0.0.1", witness.port),
                                        source_address=("127.0.0.2", 0))
        link.sendall(b"POST /add-checkpoint HTTP/1.1\r\nHost: x\r\n"
                     b"Content-Length: 60000\r\n\r\n")
        links.append(link)
    held = []
    while links and time.monotonic() < begun + 12 * longest:
        left = []
        for link in links:
            try:
                link.sendall(b"o")
                left.append(link)
            except OSError:
                link.close()
        links = left
        if links:
            expect(witness.add(request(9, history(0, 9))), 200)
        held.append(len(links))
        time.sleep(0.5)
    assert not links, "%d strangers are held for ever" % len(links)
    assert most in held, held
    assert witness.end(signal.SIGTERM)[0] == 0


def process_says(witness, field):
    with open("/proc/%d/status" % witness.process.pid,
              encoding="ascii") as lines:
        return dict(line.split(":", 1) for line in lines)[field].strip()


def confined(witness):
    """It serves from within the sandbox, and leaves no core file; a build with
    a sanitizer has none."""
    witness.start()
    held = process_says(witness, "Seccomp")
    with open("/proc/%d/limits" % witness.process.pid,
              encoding="ascii") as lines:
        cores = [line.split()[4:6] for line in lines if "core file" in line]
    assert cores == [["0", "0"]], cores
    status, said = witness.end(signal.SIGTERM)
    assert status == 0, status
    if "none in a build with a sanitizer" in said:
        return
    assert held == "2" and "system calls (seccomp)" in said, (held, said)
    witness.start("--sandbox", "off")
    held = process_says(witness, "Seccomp")
    said = witness.end(signal.SIGTERM)[1]
    assert held == "0" and "sandbox: off" in said, (held, said)
    wrong = subprocess.run(
        [BIN + "/defter", "witness", "--dir", witness.directory, "--listen",
         "127.0.0.1:0", "--sandbox", "no"], capture_output=True, check=False)
    assert wrong.returncode == 3, wrong


def kills(witness, dice):
    """kill -9 at random moments while two histories are offered in turn."""
    signed = {}  # size: root
    sizes = [0, 0]
    known, count = 9, 0
    signed[9] = root_of(history(0, 9))
    for _ in range(25):
        witness.start()
        killer = subprocess.Popen(
            ["sh", "-c", "sleep %f; kill -9 %d"
             % (dice.random() * 0.3, witness.process.pid)])
        while True:
            which = dice.randrange(2)
            size = known + dice.randrange(3)
            leaves = history(which, size)
            got = witness.add(request(known, leaves))
            if got is None:
                break
            if got[0] == 409:
                known = int(got[2])
                continue
            sizes[which] += got[0] == 200
            assert got[0] in (200, 422), got
            if got[0] == 200:
                witness.verify(text_of(leaves), got[2])
                root = root_of(leaves)
                assert signed.setdefault(size, root) == root, \
                    "two roots of size %d" % size
                known, count = size, count + 1
        killer.wait()
        witness.end(signal.SIGKILL)
    assert count > 10 and sizes[1] == 0, (count, sizes)
    witness.start()
    got = witness.served()
    expect(got, 200)
    served = int(got[2].decode().split("\n")[1])
    assert served >= max(signed), "a signature left that is not kept"
    assert witness.end(signal.SIGTERM)[0] == 0
    return count


def main():
    dice = random.Random(SEED)
    with tempfile.TemporaryDirectory(prefix="defter-witness.") as folder:
        witness = Witness(folder + "/w")
        try:
            answers(witness)
            noise(witness, dice)
            repeats(witness)
            heads(witness)
            slow(witness)
            confined(witness)
            count = kills(witness, dice)
        except AssertionError:
            print("SEED=%d repeats this" % SEED, file=sys.stderr)
            raise
        finally:
            if witness.process is not None:
                witness.process.kill()
    print("witness: %d signatures, and never two roots of one size" % count)


if __name__ == "__main__":
    main()
