"""What a check of a package found (docs/format.md section 7)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

Verdict = Literal[
    "intact", "tampered", "not-a-package", "wrong-key", "not-pinned", "interrupted", "incomplete", "as-brought"
]

STATUS: Final[dict[Verdict, int]] = {
    "intact": 0,
    "tampered": 1,
    "not-a-package": 2,
    "wrong-key": 2,
    "not-pinned": 3,
    "interrupted": 4,
    "incomplete": 5,
    "as-brought": 6,
}
WORDS: Final[dict[Verdict, str]] = {
    "intact": "Intact. Everything was checked with keys from outside the package, and holds.",
    "tampered": "TAMPERED. Something does not hold; nothing in this package should be relied on.",
    "not-a-package": "Not a package. This file is something else.",
    "wrong-key": "Not checked to the end. The key is that of another recording, so the audio was not opened.",
    "not-pinned": "Not pinned. It is consistent, but no key ring confirms who made it.",
    "interrupted": "Interrupted. What is there is intact, but a crash or a power cut ended the recording.",
    "incomplete": "Incomplete. What is there is intact, but the box never closed the recording.",
    "as-brought": "As brought. No box made it; it is what an archive sealed, and nobody knows the time before.",
}
SOUND: Final[tuple[Verdict, ...]] = ("intact", "interrupted", "incomplete", "as-brought")
"""Verdicts of packages that hold."""
WORDS_WITHOUT_AUDIO: Final[dict[Verdict, str]] = {
    "intact": "Intact as far as it was checked, with keys from outside the package.",
    "interrupted": "Interrupted. What was checked is intact, but a crash or a power cut ended the recording.",
    "incomplete": "Incomplete. What was checked is intact, but the box never closed the recording.",
    "as-brought": "As brought, as far as it was checked. No box made it, and nobody knows the time before.",
}

_MAX_TEXT = 600


def printable(text: str) -> str:
    """Return `text` so that nothing in it, a name of a forger's choice for example, can act on a terminal."""
    short = text if len(text) <= _MAX_TEXT else f"{text[:_MAX_TEXT]}..."
    return "".join(c if " " <= c <= "~" else c.encode("unicode_escape").decode("ascii") for c in short)


@dataclass(frozen=True)
class Report:
    """A verdict, and what it stands on."""

    verdict: Verdict
    recording: str
    """The recording, or empty if the package does not tell."""
    checks: tuple[str, ...]
    """What was checked and holds, in plain words, in order."""
    problem: str
    """What does not hold and where; empty if everything does."""
    notes: tuple[str, ...] = ()
    """What a reader should know besides."""
    audio_md5: str = ""
    """MD5 of all samples as FLAC's STREAMINFO counts it; empty where the audio was not opened."""
    file_sha256: str = ""
    """Of a recording that no box made: digest of the file that was brought; empty where it was not opened."""

    @property
    def opened(self) -> bool:
        """Whether what can be heard was opened."""
        return bool(self.audio_md5 or self.file_sha256)

    @property
    def status(self) -> int:
        """The exit status that stands for the verdict."""
        return STATUS[self.verdict]

    @property
    def words(self) -> str:
        """The verdict in one sentence."""
        if self.verdict in SOUND and not self.opened:
            return f"{WORDS_WITHOUT_AUDIO[self.verdict]} The audio itself was not opened."
        return WORDS[self.verdict]

    def as_json(self) -> dict[str, Any]:
        """Return the report for scripts."""
        return {
            "verdict": self.verdict,
            "status": self.status,
            "recording": self.recording,
            "audio_checked": self.opened,
            "problem": self.problem,
            "checks": list(self.checks),
            "notes": list(self.notes),
        }

    def as_text(self) -> str:
        """Return the report for people."""
        lines = [f"  ok    {check}" for check in self.checks]
        lines += [f"  note  {note}" for note in self.notes]
        lines += [f"  WRONG {self.problem}"] if self.problem else []
        return "\n".join([*lines, self.words])
