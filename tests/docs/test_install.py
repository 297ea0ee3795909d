"""docs/install.md and its neighbors as a technician follows them: no command, option or file that there is not."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from appliance.command import SUBCOMMANDS
from appliance.enrollment.says import FILE
from archive.command import OWN
from archive.setup import command as setup
from archive.setup.answers import Answers
from archive.setup.broker_settings import broker_settings

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "install.md",
    "backup.md",
    "running.md",
    "enrollment.md",
    "certificates.md",
    "read-only-root.md",
    "commissioning.md",
    "hardware.md",
]
TEXT = (ROOT / "docs/install.md").read_text(encoding="utf-8")


def commands(page: str) -> list[tuple[str, ...]]:
    """Return what a page says to type: program, subcommand and the options that are given to it."""
    text = (ROOT / "docs" / page).read_text(encoding="utf-8").replace("\\\n", " ")
    typed = re.findall(r"`([^`]+)`", re.sub(r"\n +", " ", text)) + re.findall(r"^ {4,}(\S.*)$", text, re.MULTILINE)
    found = []
    for line in typed:
        for part in re.split(r"&&|;|\|", line):
            words = part.split()
            while words and (words[0] in {"sudo", "exec", "ssh", "ROOM"} or "=" in words[0]):
                words = words[1:]
            program = words[0].removeprefix("/usr/bin/").removeprefix("./") if words else ""
            if len(words) > 1 and (program in {"plainsight", "plainsight-archive"} or program.startswith("deploy/")):
                before = words[: words.index("--")] if "--" in words else words
                options = [word.partition("=")[0] for word in before[1:] if re.match(r"--?[a-z]", word)]
                found.append((program, words[1].strip('"'), *options))
    assert found or page == "hardware.md", page
    return sorted(set(found))


def test_there_are_ten_numbered_steps_in_their_order() -> None:
    assert [int(number) for number in re.findall(r"^(\d+)\. ", TEXT, flags=re.MULTILINE)] == list(range(1, 11))


@pytest.mark.parametrize("page", PAGES)
def test_every_command_of_the_page_is_there_and_takes_what_it_is_given(page: str) -> None:
    wrong = []
    for program, subcommand, *options in commands(page):
        if program.startswith("deploy/"):
            help_text = (ROOT / program).read_text(encoding="utf-8") if (ROOT / program).is_file() else ""
        elif subcommand.startswith("-"):
            continue
        else:
            known = SUBCOMMANDS if program == "plainsight" else OWN
            help_text = help_of(program, subcommand) if subcommand in known else ""
        wrong += [f"{program} {subcommand}" if not help_text else "", *(
            f"{program} {subcommand} {option}" for option in options if option not in help_text
        )]  # fmt: skip
    assert not [one for one in wrong if one]


def help_of(program: str, subcommand: str) -> str:
    """Return the help of a subcommand and of what comes below it."""
    module = "appliance.command" if program == "plainsight" else "archive.command"
    said = ""
    for more in [[], ["on"], ["run"], ["status"]] if subcommand == "read-only-root" else [[]]:
        done = subprocess.run(
            [sys.executable, "-P", "-m", module, subcommand, *more, "--help"],
            cwd=ROOT, capture_output=True, text=True, check=True, timeout=120,
        )  # fmt: skip
        said += done.stdout
    return said


def test_a_misspelt_option_would_be_noticed() -> None:
    assert "--new-escrw" not in help_of("plainsight-archive", "setup")
    assert ("plainsight-archive", "setup", "--host", "--user", "--new-escrow") in commands("install.md")


def test_the_set_up_of_step_4_is_complete() -> None:
    """What the page says to type is all that set-up asks for: it stops at no question."""
    line = re.search(r"sudo (plainsight-archive setup --host .*?)\n\n", TEXT.replace("\\\n", " "), flags=re.DOTALL)
    assert line
    options = setup.parser().parse_args(shlex.split(line[1])[2:])
    answers = setup.read_answers(options, None)
    assert answers.new_escrow is not None
    assert answers.port == 8443


def test_the_ports_that_a_firewall_has_to_let_through_are_the_ones_that_are_listened_at() -> None:
    said = re.search(r"from boxes to the archive TCP (\d+) .* and (\d+) ", TEXT)
    assert said
    assert said[1] == str(Answers.model_fields["port"].default)
    assert f"\nlistener {said[2]}\n" in broker_settings(Path("broker"), None)


def test_what_a_box_says_on_its_card_has_the_name_of_the_page() -> None:
    assert f"`{FILE}`" in TEXT
    assert "`plainsight-claim.toml`" in TEXT
