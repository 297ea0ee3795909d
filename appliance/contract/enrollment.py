"""How a box becomes known to an archive, and how its certificate is renewed (docs/enrollment.md).

A claim is a one-time permission, given out for one room. The box makes its keys itself, signs its request with them,
and gets back everything that its settings need. RFC 7030 (EST) was the model: a simple enrollment with a certificate
signing request (RFC 2986) and a one-time secret, and a re-enrollment that needs no secret. We don't speak EST itself:
it proves nothing about the Ed25519 key that signs recordings, and its re-enrollment wants the old certificate, which
has ended after a year on a shelf.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from .errors import FormatError, PlainSightError
from .header import AgeRecipient
from .ids import BoxId
from .keys import PublicKey, SigningKey
from .problems import explain, location
from .settings_file import Section
from .signed import SignedModel, parse_json

NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL, which Python's ssl does not name. A box without a battery starts in 1970, and
must be able to reach the servers whose authority it was given; the time comes from the network later, if at all."""
MAX_MESSAGE: Final = 32 << 10
"""Most bytes of a request or an answer."""
CLAIM_HOURS: Final = 72
"""How long a claim can be used, in hours."""
_ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CLAIM_LENGTH: Final = 16
_READ_AS: Final = str.maketrans("OIL", "011")

Pem = Annotated[str, StringConstraints(max_length=8192, pattern=r"^-----BEGIN [A-Z ]+-----\n[A-Za-z0-9+/=\n -]+$")]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.:\[\]-]{1,253}$")]
Board = Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z._-]{0,64}$")]


class ClaimError(PlainSightError):
    """A claim is unknown, used, expired or withdrawn."""

    code = "bad-claim"
    status = 403


class RetiredBoxError(ClaimError):
    """The claim is good, but the key that asks is of a box that was retired: the board needs new ones."""

    code = "retired-box"


class NoAnswerError(PlainSightError):
    """The archive cannot be reached, or what answers is not the archive that the claim names."""

    code = "no-answer"
    status = 503


def new_claim() -> str:
    """Return a fresh claim: 80 random bits as 16 letters and digits of Crockford's base 32, in groups of four."""
    return _grouped("".join(secrets.choice(_ALPHABET) for _ in range(_CLAIM_LENGTH)))


def read_claim(text: str) -> str:
    """Return a claim as it was given out, whatever a person made of it; raise ClaimError if it cannot be one.

    Crockford's base 32 reads O as 0, and I and L as 1; case, blanks and hyphens don't count.
    """
    plain = "".join(text.upper().translate(_READ_AS).replace("-", " ").split())
    if len(plain) != _CLAIM_LENGTH or set(plain) - set(_ALPHABET):
        raise ClaimError("a claim has 16 letters and digits, such as 7K3M-Q9TX-0RB2-H5NC; type it again", field="claim")
    return _grouped(plain)


def _grouped(text: str) -> str:
    return "-".join(text[place : place + 4] for place in range(0, len(text), 4))


class _Message(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Return the message in `data`; raise FormatError that names the member."""
        if len(data) > MAX_MESSAGE:
            raise FormatError(f"a message of an enrollment has at most {MAX_MESSAGE} bytes")
        try:
            return cls.model_validate(parse_json(data))
        except ValidationError as error:
            raise FormatError(explain(error), field=location(error)) from error


class EnrollRequest(SignedModel):
    """A new box asks to be known. Signed with the key that it asks to be known by."""

    type: Literal["plainsight/enroll/1"] = "plainsight/enroll/1"
    claim: str
    """The claim, as `read_claim` returns it."""
    box_key: PublicKey
    """The box's own signing key."""
    courier_key: PublicKey
    """The key with which its courier signs requests to the archive (docs/format.md section 3.1)."""
    csr: Pem
    """A certificate signing request (RFC 2986) for the broker's client certificate; its subject is not looked at."""
    board: Board
    """Serial number of the board, which the identity is bound to; empty where there is none."""
    model: str = Field(max_length=100)
    """What the board calls itself."""
    former: Annotated[str, StringConstraints(max_length=2000)] | None = None
    """The signed line of a FormerProof, where the claim is for the card of another box."""

    @classmethod
    def make(cls, key: SigningKey, **members: str | None) -> bytes:
        """Return the signed line of a request."""
        return cls.model_validate({"box_key": key.public, **members}).sign(key)


class FormerProof(SignedModel):
    """A box says that another one takes its place: its card went on in another board. Signed with its own key."""

    type: Literal["plainsight/former/1"] = "plainsight/former/1"
    box: BoxId
    box_key: PublicKey
    claim: str
    """The claim that was given out for this, as `read_claim` returns it."""
    new_key: PublicKey
    """The key that signs the request."""


class RenewRequest(SignedModel):
    """A known box asks which broker is its own, and whether its certificate must be renewed.

    The archive decides that by its own clock: a box without a battery begins in 1970, and where no time gets through,
    it counts only the hours that it has power. Signed with the box's own key, so that an old certificate is not needed.
    """

    type: Literal["plainsight/renew/1"] = "plainsight/renew/1"
    box: BoxId
    box_key: PublicKey
    csr: Pem
    """What a new certificate would be for."""
    certificate: Pem | None
    """The certificate that the box holds; null: none that can be read, or a new one is wanted however old it is."""
    board: Board


class BrokerAddress(_Message):
    """The broker that a box has to report to."""

    host: Host
    port: Annotated[int, Field(ge=1, le=65535)]


class Renewed(_Message):
    """What a known box has to know now."""

    version: Literal[1] = 1
    certificate: Pem | None
    """The box's client certificate for the broker; null where the one that it holds is good enough."""
    authority: Pem
    """The authority that issued it, and that broker and archive are known by."""
    broker: BrokerAddress


class Enrolled(_Message):
    """Everything that a box's settings need."""

    version: Literal[1] = 1
    box: BoxId
    certificate: Pem
    authority: Pem
    archive_recipient: AgeRecipient
    escrow_recipient: AgeRecipient
    archive_key: PublicKey
    broker: BrokerAddress
    time_zone: str = Field(max_length=64)
    """IANA name; for people who look at the box's journal."""
    former: BoxId | None = None
    """The box whose place this one has taken, and whose recordings it hands in; null: none."""


class ClaimFile(Section):
    """What stands on the card: where to go, whom to believe there, and the claim (`plainsight-claim.toml`)."""

    url: Annotated[str, StringConstraints(pattern=r"^https://[^/\s]+$")]
    """The archive's address."""
    authority: Pem
    """The authority that the archive's own certificate must come from, whatever else the system trusts."""
    claim: str
    """The claim."""
    hardware: Literal["usb", "i2s"] = "usb"
    """Which microphone the box has: a USB one, or one on the board's I2S pins, whose left channel is heard."""
    lamp_seen: bool = True
    """The sensor in the lamp is wired (docs/wiring.md)."""
    mic_rail: bool = True
    """The sense of the microphone's supply is wired."""
    box: BoxId | None = None
    """The box whose card goes on in another board; not there: the claim is for a new box."""
