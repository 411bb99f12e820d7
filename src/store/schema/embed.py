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
for number, path in enumerate(map(pathlib.Path, files), 1):
    if path.stem != f'{number:04}':
        sys.exit(f'{path}: migrations are numbered from 0001 without a gap')
    lines = [line.split('--')[0].rstrip() for line in path.read_text().splitlines()]
    text += [quoted(line) for line in lines if line] + ['\t,']
text.append('};')
pathlib.Path(out).write_text('\n'.join(text) + '\n')
