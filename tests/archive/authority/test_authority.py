"""The authority: certificates that Python 3.13 and OpenSSL accept, for the names and purposes that were asked for."""

from __future__ import annotations

import ssl
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509

from appliance.contract.errors import FormatError, KeyFileError
from appliance.enrollment.identity import Identity
from archive.authority.authority import CERTIFICATE, KEY, Authority

NOW = datetime.now(UTC)


def openssl(*arguments: str) -> str:
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True, text=True).stdout


def test_openssl_accepts_the_chain_strictly(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path, "A district", NOW)
    server = authority.server(["archive.example", "10.0.0.1"], NOW)
    (tmp_path / "server.pem").write_bytes(server.certificate)
    out = openssl(
        "verify", "-x509_strict", "-purpose", "sslserver", "-verify_hostname", "archive.example",
        "-CAfile", str(tmp_path / CERTIFICATE), str(tmp_path / "server.pem"),
    )  # fmt: skip
    assert out.strip().endswith("OK")
    box = Identity.load_or_make(tmp_path)
    (tmp_path / "client.pem").write_bytes(authority.box(box.certificate_request(), "box-1234", NOW))
    out = openssl(
        "verify", "-x509_strict", "-purpose", "sslclient", "-CAfile", str(tmp_path / CERTIFICATE),
        str(tmp_path / "client.pem"),
    )  # fmt: skip
    assert out.strip().endswith("OK")
    subject = openssl("x509", "-in", str(tmp_path / "client.pem"), "-noout", "-subject", "-nameopt", "RFC2253")
    assert "CN=box-1234" in subject


def test_a_box_cannot_pose_as_a_server(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path, "A district", NOW)
    box = Identity.load_or_make(tmp_path)
    (tmp_path / "client.pem").write_bytes(authority.box(box.certificate_request(), "box-1234", NOW))
    with pytest.raises(subprocess.CalledProcessError):
        openssl("verify", "-purpose", "sslserver", "-CAfile", str(tmp_path / CERTIFICATE), str(tmp_path / "client.pem"))


def test_the_key_is_its_owners_alone_and_is_loaded_again(tmp_path: Path) -> None:
    made = Authority.make(tmp_path, "A district", NOW)
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600
    assert Authority.load(tmp_path).pem == made.pem
    ssl.create_default_context(cadata=made.pem.decode())


def test_what_is_missing_or_mixed_up_is_named(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="setup"):
        Authority.load(tmp_path)
    (tmp_path / "other").mkdir()
    Authority.make(tmp_path / "other", "Another", NOW)
    Authority.make(tmp_path, "A district", NOW)
    (tmp_path / "other" / KEY).rename(tmp_path / KEY)
    with pytest.raises(KeyFileError, match="one backup"):
        Authority.load(tmp_path)
    (tmp_path / KEY).write_text("junk")
    with pytest.raises(KeyFileError, match="cannot read"):
        Authority.load(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "junk", "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n"]
)
def test_a_request_that_is_none_is_a_format_error(tmp_path: Path, text: str) -> None:
    with pytest.raises(FormatError, match="certificate signing request"):
        Authority.make(tmp_path, "A district", NOW).box(text, "box-1234", NOW)


def test_a_making_that_was_cut_off_after_the_key_is_finished_with_that_key(tmp_path: Path) -> None:
    made = Authority.make(tmp_path, "A district", NOW)
    issued = made.server(["archive.example"], NOW)
    (tmp_path / CERTIFICATE).unlink()
    again = Authority.make(tmp_path, "A district", NOW)
    x509.load_pem_x509_certificate(issued.certificate).verify_directly_issued_by(again.certificate)


def test_boxes_outlive_a_school_year_and_a_late_clock(tmp_path: Path) -> None:
    authority = Authority.make(tmp_path, "A district", NOW)
    box = Identity.load_or_make(tmp_path)
    made = x509.load_pem_x509_certificate(authority.box(box.certificate_request(), "box-1234", NOW))
    assert made.not_valid_before_utc <= NOW - timedelta(hours=23)
    assert made.not_valid_after_utc >= NOW + timedelta(days=398)
