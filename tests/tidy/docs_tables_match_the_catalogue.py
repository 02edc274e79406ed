#!/usr/bin/env python3
"""The tables in docs/ are those of the code.

bin/catalogue_tables prints every table between the markers
<!-- catalogue:NAME --> and <!-- end -->.  Each must stand in a document, once,
with the same lines.  With --write the documents are brought up to date.
"""
import difflib
import os
import re
import subprocess
import sys

ROOT = os.path.realpath(os.environ.get(
    "DEFTER_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
BUILD = os.environ.get("DEFTER_BUILD", os.path.join(ROOT, "build"))
DOCUMENTS = ["docs/PROTOCOL.md", "docs/REPLICATION.md"]
BLOCK = re.compile(
    r"^<!-- catalogue:([\w-]+) -->\n(.*?)^<!-- end -->\n", re.M | re.S)


def tables():
    program = os.path.join(BUILD, "bin", "catalogue_tables")
    text = subprocess.run([program], stdout=subprocess.PIPE, check=True,
                          encoding="utf-8").stdout
    return {name: tidied(body) for name, body in BLOCK.findall(text)}


def tidied(body):
    """An empty line around the body, so that markdown sees a table."""
    return "\n" + body.strip("\n") + "\n\n"


def compare(text, wanted):
    """Complaints about one document, and the names that it holds."""
    found, names = [], []
    for name, body in BLOCK.findall(text):
        names.append(name)
        if name not in wanted:
            found.append("no such table: " + name)
        elif body != wanted[name]:
            difference = list(difflib.unified_diff(
                body.splitlines(), wanted[name].splitlines(),
                "document", "code", lineterm="", n=0))
            found.append("%s differs:\n%s" % (
                name, "\n".join(difference[:12])))
    return found, names


def updated(text, wanted):
    return BLOCK.sub(
        lambda match: "<!-- catalogue:%s -->\n%s<!-- end -->\n" % (
            match.group(1), wanted.get(match.group(1), match.group(2))), text)


def canary():
    """A changed table and an unknown one must be seen."""
    wanted = {"a": tidied("| x |\n")}
    good = "<!-- catalogue:a -->\n%s<!-- end -->\n" % wanted["a"]
    assert not compare(good, wanted)[0]
    assert compare(good.replace("x", "y"), wanted)[0]
    assert compare(good.replace("catalogue:a", "catalogue:b"), wanted)[0]
    assert updated(good.replace("x", "y"), wanted) == good


def main():
    canary()
    wanted = tables()
    complaints, seen = [], []
    for document in DOCUMENTS:
        path = os.path.join(ROOT, document)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        if "--write" in sys.argv[1:]:
            text = updated(text, wanted)
            with open(path, "w", encoding="utf-8") as file:
                file.write(text)
        found, names = compare(text, wanted)
        complaints += ["%s: %s" % (document, what) for what in found]
        seen += names
    complaints += ["%s stands in no document" % name
                   for name in wanted if name not in seen]
    complaints += ["%s stands in a document twice" % name
                   for name in set(seen) if seen.count(name) > 1]
    for complaint in complaints:
        print(complaint)
    if complaints:
        print("refresh the documents with: ./dev docs")
    print("%d tables, %d complaints" % (len(wanted), len(complaints)))
    return 1 if complaints else 0


if __name__ == "__main__":
    sys.exit(main())
