"""docs/format.md section 3: a request is signed by the box's courier, over all that matters of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from appliance.contract.errors import SignatureError
from appliance.contract.keys import SigningKey
from appliance.contract.request_signature import content_digest, read, sign

KEY = SigningKey.generate()
BOX = "box-7f3a92c1"
PATH = "/api/1/recordings/x/lines"


@given(st.binary(max_size=200), st.text("abcXYZ019:_.-", max_size=100))
def test_what_is_signed_is_read_and_fits(body: bytes, nonce: str) -> None:
    claim = read(sign(KEY, BOX, nonce, "POST", PATH, body=body))
    assert (claim.box, claim.nonce, claim.content_digest) == (BOX, nonce, content_digest(body))
    assert claim.fits(KEY.public, "POST", PATH)


def test_every_part_is_covered() -> None:
    headers = sign(KEY, BOX, "n1", "POST", PATH, body=b"body")
    claim = read(headers)
    assert not claim.fits(KEY.public, "PUT", PATH)
    assert not claim.fits(KEY.public, "POST", PATH + "x")
    assert not claim.fits(SigningKey.generate().public, "POST", PATH)
    for name, old, new in (
        ("Content-Digest", content_digest(b"body"), content_digest(b"other")),
        ("Signature-Input", "n1", "n2"),
        ("Signature-Input", BOX, "box-another"),
    ):
        changed = {**headers, name: headers[name].replace(old, new)}
        assert changed != headers
        assert not read(changed).fits(KEY.public, "POST", PATH), name


@pytest.mark.parametrize("name", ["Content-Digest", "Signature-Input", "Signature"])
@pytest.mark.parametrize("value", ["", "box=1", "box=::", "sha-256=::", "x" * 10_000, "\u00e9"])
def test_another_form_is_no_signature(name: str, value: str) -> None:
    headers = sign(KEY, BOX, "n", "GET", PATH, body=b"")
    with pytest.raises(SignatureError):
        read({**headers, name: value})
    with pytest.raises(SignatureError):
        read({other: text for other, text in headers.items() if other != name})


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('"@path"', '"@scheme"'),
        (' "content-digest"', ""),
        ('alg="ed25519"', 'alg="none"'),
        ("nonce=", "created=1;nonce="),
    ],
)
def test_no_other_shape_is_taken_though_it_is_signed(old: str, new: str) -> None:
    headers = sign(KEY, BOX, "n", "GET", PATH, body=b"")
    with pytest.raises(SignatureError):
        read({**headers, "Signature-Input": headers["Signature-Input"].replace(old, new)})
