"""What leaves the archive through the real web server: an answer that breaks off is seen to be broken."""

from __future__ import annotations

import pytest
import requests
from django.test import override_settings
from requests.exceptions import ChunkedEncodingError

from tests.archive.page_fixtures import Arrive, signed_in
from tests.support.archives import Archive


def session(archive: Archive) -> requests.Session:
    """A custodian's session for the real server."""
    # sessions are signed, and the server reads its secret from the archive's folder
    secret = (archive.home / "keys" / "django.secret").read_text().strip()
    with override_settings(SECRET_KEY=secret):
        client = signed_in(archive, "m.jones", role="custodian")
    made = requests.Session()
    for name, morsel in client.cookies.items():
        made.cookies.set(name, morsel.value)
    return made


def test_a_flac_that_breaks_off_is_a_failed_download(archive: Archive, sealed: Arrive) -> None:
    made = sealed(seconds=30)
    path = archive.home / "store" / "packages" / made.id[:2] / f"{made.id}.zip"
    path.chmod(0o600)
    data = bytearray(path.read_bytes())
    data[data.index(made.segments[20]) + 500] ^= 1
    path.write_bytes(data)
    with session(archive) as visitor, archive.serving(workers=1) as url:
        answer = visitor.get(f"{url}/recordings/{made.id}/audio.flac", stream=True, timeout=60)
        assert (answer.status_code, answer.headers["Content-Type"]) == (200, "audio/flac")
        got: list[bytes] = []
        with pytest.raises((ChunkedEncodingError, requests.ConnectionError)):
            got.extend(answer.iter_content(1 << 14))
    assert not any(b'"error"' in piece for piece in got)
