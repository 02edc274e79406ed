"""Compares `defter verify` and `defter export` with the second implementation
(tests/second) on a stopped node's log: what is good and what was damaged.

    _second.py CLUSTER.CONF NODE RECEIPTS WORK
"""
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys

DEFTER = os.path.join(os.environ["DEFTER_BIN"], "defter")
SECOND = os.path.join("tests", "second")
WITNESSES = ["witness.example/one:71", "witness.example/two:72"]
GOOD, TAMPERED, INCOMPLETE = 0, 1, 2
SIGNATURES = "3"  # They are slow without python3-cryptography.
SAME = ["verdict", "size", "leaf", "root", "covered"]


def run(*words, codes=(0,)):
    done = subprocess.run(words, stdout=subprocess.PIPE, check=False)
    assert done.returncode in codes, (words, done.returncode, done.stdout)
    return done.returncode, done.stdout


def sign(*words):
    return run(sys.executable, os.path.join(SECOND, "sign_checkpoint.py"),
               *words)[1]


def write(path, data):
    with open(path, "wb") as file:
        file.write(data)
    return path


def read(path):
    with open(path, "rb") as file:
        return file.read()


def ours(cluster, *words):
    code, out = run(DEFTER, "--cluster", cluster, "verify", "--json", *words,
                    codes=(0, 1, 2))
    return code, json.loads(out)


def second(kind, *words):
    code, out = run(sys.executable, os.path.join(SECOND, "verify_log.py"),
                    kind, *words, codes=(0, 1, 2))
    return code, json.loads(out)


def both(cluster, kind, code, *words):
    """Both verify the same, and come to the same; their reports."""
    first, report = ours(cluster, *words)
    other, theirs = second(kind, *words, "--signatures", SIGNATURES)
    assert first == other == code, (words, first, other, report, theirs)
    assert report["kind"] == kind
    if code != TAMPERED:
        for name in SAME:
            assert report[name] == theirs[name], (words, name, report[name],
                                                  theirs[name])
        assert [dict(c, file="") for c in report["checkpoints"]] == \
            [dict(c, file="") for c in theirs["checkpoints"]], (report, theirs)
    return report, theirs


def flip(path, at, bit=0):
    data = bytearray(read(path))
    data[at] ^= 1 << bit
    write(path, data)


class Scene:
    def __init__(self, cluster, node, work):
        self.cluster, self.work = cluster, work
        self.node = os.path.join(work, "node")
        os.mkdir(self.node)
        shutil.copytree(os.path.join(node, "log"),
                        os.path.join(self.node, "log"))
        self.log = os.path.join(self.node, "log")
        self.key = os.path.join(node, "log.key")
        self.note = os.path.join(self.node, "checkpoint")
        self.tree = os.path.join(work, "tree")
        vkey = sign("vkey", self.key, self.log).decode()
        self.vkey = vkey.strip()
        self.witnesses = [sign("witness", w).decode().strip()
                          for w in WITNESSES]
        self.policy = write(os.path.join(work, "policy"), (
            f"log {vkey}witness one {self.witnesses[0]}\n"
            f"witness two {self.witnesses[1]}\ngroup both all one two\n"
            "quorum both\n").encode())

    def checkpoint(self, size, *witnesses):
        words = [w for name in witnesses for w in ("--witness", name)]
        write(self.note, sign("checkpoint", self.key, self.log, str(size),
                              *words))

    def export(self):
        out = run(DEFTER, "export", "tiles", "--json", self.node, self.tree)
        return json.loads(out[1])

    def leaves(self):
        return second("log", self.log, "--leaves", "--signatures", "0")[1]


def check_logs(scene, size):
    """Checkpoints of every standing, held against the log."""
    scene.checkpoint(size)
    report, _ = both(scene.cluster, "log", GOOD, scene.node)
    assert report["checkpoints"][0]["quorum"] == "no policy"
    both(scene.cluster, "log", INCOMPLETE, scene.log)
    policy = ["--policy", scene.policy]
    both(scene.cluster, "log", INCOMPLETE, scene.node, *policy)
    scene.checkpoint(size, WITNESSES[1])
    both(scene.cluster, "log", INCOMPLETE, scene.node, *policy)
    scene.checkpoint(size, *WITNESSES)
    report, _ = both(scene.cluster, "log", GOOD, scene.node, *policy)
    assert report["checkpoints"][0]["cosigned"] == ["one", "two"]
    both(scene.cluster, "log", GOOD, scene.log, *policy, "--checkpoint",
         scene.note)
    intact = read(scene.note)
    for at in (0, intact.index(b"\n") + 1, 60, intact.index(b"\n\n") + 50,
               len(intact) - 20):
        flip(scene.note, at)
        both(scene.cluster, "log", TAMPERED, scene.node, *policy)
        write(scene.note, intact)
    scene.checkpoint(size - 1, *WITNESSES)
    report, _ = both(scene.cluster, "log", INCOMPLETE, scene.node, *policy)
    assert report["covered"] == size - 1


def check_exports(scene, size):
    """Step by step it comes to the same as at once, but for old partial
    tiles."""
    for at in (1, 256, 257, size):
        scene.checkpoint(at, *WITNESSES)
        done = scene.export()
        assert done["size"] == at, done
        both(scene.cluster, "tiles", GOOD, scene.tree, "--policy",
             scene.policy, *([] if at == size else ["--tree-only"]))
    assert scene.export()["files"] == 0
    fresh = os.path.join(scene.work, "fresh")
    run(DEFTER, "export", "tiles", scene.node, fresh)
    for path in glob.glob(fresh + "/**", recursive=True):
        if os.path.isfile(path):
            other = scene.tree + path[len(fresh):]
            assert read(path) == read(other), path
    shutil.rmtree(scene.tree)
    os.rename(fresh, scene.tree)
    both(scene.cluster, "tiles", GOOD, scene.tree)


def check_changed_trees(scene):
    """Both name the same place, wherever one byte was changed."""
    names = [path[len(scene.tree) + 1:] for path in
             sorted(glob.glob(scene.tree + "/tile/**", recursive=True))
             if os.path.isfile(path)]
    for name in names:
        path = os.path.join(scene.tree, name)
        intact = read(path)
        for at in sorted({33, len(intact) - 1}):
            flip(path, at % len(intact))
            report, theirs = both(scene.cluster, "tiles", TAMPERED,
                                  scene.tree, "--tree-only")
            bad, other = report["first_bad"], theirs["first_bad"]
            print(f"{name}, byte {at}: {bad}")
            for word in ("file", "index", "hash", "expected", "found"):
                if word in other and name not in ("", None):
                    assert bad.get(word) == other[word], (bad, other)
            assert bad["file"] == name or "entries" not in name, bad
            write(path, intact)
        os.rename(path, path + "x")
        report, theirs = both(scene.cluster, "tiles", TAMPERED, scene.tree,
                              "--tree-only")
        assert report["first_bad"]["file"] == name, report["first_bad"]
        assert theirs["first_bad"]["file"] == name, theirs["first_bad"]
        os.rename(path + "x", path)
    # With what the entries say, an entry is still named, not its follower.
    path = os.path.join(scene.tree, "tile/entries/000")
    flip(path, 1000)
    report = ours(scene.cluster, scene.tree)[1]
    theirs = second("tiles", scene.tree, "--signatures", SIGNATURES)[1]
    for word in ("file", "index", "offset"):
        assert report["first_bad"][word] == theirs["first_bad"][word]
    flip(path, 1000)


def check_proofs(scene, size, receipts):
    leaves = scene.leaves()["leaves"]
    policy = ["--policy", scene.policy]
    paths = []
    for index in (1, 256, size - 1):
        path = os.path.join(scene.work, f"{index}.tlog-proof")
        paths.append(write(path, sign("proof", scene.log, str(index),
                                      scene.note)))
        both(scene.cluster, "proof", GOOD, path, *policy)
        both(scene.cluster, "proof", GOOD, path, *policy, "--leaf",
             leaves[index])
        both(scene.cluster, "proof", TAMPERED, path, *policy, "--leaf",
             leaves[index - 1])
        both(scene.cluster, "proof", INCOMPLETE, path)
        intact = read(path)
        for at in range(0, len(intact), max(1, len(intact) // 4)):
            flip(path, at)
            report, _ = both(scene.cluster, "proof", TAMPERED, path, *policy)
            assert report["first_bad"]["file"] == path
            write(path, intact)
    # The receipt that a client kept says which entry it is.
    record = read(receipts)[:392]
    index = int.from_bytes(record[8:16], "little")
    path = os.path.join(scene.work, "receipt.tlog-proof")
    write(path, sign("proof", scene.log, str(index), scene.note, "--bare"))
    code, report = ours(scene.cluster, path, *policy, "--receipts", receipts)
    assert code == GOOD and report["leaf"] == leaves[index], report
    both(scene.cluster, "proof", INCOMPLETE, path, *policy)
    code, report = second("receipts", receipts, scene.log)
    assert report["receipts"] == os.path.getsize(receipts) // 392, report
    return paths


def check_with_go(scene, proofs):
    check = os.path.join(scene.work, "check")
    if not os.path.exists(check):
        print("no Go here: its check is left out")
        return
    words = [check, scene.tree, scene.vkey]
    for witness in scene.witnesses:
        words += ["-witness", witness]
    print(run(*words, *proofs)[1].decode())
    for name in ("checkpoint", "tile/0/000", "tile/entries/000",
                 "tile/1/000.p/2"):
        path = os.path.join(scene.tree, name)
        flip(path, 40)
        run(*words, codes=(1,))
        flip(path, 40)
    flip(proofs[1], 200)
    run(*words, *proofs, codes=(1,))
    flip(proofs[1], 200)


def check_vectors(cluster, work):
    """Trees and proofs that other programs made, of a log that is not ours."""
    vectors = os.path.join("tests", "vectors", "tlog")
    tree = os.path.join(work, "vectors")
    policy = write(os.path.join(work, "vectors.policy"),
                   b"log " + read(os.path.join(vectors, "log.vkey"))
                   + b"\nwitness w " + read(os.path.join(vectors,
                                                       "witness.vkey"))
                   + b"\nquorum w\n")
    leaf = hashlib.sha256(b"\0entry-2").hexdigest()
    words = ["--policy", policy]
    both(cluster, "proof", GOOD, os.path.join(vectors, "log5.tlog-proof"),
         *words, "--leaf", leaf)
    shutil.copytree(os.path.join(vectors, "log5"), tree)
    both(cluster, "tiles", GOOD, tree, *words, "--tree-only")
    shutil.copytree(os.path.join(vectors, "bad"), tree, dirs_exist_ok=True)
    report, theirs = both(cluster, "tiles", TAMPERED, tree, *words,
                          "--tree-only")
    assert report["first_bad"]["hash"] == theirs["first_bad"]["hash"] == 1


def main(cluster, node, receipts, work):
    scene = Scene(cluster, node, work)
    size = scene.leaves()["size"]
    assert 512 < size < 768, size
    check_logs(scene, size)
    check_exports(scene, size)
    check_changed_trees(scene)
    proofs = check_proofs(scene, size, receipts)
    check_vectors(cluster, work)
    check_with_go(scene, proofs)
    print("all agree")


if __name__ == "__main__":
    main(*sys.argv[1:])
