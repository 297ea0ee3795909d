"""The box whose card goes on in this board: found on the card, proven to the archive, handed to the recorder.

Only a claim that was made for that box lets another board take its place (docs/enrollment.md, "Same box, new board").
What the card still holds is then sent by this board, so nobody but that box's own archive may say so: whoever signs the
receipts decides what is deleted.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509

from appliance.contract.board import is_another_board
from appliance.contract.enrollment import ClaimError, ClaimFile, Enrolled, FormerProof
from appliance.contract.errors import SettingsError
from appliance.contract.former_boxes import FILE, FormerBox, FormerBoxes
from appliance.contract.keys import SigningKey
from appliance.contract.settings_file import load_settings

from . import known


@dataclass(frozen=True)
class Former:
    """Its identity, as it was set aside."""

    box: str
    folder: Path
    suffix: str
    """Behind each file's name; empty unless another one was set aside there before."""

    def _file(self, name: str) -> Path:
        return self.folder / f"{name}{self.suffix}"

    def key(self) -> SigningKey:
        """Return its signing key; raise KeyFileError."""
        return SigningKey.load(self._file(known.BOX_KEY))

    def proof(self, claim: str, new_key: str) -> str:
        """Return its own word that the box with `new_key` takes its place."""
        key = self.key()
        line = FormerProof(box=self.box, box_key=key.public, claim=claim, new_key=new_key).sign(key)
        return line.decode("ascii")

    def require_same_archive(self, claim: ClaimFile) -> None:
        """Raise ClaimError unless the claim's authority is the one that this box believed."""
        try:
            pinned = set(x509.load_pem_x509_certificates(self._file(known.AUTHORITIES[0]).read_bytes()))
            named = set(x509.load_pem_x509_certificates(claim.authority.encode("ascii")))
        except (OSError, ValueError) as error:
            raise ClaimError(
                f"whose box {self.box} was cannot be told: {error}; use a claim for a new box", field="authority"
            ) from error
        if not named <= pinned:
            raise known.another_archive(self._file(known.COURIER), claim)

    def require_same_key(self, claim: ClaimFile, answer: Enrolled) -> None:
        """Raise ClaimError if an answer brings another archive's key than the one whose receipts this box believed."""
        if known.archive_key(self._file(known.RECORDER)) != answer.archive_key:
            raise known.another_archive(self._file(known.COURIER), claim)

    def boxes(self) -> FormerBoxes:
        """Return it and those whose place it had taken itself."""
        try:
            before = load_settings(self._file(FILE), FormerBoxes, "").boxes
        except SettingsError:
            # mostly it had taken nobody's place
            before = []
        mine = FormerBox(id=self.box, key=self.key().pem().decode("ascii"))
        return FormerBoxes(boxes=[*before, mine])


def find(folder: Path, box: str) -> Former | None:
    """Return the identity of `box` that was set aside on this card, or None."""
    return next((one for one in _set_aside(folder) if one.box == box), None)


def in_place(folder: Path, box: str) -> Former | None:
    """Return the identity of `box` if it is the card's own and nothing of it was moved, or None."""
    whole = known.box_id(folder / known.RECORDER) == box and (folder / known.BOX_KEY).exists()
    return Former(box, folder, "") if whole else None


def require_on_card(folder: Path, box: str, board: str) -> None:
    """Raise ClaimError if this card is not the one of `box`, before anything is moved; `board` is the one here."""
    present = known.box_id(folder / known.RECORDER)
    if present == box:
        return
    # what was begun here goes on; a card that became another box since, elsewhere, is that one's
    is_another_ones = present is not None and is_another_board(known.board(folder), board)
    if find(folder, box) is None or is_another_ones:
        raise ClaimError(
            f"the claim is for the card of {box}, and this is another card. Put the claim onto that one, or give this "
            "box a claim for a new box",
            field="box",
        )


def _set_aside(folder: Path) -> Iterator[Former]:
    # the newest of several in one folder has the greatest number
    for path in sorted(folder.glob(f"of-*/{known.RECORDER}*"), key=lambda path: (len(path.name), path.name)):
        name = known.box_id(path)
        if name is not None:
            yield Former(name, path.parent, path.name.removeprefix(known.RECORDER))
