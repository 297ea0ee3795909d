"""Bad input: a wrong or misspelled setting names file, setting and remedy."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.courier import settings
from tests.support.examples import fill

EXAMPLE = Path(settings.__file__).with_name("courier.example.toml")
GOOD = """
[box]
id = "box-7f3a92c1"
[archive]
url = "https://archive.example"
[broker]
host = "broker.example"
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "courier.toml"
    path.write_text(text)
    return path


def test_the_example_is_refused_as_shipped() -> None:
    with pytest.raises(SettingsError, match="still has the shipped example's text"):
        settings.load(EXAMPLE)


def test_the_example_is_read_and_its_comments_show_the_defaults(tmp_path: Path) -> None:
    text = fill(EXAMPLE.read_text(), id="box-7f3a92c1", url="https://archive.example", host="broker.example")
    bare = settings.load(written(tmp_path, text))
    uncommented = [
        line.removeprefix("# ") if re.match(r"# \w+ = ", line) else line
        for line in text.splitlines()
        if not line.startswith("# ca =") or "archive-ca" not in line
    ]
    full = settings.load(written(tmp_path, "\n".join(uncommented)))
    assert bare == full


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        (GOOD.replace("host =", "hots ="), "broker.", ["broker"]),
        (GOOD + 'keepalve = 20\nport = 1883\n[log]\nlevel = "info"', "broker.keepalve", ["did you mean", "keepalive"]),
        (GOOD.replace('id = "box-7f3a92c1"', 'id = "Room 12"'), "box.id", ["box.id"]),
        (GOOD.replace("https://archive.example", "http://archive.example"), "archive.url", ["https://"]),
        (GOOD.replace("https://archive.example", "ftp://archive.example"), "archive.url", ["https://HOST"]),
        (GOOD.replace("https://archive.example", "https://me:word@a.example"), "archive.url", ["nothing else"]),
        (GOOD.replace("https://archive.example", "https://a.example:99999"), "archive.url", ["no web address"]),
        (GOOD + '[spool]\npath = "spool"', "spool.path", ["absolute"]),
        (GOOD + "[times]\nretry_s = 100.0", "times", ["retry_s must not exceed retry_max_s"]),
        (GOOD + "[times]\npoll_s = 0", "times.poll_s", ["greater than 0"]),
        (GOOD.replace("[archive]", "[archives]"), "", ["archive"]),
    ],
)
def test_a_wrong_setting_is_named_with_its_file(tmp_path: Path, text: str, field: str, words: list[str]) -> None:
    path = written(tmp_path, text)
    with pytest.raises(SettingsError) as caught:
        settings.load(path)
    assert str(path) in caught.value.message
    assert (caught.value.field or "").startswith(field)
    for word in words:
        assert word in caught.value.message


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://[::1]:80", "http://localhost", "https://a.example/x/"]
)
def test_plain_http_is_taken_to_this_machine_only(tmp_path: Path, url: str) -> None:
    found = settings.load(written(tmp_path, GOOD.replace("https://archive.example", url)))
    assert found.archive.url == url.rstrip("/")


@pytest.mark.parametrize("host", ["127.0.0.1.evil.example", "10.0.0.1", "0.0.0.0", "localhost.example"])
def test_a_name_that_only_looks_like_this_machine_is_refused(tmp_path: Path, host: str) -> None:
    with pytest.raises(SettingsError, match="https://"):
        settings.load(written(tmp_path, GOOD.replace("https://archive.example", f"http://{host}")))


def test_a_missing_file_and_a_file_that_is_no_toml_are_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"nowhere\.toml"):
        settings.load(tmp_path / "nowhere.toml")
    with pytest.raises(SettingsError, match="not TOML"):
        settings.load(written(tmp_path, "[box\nid"))
