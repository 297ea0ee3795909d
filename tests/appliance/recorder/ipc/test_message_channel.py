"""docs/architecture.md: each packet is one message; a dead or stopped process is told apart from a silent one."""

from __future__ import annotations

import time

import pytest

from appliance.recorder.ipc.message_channel import MAX_PACKET, ChannelStalledError, MessageChannel
from appliance.recorder.ipc.messages import (
    CaptureFailed,
    CloseMicrophone,
    MessageError,
    MicrophoneClosed,
    OpenMicrophone,
    StopWriter,
)


def both() -> tuple[MessageChannel, MessageChannel]:
    parent, child = MessageChannel.pair()
    return parent, MessageChannel(child)


def test_messages_arrive_whole_and_in_order() -> None:
    parent, child = both()
    parent.send(OpenMicrophone(device="Mikrofon é", generation=1))
    parent.send(CloseMicrophone())
    assert child.receive(60) == OpenMicrophone(device="Mikrofon é", generation=1)
    assert child.receive(60) == CloseMicrophone()
    assert child.receive() is None


def test_nothing_for_a_while_is_none_and_takes_that_long() -> None:
    parent, child = both()
    began = time.monotonic()
    assert child.receive(0.05) is None
    assert time.monotonic() - began >= 0.049
    parent.close()


def test_what_was_sent_before_the_end_is_received_before_it() -> None:
    parent, child = both()
    child.send(MicrophoneClosed(at_ns=1))
    parent.send(CloseMicrophone())
    child.close()
    assert parent.receive(60) == MicrophoneClosed(at_ns=1)
    with pytest.raises(EOFError):
        parent.receive(60)
    with pytest.raises(EOFError):
        parent.send(CloseMicrophone())


def test_a_receiver_that_takes_nothing_is_reported_and_never_blocks_the_sender() -> None:
    parent, child = both()
    began = time.monotonic()

    def flood() -> None:
        for _ in range(100_000):
            parent.send(CaptureFailed(code="x", message="x" * 1000))

    with pytest.raises(ChannelStalledError):
        flood()
    assert time.monotonic() - began < 5
    assert child.receive() is not None


@pytest.mark.parametrize("packet", [b"{", b"[1]", b"\xff", b" " * (MAX_PACKET + 10)])
def test_a_malformed_packet_is_refused_and_the_next_one_is_read(packet: bytes) -> None:
    ours, theirs = MessageChannel.pair()
    child = MessageChannel(theirs)
    ours._socket.send(packet)
    ours.send(StopWriter())
    with pytest.raises(MessageError):
        child.receive(60)
    assert child.receive(60) == StopWriter()


def test_a_message_that_is_too_long_is_refused_before_it_is_sent() -> None:
    parent, child = both()
    with pytest.raises(MessageError, match="longer than"):
        parent.send(CaptureFailed(code="x", message="x" * MAX_PACKET))
    assert child.receive() is None
