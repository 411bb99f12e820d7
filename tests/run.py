#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs the unit tests (meson) and the scenario and interop tests (pytest) of one build directory.

The last line is "N passed, N failed"; the exit status says whether any failed. A build, or a
runner, that breaks off counts as a failure: no silence is taken for success.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

ROOT = pathlib.Path(__file__).resolve().parents[1]
PROCESSES = 2


def unit(build):
    """meson test: (passed, failed)"""
    log = build / "meson-logs" / "testlog.json"
    log.unlink(missing_ok=True)
    run = subprocess.run(
        ["meson", "test", "-C", build, "--print-errorlogs", "--suite", "unit", "-t", "4"]
    )
    if not log.exists():
        return 0, 1
    results = [json.loads(line)["result"] for line in log.read_text().splitlines() if line]
    passed = sum(r in ("OK", "EXPECTEDFAIL") for r in results)
    failed = sum(r not in ("OK", "EXPECTEDFAIL", "SKIP") for r in results)
    return passed, max(failed, int(run.returncode != 0 and failed == 0))


def scenario(build, paths, more):
    """pytest: (passed, failed)"""
    with tempfile.NamedTemporaryFile(suffix=".xml") as report:
        run = subprocess.run(
            [
                "/usr/bin/python3",
                "-m",
                "pytest",
                "-q",
                "-p",
                "no:cacheprovider",
                "-W",
                "ignore::DeprecationWarning",
                # most of the time is spent waiting: for timers, deadlines and back-offs
                "-n",
                str(PROCESSES),
                "--dist",
                "loadfile",
                f"--junitxml={report.name}",
                *map(str, paths),
                *more,
            ],
            cwd=ROOT / "tests",
            env=dict(os.environ, SCEPTER_BUILD=str(build), PYTHONDONTWRITEBYTECODE="1"),
        )
        try:
            suites = list(ElementTree.parse(report.name).getroot().iter("testsuite"))
        except ElementTree.ParseError:
            return 0, 1
    count = lambda name: sum(int(suite.get(name, 0)) for suite in suites)  # noqa: E731
    failed = count("failures") + count("errors")
    passed = count("tests") - failed - count("skipped")
    return passed, max(failed, int(run.returncode not in (0, 5) and failed == 0))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build-asan")
    parser.add_argument("--only", choices=["unit", "scenario", "interop"], action="append")
    parser.add_argument("pytest", nargs="*", help="more arguments for pytest, behind --")
    options = parser.parse_args()
    chosen = options.only or ["unit", "scenario", "interop"]
    build = options.build.resolve()
    totals = [unit(build)] if "unit" in chosen else []
    paths = [ROOT / "tests" / name for name in ("scenario", "interop") if name in chosen]
    if paths:
        totals.append(scenario(build, paths, options.pytest))
    passed, failed = (sum(column) for column in zip(*totals))
    print(f"{passed} passed, {failed} failed", flush=True)
    return int(failed > 0)


if __name__ == "__main__":
    sys.exit(main())
