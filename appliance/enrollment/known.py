"""What this box is already: its settings and the authority that it pinned, as an earlier enrollment wrote them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from cryptography import x509
from pydantic import BaseModel, ConfigDict

from appliance.contract.enrollment import ClaimError, ClaimFile, Enrolled
from appliance.contract.errors import SettingsError
from appliance.contract.settings_file import load_settings

RECORDER: Final = "recorder.toml"
"""Written last: where it lies, the box is set up."""
COURIER: Final = "courier.toml"
BOX_KEY: Final = "box.key"
"""What it signs is this box's word."""
AUTHORITIES: Final = ("archive-ca.pem", "mqtt/ca.pem")
"""Where the archive's authority lies; either tells it."""


class Part(BaseModel):
    """What is read of settings here; the rest of them is the recorder's and the courier's to check."""

    model_config = ConfigDict(extra="ignore", frozen=True, strict=True)


class Box(Part):
    """The box that the settings were made for."""

    id: str
    board: str = ""


class _Board(Part):
    box: Box


class _Keys(Part):
    archive_key: str


class _Recorder(Part):
    keys: _Keys


class _Archive(Part):
    url: str


class _Courier(Part):
    archive: _Archive


def box_id(recorder: Path) -> str | None:
    """Return whose settings the file `recorder` holds; None where it is not there or cannot be read."""
    try:
        return load_settings(recorder, _Board, "").box.id
    except SettingsError:
        return None


def archive_key(recorder: Path) -> str | None:
    """Return the key whose receipts are believed by the settings in `recorder`; None where they cannot be read."""
    try:
        return load_settings(recorder, _Recorder, "").keys.archive_key
    except SettingsError:
        return None


def board(folder: Path) -> str:
    """Return the board that the settings were made for; empty where they are not there or cannot be read."""
    for name in (RECORDER, COURIER):
        try:
            return load_settings(folder / name, _Board, "").box.board
        except SettingsError:
            # settings that cannot be read name no board; enrollment writes them anew
            continue
    return ""


def require_same_archive(folder: Path, claim: ClaimFile) -> None:
    """Raise ClaimError if this box is another archive's than the claim's, before anything is asked there.

    The authority is what an archive is known by. Its address may change: whoever answers there still has to prove
    itself by a certificate of that authority.
    """
    pinned = _authorities(folder)
    has_been_a_box = (folder / RECORDER).exists() or (folder / BOX_KEY).exists()
    if not pinned or not has_been_a_box:
        return
    try:
        named = set(x509.load_pem_x509_certificates(claim.authority.encode("ascii")))
    except ValueError as error:
        raise ClaimError(f"the claim's authority is no certificate: {error}", field="authority") from error
    # every certificate in the claim would be believed, so none may be another archive's
    if not named <= pinned:
        raise another_archive(folder / COURIER, claim)


def require_same_key(folder: Path, claim: ClaimFile, answer: Enrolled) -> None:
    """Raise ClaimError if an answer brings another archive's key than the one whose receipts this box believes."""
    pinned = archive_key(folder / RECORDER)
    # without one the box is not set up, or its settings are lost and believe nobody
    if pinned is not None and pinned != answer.archive_key:
        raise another_archive(folder / COURIER, claim)


def _authorities(folder: Path) -> set[x509.Certificate]:
    for name in AUTHORITIES:
        try:
            return set(x509.load_pem_x509_certificates((folder / name).read_bytes()))
        except (OSError, ValueError):
            continue
    return set()


def another_archive(courier: Path, claim: ClaimFile) -> ClaimError:
    """Return what is told where a claim is of another archive than the one in the settings `courier`."""
    try:
        own = f"the archive at {load_settings(courier, _Courier, '').archive.url}"
    except SettingsError:
        own = "another archive"
    return ClaimError(
        f"this box belongs to {own}, and the claim is of the one at {claim.url}. To leave the box as it is, remove the "
        "claim from the card. To move it, retire it there once its recordings are sent, and write its card anew",
        field="authority",
    )
