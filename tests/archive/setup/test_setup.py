"""`plainsight-archive setup`: from nothing to an archive that a box can be enrolled in, with a real broker and TLS."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
import pytest
import requests
from paho.mqtt.enums import CallbackAPIVersion

from appliance.contract.encryption import Identity
from appliance.contract.errors import SettingsError, StorageError
from appliance.enrollment.command import enroll
from appliance.simulator.demo.ports import free_port
from archive.configuration.database import Database
from archive.configuration.file import load
from archive.setup import command, database_proof, steps
from archive.setup.answers import Answers
from archive.setup.broker_settings import MAX_PACKET
from archive.setup.steps import Host
from tests.support.archives import ROOT
from tests.support.mosquitto import broker_as_set_up
from tests.support.postgresql import USER, cluster
from tests.support.waiting import until


@pytest.fixture(scope="module", autouse=True)
def another_user() -> Iterator[None]:
    """As another user than root: nothing of this machine itself is touched."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Host, "is_root", False)
        patch.setenv("PYTHONPATH", str(ROOT))
        yield


@dataclass(frozen=True)
class Made:
    """An archive that was set up."""

    host: Host
    outcome: command.Outcome
    escrow: Path

    def run(self, *arguments: str) -> Any:
        return self.host.run(*arguments)


@pytest.fixture(scope="module")
def made(another_user: None, tmp_path_factory: pytest.TempPathFactory) -> Made:
    """One archive for all tests here: a set-up is eight commands."""
    folder = tmp_path_factory.mktemp("archive")
    host = Host(folder / "home", folder / "broker", folder / "conf.d" / "plainsight.conf")
    answers = Answers(host="127.0.0.1", port=free_port(), user="m.jones", new_escrow=folder / "escrow.txt")
    return Made(host, command.set_up(host, answers, lambda _: None), folder / "escrow.txt")


@contextmanager
def serving(made: Made) -> Iterator[str]:
    environment = {**os.environ, "ARCHIVE_HOME": str(made.host.home), "PYTHONPATH": str(ROOT)}
    process = subprocess.Popen([sys.executable, "-m", "archive.command", "web"], env=environment, cwd="/")
    address = made.outcome.address.rstrip("/")
    authority = str(made.host.home / "keys" / "authority.pem")

    def answers() -> bool:
        try:
            return requests.get(f"{address}/sign-in/", verify=authority, timeout=60).status_code == 200
        except requests.ConnectionError:
            return False

    try:
        until(answers, "the sign-in page", 60, alive=lambda: process.poll() is None)
        yield address
    finally:
        process.terminate()
        process.wait(60)


class Box:
    """One box's connection to the broker, with the certificate that enrollment gave it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.answers: dict[int, int] = {}
        self.drops = 0
        self.client = mqtt.Client(CallbackAPIVersion.VERSION2, protocol=mqtt.MQTTv5)
        context = ssl.create_default_context(cafile=str(folder / "mqtt" / "ca.pem"))
        context.load_cert_chain(folder / "mqtt" / "client.pem", folder / "mqtt" / "client.key")
        self.client.tls_set_context(context)
        self.client.on_publish = self._published
        self.client.on_disconnect = self._dropped
        self.client.connect("localhost", port)
        self.client.loop_start()
        until(self.client.is_connected, "the broker takes the certificate")

    def _published(self, _client: Any, _data: Any, number: int, reason: Any, _properties: Any) -> None:
        self.answers[number] = reason.value

    def _dropped(self, *_arguments: Any) -> None:
        self.drops += 1

    def says(self, topic: str) -> int:
        """The broker's answer to one message: 0 or 16 is yes, 135 is "not authorized" (MQTT 5, 3.4.2.1)."""
        sent = self.client.publish(topic, "x", qos=1)
        until(lambda: sent.mid in self.answers, "the broker's answer")
        return self.answers[sent.mid]

    def close(self) -> None:
        self.client.disconnect()
        self.client.loop_stop()


def test_from_nothing_to_boxes_that_speak_under_their_own_name_and_stop_when_they_are_retired(
    made: Made, tmp_path: Path
) -> None:
    folders = []
    with serving(made):
        for room in ("Room 1", "Room 2"):
            card, folder = tmp_path / f"card {room}", tmp_path / f"etc {room}"
            card.mkdir()
            folder.mkdir()
            made.run("enroll", room, "-o", str(card), "--json")
            folders.append((enroll(card / "plainsight-claim.toml", folder).box, folder))
    made.run("write-broker-access", str(made.host.broker), "--json")
    with broker_as_set_up(made.host.broker, tmp_path) as (port, process):
        (first, first_folder), (second, second_folder) = folders
        one, two = Box(first_folder, port), Box(second_folder, port)
        assert one.says(f"plainsight/{first}/state/about") in {0, 16}
        assert one.says(f"plainsight/{second}/state/about") == 135, "another box's name"
        made.run("retire", first)
        assert made.run("write-broker-access", str(made.host.broker), "--json") == {"changed": True}
        process.send_signal(signal.SIGHUP)
        until(lambda: one.says(f"plainsight/{first}/state/about") == 135, "the retired box is refused")
        assert two.says(f"plainsight/{second}/state/about") in {0, 16}, "nobody else is disturbed"
        assert two.client.is_connected()
        # nothing that a box says is so long; a retained word stays in the broker's memory
        two.client.publish(f"plainsight/{second}/state/about", b"x" * (MAX_PACKET + 1), qos=0, retain=True)
        until(lambda: two.drops, "who says too much at once is dropped")
        assert one.drops == 0, "nobody else is"
        one.close()
        two.close()


def test_the_broker_takes_a_renewed_certificate_up_and_drops_nobody(made: Made, tmp_path: Path) -> None:
    keys = made.host.home / "keys"
    context = ssl.create_default_context(cafile=str(keys / "authority.pem"))
    context.load_cert_chain(keys / "listener.pem", keys / "listener.key")
    with broker_as_set_up(made.host.broker, tmp_path) as (port, process):

        def connected() -> ssl.SSLSocket:
            return context.wrap_socket(socket.create_connection(("localhost", port)), server_hostname="localhost")

        with connected() as client:
            before = client.getpeercert(binary_form=True)
            (made.host.broker / "server.pem").unlink()
            assert made.run("make-certificates", "--json") == {"made": ["broker"]}
            process.send_signal(signal.SIGHUP)
            until(lambda: connected().getpeercert(binary_form=True) != before, "the new certificate")
            client.settimeout(0.1)
            with pytest.raises(TimeoutError):
                # an end of the connection would be read as nothing
                client.recv(1)


def test_the_first_account_can_sign_in_and_the_escrow_is_on_the_stick(made: Made) -> None:
    assert made.outcome.password
    with serving(made) as address, requests.Session() as session:
        # a bundle that the environment names would go before this one
        session.trust_env = False
        session.verify = str(made.host.home / "keys" / "authority.pem")
        page = session.get(f"{address}/sign-in/", timeout=60)
        token = session.cookies["__Host-csrf"]
        answer = session.post(
            f"{address}/sign-in/",
            data={"username": "m.jones", "password": made.outcome.password, "csrfmiddlewaretoken": token},
            headers={"Referer": page.url},
            timeout=60,
        )
        assert answer.status_code == 200
        assert "sign-in" not in answer.url
    escrow = Identity.load(made.escrow)
    assert (made.host.home / "keys" / "escrow.txt").read_text().strip() == escrow.recipient


def test_a_second_run_changes_nothing_and_keeps_the_districts_own_settings(made: Made) -> None:
    settings = made.host.home / "archive.toml"
    settings.write_text(settings.read_text() + "# the district's own\n")
    before = {path: path.read_bytes() for path in (made.host.home / "keys").iterdir()}
    port = int(made.outcome.address.rstrip("/").rpartition(":")[2])
    answers = Answers(host="127.0.0.1", port=port, user="m.jones", new_escrow=made.escrow)
    again = command.set_up(made.host, answers, lambda _: None)
    assert again.password is None
    assert "certificates (all good)" in again.done
    assert {path: path.read_bytes() for path in (made.host.home / "keys").iterdir()} == before
    assert settings.read_text().endswith("# the district's own\n")


def test_another_address_than_the_settings_have_is_refused_and_changes_nothing(made: Made) -> None:
    before = (made.host.home / "archive.toml").read_bytes()
    with pytest.raises(SettingsError, match="change the file by hand"):
        command.set_up(made.host, Answers(host="other.example", user="m.jones"), lambda _: None)
    assert (made.host.home / "archive.toml").read_bytes() == before


def on(name: str, **other: Any) -> Database:
    """A database of the throw-away cluster, as the answers name it."""
    return Database(engine="postgresql", host=str(cluster().folder), name=name, **{"user": USER, **other})


def test_an_archive_is_set_up_on_postgresql_and_a_second_run_keeps_it(tmp_path: Path) -> None:
    host = Host(tmp_path / "home", tmp_path / "broker")
    name = cluster().create()
    answers = Answers(
        host="127.0.0.1", user="m.jones", new_escrow=tmp_path / "escrow.txt", database=on(name), broker=False
    )
    made = command.set_up(host, answers, lambda _: None)
    assert made.password
    assert any(words.startswith(f"database {name} (PostgreSQL ") for words in made.done)
    assert load(host.home / "archive.toml").database == on(name)
    assert not (host.home / "archive.sqlite3").exists()
    with cluster().connect(name) as connection:
        assert connection.execute("SELECT username FROM accounts_user").fetchall() == [("m.jones",)]
    # proved again, as one that holds this archive now
    assert steps.prove_database(host, answers.model_copy(update={"database": None})).startswith(f"database {name}")
    with pytest.raises(SettingsError, match="backup and restore") as caught:
        steps.prove_database(host, answers.model_copy(update={"database": on("other")}))
    assert caught.value.field == "database.name"
    with pytest.raises(SettingsError, match="empty one with createdb"):
        # the same database by mistake, for another archive
        steps.prove_database(Host(tmp_path / "another"), answers)


def test_a_database_that_cannot_be_reached_stops_before_anything_is_written(tmp_path: Path) -> None:
    host = Host(tmp_path / "home", tmp_path / "broker")
    with pytest.raises(SettingsError, match="createdb") as caught:
        command.set_up(host, Answers(host="127.0.0.1", user="m.jones", database=on("nowhere")), lambda _: None)
    assert caught.value.field == "database.name"
    assert not list(host.home.iterdir())


def test_each_reason_against_a_database_names_its_setting_and_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "empty").touch()
    with cluster().connect() as connection:
        connection.execute("CREATE DATABASE in_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
        connection.execute("CREATE ROLE guest LOGIN")
    used = cluster().create()
    with cluster().connect(used) as connection:
        connection.execute("CREATE TABLE of_somebody (id int)")
    wrong = {
        "database.name": [(on("nowhere"), "createdb"), (on("in_latin"), "LATIN1"), (on(used), "other tables")],
        "database.user": [(on(used, user="nobody"), "createuser"), (on(used, user="guest"), "owner")],
        "database.host": [
            (on(used).model_copy(update={"host": str(tmp_path)}), "start the server"),
            (on(used, port=1), "start the server"),
        ],
        "database.password_file": [
            (on(used, password_file=tmp_path / "missing"), "cannot read"),
            (on(used, password_file=tmp_path / "empty"), "write the password"),
        ],
    }
    for field, cases in wrong.items():
        for database, words in cases:
            with pytest.raises(SettingsError, match=words) as caught:
                database_proof.prove(database_proof.Question(database=database, new=True))
            assert caught.value.field == field


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ('FATAL: password authentication failed for user "x"', "database.password_file"),
        ('FATAL: Peer authentication failed for user "x"', "database.user"),
        ('FATAL: no pg_hba.conf entry for host "10.0.0.2"', "database.user"),
        ("SSL error: certificate verify failed", "database.ca"),
        ('server certificate for "a" does not match host name "b"', "database.ca"),
        ("connection timeout expired", "database.host"),
        ("FATAL: sorry, too many clients already", "database.host"),
    ],
)
def test_what_a_server_says_is_laid_to_the_setting_that_it_is_about(said: str, field: str) -> None:
    assert database_proof.refused(said).field == field


def test_settings_are_written_through_no_link(tmp_path: Path) -> None:
    host = Host(tmp_path / "home", tmp_path / "broker")
    host.home.mkdir()
    (host.home / "archive.toml").symlink_to(tmp_path / "missing")
    steps.write_configuration(host, Answers(host="127.0.0.1", user="m.jones"))
    assert not (host.home / "archive.toml").is_symlink()
    assert not (tmp_path / "missing").exists()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageError):
        steps.write_configuration(Host(tmp_path / "link"), Answers(host="127.0.0.1", user="m.jones", port=9999))


def test_a_run_that_was_cut_off_after_the_escrow_goes_on_with_it(tmp_path: Path) -> None:
    host = Host(tmp_path / "home", tmp_path / "broker")
    steps.make_folders(host)
    answers = Answers(host="127.0.0.1", user="m.jones", new_escrow=tmp_path / "escrow.txt")
    escrow = Identity.generate()
    escrow.save(tmp_path / "escrow.txt")
    steps.write_configuration(host, answers)
    steps.make_keys(host, answers)
    assert (host.home / "keys" / "escrow.txt").read_text().strip() == escrow.recipient


def test_without_an_escrow_it_stops_and_says_so(tmp_path: Path) -> None:
    host = Host(tmp_path / "home", tmp_path / "broker")
    with pytest.raises(SettingsError, match="--new-escrow"):
        command.set_up(host, Answers(host="127.0.0.1", user="m.jones"), lambda _: None)


@pytest.mark.parametrize(
    ("arguments", "field"),
    [
        ([], "host"),
        (["--host", "archive.example"], "user"),
        (["--host", "not a name", "--user", "x"], "host"),
        (["--host", "a.example", "--user", "x", "--time-zone", "Mars/Base"], "time_zone"),
        (["--host", "a.example", "--user", "x", "--port", "80"], "port"),
        (["--host", "a.example", "--user", "x", "--escrow", "age1nonsense"], "escrow"),
        (["--host", "a.example", "--user", "x", "--database-port", "many"], "database.port"),
        (["--host", "a.example", "--user", "x", "--database-host", "db.example"], "database"),
    ],
)
def test_what_is_missing_or_wrong_is_named(arguments: list[str], field: str) -> None:
    with pytest.raises(SettingsError) as caught:
        command.read_answers(command.parser().parse_args(arguments), None)
    assert caught.value.field == field


def test_answers_come_from_a_file_or_a_person(tmp_path: Path) -> None:
    path = tmp_path / "answers.toml"
    path.write_text('host = "archive.example"\nuser = "m.jones"\nport = 9443\nbroker = false\n')
    read = command.read_answers(command.parser().parse_args(["--answers", str(path)]), None)
    assert (read.host, read.port, read.broker) == ("archive.example", 9443, False)
    over = command.read_answers(command.parser().parse_args(["--answers", str(path), "--port", "9444"]), None)
    assert (over.host, over.port) == ("archive.example", 9444)
    path.write_text('host = "archive.example"\nusr = "m.jones"\n')
    with pytest.raises(SettingsError, match="usr"):
        command.read_answers(command.parser().parse_args(["--answers", str(path)]), None)
    path.write_text('host = "archive.example"\nuser = "m.jones"\n[database]\nengine = "postgresql"\nname = "a"\n')
    named = ["--answers", str(path), "--database-user", "b", "--database-password-file", "c"]
    database = command.read_answers(command.parser().parse_args(named), None).database
    assert database == Database(engine="postgresql", name="a", user="b", password_file=Path("c").absolute())
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return "archive.example" if "address" in question else "m.jones"

    assert command.read_answers(command.parser().parse_args([]), ask).user == "m.jones"
    assert len(asked) == 2


def test_as_root_without_the_package_it_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Host, "is_root", True)
    monkeypatch.setattr(steps, "USER", "nobody-has-this-name")
    with pytest.raises(SettingsError, match="install the package"):
        steps.make_folders(Host(tmp_path / "home"))


def test_the_command_shows_an_example_and_ends_with_2_for_a_wrong_answer() -> None:
    command_line = [sys.executable, "-m", "archive.command", "setup"]
    shown = subprocess.run([*command_line, "--help"], cwd=ROOT, capture_output=True, text=True, check=True)
    assert "example: sudo plainsight-archive setup" in shown.stdout
    wrong = subprocess.run(
        [*command_line, "--host", "x y"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
    )
    assert wrong.returncode == 2
    assert "Traceback" not in wrong.stderr


def test_the_result_is_json_that_a_script_can_read(made: Made) -> None:
    assert json.loads(json.dumps(vars(made.outcome)))["address"].startswith("https://127.0.0.1:")
