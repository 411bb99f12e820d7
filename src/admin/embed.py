#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a C header that has a file's bytes as an array: embed.py OUT FILE NAME"""
import pathlib
import sys

out, path, name = sys.argv[1:]
data = pathlib.Path(path).read_bytes()
rows = [", ".join(map(str, data[i : i + 20])) for i in range(0, len(data), 20)]
pathlib.Path(out).write_text(
    f"static const unsigned char {name}[] = {{\n\t" + ",\n\t".join(rows) + ",\n};\n"
)
