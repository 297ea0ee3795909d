"""What every engine is to the process that runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Protocol

from .protocol import Begin, Said

if TYPE_CHECKING:
    from appliance.contract.segment import Samples


class Engine(Protocol):
    """Writes down what it hears. It tells nobody's voice from another's, and keeps nothing of any."""

    program: str
    """Name and version."""

    def transcribe(self, samples: Samples) -> Iterator[Said]:
        """Yield what is said in a stretch of sound at 16 kHz."""


Make = Callable[[Begin], Engine]
