"""pocketsphinx: small, with an acoustic model of English of its own; the file is the model of the language."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import version
from typing import TYPE_CHECKING

from .protocol import RATE, Begin, Said

if TYPE_CHECKING:
    from appliance.contract.segment import Samples


class PocketSphinx:
    """See Engine."""

    def __init__(self, begin: Begin) -> None:
        import pocketsphinx  # noqa: PLC0415 - only a district that chose it has it

        self.program = f"pocketsphinx {version('pocketsphinx')}"
        self._decoder = pocketsphinx.Decoder(lm=begin.model, samprate=RATE, loglevel="FATAL")
        self._ends = pocketsphinx.Endpointer

    def transcribe(self, samples: Samples) -> Iterator[Said]:
        """Yield what is said in a stretch of sound at 16 kHz."""
        endpointer = self._ends(sample_rate=RATE)
        data, size = samples.astype("<i2").tobytes(), endpointer.frame_bytes
        talking = False
        for first in range(0, len(data), size):
            frame = data[first : first + size]
            last = first + size >= len(data)
            speech = endpointer.end_stream(frame) if last else endpointer.process(frame)
            if speech is not None:
                if not talking:
                    self._decoder.start_utt()
                    talking = True
                self._decoder.process_raw(speech, False, False)
            if talking and (last or not endpointer.in_speech):
                talking = False
                self._decoder.end_utt()
                heard = self._decoder.hyp()
                if heard is not None and heard.hypstr:
                    start, end = endpointer.speech_start, endpointer.speech_end
                    yield Said(start_ms=int(start * 1000), end_ms=int(end * 1000), text=heard.hypstr)
