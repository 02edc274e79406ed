#!/usr/bin/env python3
"""The law of dependencies, held over what was compiled.

    examples -> client -> protocol <- replication <- server

The node and the program stand on sandbox/ too, which uses protocol/ alone.
protocol/ is pure and replication/ deterministic: their objects may use only
the outside symbols of an allow-list.  The auditor links protocol/, libsodium,
libzstd (archive units are compressed) and the C library.  The client knows
nothing of server or replication, and each part of the server only the parts
below it.  What includes what is checked in the sources as well.  Last, each
check is shown a bad sample, and must refuse it.
"""
import fnmatch
import os
import re
import subprocess
import sys
import tempfile

ROOT = os.path.realpath(os.environ.get(
    "DEFTER_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.environ.get("DEFTER_BUILD", os.path.join(ROOT, "build"))
TIDY = os.path.join(ROOT, "tests", "tidy")

# Lowest first: each may use the ones before it.
SERVER_PARTS = ["evidence", "store", "registry", "pipeline", "net", "server"]

# What a sanitizer adds to every object.
INSTRUMENTED = re.compile(r"__(asan|ubsan|tsan|sanitizer|lsan|sancov)_")

# libc has these, and an auditor has no business with them.
NOT_FOR_AUDITORS = ["socket", "connect", "bind", "listen", "accept*", "send*",
                    "recv*", "getaddrinfo", "system", "popen", "exec*",
                    "fork", "dlopen", "time", "clock_gettime",
                    "gettimeofday", "rand", "random", "getrandom"]

# folder: (quoted includes it may make, system includes or None for any).
PURE = ["assert.h", "inttypes.h", "limits.h", "stdbool.h", "stddef.h",
        "stdint.h", "string.h", "sodium.h", "xxhash.h"]
INCLUDES = {
    "protocol": (["protocol/"], PURE),
    "replication": (["protocol/", "replication/"],
                    PURE + ["stdlib.h", "stdio.h", "stdatomic.h"]),
    "client": (["protocol/", "client/"], None),
    "client/audit": (["protocol/", "client/audit/"], None),
    "client/program": (["protocol/", "client/", "sandbox/"], None),
    "sandbox": (["protocol/", "sandbox/"], None),
    "client/witness": (["protocol/", "client/witness/"], None),
    "client/export": (["protocol/", "client/audit/", "client/export/"], None),
    "examples": (["client/defter.h", "examples/"], None),
    "server": (["protocol/", "replication/", "sandbox/", "server/"], None),
    "server/store": (["protocol/", "replication/", "server/store/"], None),
    "server/evidence": (["protocol/", "replication/", "server/evidence/"],
                        None),
    "server/registry": (["protocol/", "replication/", "server/store/",
                         "server/registry/"], None),
    "server/pipeline": (["protocol/", "replication/", "server/store/",
                         "server/registry/", "server/evidence/",
                         "server/pipeline/"], None),
    "server/cluster": (["protocol/", "replication/", "server/cluster/"], None),
    "server/cosign": (["protocol/", "server/cluster/", "server/cosign/"],
                      None),
    "server/net": (["protocol/", "replication/", "server/store/",
                    "server/registry/", "server/pipeline/", "server/net/"],
                   None),
}
# The contract alone speaks, once, before it ends the process.
INCLUDES_ALSO = {"protocol/contract.c": ["stdio.h", "stdlib.h"]}


def run(*command):
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit("%s: %s" % (" ".join(command), done.stderr))
    return done.stdout


def symbols(archive):
    """{object: (defined symbols, undefined symbols)} of a static library."""
    objects = {}
    for line in run("nm", "-A", archive).splitlines():
        where, rest = line.rsplit(":", 1)
        name = re.sub(r"\.c\.o$", ".o", where.rsplit(":", 1)[-1])
        defined, undefined = objects.setdefault(name, (set(), set()))
        kind, symbol = rest.split()[-2:]
        if kind in "Uwv":
            undefined.add(symbol)
        elif kind.isupper():
            defined.add(symbol)
    return objects


def exported(library):
    """What a shared library offers, without the version after the @."""
    found = set()
    for line in run("nm", "-D", "--defined-only", library).splitlines():
        found.add(line.split()[-1].split("@")[0])
    return found


def defined_in(objects):
    return set().union(*(d for d, _ in objects.values())) if objects else set()


def allow_list(path):
    rows = []
    for line in open(path, encoding="ascii"):
        words = line.split("#")[0].split()
        if words:
            rows.append((words[0] if len(words) == 2 else "*", words[-1]))
    return rows


def allowed(rows, name, symbol):
    good = False
    for where, pattern in rows:
        if not fnmatch.fnmatchcase(name, where):
            continue
        if pattern.startswith("!"):
            if fnmatch.fnmatchcase(symbol, pattern[1:]) and \
                    "_seed_keypair" not in symbol:
                return False
        elif fnmatch.fnmatchcase(symbol, pattern):
            good = True
    return good


def check_allowed(objects, known, rows, layer):
    """Complaints about symbols that are neither known nor allowed."""
    return ["%s/%s uses %s" % (layer, name, symbol)
            for name, (_, undefined) in sorted(objects.items())
            for symbol in sorted(undefined - known)
            if not INSTRUMENTED.match(symbol)
            and not allowed(rows, name, symbol)]


def check_refused(objects, refused, layer, whose):
    return ["%s/%s uses %s of %s" % (layer, name, symbol, whose)
            for name, (_, undefined) in sorted(objects.items())
            for symbol in sorted(undefined & refused)]


def check_globals(archive, layer):
    """Complaints about data that can be written: protocol/ keeps none."""
    found = []
    text = run("nm", "-A", "-f", "sysv", archive)
    if "__asan_" in text or "__tsan_" in text:
        return found
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.split("|")]
        if len(cells) == 7 and cells[6] != "" and \
                re.match(r"\.(t?data|t?bss)(?!\.rel\.ro)|COMMON", cells[6]):
            found.append("%s keeps a variable: %s in %s"
                         % (layer, cells[0].split(":")[-1], cells[6]))
    return found


def check_auditor(objects, known):
    found = []
    for name, (_, undefined) in sorted(objects.items()):
        for symbol in sorted(undefined):
            if INSTRUMENTED.match(symbol):
                continue
            if symbol not in known:
                found.append("audit/%s uses %s" % (name, symbol))
            elif any(fnmatch.fnmatchcase(symbol, pattern)
                     for pattern in NOT_FOR_AUDITORS):
                found.append("audit/%s may not use %s" % (name, symbol))
    return found


def check_includes(root):
    found = []
    for folder, _, files in os.walk(root):
        place = os.path.relpath(folder, root)
        parts = place.split(os.sep)
        rule = None
        while parts and rule is None:
            rule = INCLUDES.get("/".join(parts))
            parts.pop()
        if rule is None:
            continue
        for file in sorted(files):
            if not file.endswith((".c", ".h", ".def")):
                continue
            path = os.path.join(place, file)
            text = open(os.path.join(folder, file), encoding="utf-8").read()
            for opening, what in re.findall(
                    r'^\s*#\s*include\s*([<"])([^>"]+)', text, re.M):
                if opening == '"':
                    good = what.startswith(tuple(rule[0]))
                else:
                    good = rule[1] is None or what in rule[1] or \
                        what in INCLUDES_ALSO.get(path, [])
                if not good:
                    found.append("%s includes %s" % (path, what))
    return found


def check_abi(header, exports):
    """The public header and the shared library name the same functions."""
    text = re.sub(r"/\*.*?\*/", "", header, flags=re.S)
    declared = set(re.findall(r"\b(defter_\w+)\s*\(", text))
    exports = {name for name in exports if not name.startswith("DEFTER_")}
    return ["defter.h declares %s, libdefter.so has none" % name
            for name in sorted(declared - exports)] + \
           ["libdefter.so exports %s, defter.h does not" % name
            for name in sorted(exports - declared)
            if not INSTRUMENTED.match(name)]


def check_shared():
    path = os.path.join(BUILD, "lib", "libdefter.so")
    if not os.path.exists(path):
        return []
    with open(os.path.join(ROOT, "client", "defter.h"),
              encoding="utf-8") as file:
        return check_abi(file.read(), exported(path))


def archive(part):
    path = os.path.join(BUILD, "lib", "libdefter_%s.a" % part)
    return symbols(path) if os.path.exists(path) else {}


def library_of(program, name):
    for line in run("ldd", program).splitlines():
        if name in line and "=>" in line:
            return line.split("=>")[1].split()[0]
    sys.exit("%s does not link %s" % (program, name))


def shared_libraries():
    """The paths of libsodium, libzstd and libc, from a program that links
    them."""
    with tempfile.TemporaryDirectory() as folder:
        source = os.path.join(folder, "a.c")
        program = os.path.join(folder, "a")
        with open(source, "w", encoding="ascii") as file:
            file.write("int sodium_init(void);\n"
                       "unsigned ZSTD_versionNumber(void);\n"
                       "int main(void) { return sodium_init() +\n"
                       "    (int)ZSTD_versionNumber(); }\n")
        run("cc", source, "-o", program, "-lsodium",
            "-lzstd")
        return [library_of(program, name)
                for name in ("libsodium.so", "libzstd.so", "libc.so")]


def check_tree():
    protocol, replication = archive("protocol"), archive("replication")
    client, audit = archive("client"), archive("audit")
    export = archive("export")
    if not protocol:
        sys.exit("no libdefter_protocol.a in " + BUILD)
    known = defined_in(protocol)
    found = check_allowed(
        protocol, known,
        allow_list(os.path.join(TIDY, "allow-protocol.txt")), "protocol")
    found += check_globals(
        os.path.join(BUILD, "lib", "libdefter_protocol.a"), "protocol")
    found += check_allowed(
        replication, known | defined_in(replication),
        allow_list(os.path.join(TIDY, "allow-replication.txt")),
        "replication")

    libraries = set().union(*map(exported, shared_libraries()))
    found += check_auditor(audit, known | defined_in(audit) | libraries |
                           {"_GLOBAL_OFFSET_TABLE_"})

    above = {}
    for part in reversed(SERVER_PARTS):
        objects = archive(part)
        for name, refused in above.items():
            found += check_refused(objects, refused, part, name)
        above[part] = defined_in(objects) - known
    above["replication"] = defined_in(replication) - known
    for name, refused in above.items():
        found += check_refused(client, refused, "client", name)
        found += check_refused(audit, refused, "audit", name)
        found += check_refused(export, refused, "export", name)
        if name != "replication":
            found += check_refused(replication, refused, "replication", name)
    # Beside the others: cluster/ uses none of them, and none uses it but the
    # node.
    cluster = archive("cluster")
    for part in SERVER_PARTS:
        found += check_refused(cluster, above[part], "cluster", part)
        if part != "server":
            found += check_refused(archive(part), defined_in(cluster), part,
                                   "cluster")
    for part in ("replication", "client", "audit"):
        found += check_refused(archive(part), defined_in(cluster), part,
                               "cluster")
    return found + check_includes(ROOT) + check_shared()


def canary():
    """Every check must refuse its bad sample, or it holds nothing."""
    bad = ("#include <fcntl.h>\n#include <stdlib.h>\n#include <time.h>\n"
           "int crypto_sign_keypair(void *, void *);\n"
           "int counter = 1;\nint zero;\nvoid server_part(void);\n"
           "int event_base_new(void);\nint socket(int, int, int);\n"
           "int bad(void);\nint bad(void)\n{\n"
           "    server_part();\n    counter++;\n    zero++;\n"
           "    return open(\"x\", 0) + (int)time(NULL) + rand() +\n"
           "           crypto_sign_keypair(NULL, NULL) + socket(1, 1, 1) +\n"
           "           event_base_new();\n}\n")
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "protocol")
        os.mkdir(path)
        source = os.path.join(path, "bad.c")
        with open(source, "w", encoding="ascii") as file:
            file.write("#include \"server/store/state.h\"\n" + bad)
        with open(source + ".ok.c", "w", encoding="ascii") as file:
            file.write(bad)
        object_file = os.path.join(folder, "bad.o")
        library = os.path.join(folder, "libbad.a")
        run("cc", "-fPIC", "-O1", "-c", source + ".ok.c", "-o", object_file)
        run("ar", "rc", library, object_file)
        objects = symbols(library)
        rows = allow_list(os.path.join(TIDY, "allow-protocol.txt"))
        says = "\n".join(check_allowed(objects, set(), rows, "canary"))
        for symbol in ("open", "time", "rand", "crypto_sign_keypair"):
            assert "uses " + symbol in says, "allow-list lets %s by" % symbol
        says = "\n".join(check_globals(library, "canary"))
        assert "counter" in says and "zero" in says, "globals are not seen"
        assert check_refused(objects, {"server_part"}, "canary", "server"), \
            "a use of the server is not seen"
        says = "\n".join(check_auditor(objects, {"open", "socket"}))
        assert "event_base_new" in says, "the auditor may use libevent"
        assert "may not use socket" in says, "the auditor may use sockets"
        says = "\n".join(check_includes(folder))
        for header in ("server/store/state.h", "fcntl.h", "time.h"):
            assert header in says, "an include of %s is not seen" % header
    says = "\n".join(check_abi("int defter_a(void);",
                                {"defter_b", "DEFTER_1"}))
    assert "declares defter_a" in says and "exports defter_b" in says, \
        "a function that the header does not declare is not seen"
    assert allowed([("*", "crypto_*"), ("*", "!crypto_*_keypair")], "a.o",
                   "crypto_sign_seed_keypair"), "seeded key pairs are pure"


def main():
    canary()
    found = check_tree()
    for complaint in found:
        print(complaint)
    print("%d breaches of the law of dependencies" % len(found))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
