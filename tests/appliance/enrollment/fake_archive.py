"""An archive that answers as the real one does, in this process: for what depends on the box alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from appliance.contract.encryption import Identity as AgeIdentity
from appliance.contract.enrollment import BrokerAddress, Enrolled, EnrollRequest, NoAnswerError
from appliance.contract.keys import SigningKey
from archive.authority.authority import Authority


@dataclass
class FakeArchive:
    """Gives each key a box of its own; `ask` stands in the place of appliance.enrollment.archive.ask."""

    authority: Authority
    url: str = "https://archive.example:8443"
    receipts: SigningKey = field(default_factory=SigningKey.generate)
    recipients: tuple[str, str] = field(
        default_factory=lambda: (AgeIdentity.generate().recipient, AgeIdentity.generate().recipient)
    )
    boxes: dict[str, str] = field(default_factory=dict)
    """Public key: box."""
    asked: list[EnrollRequest] = field(default_factory=list)
    answers: bool = True
    """False: the network is away."""

    @classmethod
    def make(cls, folder: Path) -> FakeArchive:
        """Make one with its authority in `folder`."""
        folder.mkdir()
        return cls(Authority.make(folder, "A district", datetime.now(UTC)))

    def claim(self, card: Path, *authorities: str) -> Path:
        """Write a claim onto a card; `authorities` are believed instead of this archive's."""
        card.mkdir(exist_ok=True)
        path = card / "plainsight-claim.toml"
        pem = "\n".join(one.strip() for one in authorities or [self.authority.pem.decode()])
        path.write_text(f'url = "{self.url}"\nclaim = "7K3M-Q9TX-0RB2-H5NC"\nauthority = """\n{pem}\n"""\n')
        return path

    def ask(self, url: str, path: str, authority: str, body: bytes) -> bytes:
        """Answer a request to enroll."""
        if not self.answers:
            self.gone(url)
        assert (url, path) == (self.url, "/api/1/enroll")
        assert self.authority.pem.decode().strip() in authority
        asked = EnrollRequest.read(body, None)
        EnrollRequest.read(body, asked.box_key)
        self.asked.append(asked)
        box = self.boxes.setdefault(asked.box_key, f"box-{len(self.boxes):04}")
        return self.answer(asked, box).model_dump_json().encode()

    @staticmethod
    def gone(url: str, *_: object) -> bytes:
        """Stand in the place of `ask` where the network is away."""
        raise NoAnswerError(f"{url} does not answer: check the network", field="url")

    def answer(self, asked: EnrollRequest, box: str) -> Enrolled:
        """Return what a box's settings need."""
        return Enrolled(
            box=box,
            certificate=self.authority.box(asked.csr, box, datetime.now(UTC)).decode(),
            authority=self.authority.pem.decode(),
            archive_recipient=self.recipients[0],
            escrow_recipient=self.recipients[1],
            archive_key=self.receipts.public,
            broker=BrokerAddress(host="archive.example", port=8883),
            time_zone="America/Chicago",
        )


def files(folder: Path) -> dict[str, bytes]:
    """Return every file below `folder`."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def kept(folder: Path) -> set[bytes]:
    """Return what was set aside."""
    return {data for name, data in files(folder).items() if name.startswith("of-")}


def told(card: Path) -> str:
    """Return what stands on the card for the technician."""
    path = card / "plainsight-says.txt"
    return path.read_text() if path.exists() else ""


def public(folder: Path, name: str = "box.key") -> str:
    """Return the public half of one of a box's keys."""
    return SigningKey.load(folder / name).public
