#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes a C header with the schema's migrations: embed.py OUT 0001.sql 0002.sql ..."""
import pathlib
import sys


def quoted(line):
    return '\t"' + line.replace('\\', '\\\\').replace('"', '\\"') + '\\n"'


out, *files = sys.argv[1:]
text = ['/* Made of schema/[0-9]*.sql by schema/embed.py. */',
        'static const char *const schema_migrations[] = {']
by_number = {int(path.stem): path for path in map(pathlib.Path, files)}
for number in range(1, max(by_number) + 1):
    path = by_number.get(number)  # without a file: a version that changes nothing
    lines = [line.split('--')[0].rstrip() for line in path.read_text().splitlines()] if path else []
    text += [quoted(line) for line in lines if line] + ['\t"",']
text.append('};')
pathlib.Path(out).write_text('\n'.join(text) + '\n')
