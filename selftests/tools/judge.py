#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0
"""The JSON that catsctl printed in the VM, as results of TAP without numbers.

Usage: judge.py DIR, where catsctl.sh has put its results
"""
import json
import subprocess
import sys

OUT = sys.argv[1]


def load(name):
    """What each line of a file has."""
    with open(f"{OUT}/vm/{name}.json", encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def holder(name):
    """What the holder said of itself: ports, and rows of the classes."""
    with open(f"{OUT}/vm/{name}.holder", encoding="utf-8") as file:
        lines = [line.split() for line in file]
    ports = [int(word) for word in lines[0][1:]]
    return ports, [[int(word) for word in line[1:]] for line in lines if line[0] == "class"]


def rows(sock):
    """The classes of a socket, as the holder says them."""
    members = ("urgency", "queued_bytes", "queued_msgs", "sent_bytes", "sent_msgs")
    return [[c[member] for member in members] for c in sock["classes"]]


def check_socket(sock, name):
    """A socket of a holder has what the holder says."""
    ports, classes = holder(name)
    assert sock["local"] == {"address": "127.0.0.1", "port": ports[0]}, sock["local"]
    assert sock["remote"]["port"] == ports[1], sock["remote"]
    assert rows(sock) == classes, (rows(sock), classes)
    assert rows(sock)[5][1:3] == [6000, 3] and rows(sock)[0][1:3] == [2000, 2], rows(sock)
    assert (sock["policy"], sock["urgency"], sock["state"]) == ("bounded", 3, "established")
    assert sock["refusal"] == {
        "reason_code": 7, "name": "TAG_URGENCY", "errno": 22, "errno_name": "EINVAL",
        "text": "tag: urgency is above 7"}, sock["refusal"]
    assert sock["largest_msg"] == 2000 and sock["budget"] > 0 and sock["mem_queued"] >= 8000
    assert sock["tcp"]["cwnd"] > 0 and sock["tcp"]["mss"] > 0, sock["tcp"]
    assert sock["classes"][1]["bound_bytes"] > 0 and sock["classes"][0]["in_debt"] is False


def ss():
    (socks,) = load("ss")
    assert len(socks) == 1, socks
    check_socket(socks[0], "root")
    assert socks[0]["uid"] == 0
    tcp = socks[0]["tcp"]
    assert tcp["congestion"] == "bbr" and tcp["bandwidth"] > 0, tcp
    assert 0 < tcp["bbr_min_rtt_us"] < 1000000 and tcp["pacing_rate"] > 0, tcp


def own():
    (socks,) = load("own")
    assert [sock["uid"] for sock in socks] == [65534], socks
    check_socket(socks[0], "nobody")


def stat():
    totals, change = load("stat")
    assert totals["totals"]["CatsAttached"] == 2, totals
    assert totals["totals"]["CatsCurrSockets"] == 2, totals
    assert round(change["rates"]["CatsAttached"] * change["interval_s"]) == 2, change
    assert round(change["rates"]["CatsRefused"] * change["interval_s"]) == 1, change
    assert change["gauges"]["CatsCurrSockets"] == 4, change
    assert change["interval_s"] >= 1, change


def status():
    (loaded,), (absent,) = load("status"), load("absent")
    assert loaded["loaded"] and loaded["sysctls"]["conductor"] == "bounded", loaded
    assert loaded["module_version"] == loaded["catsctl_version"], loaded
    assert not absent["loaded"] and "modprobe cats" in absent["remedy"], absent


def policy():
    (names,) = load("policy")
    assert names[0] == "bounded" and "wfq" in names, names


def on_host():
    def ask(*words):
        program = [f"{OUT}/bin/catsctl", *words]
        return json.loads(subprocess.run(program, capture_output=True, check=True).stdout)

    bound = ask("bound", "strict", "-j", "-r", "8mbit", "-m", "1000")
    assert bound["rate_bit_s"] == 8000000
    assert bound["classes"][0] == {"urgency": 0, "bound_bytes": 1000, "bound_us": 1000}
    assert bound["classes"][7]["bound_bytes"] is None
    assert ask("bound", "bounded", "-j")["parameters"]["bucket"] == [32768]
    assert ask("explain", "-j", "TAG_URGENCY")[0]["code"] == 7
    assert len(ask("explain", "-j", "--all")) > 48


for test in (ss, own, stat, status, policy, on_host):
    try:
        test()
        print(f"ok - json: {test.__name__}")
    except (AssertionError, KeyError, ValueError, OSError, subprocess.SubprocessError) as error:
        print("\n".join(f"# {line}" for line in f"{type(error).__name__} {error}".split("\n")))
        print(f"not ok - json: {test.__name__}")
