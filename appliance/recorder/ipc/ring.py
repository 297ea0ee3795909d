"""The ring between capture and writer: 30 s of audio in shared memory (docs/architecture.md, the ring).

Who writes what: the supervisor makes the ring and writes the heartbeat; one capture process at a time is the producer
and owns `write_seq` and the slots; the writer is the consumer and owns `read_seq` and `busy_ns`. Nobody locks and
nobody waits.
Every word is 64 bits and aligned, so the machine stores it at once; whether the *order* of stores is seen elsewhere
is up to the machine (x86 keeps it, the Pi's ARM need not), so the reader trusts a slot only when its number and its
CRC-32 fit.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
import zlib
from dataclasses import dataclass
from typing import ClassVar, Final, Self

from appliance.contract.errors import PlainSightError

MAGIC: Final = int.from_bytes(b"PSring1\0", "little")
BLOCK_FRAMES: Final = 4096
"""Frames in a full block: 85 ms at 48 kHz (smaller blocks overrun under load)."""
SECONDS: Final = 30
"""How much the ring holds."""
DAMAGED: Final = 1 << 32
"""Flag that a reader sets on a block whose number or checksum did not fit."""
INPUT_OVERFLOW: Final = 2
"""PortAudio's flag (paInputOverflow): the device lost frames before this block."""

_PAGE: Final = 4096
_HEAD: Final = 64
_HEAD_WORDS: Final = _HEAD // 8
_RETRIES: Final = 20
_RETRY_S: Final = 0.001
_MAGIC, _RATE, _BLOCK, _SLOTS, _WRITE, _READ, _BEAT, _LOST, _GENERATION, _BUSY = range(10)
_S_SEQ, _S_CAPTURED, _S_CRC, _S_FRAMES, _S_LOST_BEFORE, _S_FLAGS, _S_GENERATION, _S_LOST_TOTAL = range(8)


class RingError(PlainSightError):
    """The descriptor is no ring, or a block does not fit."""

    code: ClassVar[str] = "bad-ring"


@dataclass(frozen=True)
class Block:
    """One block as the consumer took it, a copy."""

    seq: int
    """Its number, from 1, over the life of the ring."""
    captured_ns: int
    """CLOCK_MONOTONIC when it arrived, in nanoseconds; 0 if damaged."""
    frames: int
    """Frames in it."""
    lost_before: int
    """Frames that did not fit into the ring directly before it."""
    lost_total: int
    """Frames that did not fit into the ring ever, up to it."""
    flags: int
    """PortAudio's status flags, and DAMAGED."""
    generation: int
    """The capture that it came from."""
    data: bytes
    """Samples, 16-bit little-endian mono; silence if damaged."""

    @property
    def damaged(self) -> bool:
        """Whether its number or checksum did not fit."""
        return bool(self.flags & DAMAGED)


class Ring:
    """The shared memory; makes producers and consumers."""

    def __init__(self, descriptor: int, memory: mmap.mmap) -> None:
        self.descriptor = descriptor
        """The memfd, for `pass_fds`."""
        self._memory = memory
        self._bytes = memoryview(memory)
        self._words = self._bytes[:_PAGE].cast("q")
        self.rate = self._words[_RATE]
        self.block_frames = self._words[_BLOCK]
        self.slots = self._words[_SLOTS]

    @classmethod
    def create(cls, rate: int, block_frames: int = BLOCK_FRAMES, seconds: float = SECONDS) -> Self:
        """Make a ring for `seconds` of audio at `rate`."""
        slots = max(2, -(-int(rate * seconds) // block_frames))
        size = _PAGE + slots * _stride(block_frames)
        descriptor = os.memfd_create("plainsight-ring", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
        os.ftruncate(descriptor, size)
        # nobody who inherits it can shrink it under the others
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_GROW | fcntl.F_SEAL_SEAL)
        memory = mmap.mmap(descriptor, size)
        memory[: 4 * 8] = b"".join(word.to_bytes(8, "little") for word in (MAGIC, rate, block_frames, slots))
        return cls(descriptor, memory)

    @classmethod
    def attach(cls, descriptor: int) -> Self:
        """Map an inherited ring; raise RingError if the descriptor is none."""
        try:
            size = os.fstat(descriptor).st_size
            if size < _PAGE:
                raise RingError(f"descriptor {descriptor} is no ring: it holds {size} bytes")
            memory = mmap.mmap(descriptor, size)
        except (OSError, ValueError) as error:
            raise RingError(f"descriptor {descriptor} is no ring: {error}; the supervisor passes it on") from error
        ring = cls(descriptor, memory)
        if ring._words[_MAGIC] != MAGIC or size != _PAGE + ring.slots * _stride(ring.block_frames):
            ring.close()
            raise RingError(f"descriptor {descriptor} is no ring of this version")
        return ring

    def close(self) -> None:
        """Unmap; the descriptor stays with its owner."""
        self._words.release()
        self._bytes.release()
        self._memory.close()

    def write_heartbeat(self, now_ns: int) -> None:
        """Say that the lamp was seen lit at `now_ns` (supervisor only)."""
        self._words[_BEAT] = now_ns

    def clear_heartbeat(self) -> None:
        """Say that the lamp is not lit: nobody may have a microphone open (supervisor only)."""
        self._words[_BEAT] = 0

    def lit(self, now_ns: int, stale_ns: int) -> bool:
        """Tell whether the supervisor saw the lamp lit within the last `stale_ns`."""
        beat = self._words[_BEAT]
        return beat != 0 and now_ns - beat <= stale_ns

    @property
    def heartbeat_ns(self) -> int:
        """When the lamp was last seen lit, or 0 when it is dark."""
        return self._words[_BEAT]

    def set_busy_since(self, since_ns: int | None) -> None:
        """Say since when work on the disk goes on; None: not now (the writer; the supervisor before it starts one)."""
        self._words[_BUSY] = since_ns or 0

    @property
    def busy_since_ns(self) -> int | None:
        """Since when the writer's work on the disk goes on, or None."""
        return self._words[_BUSY] or None

    @property
    def write_seq(self) -> int:
        """Blocks pushed so far."""
        return self._words[_WRITE]

    @property
    def read_seq(self) -> int:
        """Blocks taken so far."""
        return self._words[_READ]

    @property
    def lost_frames(self) -> int:
        """Frames that did not fit, so far."""
        return self._words[_LOST]

    @property
    def generation(self) -> int:
        """The present, or last, capture."""
        return self._words[_GENERATION]

    def _offset(self, seq: int) -> int:
        return _PAGE + (seq - 1) % self.slots * _stride(self.block_frames)

    def _head(self, seq: int) -> memoryview:
        offset = self._offset(seq)
        return self._bytes[offset : offset + _HEAD].cast("q")


class Producer:
    """The capture process's side. `push` runs in PortAudio's callback: it copies, and nothing else."""

    def __init__(self, ring: Ring, generation: int) -> None:
        self._ring = ring
        self._words = ring._words
        self._generation = generation
        self._pending_lost = 0
        self._words[_GENERATION] = generation

    def push(self, data: bytes | bytearray | memoryview, frames: int, captured_ns: int, flags: int = 0) -> bool:
        """Copy one block in; return False if the ring was full and its frames were counted as lost."""
        ring, words = self._ring, self._words
        if not 0 < frames <= ring.block_frames or len(data) != 2 * frames:
            raise RingError(f"a block of {frames} frames and {len(data)} bytes does not fit into the ring")
        written = words[_WRITE]
        if written - words[_READ] >= ring.slots:
            self._pending_lost += frames
            words[_LOST] += frames
            return False
        seq = written + 1
        offset = ring._offset(seq)
        ring._bytes[offset + _HEAD : offset + _HEAD + 2 * frames] = data
        head = ring._head(seq)
        head[_S_CAPTURED] = captured_ns
        head[_S_CRC] = zlib.crc32(data)
        head[_S_FRAMES] = frames
        head[_S_LOST_BEFORE] = self._pending_lost
        head[_S_FLAGS] = flags
        head[_S_GENERATION] = self._generation
        head[_S_LOST_TOTAL] = words[_LOST]
        head[_S_SEQ] = seq
        self._pending_lost = 0
        words[_WRITE] = seq
        return True


class Consumer:
    """The writer's side."""

    def __init__(self, ring: Ring) -> None:
        self._ring = ring

    def read(self) -> Block | None:
        """Return the next block, checked and copied out, or None if there is none.

        A slot that does not fit is read again for some milliseconds, since its bytes may only be on their way; then it
        comes back as a damaged block of silence.
        """
        ring = self._ring
        seq = ring.read_seq + 1
        if seq > ring.write_seq:
            return None
        block = self._read(seq)
        for _ in range(_RETRIES):
            if not block.damaged:
                break
            time.sleep(_RETRY_S)
            block = self._read(seq)
        ring._words[_READ] = seq
        return block

    def next_generation(self) -> int | None:
        """Return which capture the next block is from, or None if there is none."""
        return self._ring._head(self._ring.read_seq + 1)[_S_GENERATION] if self.waiting() else None

    def waiting(self) -> int:
        """Return how many blocks are there to be taken."""
        return self._ring.write_seq - self._ring.read_seq

    def _read(self, seq: int) -> Block:
        ring = self._ring
        offset = ring._offset(seq)
        head = ring._head(seq).tolist()
        frames = head[_S_FRAMES] if 0 < head[_S_FRAMES] <= ring.block_frames else 0
        data = bytes(ring._bytes[offset + _HEAD : offset + _HEAD + 2 * frames])
        if frames and head[_S_SEQ] == seq and head[_S_CRC] == zlib.crc32(data):
            return Block(
                seq=seq,
                captured_ns=head[_S_CAPTURED],
                frames=frames,
                lost_before=head[_S_LOST_BEFORE],
                lost_total=head[_S_LOST_TOTAL],
                flags=head[_S_FLAGS],
                generation=head[_S_GENERATION],
                data=data,
            )
        frames = ring.block_frames
        return Block(seq, 0, frames, 0, 0, DAMAGED, ring.generation, bytes(2 * frames))


def _stride(block_frames: int) -> int:
    return _HEAD + -(-2 * block_frames // _HEAD) * _HEAD
