#!/usr/bin/env python3
# ctest-timeout: 90
"""The unit file (packaging/defterd.service): systemd finds little exposed, and
its filter of system calls lets through what the node's own one does."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.environ.get("DEFTER_SOURCE") or os.path.dirname(
    os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
UNIT = os.path.join(ROOT, "packaging", "defterd.service")
CALLS = os.path.join(ROOT, "sandbox", "sandbox_calls.def")
EXPOSURE_MAX = 1.5

# What the sandbox itself is made with, and what has a rule of its own.
MADE_WITH = ["seccomp", "landlock_create_ruleset", "landlock_add_rule",
             "landlock_restrict_self", "prctl"]
BY_ARGUMENT = ["mmap", "mprotect", "socket", "socketpair", "clone", "kill",
               "tgkill", "ioctl", "prlimit64"]
# Of the superuser, whom the unit does not run as.
NOT_OF_A_SERVICE = ["fchown"]

# From the section on hardening, each of them a line.
MUST = """
NoNewPrivileges=yes CapabilityBoundingSet= AmbientCapabilities=
ProtectSystem=strict ProtectHome=yes PrivateTmp=yes PrivateDevices=yes
PrivateUsers=yes ProtectProc=invisible ProcSubset=pid ProtectClock=yes
ProtectHostname=yes ProtectKernelLogs=yes ProtectKernelModules=yes
ProtectKernelTunables=yes ProtectControlGroups=yes RestrictNamespaces=yes
RestrictRealtime=yes RestrictSUIDSGID=yes LockPersonality=yes
MemoryDenyWriteExecute=yes RemoveIPC=yes SystemCallArchitectures=native
NoExecPaths=/ UMask=0077 LimitCORE=0 LimitMEMLOCK=64M OOMPolicy=stop
""".split()


def fail(why):
    sys.exit("failed: " + why)


def exposure(text):
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "defterd.service")
        with open(path, "w") as out:
            out.write(text)
        done = subprocess.run(
            ["systemd-analyze", "security", "--offline=true", "--no-pager",
             path], capture_output=True, text=True)
    found = re.search(r"Overall exposure level for \S+: ([0-9.]+)",
                      done.stdout)
    if not found:
        fail("systemd-analyze: " + done.stdout + done.stderr)
    return float(found.group(1))


def expanded(name, seen):
    """The calls of a group, or the call itself."""
    if not name.startswith("@"):
        return {name}
    if name in seen:
        return set()
    seen.add(name)
    done = subprocess.run(["systemd-analyze", "syscall-filter", name],
                          capture_output=True, text=True)
    if done.returncode != 0:
        fail("no such group of calls: " + name)
    calls = set()
    for line in done.stdout.splitlines()[1:]:
        word = line.strip()
        if word and not word.startswith("#"):
            calls |= expanded(word, seen)
    return calls


def let_through(lines):
    calls = expanded("@default", set())
    for line in lines:
        if not line.startswith("SystemCallFilter="):
            continue
        words = line.split("=", 1)[1]
        refused = words.startswith("~")
        for word in words.lstrip("~").split():
            if refused:
                calls -= expanded(word, set())
            else:
                calls |= expanded(word, set())
    return calls


def main():
    with open(UNIT) as unit:
        text = unit.read()
    lines = text.splitlines()
    for line in MUST:
        if line not in lines:
            fail("the unit has no line " + line)
    if not shutil.which("systemd-analyze"):
        print("systemd-analyze is not here: its lines were compared only")
        return
    level = exposure(text)
    if level > EXPOSURE_MAX:
        fail("exposure %.1f" % level)
    # The measure must move, else it measures nothing.
    worse = "\n".join(line for line in lines if not line.startswith(
        ("PrivateUsers", "SystemCallFilter", "CapabilityBoundingSet",
         "ProtectSystem")))
    if exposure(worse) <= EXPOSURE_MAX:
        fail("a unit without its walls counts as good")
    with open(CALLS) as file:
        own = re.findall(r"^CALL\((\w+)\)", file.read(), re.M)
    known = expanded("@known", set())
    lacking = (set(own) & known | set(MADE_WITH) | set(BY_ARGUMENT)) \
        - set(NOT_OF_A_SERVICE) - let_through(lines)
    if lacking:
        fail("the unit refuses what the node asks: " +
             " ".join(sorted(lacking)))
    print("exposure %.1f" % level)


main()
