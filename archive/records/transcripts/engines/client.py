"""The archive's side of the process that transcribes: starts it, gives it sound, takes its words, ends it."""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Final

from pydantic import BaseModel, ValidationError

from appliance.contract.errors import PlainSightError

from .protocol import ANSWER, LONGEST_LINE, Answer, Begin, Done, Failed, Ready, Said, Sound
from .sound import Stretch

START_S: Final = 600.0
"""How long it may take to read its model, in seconds."""
STRETCH_S: Final = 3600.0
"""How long it may take for a stretch of two minutes: thirty times as long as that."""
_END_S: Final = 10.0
_LOOK_S: Final = 0.5
_KEPT: Final = ("PATH", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "LANG", "LD_LIBRARY_PATH")
"""What of the environment it gets: where its libraries are, and no more."""
_PROGRAM: Final = (sys.executable, "-P", "-m", "archive.records.transcripts.engines.process")


class EngineError(PlainSightError):
    """There is no transcript; `reason` is the stable code of why."""

    code = "engine"

    def __init__(self, reason: str) -> None:
        super().__init__(f"the computer made no transcript: {reason}")
        self.reason = reason


class StoppedError(EngineError):
    """The worker was told to stop meanwhile."""


class EngineProcess:
    """One process, which is gone when this is closed. For one thread."""

    def __init__(self, begin: Begin, stopped: Callable[[], bool], program: tuple[str, ...] = _PROGRAM) -> None:
        """Start it; raise EngineError where it cannot work, such as for another model than the one that is pinned."""
        environment = {name: value for name in _KEPT if (value := os.environ.get(name)) is not None}
        self._stopped = stopped
        self._unread = b""
        self._process = subprocess.Popen(
            program,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            bufsize=0,
        )
        try:
            self._tell(begin)
            self.program = self._ready().program
            """Name and version of the engine."""
        except BaseException:
            self.close()
            raise

    def transcribe(self, stretch: Stretch) -> Iterator[Said]:
        """Yield what is said in a stretch of sound; raise EngineError."""
        self._tell(Sound(samples=stretch.samples.size), stretch.samples.astype("<i2").tobytes())
        until = time.monotonic() + STRETCH_S
        while not isinstance(answer := self._answer(until), Done):
            if not isinstance(answer, Said):
                raise EngineError("misunderstood")
            yield answer

    def close(self) -> None:
        """End it."""
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()
        self._process.kill()
        self._process.wait(_END_S)

    def _ready(self) -> Ready:
        answer = self._answer(time.monotonic() + START_S)
        if not isinstance(answer, Ready):
            raise EngineError("misunderstood")
        return answer

    def _tell(self, message: BaseModel, data: bytes = b"") -> None:
        assert self._process.stdin is not None  # noqa: S101 - told to the type checker
        left = memoryview(message.model_dump_json().encode() + b"\n" + data)
        try:
            while left:
                left = left[self._process.stdin.write(left) :]
        except OSError as error:
            # it may have said why it ended
            if isinstance(self._answer(time.monotonic() + _END_S), Failed):
                raise EngineError("engine-failed") from error
            raise EngineError("engine-died") from error

    def _answer(self, until: float) -> Answer:
        while b"\n" not in self._unread:
            if len(self._unread) > LONGEST_LINE:
                raise EngineError("misunderstood")
            self._unread += self._read(until)
        line, _, self._unread = self._unread.partition(b"\n")
        try:
            answer = ANSWER.validate_json(line)
        except ValidationError:
            # not from it: a validation error quotes what it read
            raise EngineError("misunderstood") from None
        if isinstance(answer, Failed):
            raise EngineError(answer.code)
        return answer

    def _read(self, until: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - told to the type checker
        with selectors.DefaultSelector() as selector:
            selector.register(self._process.stdout, selectors.EVENT_READ)
            while not selector.select(_LOOK_S):
                if self._stopped():
                    raise StoppedError("stopped")
                if time.monotonic() > until:
                    raise EngineError("engine-hangs")
        data = os.read(self._process.stdout.fileno(), LONGEST_LINE)
        if not data:
            raise EngineError("engine-died")
        return data
