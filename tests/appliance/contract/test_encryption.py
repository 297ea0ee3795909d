"""age: whoever has an identity opens, nobody else, and nothing that was damaged opens."""

from __future__ import annotations

import stat
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from appliance.contract.chain import AGE_OVERHEAD
from appliance.contract.encryption import MAX_KEY_RECIPIENTS, Identity, encrypt, parse_recipient
from appliance.contract.errors import DecryptionError, KeyFileError
from appliance.contract.segment import padded_size

ONE, TWO, OTHER = Identity.generate(), Identity.generate(), Identity.generate()
SEALED = encrypt(b"said in confidence", [ONE.recipient, TWO.recipient])


def test_each_recipient_opens_and_nobody_else() -> None:
    assert ONE.decrypt(SEALED) == TWO.decrypt(SEALED) == b"said in confidence"
    with pytest.raises(DecryptionError):
        OTHER.decrypt(SEALED)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_promise_5_what_was_changed_or_cut_does_not_open(data: st.DataObject) -> None:
    damaged = bytearray(SEALED)
    damaged[data.draw(st.integers(0, len(SEALED) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(DecryptionError):
        ONE.decrypt(bytes(damaged))
    with pytest.raises(DecryptionError):
        ONE.decrypt(SEALED[: data.draw(st.integers(0, len(SEALED) - 1))])


@given(st.binary(max_size=400))
def test_anything_else_is_told_as_such(data: bytes) -> None:
    with pytest.raises(DecryptionError):
        ONE.decrypt(data)


@pytest.mark.parametrize("frames", [1, 1000, 48000, 192000])
def test_promise_7_sealing_adds_no_more_than_the_ledger_allows(frames: int) -> None:
    sizes = {len(encrypt(bytes(padded_size(frames)), [ONE.recipient])) for _ in range(30)}
    assert min(sizes) > padded_size(frames)
    assert max(sizes) <= padded_size(frames) + AGE_OVERHEAD


def test_promise_6_age_opens_what_we_seal_and_we_open_what_age_seals(tmp_path: Path) -> None:
    identity, sealed, theirs = tmp_path / "identity.txt", tmp_path / "sealed.age", tmp_path / "theirs.age"
    ONE.save(identity)
    sealed.write_bytes(SEALED)
    opened = subprocess.run(["age", "-d", "-i", str(identity), str(sealed)], check=True, capture_output=True).stdout
    assert opened == b"said in confidence"
    subprocess.run(["age", "-r", ONE.recipient, "-o", str(theirs)], input=b"an answer", check=True)
    assert ONE.decrypt(theirs.read_bytes()) == b"an answer"


def test_an_identity_survives_its_file_which_only_its_owner_reads(tmp_path: Path) -> None:
    path = tmp_path / "identity.txt"
    ONE.save(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert Identity.load(path).recipient == ONE.recipient
    with pytest.raises(FileExistsError):
        TWO.save(path)


def test_comments_of_age_keygen_are_allowed() -> None:
    text = f"# created: today\n# public key: {ONE.recipient}\n{ONE.secret_line().decode()}\n"
    assert Identity.parse(text).recipient == ONE.recipient


@pytest.mark.parametrize("content", [b"", b"a letter", b"AGE-SECRET-KEY-1QQQ\n", b"\xff\xfe", 2 * ONE.secret_line()])
def test_a_file_that_is_no_identity_is_named_and_not_shown(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "identity.txt"
    path.write_bytes(content)
    with pytest.raises(KeyFileError, match=r"identity\.txt") as caught:
        Identity.load(path)
    assert ONE.secret_line().decode().strip() not in caught.value.message


def test_a_missing_identity_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match=r"none\.txt"):
        Identity.load(tmp_path / "none.txt")


def test_an_identity_never_shows_in_a_message() -> None:
    assert "AGE-SECRET" not in repr(ONE) + str(ONE)


def test_what_is_no_recipient_is_refused() -> None:
    with pytest.raises(KeyFileError, match="age1nonsense"):
        parse_recipient("age1nonsense")


def test_a_header_with_more_stanzas_than_there_can_be_is_not_tried() -> None:
    many = encrypt(b"x", [ONE.recipient] * 501)
    began = time.process_time()
    for _ in range(20):
        with pytest.raises(DecryptionError, match="stanzas"):
            ONE.decrypt(many, MAX_KEY_RECIPIENTS)
    assert time.process_time() - began < 0.5, "before the bound it was 7 s each"


@pytest.mark.parametrize(
    "data", [b"", b"age-encryption.org/v1\n" + b"x" * 100_000, b"-----BEGIN AGE ENCRYPTED FILE-----"]
)
def test_what_has_no_end_of_a_header_is_not_tried(data: bytes) -> None:
    with pytest.raises(DecryptionError):
        ONE.decrypt(data)


@pytest.mark.parametrize("recipients", [1, 2, MAX_KEY_RECIPIENTS])
def test_whatever_grease_a_writer_adds_the_bound_lets_it_pass(recipients: int) -> None:
    for _ in range(100):
        assert ONE.decrypt(encrypt(b"x", [ONE.recipient] * recipients), recipients) == b"x"
