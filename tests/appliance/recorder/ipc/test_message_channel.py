"""docs/architecture.md: each packet is one JSON object; a dead or stopped process is told apart from a silent one."""

from __future__ import annotations

import time

import pytest

from appliance.recorder.ipc.message_channel import MAX_PACKET, ChannelStalledError, MessageChannel, MessageError


def both() -> tuple[MessageChannel, MessageChannel]:
    parent, child = MessageChannel.pair()
    return parent, MessageChannel(child)


def test_messages_arrive_whole_and_in_order() -> None:
    parent, child = both()
    parent.send({"do": "open", "device": "Mikrofon é", "generation": 1})
    parent.send({"do": "close"})
    assert child.receive(1.0) == {"do": "open", "device": "Mikrofon é", "generation": 1}
    assert child.receive(1.0) == {"do": "close"}
    assert child.receive() is None


def test_nothing_for_a_while_is_none_and_takes_that_long() -> None:
    parent, child = both()
    began = time.monotonic()
    assert child.receive(0.05) is None
    assert time.monotonic() - began >= 0.049
    parent.close()


def test_what_was_sent_before_the_end_is_received_before_it() -> None:
    parent, child = both()
    child.send({"report": "closed"})
    parent.send({"do": "never read"})
    child.close()
    assert parent.receive(1.0) == {"report": "closed"}
    with pytest.raises(EOFError):
        parent.receive(1.0)
    with pytest.raises(EOFError):
        parent.send({"do": "close"})


def test_a_receiver_that_takes_nothing_is_reported_and_never_blocks_the_sender() -> None:
    parent, child = both()
    began = time.monotonic()

    def flood() -> None:
        for _ in range(100_000):
            parent.send({"do": "note", "entry": {"text": "x" * 1000}})

    with pytest.raises(ChannelStalledError):
        flood()
    assert time.monotonic() - began < 5
    assert child.receive() is not None


@pytest.mark.parametrize("packet", [b"{", b"[1]", b"\xff", b" " * (MAX_PACKET + 10)])
def test_a_malformed_packet_is_refused_and_the_next_one_is_read(packet: bytes) -> None:
    ours, theirs = MessageChannel.pair()
    child = MessageChannel(theirs)
    ours._socket.send(packet)
    ours.send({"do": "stop"})
    with pytest.raises(MessageError):
        child.receive(1.0)
    assert child.receive(1.0) == {"do": "stop"}


def test_a_message_that_is_too_long_is_refused_before_it_is_sent() -> None:
    parent, child = both()
    with pytest.raises(MessageError, match="longer than"):
        parent.send({"text": "x" * MAX_PACKET})
    assert child.receive() is None
