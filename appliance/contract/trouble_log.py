"""Logging a lasting trouble once, and its end, instead of with each of a thousand attempts."""

from __future__ import annotations

import logging


class TroubleLog:
    """What is wrong now with each of several things. It belongs to one thread."""

    def __init__(self, logger: logging.Logger, level: int = logging.WARNING) -> None:
        """Log to `logger`: a trouble with `level`, its end as information."""
        self._logger = logger
        self._level = level
        self._troubles: dict[str, str] = {}

    def report(self, about: str, trouble: str) -> None:
        """Log what is wrong with `about`, unless it was logged already."""
        if self._troubles.get(about) != trouble:
            self._troubles[about] = trouble
            self._logger.log(self._level, "%s", trouble)

    def clear(self, about: str) -> None:
        """Log that `about` works again, if something was wrong with it."""
        if self._troubles.pop(about, None) is not None:
            self._logger.info("%s: it works again", about)

    def forget(self, about: str) -> None:
        """Log nothing more about what is gone."""
        self._troubles.pop(about, None)
