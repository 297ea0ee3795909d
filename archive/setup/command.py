"""`plainsight-archive setup`: from an installed package to a page that somebody can sign in to."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import ValidationError

from appliance.contract.errors import SettingsError
from appliance.contract.problems import explain, location
from appliance.contract.settings_file import load_settings

from . import places, steps
from .answers import Answers
from .steps import Host
from .written_settings import site_url

DATABASE_OPTIONS: Final = (
    ("name", "NAME", "an empty database, in UTF-8 (default: plainsight)"),
    ("host", "HOST", "its server, or the folder of its socket (default: this system's socket)"),
    ("port", "PORT", "the server's port (default: 5432)"),
    ("user", "USER", "its owner (default: the archive's own user, plainsight-archive)"),
    ("password-file", "FILE", "a file that holds the password, which the archive's user can read"),
    ("ca", "FILE", "authority of the server's certificate, needed if it is another machine"),
)
"""Any of them makes it PostgreSQL."""
BACKUP_OPTIONS: Final = (
    ("folder", "database and packages"),
    ("keys", "copies of the keys, each encrypted"),
    ("generation-keys", "what opens those copies; of it no other copies are made"),
)
"""The three places."""


@dataclass(frozen=True)
class Outcome:
    """What a set-up did."""

    address: str
    user: str
    password: str | None
    """The first account's, shown once; None if there were accounts already."""
    done: list[str]
    """Each step, in words."""
    left: list[str]
    """What a person still has to do."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the command's arguments."""
    made = argparse.ArgumentParser(
        prog="plainsight-archive setup",
        description="Set up an archive on this host: folders, keys, certificates, database, broker, services and "
        "the first account. Run it as root. It can be repeated; what is there and good is left alone.",
        epilog="example: sudo plainsight-archive setup --host archive.district.example --user m.jones "
        "--new-escrow /media/stick/escrow.txt",
    )
    made.add_argument("--answers", type=Path, metavar="FILE", help="read the answers from a TOML file (unattended)")
    made.add_argument("--host", help="name or address by which boxes and browsers reach this host")
    made.add_argument("--names", nargs="+", metavar="NAME", help="other names and addresses of this host")
    made.add_argument("--port", type=int, help="port for boxes, and for people unless one of the next is given (8443)")
    made.add_argument("--public-certificate", type=Path, metavar="FILE", help="certificate that browsers believe")
    made.add_argument("--public-key", type=Path, metavar="FILE", help="its private key")
    made.add_argument("--public-port", type=int, help="port of the pages with that certificate (default: 443)")
    made.add_argument("--proxy", metavar="ADDRESS", help="a proxy there has the certificate (docs/proxies.md)")
    made.add_argument("--time-zone", metavar="ZONE", help="IANA name (default: America/Chicago)")
    made.add_argument("--contact", help="whom people may ask, as the pages say it")
    made.add_argument("--user", help="sign-in name of the records custodian")
    made.add_argument("--escrow", metavar="RECIPIENT", help="escrow age recipient whose identity is kept offline")
    made.add_argument("--new-escrow", type=Path, metavar="FILE", help="make an escrow identity on a stick")
    made.add_argument("--no-broker", dest="broker", action="store_false", default=None, help="the broker is elsewhere")
    database = made.add_argument_group("a database on PostgreSQL instead of SQLite (docs/postgresql.md)")
    for name, metavar, words in DATABASE_OPTIONS:
        database.add_argument(f"--database-{name}", metavar=metavar, help=words)
    backup = made.add_argument_group("three places for a backup every night, which lie apart (docs/backup.md)")
    for name, words in BACKUP_OPTIONS:
        backup.add_argument(f"--backup-{name}", type=Path, metavar="FOLDER", help=words)
    made.add_argument("--home", type=Path, default=Host.home, help="the archive's folder (default: %(default)s)")
    made.add_argument("--json", action="store_true", help="print what was done as JSON")
    return made


def read_answers(options: argparse.Namespace, ask: Callable[[str], str] | None) -> Answers:
    """Return the answers: from the file, over them the options, and what then is missing from `ask`, if there is one.

    Raises SettingsError that names what is missing or wrong.
    """
    names = Answers.model_fields
    given = {name: value for name, value in vars(options).items() if name in names and value is not None}
    given = {name: value.absolute() if isinstance(value, Path) else value for name, value in given.items()}
    if options.answers is not None:
        # what is given as an option goes before what the file says
        read = load_settings(options.answers, Answers, "name the file with --answers")
        given = read.model_dump(exclude_unset=True) | given
    if database := _database_options(options):
        given["database"] = given.get("database", {}) | database
    if backup := _backup_options(options):
        given["backup"] = given.get("backup", {}) | backup
    questions = {
        "host": "Name or address by which boxes and browsers reach this host",
        "user": "Sign-in name of the records custodian, for the first account",
    }
    for name, question in questions.items():
        if name not in given and ask is not None:
            given[name] = ask(question).strip()
    try:
        return Answers.model_validate(given)
    except ValidationError as error:
        where = location(error)
        option = f"--{where.replace('_', '-').replace('.', '-')}" if where else "the options"
        raise SettingsError(f"{option}: {explain(error)}", field=where) from error


def _database_options(options: argparse.Namespace) -> dict[str, object]:
    names = [name.replace("-", "_") for name, _, _ in DATABASE_OPTIONS]
    given = {name: vars(options)[f"database_{name}"] for name in names}
    given = {name: value for name, value in given.items() if value is not None}
    for name in given.keys() & {"password_file", "ca"}:
        given[name] = Path(given[name]).absolute()
    return {"engine": "postgresql", **given} if given else {}


def _backup_options(options: argparse.Namespace) -> dict[str, Path]:
    names = [name.replace("-", "_") for name, _ in BACKUP_OPTIONS]
    given = {name: vars(options)[f"backup_{name}"] for name in names}
    return {name: path.absolute() for name, path in given.items() if path is not None}


def set_up(host: Host, answers: Answers, tell: Callable[[str], None]) -> Outcome:
    """Do every step and say so; raises the PlainSightError of the step that failed."""
    done: list[str] = []

    def note(words: str) -> None:
        done.append(words)
        tell(words)

    note(steps.make_folders(host))
    note(steps.prove_database(host, answers))
    note(places.prove_places(host, answers.backup))
    if answers.broker:
        note(steps.make_broker_folder(host))
    note(steps.write_configuration(host, answers))
    note(steps.make_keys(host, answers))
    note(steps.make_certificates(host))
    if answers.public_certificate is not None and answers.public_key is not None:
        note(steps.take_certificate(host, answers.public_certificate, answers.public_key))
        note(steps.allow_low_port(host, answers))
    note(steps.make_database(host))
    if answers.broker:
        note(steps.set_up_broker(host))
    note(places.allow_places(host))
    # the password is shown once, so nothing may fail after it
    note(steps.start_units(host, answers))
    words, password = steps.first_account(host, answers)
    note(words)
    return Outcome(f"{site_url(answers)}/", answers.user, password, done, what_is_left(host, answers))


def what_is_left(host: Host, answers: Answers) -> list[str]:
    """Return what a person still has to do, in words."""
    left = [
        f"back up {host.home / 'keys'} now, apart from everything else: without it no recording can be opened",
        "give each box a claim, on the page Boxes (docs/install.md, step 7)",
    ]
    if load_settings(host.home / "archive.toml", places.Named, "mend it").backup.folder is None:
        left.insert(
            1,
            "name three places for backups, in [backup] of archive.toml or to this command (docs/backup.md): until "
            "then a lost disk is the end of every recording, since boxes delete what this archive has",
        )
    if answers.new_escrow is not None:
        left.insert(0, f"take {answers.new_escrow} away from this host, to a safe: it opens everything")
    if answers.proxy is not None:
        left.append(f"let the proxy at {answers.proxy} pass {site_url(answers)} on to this host (docs/proxies.md)")
    elif answers.public_certificate is None:
        left.append(
            f"browsers warn until they trust {host.home / 'keys' / 'authority.pem'}: hand it out to the district's "
            "computers, or get a public certificate (docs/certificates.md)"
        )
    else:
        left.append(
            "let whoever renews the public certificate run 'plainsight-archive take-certificate' (docs/certificates.md)"
        )
    if not answers.broker:
        left.append(
            f"name the broker in {host.home / 'archive.toml'}, section [mqtt]: status of boxes comes through it"
        )
    return left


def main(arguments: list[str]) -> int:
    """Run the command; raises PlainSightError, which the `plainsight-archive` command reports."""
    options = parser().parse_args(arguments)
    ask = input_line if sys.stdin.isatty() and not options.json else None
    answers = read_answers(options, ask)
    home = options.home.absolute()
    if home != Host.home and os.geteuid() == 0:
        raise SettingsError(
            f"the services look for the archive in {Host.home}; another folder is for trials, not as root", field="home"
        )
    host = Host() if home == Host.home else Host(home, home / "broker")
    outcome = set_up(host, answers, lambda words: print(f"done: {words}", file=sys.stderr, flush=True))
    if options.json:
        print(json.dumps(vars(outcome), indent=2))
        return 0
    print(f"\nThe archive is at {outcome.address}")
    if outcome.password is not None:
        print(f"Sign in as {outcome.user} with the password {outcome.password} (it is not shown again).")
        print("The first sign-in asks for a second step: have an authenticator app or a passkey at hand.")
    print("\nWhat is left to do:", *(f"  - {words}" for words in outcome.left), sep="\n")
    return 0


def take_certificate(arguments: list[str]) -> int:
    """Run `take-certificate`; raises PlainSightError."""
    made = argparse.ArgumentParser(
        prog="plainsight-archive take-certificate",
        description="Take a public certificate for the pages, as at its renewal. It is looked at first, and the web "
        "server takes it up by itself. Run it as root.",
        epilog="example: plainsight-archive take-certificate /etc/letsencrypt/live/archive/fullchain.pem "
        "/etc/letsencrypt/live/archive/privkey.pem",
    )
    made.add_argument("certificate", type=Path, help="the certificate, with those between it and its root (PEM)")
    made.add_argument("key", type=Path, help="its private key (PEM, without a password)")
    made.add_argument("--home", type=Path, default=Host.home, help="the archive's folder (default: %(default)s)")
    options = made.parse_args(arguments)
    print(steps.take_certificate(Host(options.home.absolute()), options.certificate, options.key))
    return 0


def input_line(question: str) -> str:
    """Ask at the terminal; raise SettingsError if it ends."""
    try:
        return input(f"{question}: ")
    except EOFError as error:
        raise SettingsError("the terminal ended; give the answers as options or with --answers") from error
