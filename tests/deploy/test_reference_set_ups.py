"""The set-ups of docs/scale.md as Ansible inventories: check mode passes, what is written can be used, no secret."""

from __future__ import annotations

import re
import shutil
import subprocess
import textwrap
import tomllib
from pathlib import Path

import pytest

from appliance.contract.encryption import Identity
from archive.configuration.file import Configuration
from archive.setup.answers import Answers
from tests.docs.test_two_hosts import shown

from .test_ansible import FOLDER, ROOT, play

INVENTORIES = sorted((FOLDER / "inventories").glob("*.yml"))
SECRET = re.compile(r"password|credentials|token|secret|key_file|certificate_file")
needs_ansible = pytest.mark.skipif(
    shutil.which("ansible-playbook") is None, reason="ansible-core is not installed (apt-get install ansible-core)"
)
HOSTS = {"one-host": 1, "two-hosts": 5, "co-operative": 3}


def copied(home: Path, name: str) -> Path:
    """Copy an inventory, and make every file that it names; return where it lies."""
    text = (FOLDER / "inventories" / f"{name}.yml").read_text()
    (home / "files" / "secrets").mkdir(parents=True)
    named = re.findall(
        r"/(files/(?:\{\{ \w+ \}\}|[^\"'\s{])+)", text.replace("' + plainsight_host + '", "{{ plainsight_host }}")
    )
    hosts = re.findall(r"(?m)^\s+plainsight_host: (\S+)", text) + re.findall(r"(?m)^ +(database-\w+):$", text)
    for path in named:
        for host in hosts if "{{" in path else [""]:
            file = home / re.sub(r"\{\{.*?\}\}", host, path)
            recipient = Identity.generate().recipient
            other = f"{'secret' if 'secrets' in path else 'public'}: {file.name}"
            file.write_text(recipient if file.suffix == ".recipient" else other)
    (home / f"{name}.yml").write_text(text)
    return home / f"{name}.yml"


def checked(home: Path, name: str) -> str:
    """Run the playbook in check mode, and return what it says."""
    done = play(
        home, "-i", str(copied(home, name)), "--check", "--diff", "-c", "local",
        "-e", f'{{"plainsight_offline": true, "ansible_become": false, "plainsight_proxy_settings": "{home}/h.cfg"}}',
        book="archives.yml",
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def written(said: str, template: str) -> list[str]:
    """Return what was written by a template, on each host."""
    found = re.findall(rf"\+\+\+ after: [^\n]*/{re.escape(template)}\n@@[^\n]*\n((?:\+[^\n]*\n)+)", said)
    return ["".join(f"{line[1:]}\n" for line in one.splitlines()) for one in found]


@pytest.mark.parametrize("ends", [0, 2], ids=["well", "refused"])
def test_the_archive_is_set_up_until_a_set_up_ends_well(tmp_path: Path, ends: int) -> None:
    """A unit's link as the mark was there before: the package's installation makes it."""
    tasks = (FOLDER / "roles/plainsight_archive/tasks/main.yml").read_text()
    task = tasks.split("- name: Set the archive up\n")[1].split("\n- name:")[0]
    found = re.search(r"cmd: >-\n((?:      .*\n)+)\s+creates: (\S+)\n", task)
    assert found, task
    mark = tmp_path / "set-up"
    program = tmp_path / "plainsight-archive"
    program.write_text(f'#!/bin/sh\n[ "$1" = setup ] && exit {ends}\n')
    program.chmod(0o755)
    command = " ".join(found[1].split()).replace(found[2], str(mark))
    done = subprocess.run(["sh", "-c", command], env={"PATH": f"{tmp_path}:/usr/bin:/bin"}, timeout=60, check=False)
    assert (done.returncode == 0, mark.exists()) == (ends == 0, ends == 0)


def test_each_set_up_of_the_page_has_its_inventory() -> None:
    page = (ROOT / "docs" / "scale.md").read_text()
    section = page.split("## Three set-ups")[1].split("\n## ")[0]
    assert re.findall(r"`inventories/([\w-]+)\.yml`", section) == list(HOSTS)
    assert [path.stem for path in INVENTORIES] == sorted(HOSTS)


@pytest.mark.parametrize("path", INVENTORIES, ids=[path.stem for path in INVENTORIES])
def test_what_is_secret_is_a_file_and_stands_in_no_inventory_and_no_default(path: Path) -> None:
    defaults = [*FOLDER.glob("roles/*/defaults/main.yml")]
    lines = [line for file in (path, *defaults) for line in file.read_text().splitlines()]
    named = [line.split(":", 1) for line in lines if re.match(r" *\w+:", line)]
    for name, value in named:
        if SECRET.search(name):
            assert name.strip().endswith(("_file", "_certificate")), f"{name} is no file"
            assert re.search(r"/files/(secrets/)?", value) or value.strip() == '""', f"{name} names no file"


@needs_ansible
@pytest.mark.parametrize("name", HOSTS)
def test_check_mode_passes_and_set_up_takes_what_is_written(name: str, tmp_path: Path) -> None:
    said = checked(tmp_path, name)
    recap = said.split("PLAY RECAP")[1]
    assert (recap.count("failed=0"), recap.count("unreachable=0")) == (HOSTS[name], HOSTS[name])
    assert "secret: " not in said, "a secret is shown"
    answers = [Answers.model_validate(tomllib.loads(text)) for text in written(said, "answers.toml.j2")]
    sites = [one.host for one in answers]
    assert len(sites) == len(re.findall(r"(?m)^(?:archive|one|two)\S* +:", recap))
    if name == "two-hosts":
        assert sites == ["archive.district.example"] * 2
        assert answers[0] == answers[1]
        assert answers[0].database is not None
        check_two_hosts(said)
    else:
        # what districts have in common is the operator alone
        assert len(set(sites)) == len({one.escrow for one in answers}) == len({one.user for one in answers})


def check_two_hosts(said: str) -> None:
    """What the others of the five hosts have fits together."""
    more = re.findall(r"(?m)^\+(.*)$", said.split("TASK [plainsight_archive : Name store and monitor]")[1])
    block = more[more.index("# BEGIN ANSIBLE MANAGED BLOCK") : more.index("# END ANSIBLE MANAGED BLOCK")]
    store = Configuration.model_validate(tomllib.loads("\n".join(block))).store
    assert (store.engine, store.s3 is not None and store.s3.destroys_early) == ("s3", True)
    (proxy,) = written(said, "haproxy.cfg.j2")
    assert proxy.partition("\n")[2] == shown(), "docs/proxies.md shows another set-up than the role makes"
    names = re.findall(r"FIRST 1 \(\"([\w-]+)\"\)", "".join(written(said, "plainsight.conf.j2")))
    assert names == ["database-two", "database-one"], "whichever is the primary waits for the other one"


@needs_ansible
def test_hosts_that_share_a_folder_and_no_database_are_refused_with_the_remedy(tmp_path: Path) -> None:
    done = play(
        tmp_path, "-i", str(copied(tmp_path, "one-host")), "--check", "-c", "local",
        "-e", '{"plainsight_offline": true, "ansible_become": false, "plainsight_shared": "10.0.0.1:/srv"}',
        book="archives.yml",
    )  # fmt: skip
    assert done.returncode != 0
    assert "hosts that share a folder need plainsight_database" in " ".join(done.stdout.split())


def role(name: str, file: str) -> str:
    """Return the text of a file of a role."""
    return (FOLDER / "roles" / name / file).read_text()


@pytest.mark.parametrize(("answer", "status", "stays"), [("exit 2", 2, True), ("echo 1", 3, True), ("true", 0, False)])
def test_a_cluster_is_set_aside_only_where_it_answers_that_it_is_empty(
    tmp_path: Path, answer: str, status: int, stays: bool
) -> None:
    copying = textwrap.dedent(role("plainsight_database", "tasks/standby.yml").split("- |\n")[1].split("\n  vars:")[0])
    cluster, tools = tmp_path / "main", tmp_path / "tools"
    cluster.mkdir()
    (cluster / "PG_VERSION").write_text("17")
    tools.mkdir()
    for tool, does in {"runuser": f'case "$*" in *psql*) {answer};; esac', "pg_ctlcluster": "true"}.items():
        (tools / tool).write_text(f"#!/bin/sh\n{does}\n")
        (tools / tool).chmod(0o700)
    script = re.sub(r"\{\{ \w+ \}\}", "x", copying.replace("{{ plainsight_cluster }}", str(cluster)))
    found = {"PATH": f"{tools}:/usr/bin:/bin"}
    done = subprocess.run(["sh", "-ec", script], env=found, capture_output=True, check=False)
    assert (done.returncode, cluster.exists()) == (status, stays), done.stderr
    assert len(list(tmp_path.glob("main*/PG_VERSION"))) == 1, "nothing is thrown away"


def test_new_settings_start_a_listener_only_where_one_runs() -> None:
    """The handler comes after the task that stops it."""
    assert 'loop: "{{ plainsight_services }}"' in role("plainsight_archive", "handlers/main.yml")
    services = role("plainsight_archive", "vars/main.yml").split("plainsight_services:")[1].split("\nplainsight_")[0]
    assert re.findall(r"\[([^\]]*listen[^\]]*)\] if (\w+) else \[\]", services) == [
        ("'plainsight-archive-listen.service'", "plainsight_listen")
    ]


def test_another_store_is_proven_before_the_archive_takes_it_up() -> None:
    """`creates` alone would leave the proof of the old settings, which web server and worker refuse."""
    tasks = re.split(r"(?m)^- name: ", role("plainsight_archive", "tasks/main.yml"))
    (away,) = [number for number, one in enumerate(tasks) if "state: absent" in one]
    (proven,) = [number for number, one in enumerate(tasks) if "check-store" in one]
    assert away < proven
    assert re.findall(r"creates: (\S+)", tasks[proven]) == re.findall(r"path: (\S+)", tasks[away])
    for name in ("Hand over what is secret", "Name store and monitor"):
        (number,) = [number for number, one in enumerate(tasks) if one.startswith(name)]
        assert number < away
        (registered,) = re.findall(r"register: (\w+)", tasks[number])
        assert f"{registered} is changed" in tasks[away]
