"""`plainsight enroll` and `plainsight renew`: a box becomes known, and stays known."""

from __future__ import annotations

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from appliance.contract.board import board_model, board_serial, is_another_board
from appliance.contract.durable_files import replace, sync_folder
from appliance.contract.enrollment import (
    ClaimFile,
    Enrolled,
    EnrollRequest,
    NoAnswerError,
    Renewed,
    RenewRequest,
    RetiredBoxError,
    read_claim,
)
from appliance.contract.errors import PlainSightError, SettingsError, StorageError
from appliance.contract.settings_file import load_settings

from . import former, known, set_aside, settings
from .archive import ask
from .identity import Identity
from .says import say, say_nothing

FOLDER: Final = Path("/etc/plainsight")
CLAIM: Final = Path("/boot/firmware/plainsight-claim.toml")
NO_ANSWER: Final = 75
"""Exit status of a renewal that nobody answered (EX_TEMPFAIL of sysexits.h): plainsight-renew.service tries again."""
_WAIT_S: Final = (5.0, 10.0, 20.0, 40.0, 60.0)
"""Pauses between attempts while nobody answers, in seconds; the last one repeats."""


def enroll(claim_path: Path, folder: Path, tell: Callable[[str], object] = lambda _: None) -> Enrolled:
    """Use the claim in `claim_path`, write keys, certificates and settings into `folder`, and remove the claim.

    `tell` hears why a former identity was set aside. A claim that names a box is for that box's card in another board:
    what it holds of that box is sent by this one.

    Can be repeated after a crash at any point: the keys are kept, and the archive answers the same box again. A box
    that is set up obeys no other archive than its own: whoever laid that claim there would get its recordings, and
    their receipts would delete them. Where its own archive has retired it, it becomes another box.

    Raises SettingsError, ClaimError, NoAnswerError, KeyFileError or StorageError.
    """
    claim = load_settings(claim_path, ClaimFile, "name the claim's file with --claim")
    board = board_serial()
    if claim.box is not None:
        former.require_on_card(folder, claim.box, board)
        known.require_same_archive(folder, claim)
        _ask_first(folder, claim, claim.box, board)
    if set_aside.of_another_board(folder, board):
        tell("this card was another board's")
    known.require_same_archive(folder, claim)
    before = None
    if claim.box is not None:
        set_aside.take_staged(folder)
        before = former.find(folder, claim.box)
    if before is not None:
        before.require_same_archive(claim)
    try:
        answer = _ask(claim, Identity.load_or_make(folder), board, before)
    except RetiredBoxError as error:
        # whoever says so is the archive of this claim, and of the settings where there are some: nobody else is asked
        set_aside.of_a_retired_box(folder)
        tell(error.message)
        answer = _ask(claim, Identity.load_or_make(folder), board, before)
    known.require_same_key(folder, claim, answer)
    boxes = None
    if before is not None and answer.former == before.box:
        before.require_same_key(claim, answer)
        boxes = before.boxes()
    settings.write(folder, claim, answer, board, boxes)
    try:
        claim_path.unlink()
        sync_folder(claim_path.parent)
    except OSError as error:
        raise StorageError(
            f"the box is enrolled, but the used claim stays on the card: {error.strerror}; remove {claim_path}"
        ) from error
    return answer


def _ask_first(folder: Path, claim: ClaimFile, box: str, board: str) -> None:
    """Ask with new keys before anything of `box` is moved: a refused claim leaves the card as its board needs it.

    Once a part of it was moved, the archive has agreed.
    """
    in_place = former.in_place(folder, box)
    if in_place is not None and is_another_board(known.board(folder), board):
        in_place.require_same_archive(claim)
        answer = _ask(claim, Identity.load_or_make(folder / set_aside.STAGED), board, in_place)
        in_place.require_same_key(claim, answer)


def _ask(claim: ClaimFile, identity: Identity, board: str, before: former.Former | None) -> Enrolled:
    text = read_claim(claim.claim)
    request = EnrollRequest.make(
        identity.signing,
        claim=text,
        courier_key=identity.courier.public,
        csr=identity.certificate_request(),
        board=board,
        model=board_model(),
        former=None if before is None else before.proof(text, identity.signing.public),
    )
    return Enrolled.parse(ask(claim.url, "/api/1/enroll", claim.authority, request))


class _Archive(known.Part):
    url: str
    ca: str


class _Courier(known.Part):
    """The part of the courier's settings that a renewal needs, as `plainsight enroll` wrote them."""

    box: known.Box
    archive: _Archive


def _held(certificate: Path) -> str | None:
    """Return the certificate in a file as PEM, or None where there is none that can be read."""
    try:
        found = x509.load_pem_x509_certificate(certificate.read_bytes())
    except (OSError, ValueError):
        return None
    return found.public_bytes(Encoding.PEM).decode("ascii")


def renew(folder: Path, *, force: bool = False) -> bool:
    """Ask for the box's broker, and for a new certificate once half of the old one's life is over; tell whether it was.

    The archive decides that, whatever the clock says here; with `force` it gives one in any case. The courier takes up
    by itself what is new.

    Raises SettingsError, ClaimError (the archive refuses), NoAnswerError, KeyFileError or StorageError.
    """
    own = load_settings(folder / "courier.toml", _Courier, "enroll the box first with 'plainsight enroll'")
    try:
        authority = Path(own.archive.ca).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(
            f"cannot read {own.archive.ca}: {error}; enroll the box anew", field="archive.ca"
        ) from error
    identity = Identity.load(folder)
    request = RenewRequest(
        box=own.box.id,
        box_key=identity.signing.public,
        csr=identity.certificate_request(),
        certificate=None if force else _held(folder / "mqtt" / "client.pem"),
        board=board_serial(),
    ).sign(identity.signing)
    answer = Renewed.parse(ask(own.archive.url, "/api/1/renew", authority, request))
    files = {"ca.pem": answer.authority, "broker.json": answer.broker.model_dump_json()}
    if answer.certificate is not None:
        files["client.pem"] = answer.certificate
    for name, text in files.items():
        path = folder / "mqtt" / name
        try:
            # a card wears out by what is written each day though it says the same
            if not path.exists() or path.read_bytes() != text.encode():
                replace(path, text.encode(), mode=0o644, durable=True)
        except OSError as error:
            raise StorageError(f"cannot write {path}: {error.strerror}; run this as root") from error
    return answer.certificate is not None


def _parser(name: str, description: str, example: str) -> argparse.ArgumentParser:
    made = argparse.ArgumentParser(
        prog=f"plainsight {name}", description=description, epilog=f"example: plainsight {name} {example}"
    )
    made.add_argument("--folder", type=Path, default=FOLDER, help=f"where settings and keys lie (default: {FOLDER})")
    return made


def main(arguments: list[str]) -> int:
    """Run `plainsight enroll`; raises what `enroll` raises."""
    parser = _parser(
        "enroll",
        "Make this box known to its archive with a one-time claim. The box makes its own keys; none leaves it.",
        f"--claim {CLAIM}",
    )
    parser.add_argument("--claim", type=Path, default=CLAIM, help=f"the claim's file (default: {CLAIM})")
    parser.add_argument(
        "--wait", action="store_true", help="try again while the archive does not answer; say on the card what is wrong"
    )
    options = parser.parse_args(arguments)
    attempt = 0
    reasons: list[str] = []

    def tell(why: str) -> None:
        reasons.append(why)
        print(f"plainsight enroll: {why}", file=sys.stderr, flush=True)

    while True:
        try:
            answer = enroll(options.claim, options.folder, tell)
        except PlainSightError as error:
            if options.wait:
                is_set_up = (options.folder / known.RECORDER).exists()
                what = "The claim on this card is not used" if is_set_up else "The box is not enrolled"
                say(options.claim.parent, f"{what}: {error.message}")
            # a claim that was left on a box that is set up must not keep its recorder from starting
            waits = options.wait and not (options.folder / known.RECORDER).exists()
            if not isinstance(error, NoAnswerError) or not waits:
                raise
            pause = _WAIT_S[min(attempt, len(_WAIT_S) - 1)]
            print(
                f"plainsight enroll: {error.message}; the next attempt follows in {pause:g} s",
                file=sys.stderr,
                flush=True,
            )
            time.sleep(pause)
            attempt += 1
        else:
            if answer.former is not None:
                reasons.clear()
            if reasons:
                print(f"plainsight enroll: {set_aside.SPOOL_WORDS}", file=sys.stderr, flush=True)
            if options.wait and reasons:
                say(options.claim.parent, f"This board is {answer.box} now. {set_aside.SPOOL_WORDS}.")
            else:
                say_nothing(options.claim.parent)
            print(f"this box is {answer.box}; its archive knows it now")
            if answer.former is not None:
                print(f"it goes on in the place of {answer.former}, and sends what that one had recorded")
            return 0


def main_renew(arguments: list[str]) -> int:
    """Run `plainsight renew`; raises what `renew` raises, but for NoAnswerError, which is the status NO_ANSWER."""
    parser = _parser(
        "renew", "Ask for this box's broker, and renew its certificate once half of its life is over.", "--force"
    )
    parser.add_argument("--force", action="store_true", help="renew the certificate now")
    options = parser.parse_args(arguments)
    try:
        done = renew(options.folder, force=options.force)
    except NoAnswerError as error:
        print(f"plainsight renew: {error.message}; the box's service tries again in a few minutes", file=sys.stderr)
        return NO_ANSWER
    print("the certificate was renewed" if done else "the certificate need not be renewed yet")
    return 0
