#!/usr/bin/env python3
"""Let a compiler read every file of compile_commands.json, and write nothing.

    _syntax_only.py build-clang/compile_commands.json

Its warnings come from reading; without the writing and the linking they take a
third of the time.  The first complaints are printed; exit 1 if there is one.
"""
import concurrent.futures
import json
import os
import shlex
import subprocess
import sys

COMPLAINTS_MAX = 20


def words_of(entry):
    """The command without its outputs and whatever caches them."""
    words = []
    skip = False
    for word in shlex.split(entry["command"]):
        if skip:
            skip = False
        elif word in ("-o", "-MF", "-MT"):
            skip = True
        elif word != "-MD" and os.path.basename(word) != "ccache":
            words.append(word)
    return words + ["-fsyntax-only"]


def complaint(entry):
    done = subprocess.run(words_of(entry), cwd=entry["directory"],
                          stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          text=True, check=False)
    if done.returncode == 0 and not done.stdout:
        return None
    return done.stdout or "%s: status %d" % (entry["file"], done.returncode)


def main(path):
    with open(path, encoding="utf-8") as file:
        entries = json.load(file)
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        found = [text for text in pool.map(complaint, entries) if text]
    for text in found[:COMPLAINTS_MAX]:
        print(text, end="")
    print("%d files, complaints about %d" % (len(entries), len(found)))
    return 1 if found or not entries else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
