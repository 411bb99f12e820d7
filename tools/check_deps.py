#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Holds the folders of src/ to their order: each may include only what stands below it.

    daemon, cli -> config -> issuer, integrations, client -> scep, admin -> ca -> audit -> keeper, store -> token, cmc
    -> pki, net -> der -> base

OpenSSL is seen by src/pki and src/net/tls*.c alone, SQLite by src/store, YAML by src/config, and the
public headers of include/scepter/ see nothing of src/.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
INCLUDE = re.compile(r'^\s*#\s*include\s+(["<])([^">]+)[">]', re.M)

# folder: the rows below it that it may include
LEVELS = [
    ["base"],
    ["der"],
    ["pki", "net"],
    ["token", "cmc"],
    ["keeper", "store"],
    ["audit"],
    ["ca"],
    ["scep", "cmp", "est", "ocsp", "admin"],
    ["issuer", "integrations", "client"],
    ["config"],
    ["daemon", "cli"],
]
# Two folders of one row that may see each other, one way.
BESIDE = {("net", "pki")}
LEVEL = {folder: i for i, row in enumerate(LEVELS) for folder in row}

# system header: folders or files that may include it
LIBRARIES = {
    "openssl/": ("src/pki/", "src/net/tls", "bench/raw.c", "bench/tls_load.c"),
    "sqlite3.h": ("src/store/",),
    "cyaml/": ("src/config/",),
    "yaml.h": ("src/config/",),
    "event2/": ("src/net/",),
    "curl/": ("src/net/",),
    "p11-kit/": ("src/token/",),
}


def local(path, name):
    """Complaint about #include "name" in path, or None."""
    here, there = path.parts[1], name.split("/")[0]
    if here == there or name.startswith("scepter/") or "/" not in name:
        return None
    if there not in LEVEL:
        return f"includes {name}, which is in no known folder"
    if LEVEL[there] < LEVEL[here] or (here, there) in BESIDE:
        return None
    return f"{here}/ must not include {there}/ ({name})"


def library(path, name):
    for prefix, allowed in LIBRARIES.items():
        if name.startswith(prefix) and not str(path).startswith(allowed):
            return f"<{name}> belongs into {' '.join(allowed)} only"
    return None


def complaints():
    for path in sorted(ROOT.glob("src/*/*.[ch]")) + sorted(ROOT.glob("bench/*.[ch]")):
        relative = path.relative_to(ROOT)
        if relative.parts[0] == "src" and relative.parts[1] not in LEVEL:
            yield relative, 1, f"folder {relative.parts[1]} has no place in the order"
            continue
        text = path.read_text()
        for match in INCLUDE.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            kind, name = match.groups()
            if kind == "<":
                complaint = library(relative, name)
            else:
                complaint = local(relative, name) if relative.parts[0] == "src" else None
            if complaint:
                yield relative, line, complaint
    for path in sorted(ROOT.glob("include/scepter/*.h")):
        for match in INCLUDE.finditer(path.read_text()):
            if match.group(1) == '"' and not match.group(2).startswith("scepter/"):
                yield path.relative_to(ROOT), 1, f"a public header includes {match.group(2)}"


def main():
    found = 0
    for path, line, complaint in complaints():
        print(f"{path}:{line}: {complaint}")
        found += 1
    return int(found > 0)


if __name__ == "__main__":
    sys.exit(main())
