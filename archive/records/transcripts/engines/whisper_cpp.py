"""whisper.cpp through pywhispercpp: one file is the whole model."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

import numpy as np

from .protocol import Begin, Said

if TYPE_CHECKING:
    from appliance.contract.segment import Samples

_TICK_MS = 10
"""whisper.cpp counts in hundredths of a second."""


class WhisperCpp:
    """See Engine."""

    def __init__(self, begin: Begin) -> None:
        from pywhispercpp.model import Model  # noqa: PLC0415 - only a district that chose it has it

        self.program = f"whisper.cpp (pywhispercpp {version('pywhispercpp')})"
        self._model = Model(
            begin.model,
            n_threads=begin.threads,
            language=begin.language,
            print_progress=False,
            print_realtime=False,
            # what it wrote before is no hint for what comes: a mishearing would go on by itself
            no_context=True,
        )

    def transcribe(self, samples: Samples) -> Iterator[Said]:
        """Yield what is said in a stretch of sound at 16 kHz."""
        for one in self._model.transcribe(samples.astype(np.float32) / 32768):
            text = str(one.text).strip()
            # how it writes noise and silence: [BLANK_AUDIO], (music)
            if text and text[0] + text[-1] not in {"[]", "()"}:
                yield Said(start_ms=max(int(one.t0), 0) * _TICK_MS, end_ms=max(int(one.t1), 0) * _TICK_MS, text=text)
