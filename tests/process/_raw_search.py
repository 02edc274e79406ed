"""_raw_search.py WANTED FOLDER...: whether bytes stand in any file.

A line of WANTED is `hex:BYTES` or a text.  Prints what is found, and where;
exit code 1 if something is, 0 if nothing is, 2 if there was nothing to search.
"""
import os
import sys


def wanted(path):
    with open(path, "rb") as file:
        for line in file.read().splitlines():
            if line.startswith(b"hex:"):
                yield bytes.fromhex(line[4:].decode())
            elif line:
                yield line


def main():
    needles = list(wanted(sys.argv[1]))
    files = found = 0
    for folder in sys.argv[2:]:
        for place, _, names in os.walk(folder):
            for name in names:
                path = os.path.join(place, name)
                if not os.path.isfile(path):
                    continue
                files += 1
                with open(path, "rb") as file:
                    content = file.read()
                for needle in needles:
                    at = content.find(needle)
                    if at >= 0:
                        print(f"{path}: offset {at}: {needle.hex()}")
                        found = 1
    if not needles or not files:
        return 2
    return found


sys.exit(main())
