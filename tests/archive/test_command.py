"""The command itself: help, settings and mistakes, never a traceback."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.standard_output import BROKEN_PIPE
from archive import command
from archive.command import OWN, REFUSED
from archive.configuration.file import Configuration, load
from tests.support.archives import Archive
from tests.support.examples import fill


@pytest.mark.parametrize("name", OWN)
def test_every_command_has_help_with_an_example(archive: Archive, name: str) -> None:
    text = archive.run(name, "--help").stdout
    assert "usage:" in text
    assert name == "migrate" or re.search(r"example: (sudo )?plainsight-archive ", text)


def test_a_setting_that_does_not_exist_names_its_likely_name(archive: Archive) -> None:
    (archive.home / "archive.toml").write_text("[web]\nworker = 3\n")
    done = archive.spawn("list", status=2)
    assert "archive.toml" in done.stderr
    assert "'web.workers'" in done.stderr


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[web]\nworkers = 0\n", "web.workers"),
        ("nonsense", "not TOML"),
        ('[site]\nurl = "archive.example.org"\n', "site.url"),
        ('[site]\ntime_zone = "Mars/Base"\n', "site.time_zone"),
        ('[web]\nproxies = ["a proxy"]\n', "web.proxies"),
        ('[database]\nengine = "oracle"\n', "database.engine"),
        ('[database]\nengine = "postgresql"\npassword_file = "/nonexistent/password"\n', "database.password_file"),
        ('[database]\nengine = "postgresql"\npassword_file = "/dev/null"\n', "database.password_file"),
        ('[database]\nengine = "postgresql"\nhost = "db.example.org"\n', "set ca to its authority"),
        ('[database]\nengine = "postgresql"\nhost = "db"\nca = "/nonexistent/ca.pem"\n', "database.ca"),
        ('[database]\nengine = "postgresql"\nhost = "a,,b"\n', "database.host"),
        ('[database]\nengine = "postgresql"\nport = 0\n', "database.port"),
        ('[database]\nengine = "postgresql"\nname = ""\n', "database.name"),
        ('[database]\nengine = "postgresql"\npool = 0\n', "database.pool"),
        ('[database]\nengine = "postgresql"\nstatement_s = "1 min"\n', "database.statement_s"),
        ('[database]\nengine = "postgresql"\napplication_name = "two words"\n', "database.application_name"),
        ('[database]\nengine = "postgresql"\nbusy_s = 5\n', "busy_s says nothing about postgresql"),
        ('[database]\nhost = "localhost"\n', "host says nothing about sqlite"),
        ('[database]\nengine = "postgresql"\nhost = "/nonexistent"\n', "PostgreSQL does not answer"),
    ],
)
def test_a_wrong_setting_is_named(archive: Archive, text: str, message: str) -> None:
    (archive.home / "archive.toml").write_text(text)
    assert message in archive.spawn("list", status=2).stderr


def test_a_subcommand_that_does_not_exist(archive: Archive) -> None:
    assert "--help" in archive.spawn("nonsense", status=2).stderr
    assert "did you mean 'check-custody'?" in archive.run("check_custdy", status=2).stderr


@pytest.mark.parametrize("name", REFUSED)
def test_what_would_go_around_the_custody_log_is_refused(archive: Archive, name: str) -> None:
    assert "add-user" in REFUSED[name] or "set-password" in REFUSED[name]
    assert REFUSED[name] in archive.run(name, "ann", status=2).stderr


def test_a_home_that_does_not_exist(archive: Archive) -> None:
    archive.home = archive.home / "nowhere"
    assert "ARCHIVE_HOME" in archive.spawn("migrate", status=2).stderr


def test_the_example_configuration_is_refused_as_shipped_and_shows_the_defaults(tmp_path: Path) -> None:
    shipped = Path(command.__file__).with_name("archive.example.toml")
    with pytest.raises(SettingsError, match="still has the shipped example's text"):
        load(shipped)
    filled = tmp_path / "archive.toml"
    filled.write_text(fill(shipped.read_text(), url="https://archive.example.org", hosts="archive.example.org"))
    example = load(filled)
    defaults = Configuration()
    assert (example.web, example.database, example.mqtt) == (defaults.web, defaults.database, defaults.mqtt)


def test_a_command_loads_no_page_and_nothing_that_only_pages_need(archive: Archive) -> None:
    """It took a second to start; the one module that is loaded shows that the others would be seen."""
    look = "import sys; from archive.command import main; main(['list']); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", look],
        env=archive.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "archive.recordings.models" in loaded
    assert loaded & {"archive.urls", "boto3", "fido2.server", "icalendar", "prometheus_client", "weasyprint"} == set()


def test_the_version_is_ours(archive: Archive) -> None:
    assert archive.run("--version").stdout.startswith("plainsight ")


@pytest.mark.parametrize("home", ["nowhere", "some/folder"])
def test_a_home_without_an_archive_is_named_and_left_as_it_is(archive: Archive, tmp_path: Path, home: str) -> None:
    archive.home = tmp_path / home
    if home == "some/folder":
        archive.home.mkdir(parents=True)
    assert "ARCHIVE_HOME" in archive.spawn("list", status=2).stderr
    assert not archive.home.exists() or not list(archive.home.iterdir())


def test_a_site_is_the_same_in_capital_letters() -> None:
    site = Configuration.model_validate(
        {"site": {"url": "HTTPS://Archive.Example.ORG", "hosts": ["Archive.Example.ORG"]}}
    ).site
    assert (site.url, site.hosts) == ("https://archive.example.org", ["archive.example.org"])


def files_in(home: Path) -> list[str]:
    return sorted(path.name for path in home.iterdir())


@pytest.mark.parametrize(
    "arguments",
    [
        ["showmigrations"],
        ["makemigrations", "--check"],
        ["check", "--database", "default"],
        ["migrate"],
        ["migrate", "--plan"],
    ],
)
def test_no_command_of_django_leaves_a_database_in_a_folder_that_holds_none(
    tmp_path: Path, arguments: list[str]
) -> None:
    archive = Archive(tmp_path)
    (tmp_path / "letter.txt").touch()
    done = subprocess.run(
        [sys.executable, "-m", "archive.command", *arguments],
        env=archive.environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr
    assert files_in(tmp_path) == ["letter.txt"]


@pytest.mark.parametrize(
    "arguments", [["makemigrations", "--help"], ["--help"], ["list", "--json"], ["list", "nonsense"]]
)
@pytest.mark.parametrize("both", [False, True])
def test_output_into_a_closed_pipe_ends_quietly_with_a_status_of_its_own(
    archive: Archive, arguments: list[str], both: bool
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-m", "archive.command", *arguments],
        env=archive.environment(),
        stdout=writer,
        stderr=writer if both else subprocess.PIPE,
        timeout=60,
        check=False,
    )
    os.close(writer)
    if arguments == ["list", "nonsense"]:
        # what argparse tells of a wrong argument, and nobody reads: from Python 3.13 on it ends with its own status
        assert done.returncode in ({2, BROKEN_PIPE} if both else {2})
        assert (done.stderr or b"")[:5] in {b"", b"usage"}
    else:
        assert (done.returncode, done.stderr or b"") == (BROKEN_PIPE, b"")


def test_a_broken_connection_is_not_taken_for_a_reader_that_has_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_arguments: list[str]) -> int:
        raise BrokenPipeError

    monkeypatch.setattr(command, "_run", broken)
    with pytest.raises(BrokenPipeError):
        command.main(["list"])


def test_output_into_a_full_disk_is_told(archive: Archive) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "archive.command", "--help"],
            env=archive.environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert done.returncode == 2
    assert "No space left on device" in done.stderr
    assert "Traceback" not in done.stderr
