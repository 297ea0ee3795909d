"""`plainsight verify PACKAGE --keys KEYRING`: offline, in plain words, one exit status a verdict."""

from __future__ import annotations

import argparse
import contextlib
import json
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from appliance.contract import slip
from appliance.contract.encryption import MAX_KEY_RECIPIENTS, Identity
from appliance.contract.errors import DecryptionError, DigestError, KeyFileError, SettingsError
from appliance.contract.keys import KeyRing
from appliance.contract.standard_output import show_progress
from appliance.contract.verification import Report, verify, verify_evidence, verify_outside
from appliance.contract.verification.evidence_bag import looks_like_evidence
from appliance.contract.verification.outside import looks_like_outside
from appliance.contract.verification.report import SOUND, STATUS

EPILOG = (
    """exit status:
"""
    + "\n".join(f"  {status}  {verdict}" for verdict, status in STATUS.items())
    + """

example:
  plainsight verify meeting.zip --keys keyring.json
  plainsight verify meeting.zip --keys keyring.json --key meeting.key.age --identity archive.txt
  plainsight verify meeting.zip --keys keyring.json --slip "0f3c 9a52 ..."
  plainsight verify evidence.zip --keys keyring.json
"""
)


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    parser = argparse.ArgumentParser(
        prog="plainsight verify",
        description="Check a sealed package, or an evidence package with all that is in it, offline. Keys come from "
        "elsewhere than the package (docs/format.md, 4).",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("package", type=Path, help="the sealed package, or the evidence package (a .zip)")
    parser.add_argument("--keys", type=Path, help="the key ring; without it the best verdict is not-pinned")
    parser.add_argument("--key", type=Path, help="the recording's key.age, to check the audio itself as well")
    parser.add_argument("--identity", type=Path, help="the age identity that decrypts --key")
    parser.add_argument("--slip", metavar="DIGITS", help="the 64 digits on a parent's slip: is it of this recording?")
    parser.add_argument("--json", action="store_true", help="print the report as one JSON object")
    return parser


def main(arguments: list[str]) -> int:
    """Check a package, say what was found, and return the verdict's exit status."""
    options = parser().parse_args(arguments)
    if (options.key is None) != (options.identity is None):
        raise SettingsError("give both --key and --identity, or neither", field="--key")
    ring = KeyRing.load(options.keys) if options.keys is not None else None
    identity = _recording_identity(options.key, options.identity) if options.key is not None else None
    named = slip.read(options.slip) if options.slip is not None else None
    try:
        with options.package.open("rb") as file:
            if not file.seekable():
                raise SettingsError(f"{options.package} is a pipe; save the package as a file first", field="PACKAGE")
            is_evidence = looks_like_evidence(file)
            if is_evidence and named is not None:
                raise SettingsError("hold the slip against the sealed package that the evidence holds", field="--slip")
            brought = not is_evidence and looks_like_outside(file)
            if brought and named is not None:
                raise SettingsError("no slip is printed for a recording that no box made", field="--slip")
            if brought:
                report = verify_outside(file, ring, identity, show_progress)
            else:
                check = verify_evidence if is_evidence else verify
                report = check(file, ring, identity, show_progress)
            if named is not None and report.verdict in {*SOUND, "not-pinned"}:
                report = _with_slip(report, file, named)
    except OSError as error:
        raise SettingsError(f"cannot read {options.package}: {error.strerror or error}", field="PACKAGE") from error
    with contextlib.suppress(BrokenPipeError):
        # the verdict stands, whether or not anybody reads all of it
        print(json.dumps(report.as_json()) if options.json else report.as_text())
    return report.status


def _with_slip(report: Report, file: BinaryIO, named: str) -> Report:
    try:
        return replace(report, checks=(*report.checks, slip.hold_against(file, named)))
    except DigestError as error:
        return replace(report, verdict="tampered", problem=error.message)


def _recording_identity(key: Path, identity: Path) -> Identity:
    try:
        encrypted = key.read_bytes()
    except OSError as error:
        raise KeyFileError(f"cannot read {key}: {error.strerror}", field="--key") from error
    try:
        return Identity.parse(Identity.load(identity).decrypt(encrypted, MAX_KEY_RECIPIENTS).decode("ascii"))
    except (DecryptionError, UnicodeDecodeError) as error:
        raise KeyFileError(f"{identity} does not decrypt {key}: {error}", field="--identity") from error
