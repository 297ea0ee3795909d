"""The operator's file: which archives the control page asks, and how each is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Self

from pydantic import AfterValidator, Field, StringConstraints, model_validator

from appliance.contract.settings_file import AbsolutePath, load_settings
from archive.configuration.fields import SecretFile, Section, server_address
from archive.configuration.web import TimeZone

Name = Annotated[
    str, StringConstraints(strip_whitespace=True, min_length=1, max_length=120, pattern=r"^[^\x00-\x1f\x7f]*$")
]
"""A word of the operator's own, on one line."""


class District(Section):
    """One archive that is asked."""

    name: Name
    """What the page calls it: the operator's own word, since the archive tells none."""
    url: Annotated[str, Field(max_length=255), AfterValidator(server_address)]
    """Where its pages are, https://HOST[:PORT]; http:// is only for this machine."""
    ca: AbsolutePath | None = None
    """Certificate authority that alone is believed for it (PEM); None: those that this system trusts."""
    token_file: SecretFile
    """A file that holds the token that the district handed over."""


class ControlPage(Section):
    """The whole file."""

    title: Name = "Archives of the co-operative"
    """Heading of the page."""
    time_zone: TimeZone = "America/Chicago"
    """Time zone in which the page shows times (IANA name)."""
    answer_s: Annotated[float, Field(ge=1, le=120)] = 15.0
    """How long one archive's answer may take in all, in seconds; archive.control.fetching bounds them all together."""
    archives: Annotated[tuple[District, ...], Field(min_length=1, max_length=2000)]
    """The archives, in any order: the page sorts them by what needs attention."""

    @model_validator(mode="after")
    def _are_told_apart(self) -> Self:
        for member in ("name", "url"):
            values = [getattr(one, member) for one in self.archives]
            if twice := next((value for value in values if values.count(value) > 1), ""):
                raise ValueError(f"two archives have the {member} {twice}; each needs its own")
        return self


def load(path: Path) -> ControlPage:
    """Read the operator's file; raise SettingsError that names file and setting."""
    return load_settings(path, ControlPage, "name the right file with --archives")
