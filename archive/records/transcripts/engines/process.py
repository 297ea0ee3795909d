"""The process that transcribes: `python -m archive.records.transcripts.engines.process`.

It gives up network, programs and files before it imports an engine, reads a model or hears a sample. It gets the sound
through its standard input and answers through its standard output, which nothing else here writes to.
"""

from __future__ import annotations

import hashlib
import os
import sys
from pathlib import Path
from typing import BinaryIO, Final

from pydantic import BaseModel, ValidationError

from .engine import Engine, Make
from .protocol import LONGEST_LINE, Begin, Done, Failed, Ready, Said, Sound
from .sandbox import NotAloneError, enter

NICE: Final = 10
"""How far it yields to everything else on the machine."""


def _whisper_cpp(begin: Begin) -> Engine:
    from .whisper_cpp import WhisperCpp  # noqa: PLC0415 - what it stands on is only where a district chose it

    return WhisperCpp(begin)


def _pocket_sphinx(begin: Begin) -> Engine:
    from .pocket_sphinx import PocketSphinx  # noqa: PLC0415 - the same

    return PocketSphinx(begin)


ENGINES: Final[dict[str, Make]] = {"whisper.cpp": _whisper_cpp, "pocketsphinx": _pocket_sphinx}
"""By the name in the settings."""


def digest_of(path: str) -> str:
    """Return the digest of a file; raise OSError."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def serve(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer what comes; see archive.records.transcripts.engines.protocol."""

    def say(message: BaseModel) -> None:
        sink.write(message.model_dump_json().encode() + b"\n")
        sink.flush()

    engine = _begin(source)
    if isinstance(engine, str):
        say(Failed(code=engine))
        return
    import numpy as np  # noqa: PLC0415 - its threads must begin behind the filter

    say(Ready(program=engine.program))
    while line := source.readline(LONGEST_LINE):
        size = 2 * Sound.model_validate_json(line).samples
        data = source.read(size)
        if len(data) < size:
            return
        for said in engine.transcribe(np.frombuffer(data, "<i2")):
            say(Said(start_ms=said.start_ms, end_ms=said.end_ms, text=said.text[:2000]))
        say(Done())


def _begin(source: BinaryIO) -> Engine | str:
    """Return the engine, or the code of why there is none."""
    try:
        begin = Begin.model_validate_json(source.readline(LONGEST_LINE))
    except ValidationError:
        return "misunderstood"
    try:
        if digest_of(begin.model) != begin.model_sha256:
            return "another-model"
    except OSError:
        return "no-model"
    make = ENGINES.get(begin.engine)
    try:
        return make(begin) if make else "no-engine"
    except ImportError:
        return "no-engine"
    except Exception:  # noqa: BLE001 - an engine's own errors may quote what it read
        return "model-refused"


def main() -> int:
    """Transcribe what comes in, and nothing else; return the exit status."""
    os.nice(NICE)
    source, sink = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    # whatever an engine prints may be what it heard, and goes nowhere
    nowhere = os.open(os.devnull, os.O_RDWR)
    for standard in (0, 1, 2):
        os.dup2(nowhere, standard)
    try:
        enter()
    except NotAloneError as error:
        sink.write(Failed(code=error.code).model_dump_json().encode() + b"\n")
        sink.flush()
        return 1
    try:
        serve(source, sink)
    except Exception:  # noqa: BLE001 - the same
        sink.write(Failed(code="engine-failed").model_dump_json().encode() + b"\n")
        sink.flush()
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
