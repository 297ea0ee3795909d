"""Signed lines: one JSON object and its signature over exactly the stored bytes (docs/format.md section 1.3)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections import Counter
from typing import Any, NoReturn, Self

from pydantic import BaseModel, ConfigDict, ValidationError

from .errors import FormatError, SignatureError
from .keys import SigningKey, signature_fits
from .problems import explain, location

MAX_LINE = 2 << 20
"""Longest line that a reader accepts, in bytes; a closing record with 19,000 tail segments stays below it, five hours
of which no ledger line is left."""
MAX_MEMBERS = 64
"""Most members of one JSON object; none of the format's has half as many."""
MAX_DEPTH = 16
"""How deep objects and lists may lie in each other; the format's lie three deep. What Python's own reader takes differs
from one release to the next."""


def digest(data: bytes) -> str:
    """Return the SHA-256 of `data` in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def _no_other_numbers(text: str) -> NoReturn:
    raise FormatError(f"{text} is no 64-bit integer; the format has no other numbers")


def _integer(text: str) -> int:
    value = int(text) if len(text) <= 20 else 1 << 70
    if not -(1 << 63) <= value < 1 << 63:
        _no_other_numbers(text[:24])
    return value


def _members_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(pairs) > MAX_MEMBERS:
        raise FormatError(f"an object here has at most {MAX_MEMBERS} members")
    members = dict(pairs)
    if len(members) != len(pairs):
        twice = Counter(name for name, _ in pairs).most_common(1)[0][0]
        raise FormatError(f"member {twice!r} occurs twice", field=twice)
    return members


def _deeper_than(value: Any, depth: int) -> bool:
    level = [value]
    for _ in range(depth):
        inside = (one.values() if isinstance(one, dict) else one for one in level)
        level = [one for members in inside for one in members if isinstance(one, (dict, list))]
        if not level:
            return False
    return True


def parse_json(payload: bytes) -> dict[str, Any]:
    """Return the object in `payload` under the rules of section 1.3; raise FormatError otherwise."""
    try:
        value = json.loads(
            payload.decode("ascii"),
            object_pairs_hook=_members_once,
            parse_int=_integer,
            parse_float=_no_other_numbers,
            parse_constant=_no_other_numbers,
        )
    except (UnicodeDecodeError, json.JSONDecodeError, RecursionError) as error:
        raise FormatError(f"not a JSON object in ASCII: {error}") from error
    if not isinstance(value, dict):
        raise FormatError("a signed line holds one JSON object")
    if _deeper_than(value, MAX_DEPTH):
        raise FormatError(f"objects and lists here lie at most {MAX_DEPTH} deep in each other")
    return value


class SignedModel(BaseModel):
    """What a signed line says; each kind states its `type` as first field."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    type: str

    def payload(self) -> bytes:
        """Return the JSON bytes that are stored and signed."""
        return json.dumps(self.members(), ensure_ascii=True, separators=(",", ":")).encode("ascii")

    def sign(self, key: SigningKey) -> bytes:
        """Return the whole signed line, LF included."""
        payload = self.payload()
        return payload + b"\t" + base64.b64encode(key.sign(payload)) + b"\n"

    def members(self) -> dict[str, Any]:
        """Return the members of the stored JSON object, in their order."""
        return self.model_dump(mode="json")

    @classmethod
    def from_members(cls, members: dict[str, Any]) -> Self:
        """Return what a line's members say; raise FormatError that names the offending member."""
        try:
            return cls.model_validate(members)
        except ValidationError as error:
            raise FormatError(explain(error), field=location(error)) from error

    @classmethod
    def read(cls, line: bytes, key: str | None) -> Self:
        """Return what `line` says, after its form and, with `key`, its signature were checked.

        `key` None skips the signature: only for learning which key to use. Raises FormatError or SignatureError.
        """
        payload, signature = split(line)
        if not payload.startswith(b'{"type":'):
            raise FormatError("the first member of a signed line is 'type'", field="type")
        if key is not None:
            _check_signature(key, signature, payload)
        return cls.from_members(parse_json(payload))


def check_signature(line: bytes, key: str) -> None:
    """Raise SignatureError unless the holder of `key` signed `line`; FormatError if it is no signed line."""
    payload, signature = split(line)
    _check_signature(key, signature, payload)


def _check_signature(key: str, signature: bytes, payload: bytes) -> None:
    if not signature_fits(key, signature, payload):
        raise SignatureError(f"the signature does not fit the key {key}")


def split(line: bytes) -> tuple[bytes, bytes]:
    """Return payload and signature of one signed line; raise FormatError if it has another form."""
    if len(line) > MAX_LINE:
        raise FormatError(f"a signed line is at most {MAX_LINE} bytes long")
    if not line.endswith(b"\n") or line.count(b"\n") != 1 or line.count(b"\t") != 1:
        raise FormatError("a signed line is JSON, one TAB, a signature and one LF")
    payload, encoded = line[:-1].split(b"\t")
    try:
        signature = base64.b64decode(encoded, validate=True)
    except binascii.Error as error:
        raise FormatError("the signature is not base64") from error
    if len(signature) != 64 or base64.b64encode(signature) != encoded:
        raise FormatError("an Ed25519 signature is 64 bytes in standard base64")
    return payload, signature


def split_lines(data: bytes) -> list[bytes]:
    """Return the complete lines in `data`, LF included; bytes after the last LF are not among them."""
    return [line + b"\n" for line in data.split(b"\n")[:-1]]


def type_of(line: bytes) -> str:
    """Return the `type` member of a line without trusting it."""
    value = parse_json(split(line)[0]).get("type")
    if not isinstance(value, str):
        raise FormatError("'type' is missing", field="type")
    return value
