"""Ports that no connection of somebody else takes between the choice and the server's start."""

from __future__ import annotations

import random
import socket
from pathlib import Path

import pytest

from appliance.simulator.demo import ports
from appliance.simulator.demo.services import DemoError


def test_they_are_different_free_and_not_among_those_that_the_kernel_gives_away() -> None:
    first = int(Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    found = ports.free_ports(20)
    assert len(set(found)) == 20
    assert all(10_000 <= one < max(first, 32_768) for one in found)
    for one in found:
        with socket.create_server(("127.0.0.1", one)):
            pass


def test_one_on_which_something_listens_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    taken, free = ports.free_ports(2)
    drawn = iter([taken, free])
    monkeypatch.setattr(random, "randrange", lambda *_: next(drawn))
    with socket.create_server(("127.0.0.1", taken)):
        assert ports.free_port() == free


def test_where_none_is_free_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    (taken,) = ports.free_ports(1)
    monkeypatch.setattr(random, "randrange", lambda *_: taken)
    with socket.create_server(("127.0.0.1", taken)), pytest.raises(DemoError, match="too few ports"):
        ports.free_port()
