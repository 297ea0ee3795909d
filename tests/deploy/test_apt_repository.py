"""The signed repository of packages: what it refuses, and what apt itself makes of it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ("apt-ftparchive", "gpg", "dpkg-deb")


@pytest.fixture(autouse=True)
def tools() -> None:
    if missing := [name for name in TOOLS if shutil.which(name) is None]:
        pytest.skip(f"{', '.join(missing)} is not installed (deploy/test installs it)")


def package(folder: Path, version: str, text: str = "hello") -> Path:
    """Build a package of one file."""
    tree = folder / f"tree-{version}-{text}"
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "usr/share/plainsight-probe").mkdir(parents=True)
    (tree / "usr/share/plainsight-probe/text").write_text(text)
    (tree / "DEBIAN/control").write_text(
        f"Package: plainsight-probe\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.invalid>\nDescription: a probe\n"
    )
    out = folder / "packages"
    out.mkdir(exist_ok=True)
    path = out / f"plainsight-probe_{version}_all.deb"
    subprocess.run(
        ["dpkg-deb", "--build", "--root-owner-group", str(tree), str(path)], check=True, capture_output=True, timeout=60
    )
    return out


def make(out: Path, packages: Path, key: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(ROOT / "deploy/apt-repository"), "-o", str(out), "--packages", str(packages), "--key", str(key), *more],
        capture_output=True, text=True, check=False, timeout=180,
    )  # fmt: skip


@pytest.fixture
def key(tmp_path_factory: pytest.TempPathFactory) -> Path:
    # gpg's agent wants a short path for its socket
    return tmp_path_factory.mktemp("k") / "key"


def apt(state: Path, out: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """Run apt on lists and sources of its own, as a box would, but without a root of its own."""
    for name in ("lists/partial", "cache/archives/partial", "sources", "trusted", "parts"):
        (state / name).mkdir(parents=True, exist_ok=True)
    (state / "status").touch()
    shutil.copy(out / "plainsight.sources", state / "sources/plainsight.sources")
    options = {
        "Dir::State": state, "Dir::State::Lists": state / "lists", "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache", "Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": state / "sources",
        "Dir::Etc::trustedparts": state / "trusted", "Dir::Etc::parts": state / "parts", "APT::Sandbox::User": "root",
        "Dir::Etc::preferencesparts": state / "parts", "APT::Architecture": "amd64", "APT::Architectures::": "amd64",
    }  # fmt: skip
    given = [part for name, value in options.items() for part in ("-o", f"{name}={value}")]
    return subprocess.run(
        ["apt-get", *given, *command], cwd=state, capture_output=True, text=True, check=False, timeout=120,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )  # fmt: skip


def test_apt_believes_it_and_gets_what_was_put_in(tmp_path: Path, key: Path) -> None:
    out, state = tmp_path / "repository", tmp_path / "apt"
    assert make(out, package(tmp_path, "1.0"), key).returncode == 0
    update = apt(state, out, "update")
    assert update.returncode == 0, update.stderr
    assert "W:" not in update.stderr
    got = apt(state, out, "download", "plainsight-probe")
    assert got.returncode == 0, got.stderr
    (found,) = state.glob("plainsight-probe_*.deb")
    assert found.read_bytes() == (tmp_path / "packages" / "plainsight-probe_1.0_all.deb").read_bytes()


def test_what_was_changed_after_signing_is_refused(tmp_path: Path, key: Path) -> None:
    out = tmp_path / "repository"
    assert make(out, package(tmp_path, "1.0"), key).returncode == 0
    served = out / "pool" / "plainsight-probe_1.0_all.deb"
    served.write_bytes(served.read_bytes() + b"x")
    state = tmp_path / "changed-package"
    assert apt(state, out, "update").returncode == 0
    assert apt(state, out, "download", "plainsight-probe").returncode != 0
    release = out / "dists/plainsight/InRelease"
    release.write_text(release.read_text().replace("Label: Plain Sight", "Label: Plain Sighs"))
    assert apt(tmp_path / "changed-release", out, "update").returncode != 0


def test_another_keys_repository_is_refused(tmp_path: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    packages = package(tmp_path, "1.0")
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    for out in (ours, theirs):
        assert make(out, packages, tmp_path_factory.mktemp("k") / "key", "--url", f"file://{theirs}").returncode == 0
    assert apt(tmp_path / "right", theirs, "update").returncode == 0
    # the same address, believed by the key that the box was given
    assert apt(tmp_path / "wrong", ours, "update").returncode != 0


def test_a_second_call_keeps_the_key_and_the_older_version(tmp_path: Path, key: Path) -> None:
    out, state = tmp_path / "repository", tmp_path / "apt"
    assert make(out, package(tmp_path, "1.0"), key).returncode == 0
    public = (out / "plainsight.asc").read_text()
    assert make(out, package(tmp_path, "1.1"), key).returncode == 0
    assert (out / "plainsight.asc").read_text() == public
    assert apt(state, out, "update").returncode == 0
    assert apt(state, out, "download", "plainsight-probe=1.0").returncode == 0
    assert apt(state, out, "download", "plainsight-probe").returncode == 0
    assert len(list(state.glob("plainsight-probe_1.1_*.deb"))) == 1
    assert not (out / ".new").exists()


def test_a_version_is_never_two_things(tmp_path: Path, key: Path) -> None:
    out = tmp_path / "repository"
    assert make(out, package(tmp_path, "1.0"), key).returncode == 0
    done = make(out, package(tmp_path, "1.0", "other"), key)
    assert done.returncode == 1
    assert "with other bytes" in done.stderr


def test_the_key_lies_apart_and_is_its_owners_alone(tmp_path: Path, key: Path) -> None:
    packages = package(tmp_path, "1.0")
    done = make(tmp_path / "repository", packages, tmp_path / "repository" / "key")
    assert done.returncode == 2
    assert "must not lie in the repository" in done.stderr
    assert make(tmp_path / "repository", packages, key).returncode == 0
    assert key.stat().st_mode & 0o077 == 0
    assert not [path for path in (tmp_path / "repository").rglob("*") if "private" in path.name]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "are needed"),
        (["-o"], "needs a value"),
        (["-o", "X", "--packages", "/nowhere", "--key", "K"], "build-deb"),
        (["-o", "X", "--packages", "packages", "--key", "K", "--url", "packages"], "address"),
        (["--frobnicate"], "no option"),
    ],
)
def test_wrong_arguments_name_the_remedy(tmp_path: Path, arguments: list[str], words: str) -> None:
    package(tmp_path, "1.0")
    done = subprocess.run(
        [str(ROOT / "deploy/apt-repository"), *arguments],
        cwd=tmp_path, capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert words in done.stderr
    assert not (tmp_path / "X").exists()
