"""Carries messages between two of the recorder's processes, one a packet (docs/architecture.md, control messages).

Packets keep messages whole, so that a killed sender leaves no half of one behind. No thread is involved; whoever
holds a `MessageChannel` sends and receives from its own main loop. Sending never waits longer than it was told to: a
stopped receiver must not stop the sender.
"""

from __future__ import annotations

import select
import socket
from typing import ClassVar, Self

from appliance.contract.errors import PlainSightError

from .messages import Message, MessageError, decode, encode

MAX_PACKET = 64 << 10
"""Longest packet in bytes."""


class ChannelStalledError(PlainSightError):
    """The receiver does not take its packets: it is stopped or hangs."""

    code: ClassVar[str] = "control-stalled"


class MessageChannel:
    """One end of an AF_UNIX SOCK_SEQPACKET pair."""

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._socket = end

    @classmethod
    def from_fd(cls, descriptor: int) -> Self:
        """Take over an inherited descriptor; raise OSError if it is no socket."""
        return cls(socket.socket(fileno=descriptor))

    @classmethod
    def pair(cls) -> tuple[Self, socket.socket]:
        """Return the parent's end, and the child's for `pass_fds`; close the latter once the child runs."""
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        return cls(ours), theirs

    def fileno(self) -> int:
        """Return the descriptor, for select or poll."""
        return self._socket.fileno()

    def send(self, message: Message, timeout: float = 0.0) -> None:
        """Send one message.

        Raises EOFError if the other end is gone, ChannelStalledError if it took nothing for `timeout` seconds,
        MessageError if the message is too long.
        """
        packet = encode(message)
        if len(packet) > MAX_PACKET:
            raise MessageError(f"a message of {len(packet)} bytes is longer than {MAX_PACKET}")
        try:
            try:
                self._socket.send(packet, socket.MSG_NOSIGNAL)
            except BlockingIOError:
                if not self.wait(timeout, select.POLLOUT):
                    raise
                self._socket.send(packet, socket.MSG_NOSIGNAL)
        except BlockingIOError as error:
            raise ChannelStalledError(f"the other process took no message for {timeout:g} s") from error
        except (BrokenPipeError, ConnectionResetError) as error:
            raise EOFError("the other process is gone") from error

    def receive(self, timeout: float | None = 0.0) -> Message | None:
        """Return the next message, or None if none came within `timeout` seconds (None: wait for ever).

        Raises EOFError when the other end is closed and everything sent was received, MessageError on a malformed
        packet (the next call goes on with the next packet).
        """
        if timeout != 0 and not self.wait(timeout):
            return None
        try:
            packet = self._socket.recv(MAX_PACKET + 1)
        except BlockingIOError:
            return None
        except ConnectionResetError:
            # the other end went with our messages unread; what it had sent before is still queued behind this error
            packet = self._socket.recv(MAX_PACKET + 1)
        if not packet:
            raise EOFError("the other process is gone")
        if len(packet) > MAX_PACKET:
            raise MessageError(f"a packet is longer than {MAX_PACKET} bytes")
        return decode(packet)

    def wait(self, timeout: float | None, events: int = select.POLLIN) -> bool:
        """Wait up to `timeout` seconds (None: for ever); tell whether there is something to receive."""
        poll = select.poll()
        poll.register(self._socket, events)
        return bool(poll.poll(None if timeout is None else timeout * 1000))

    def close(self) -> None:
        """Close this end; the other one sees EOFError."""
        self._socket.close()
