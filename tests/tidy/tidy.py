#!/usr/bin/env python3
"""The house rules that a machine can hold (docs/STYLE.md).

Each rule is a function from a file to complaints.  Before the tree is read,
every rule is shown a bad sample and must refuse it, and a good one and must
let it pass.
"""
import os
import re
import sys

ROOT = os.path.realpath(os.environ.get(
    "DEFTER_SOURCE", os.path.join(os.path.dirname(__file__), "..", "..")))
FOLDERS = ["protocol", "replication", "sandbox", "server", "client", "tests",
           "examples"]
LAYERS = ["protocol", "replication", "store", "registry", "evidence",
          "pipeline", "net", "cluster", "client", "audit", "export", "server",
          "chaos", "cosign", "witness"]

COLUMNS_MAX = 80
FILE_LINES_MAX = 600
FUNCTION_LINES_MAX = 80
# A table or a switch of one line a case may be longer, and says so above it.
LONG_ON_PURPOSE = "longer than a screen"

BANNED = {
    "strcpy": "no length", "stpcpy": "no length", "strcat": "no length",
    "sprintf": "no length", "vsprintf": "no length", "gets": "no length",
    "strtok": "hidden state", "atoi": "no error", "atol": "no error",
    "atof": "no error", "alloca": "stack on a stranger's word",
    "rand": "not random", "srand": "not random", "localtime": "hidden state",
    "gmtime": "hidden state", "ctime": "hidden state",
    "asctime": "hidden state", "setlocale": "outcomes follow no locale",
    "tmpnam": "a race", "mktemp": "a race",
}
BANNED_CALL = re.compile(r"(?<![\w.>])(%s)\s*\(" % "|".join(BANNED))
# Written in two halves, so that this file does not accuse itself.
UNFINISHED = re.compile(
    r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|not imple" + r"mented|st" + r"ub)\b")
MACHINE_PATH = re.compile(r"(?<![\w.])/(work|home|root|farm|Users)/")
STRINGS_AND_COMMENTS = re.compile(
    r'"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])*\'|/\*.*?\*/|//[^\n]*', re.S)


def code_only(text):
    """Strings and comments blanked out, line numbers kept."""
    def blank(match):
        inner = match.group(0)
        if inner.startswith("'") or inner.startswith('"'):
            return inner[0] + inner[0]
        return "\n" * inner.count("\n")
    return STRINGS_AND_COMMENTS.sub(blank, text)


def line_of(text, position):
    return text.count("\n", 0, position) + 1


def rule_columns(path, text):
    if path.endswith((".def", ".json", ".txt", ".req")):
        return
    limit = 100 if path.endswith(".md") else COLUMNS_MAX
    for number, line in enumerate(text.split("\n"), 1):
        table = path.endswith(".md") and ("|" in line or "http" in line)
        if len(line) > limit and not table:
            yield number, "%d columns" % len(line)


def rule_tabs(path, text):
    if "\t" in text:
        yield line_of(text, text.index("\t")), "a tab"


def rule_line_ends(path, text):
    for number, line in enumerate(text.split("\n"), 1):
        if line != line.rstrip():
            yield number, "space at the end of the line"
    if text and not text.endswith("\n"):
        yield text.count("\n") + 1, "no newline at the end of the file"


def rule_file_size(path, text):
    lines = text.count("\n")
    if path.endswith((".c", ".h")) and lines > FILE_LINES_MAX:
        yield 1, "%d lines: more than one thing" % lines


def rule_function_size(path, text):
    if not path.endswith(".c"):
        return
    lines = text.split("\n")
    start = None
    for number, line in enumerate(lines, 1):
        if line == "{":
            start = number
        elif line == "}" and start is not None:
            size = number - start
            above = "\n".join(lines[max(0, start - 12):start])
            if size > FUNCTION_LINES_MAX and LONG_ON_PURPOSE not in above:
                yield start, "a function of %d lines" % size
            start = None


def rule_banned(path, text):
    if not path.endswith((".c", ".h", ".def")):
        return
    code = code_only(text)
    for match in BANNED_CALL.finditer(code):
        # Line editing needs to know the terminal's characters.
        if match.group(1) == "setlocale" and \
                path.startswith("client/program/"):
            continue
        yield line_of(code, match.start()), "%s: %s" % (
            match.group(1), BANNED[match.group(1)])


def rule_empty_default(path, text):
    if not path.endswith((".c", ".h")):
        return
    code = code_only(text)
    for match in re.finditer(r"\bdefault:\s*(break;\s*)?\}", code):
        yield line_of(code, match.start()), \
            "an empty default hides the case that is missing"


def rule_numbered_label(path, text):
    if not path.endswith(".c"):
        return
    code = code_only(text)
    for match in re.finditer(r"^\s*(?:fail|err|out|exit)_?\d+:", code, re.M):
        yield line_of(code, match.start()), "a numbered label"


def rule_header_guard(path, text):
    if not path.endswith(".h"):
        return
    name = "DEFTER_" + re.sub(r"[^A-Za-z0-9]", "_", path).upper()
    if path == "client/defter.h":
        name = "DEFTER_H"
    if not re.search(r"^#ifndef (DEFTER_\w+)\n#define \1$", text, re.M):
        yield 1, "no header guard (%s)" % name


def rule_unfinished(path, text):
    for match in UNFINISHED.finditer(text):
        yield line_of(text, match.start()), "unfinished: " + match.group(1)


def rule_machine_path(path, text):
    for match in MACHINE_PATH.finditer(text):
        if match.group(0) not in ("/root/",) or path.endswith(".c"):
            yield line_of(text, match.start()), \
                "a path of one machine: " + match.group(0)


def rule_own_documents(path, text):
    """The tree cites its own documents and the statutes, nothing else."""
    for match in re.finditer(r"\brulings?\b|\brequirements?(?='| \d|\.md)",
                             text):
        if path != "tests/tidy/tidy.py":
            yield line_of(text, match.start()), \
                "no document of this tree: " + match.group(0)


def rule_test_names(path, text):
    """A test's name is a sentence: it has more than two words."""
    if not path.startswith("tests/") or not path.endswith(".c"):
        return
    for match in re.finditer(r"^START_TEST\((\w*)\)", text, re.M):
        if match.group(1).count("_") < 2:
            yield line_of(text, match.start()), \
                "the test's name says too little: " + match.group(1)


def rule_every_test_runs(path, text):
    """A START_TEST that no suite adds can never fail."""
    if not path.startswith("tests/") or not path.endswith(".c"):
        return
    for match in re.finditer(r"^START_TEST\((\w+)\)", text, re.M):
        uses = len(re.findall(r"\b%s\b" % match.group(1), text))
        if uses < 2:
            yield line_of(text, match.start()), \
                "no suite runs " + match.group(1)


RULES = [rule_columns, rule_tabs, rule_line_ends, rule_file_size,
         rule_function_size, rule_banned, rule_empty_default,
         rule_numbered_label, rule_header_guard, rule_unfinished,
         rule_machine_path, rule_own_documents,
         rule_test_names, rule_every_test_runs]


def complaints(path, text):
    return ["%s:%d: %s" % (path, number, what)
            for rule in RULES for number, what in rule(path, text)]


def is_text(path):
    return path.endswith((".c", ".h", ".def", ".py", ".sh", ".md", ".txt",
                          ".map", ".cmake")) or \
        os.path.basename(path) in ("dev", "run", "CMakePresets.json")


def files_of(root):
    top = [name for name in os.listdir(root)
           if os.path.isfile(os.path.join(root, name))]
    for name in sorted(top):
        yield name
    for folder in FOLDERS + ["docs", ".ci"]:
        for place, folders, names in os.walk(os.path.join(root, folder)):
            folders[:] = [f for f in folders if f != "__pycache__"]
            for name in sorted(names):
                yield os.path.relpath(os.path.join(place, name), root)


def tests_not_built(paths):
    """Test sources lying where no CMake pattern finds them."""
    for path in paths:
        if not path.startswith("tests/unit/") or not path.endswith(".c"):
            continue
        parts = path.split("/")
        if len(parts) != 4 or parts[2] not in LAYERS or \
                not parts[3].startswith("test_"):
            yield "%s:1: no target builds this test" % path


def header_of(path, texts):
    """tree.h for tree.c, and for tree_proof.c where it has none of its own."""
    stem = path[:-2]
    while stem + ".h" not in texts and "_" in stem:
        stem = stem.rsplit("_", 1)[0]
    return stem + ".h"


def protocol_untested(texts, excused):
    """Files of protocol/ whose header no test includes, nor through one."""
    found = {line for path, text in texts.items() if path.startswith("tests/")
             for line in re.findall(r'^#include "(\S+)"', text, re.M)}
    fresh = set(found)
    while fresh:
        fresh = {line for path in fresh if path.startswith("protocol/")
                 for line in re.findall(r'^#include "(\S+)"',
                                        texts.get(path, ""), re.M)} - found
        found |= fresh
    for path in texts:
        if re.fullmatch(r"protocol/\w+\.c", path) and path not in excused \
                and header_of(path, texts) not in found:
            yield "%s:1: no test includes its header" % path


BAD = [
    (rule_columns, "a.c", "x" * 81 + "\n"),
    (rule_tabs, "a.c", "\tx\n"),
    (rule_line_ends, "a.c", "x \n"),
    (rule_line_ends, "a.c", "x"),
    (rule_file_size, "a.c", "\n" * 601),
    (rule_function_size, "a.c", "int f(void)\n{\n" + "    g();\n" * 81 +
     "}\n"),
    (rule_banned, "a.c", "    strcpy(a, b);\n"),
    (rule_banned, "a.c", "    return atoi(text);\n"),
    (rule_empty_default, "a.c", "switch (a) {\ndefault:\n    break;\n}\n"),
    (rule_numbered_label, "a.c", "fail2:\n"),
    (rule_header_guard, "protocol/a.h", "int a;\n"),
    (rule_unfinished, "a.c", "/* TO" + "DO */\n"),
    (rule_machine_path, "a.c", '"/ho' + 'me/someone/x"\n'),
    (rule_own_documents, "a.h", "/* rulings 7 */\n"),
    (rule_test_names, "tests/a.c", "START_TEST(works)\n"),
    (rule_every_test_runs, "tests/a.c", "START_TEST(a_b_c)\n{\n}\n"),
]
GOOD = [
    ("a.c", "ə" * 80 + "\n"),
    ("a.c", "/* strcpy(a, b) is not used here. */\n"),
    ("a.c", 'const char *text = "atoi(x)";\n'),
    ("a.c", "int f(void)\n{\n" + "    g();\n" * 79 + "}\n"),
    ("protocol/a.h",
     "#ifndef DEFTER_PROTOCOL_A_H\n#define DEFTER_PROTOCOL_A_H\n#endif\n"),
    ("tests/a.c", "START_TEST(a_b_c)\nadd(a_b_c);\n"),
    ("a.c", "switch (a) {\ndefault:\n    return ST_TYPE;\n}\n"),
]


def canary():
    for rule, path, text in BAD:
        assert list(rule(path, text)), "%s lets %r by" % (
            rule.__name__, text[:40])
    for path, text in GOOD:
        assert not complaints(path, text), complaints(path, text)
    assert {rule for rule, _, _ in BAD} == set(RULES), "a rule has no sample"
    assert list(tests_not_built(["tests/unit/test_a.c"]))
    assert list(tests_not_built(["tests/unit/protocol/a.c"]))
    assert not list(tests_not_built(["tests/unit/protocol/test_a.c"]))
    tree = {"protocol/a.c": "", "protocol/a.h": "", "protocol/a_b.c": ""}
    assert len(list(protocol_untested(tree, []))) == 2
    tree["tests/a.c"] = '#include "protocol/a.h"'
    assert not list(protocol_untested(tree, []))


def main():
    canary()
    texts = {}
    found = []
    for path in files_of(ROOT):
        if not is_text(path):
            continue
        with open(os.path.join(ROOT, path), encoding="utf-8") as file:
            texts[path] = file.read()
        found += complaints(path, texts[path])
    found += tests_not_built(texts)
    excused = open(os.path.join(ROOT, "tests", "tidy", "untested.txt"),
                   encoding="ascii").read().split()
    found += protocol_untested(texts, excused)
    for complaint in found:
        print(complaint)
    print("%d files, %d complaints" % (len(texts), len(found)))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
