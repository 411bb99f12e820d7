# SPDX-License-Identifier: Apache-2.0
"""Only devices of a list may enrol, each once or for ever; and lists come from CSV."""

import concurrent.futures
import contextlib
import sqlite3
import subprocess
import threading

import pytest

import scep_peer
from conftest import endpoint
from daemon import PATIENCE, AdminError, profile, program, wait_for
from scep_peer import Request


def device(serial=None, name="router", **options):
    subject = {"common_name": name, **({"serial_number": serial} if serial else {})}
    return Request(subject=subject, **options)


@pytest.fixture
def daemon(make_daemon):
    both = {"one_time": True, "allow_list": "routers"}
    alone = {"allow_list": "routers", "allow_list_suffices": True}
    return make_daemon(
        endpoints=[
            endpoint("demo"),
            endpoint("both", authorisation=both),
            endpoint("alone", authorisation=alone),
            endpoint("other", authorisation={"allow_list": "phones", "allow_list_suffices": True}),
            endpoint("manual", approval="manual", authorisation=alone),
            endpoint("renew", profile="renew", authorisation={**alone, "renewal": True}),
        ],
        profiles=[profile(), profile("renew", renewal={"window": "any"})],
    )


def load(daemon, text, *options, name="routers", check=True):
    path = daemon.directory / "devices.csv"
    path.write_text(text)
    return daemon.ctl("device", "import", str(path), "--list", name, *options, check=check)


def refused(daemon, request, name="alone"):
    reply = daemon.enrol(request, name)
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    steps = daemon.admin.explain(request.transaction_id.decode())
    assert "allow list" in str(steps)
    return reply


def granted(daemon, request, name="alone"):
    reply = daemon.enrol(request, name)
    assert reply.status == "SUCCESS", reply
    return reply


# ---- the demand ----


def test_an_extra_demand_beside_the_challenge(daemon):
    """A right challenge of a device that is not listed gets nothing, and neither does the reverse."""
    load(daemon, "serialNumber\nFTX1\n")
    refused(daemon, device("FTX2", challenge=daemon.admin.challenge()), "both")
    refused(daemon, device(challenge=daemon.admin.challenge()), "both")
    reply = daemon.enrol(device("FTX1", challenge="A" * 26), "both")
    assert (reply.status, reply.fail_info) == ("FAILURE", "badRequest")
    granted(daemon, device("ftx1", challenge=daemon.admin.challenge()), "both")


@pytest.mark.parametrize(
    "entry, request_of",
    [
        ("serialNumber,FTX1", lambda: device("ftx1")),
        ("2.5.4.5,FTX1", lambda: device("FTX1")),
        ("CN,Router-7", lambda: device(name="router-7")),
        ("MAC,00:1A:2B:3C:4D:5E", lambda: device(name="001a2b3c4d5e")),
        ("MAC,001a.2b3c.4d5e", lambda: device("00-1A-2B-3C-4D-5E")),
        ("DNS,R7.example", lambda: device(extensions=[scep_peer.san_extension(dns=["a.example", "r7.example"])])),
        ("MAC,001a2b3c4d5e", lambda: device(extensions=[scep_peer.san_extension(dns=["001a2b3c4d5e"])])),
    ],
)
def test_what_names_a_device(daemon, entry, request_of):
    load(daemon, "type,value\nCN,somebody else\n" + entry + "\n")
    refused(daemon, device("FTX9", name="no-one"))
    granted(daemon, request_of())
    refused(daemon, device("FTX9", name="no-one"), "other")


def test_a_part_of_a_value_is_not_the_value(daemon):
    load(daemon, "type,value\nCN,router-7\nserialNumber,FTX1\n")
    for request in (device(name="router-77"), device(name="x router-7"), device(name="FTX1"), device("router-7")):
        refused(daemon, request)


# ---- once ----


def test_once_is_once_but_a_retransmission_succeeds(daemon):
    load(daemon, "serialNumber,use\nFTX1,once\nFTX2,ever\n")
    first = device("FTX1")
    serial = granted(daemon, first).cert.serial_number
    refused(daemon, device("FTX1", key=scep_peer.rsa_key(1)))
    refused(daemon, device("FTX1"))
    assert granted(daemon, first).cert.serial_number == serial
    daemon.restart()
    assert granted(daemon, first).cert.serial_number == serial
    refused(daemon, device("FTX1"))
    for key in range(3):
        granted(daemon, device("FTX2", key=scep_peer.rsa_key(key)))
    used = {d["value"]: d["used"] for d in daemon.ctl_json("device", "list", "--list", "routers")["devices"]}
    assert used["FTX1"] and not used["FTX2"]


def test_a_refused_request_does_not_use_it_up(daemon):
    load(daemon, "serialNumber,use\nFTX1,once\n")
    bad = Request(subject={"serial_number": "FTX1"})  # the profile wants a CN
    assert daemon.enrol(bad, "alone").status == "FAILURE"
    granted(daemon, device("FTX1"))


def test_many_race_for_one_entry(daemon):
    load(daemon, "serialNumber,use\nFTX1,once\n")
    ca = daemon.authority("alone")
    replies = []

    def enrol(i):
        replies.append(daemon.enrol(device("FTX1", key=scep_peer.rsa_key(i % 4)), "alone", ca).status)

    threads = [threading.Thread(target=enrol, args=(i,)) for i in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert sorted(replies) == ["FAILURE"] * 11 + ["SUCCESS"]
    assert len(daemon.admin.certs()) == 1


def test_once_with_manual_approval(daemon):
    """Used up when the request is queued: a second device does not get in line."""
    load(daemon, "serialNumber,use\nFTX1,once\n")
    first = device("FTX1")
    assert daemon.enrol(first, "manual").status == "PENDING"
    refused(daemon, device("FTX1"), "manual")
    assert daemon.enrol(first, "manual").status == "PENDING"
    waiting = daemon.ctl_json("request", "list")["requests"]
    daemon.ctl("request", "approve", str(waiting[0]["id"]))
    assert daemon.enrol(first, "manual").status == "SUCCESS"


def test_renewal_needs_no_entry(daemon):
    load(daemon, "serialNumber,use\nFTX1,once\n")
    first = device("FTX1")
    certificate = granted(daemon, first, "renew").cert
    entry = daemon.ctl_json("device", "list", "--list", "routers")["devices"][0]
    daemon.ctl("device", "remove", str(entry["id"]))
    renewal = device("FTX1", signer_key=first.key, signer_cert=certificate, message_type="17")
    granted(daemon, renewal, "renew")
    refused(daemon, device("FTX1", key=scep_peer.rsa_key(2)), "renew")


# ---- lists ----


def test_removed_and_added(daemon):
    daemon.ctl("device", "add", "serialNumber", "FTX1", "--list", "routers", "--note", "by hand")
    granted(daemon, device("FTX1"))
    found = daemon.ctl_json("device", "list", "--type", "2.5.4.5", "--value", "ftx1")["devices"]
    assert [(d["list"], d["note"], d["use"]) for d in found] == [("routers", "by hand", "ever")]
    shown = daemon.ctl_json("device", "show", str(found[0]["id"]))
    assert shown["created_by"].startswith("uid ")
    daemon.ctl("device", "remove", str(found[0]["id"]))
    refused(daemon, device("FTX1"))
    assert daemon.ctl("device", "show", str(found[0]["id"]), check=False).returncode == 66
    again = daemon.ctl("device", "add", "MAC", "not-one", "--list", "routers", check=False)
    assert again.returncode == 65 and "no value of type MAC" in again.stderr
    assert [e["kind"] for e in daemon.events() if e["kind"].startswith("device")] == ["device.added", "device.removed"]


def test_errors_by_line_and_nothing_imported(daemon):
    run = load(daemon, "type,value,use\nCN,a,once\nCN,b,twice\nMAC,xyz,ever\nCN,A,\n", check=False)
    assert run.returncode == 65
    assert run.stderr.splitlines()[:3] == [
        "line 3: use must be once or ever",
        'line 4: "xyz" is no value of type MAC',
        "line 5: the same device as in line 2",
    ]
    assert "nothing was imported" in run.stderr
    assert daemon.ctl_json("device", "list")["lists"] == []
    load(daemon, "CN\na\n")
    run = load(daemon, "CN\nb\nc\nA\n", check=False)
    assert run.returncode == 73
    assert 'line 4: list "routers" has CN "A" already' in run.stderr
    assert [d["value"] for d in daemon.ctl_json("device", "list", "--list", "routers")["devices"]] == ["a"]
    assert load(daemon, "CN\nb\nA\n", "--keep-existing").stdout == "list routers: 1 added, 1 were there\n"
    with pytest.raises(AdminError) as e:
        daemon.admin.call("POST", "/device-lists/routers", {"csv": "CN\n\nx\nx\n"})
    assert e.value.status == 400 and "line 4" in str(e.value.body)


def test_an_import_that_is_killed_leaves_nothing(daemon):
    """kill -9 in the middle: not one of them counts, and the next import is whole."""
    rows = "serialNumber\n" + "".join(f"FTX{i:06}\n" for i in range(100_000))
    load(daemon, "serialNumber\nKEPT\n")
    path = daemon.directory / "many.csv"
    path.write_text(rows)
    run = subprocess.Popen(
        [program("scepterctl"), "--socket", str(daemon.admin.path), "device", "import", str(path),
         "--list", "routers"], stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # fmt: skip
    wal = daemon.directory / "store.db-wal"
    before = wal.stat().st_size
    wait_for("some of it", lambda: wal.stat().st_size > before + (2 << 20), step=0.002)
    daemon.kill_all()
    assert run.wait(PATIENCE) != 0
    run.communicate()
    daemon.start()
    (only,) = daemon.ctl_json("device", "list")["lists"]
    assert (only["name"], only["entries"]) == ("routers", 1)
    refused(daemon, device("FTX000000"))
    granted(daemon, device("KEPT"))
    assert load(daemon, rows).stdout == "list routers: 100000 added, 0 were there\n"
    granted(daemon, device("FTX099999"))


def in_store(daemon):
    """Devices that the store has, whether they count yet or not."""
    with contextlib.closing(sqlite3.connect(f"file:{daemon.directory}/store.db?mode=ro", uri=True)) as db:
        return db.execute("SELECT coalesce(max(id), 0) FROM device").fetchone()[0]


def enrolling_while(daemon, work):
    """How many devices the store had after each enrolment that was made while work() ran."""
    ca, seen, over = daemon.authority("demo"), [], threading.Event()

    def enrol_on():
        while not over.is_set():
            assert daemon.enrol(Request(key=scep_peer.rsa_key(3)), "demo", ca).status == "SUCCESS"
            seen.append(in_store(daemon))

    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        enrolling = pool.submit(enrol_on)
        try:
            work()
        finally:
            over.set()
        enrolling.result()
    return seen


def test_a_hundred_thousand_devices(daemon):
    """Each is known from then on, and only these."""
    rows = "serialNumber,use,note\n" + "".join(f'FTX{i:06},once,"branch {i % 100}"\n' for i in range(100_000))
    assert load(daemon, rows).stdout == "list routers: 100000 added, 0 were there\n"
    assert daemon.ctl_json("device", "list")["lists"] == [
        {"name": "routers", "entries": 100_000, "once": 100_000, "used": 0}
    ]
    granted(daemon, device("FTX077777"))
    refused(daemon, device("FTX100000"))
    bad = load(daemon, rows.replace("FTX", "GTX") + "FTX000042,once,\n", check=False)
    assert bad.returncode == 73 and "line 100002:" in bad.stderr
    assert daemon.ctl_json("device", "list")["lists"][0]["entries"] == 100_000


def test_others_get_their_turn_while_a_list_is_imported(daemon):
    """An enrolment begins and ends while a part of the list is there: it did not wait for the rest."""
    rows = "serialNumber\n" + "".join(f"FTX{i:06}\n" for i in range(100_000))

    def turns(name):
        before = in_store(daemon)
        seen = enrolling_while(daemon, lambda: load(daemon, rows, name=name))
        return sum(before < n < before + 100_000 for n in seen) - 1

    # a machine that stands still may have nobody enrol during one import, but hardly during each
    assert any(turns(f"list-{n}") > 0 for n in range(8))
