"""What others wrote is exactly what they published."""

from __future__ import annotations

import gzip
import hashlib
from pathlib import Path
from typing import Any

from tests.archive.page_sources import ARCHIVE, STYLE
from tests.support.archives import Archive

VENDOR = ARCHIVE / "ui" / "static" / "ui" / "vendor"
PUBLISHED = {
    # of the package @picocss/pico 2.1.1 in the npm registry
    "pico-2.1.1/pico.classless.min.css": "61207a40ffc02a42d1e50143651c121beab70ed413c934c1ff84fa263ba436b0",
    "pico-2.1.1/LICENSE.md": "afaff063e044233f917b7807dccab022f09dca474f92b642846bee4850655bbf",
}


def digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_vendored_files_are_those_that_were_published() -> None:
    found = {path.relative_to(VENDOR).as_posix() for path in VENDOR.rglob("*") if path.is_file()}
    assert found == {*PUBLISHED, "pico-2.1.1/pico.classless.min.css.gz"}
    assert {name: digest(VENDOR / name) for name in PUBLISHED} == PUBLISHED


def test_the_compressed_copy_is_the_same_file() -> None:
    path = VENDOR / "pico-2.1.1" / "pico.classless.min.css"
    assert gzip.decompress(path.with_suffix(".css.gz").read_bytes()) == path.read_bytes()


def test_browsers_get_the_compressed_copy(archive: Archive, client: Any) -> None:
    path = "/static/ui/vendor/pico-2.1.1/pico.classless.min.css"
    answer = client.get(path, headers={"accept-encoding": "gzip"})
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")


def test_what_others_wrote_stands_in_a_layer_below_our_rules() -> None:
    imports = [line for line in STYLE.read_text().splitlines() if line.startswith("@import")]
    assert imports == ['@import url("vendor/pico-2.1.1/pico.classless.min.css") layer(pico);']
