# SPDX-License-Identifier: Apache-2.0
"""docs/hostile.md is what the rows say, and there are a hundred at least."""

import importlib

import hostile


def rows():
    return [row for name in hostile.THEMES for row in importlib.import_module(name).ROWS]


def test_the_page_is_of_the_rows():
    """If not: python3 tests/lib/hostile.py"""
    assert hostile.PAGE.read_text() == hostile.page()


def test_a_hundred_of_them_and_none_twice():
    ids = [row.id for row in rows()]
    assert len(ids) == len(set(ids)) >= 100


def test_each_says_something_of_its_own():
    """A row that any refusal would satisfy proves nothing."""
    assert not [row.id for row in rows() if len(row.says) < 3]
