# SPDX-License-Identifier: Apache-2.0
"""Fixtures of the scenario and interop tests. SCEPTER_BUILD names the build directory."""

import os
import pathlib
import sys

import pytest

sys.path.insert(0, str(pathlib.Path(__file__).parent / "lib"))

from daemon import Daemon, endpoint, profile, static_hash  # noqa: E402

STATIC = "an-old-habit"
# Of clients and tools, which end then. A daemon is asked when it is stopped.
os.environ.setdefault("UBSAN_OPTIONS", "halt_on_error=1:print_stacktrace=1")


def standard_endpoints():
    """An endpoint for every quirk; 'open' takes anyone, 'demo' one-time challenges."""
    return [
        endpoint("demo", authorisation={"one_time": True}),
        endpoint("open"),
        endpoint("static", authorisation={"static": [static_hash(STATIC)]}),
        endpoint("both", authorisation={"one_time": True, "static": [static_hash(STATIC)]}),
        endpoint("legacy-3des", legacy="sha1-3des"),
        endpoint("legacy-des", legacy="md5-des"),
        endpoint("with-ca", include_ca=True),
        endpoint("lone", ca="lone"),
        endpoint("lone-des", ca="lone", legacy="md5-des", authorisation={"one_time": True}),
        endpoint("ra-des", legacy="md5-des", authorisation={"one_time": True}),
        endpoint("split", ca="split"),
        endpoint("manual", approval="manual", authorisation={"one_time": True}),
        endpoint("renew", profile="renew", authorisation={"one_time": True, "renewal": True}),
        endpoint("none", ca="not-made-yet"),
    ]


def pytest_make_parametrize_id(config, val, argname):
    """A message names no test: it is long, and another each time."""
    return argname if isinstance(val, (bytes, str)) and len(val) > 60 else None


@pytest.fixture(scope="session")
def shared(tmp_path_factory):
    """A daemon for all tests that leave it as they found it."""
    daemon = Daemon(
        tmp_path_factory.mktemp("shared"),
        profiles=[profile(), profile("renew", renewal={"window": "any"})],
        endpoints=standard_endpoints(),
    ).start()
    daemon.admin.ca_init("demo")
    daemon.admin.ca_init("lone", key="rsa2048", ra="none")
    daemon.admin.ca_init("split", key="p384", ra="split")
    yield daemon
    daemon.stop()


@pytest.fixture
def make_daemon(tmp_path):
    """make_daemon(...): a daemon of the test's own with the CA 'demo', stopped at the end."""
    made = []

    def make(*, start=True, ca=True, name="daemon", **options):
        daemon = Daemon(tmp_path / name, **options)
        made.append(daemon)
        if start:
            daemon.start()
            if ca:
                daemon.admin.ca_init("demo")
        return daemon

    yield make
    for daemon in made:
        daemon.stop()


__all__ = ["STATIC", "endpoint", "profile"]
