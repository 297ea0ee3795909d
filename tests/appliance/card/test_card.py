"""`plainsight card`: what it writes, held by cloud-init itself, and what it refuses."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from appliance.card.first_boot import SCRIPT, apt_source
from appliance.card.plan import HOST_NAME, Repository
from appliance.command import main
from appliance.contract.enrollment import ClaimFile, new_claim
from appliance.contract.settings_file import load_settings
from appliance.enrollment.says import FILE

PEM = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"
ARMOR = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEabc=\n=abcd\n-----END PGP PUBLIC KEY BLOCK-----\n"
SSH = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIFakeFakeFakeFakeFakeFakeFakeFakeFakeFakeFake technician"


def write(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


@pytest.fixture
def claim(tmp_path: Path) -> Path:
    return make_claim(tmp_path, "usb")


def make_claim(folder: Path, hardware: str) -> Path:
    text = f'url = "https://archive.example"\nclaim = "{new_claim()}"\nhardware = "{hardware}"\n'
    text += f'authority = """\n{PEM}"""\n'
    path = write(folder / f"{hardware}.toml", text)
    load_settings(path, ClaimFile, "")
    return path


@pytest.fixture
def repository(tmp_path: Path) -> list[str]:
    return ["--repository", "https://packages.example", "--repository-key", str(write(tmp_path / "key.asc", ARMOR))]


def run(fresh: Path, claim: Path, *arguments: str) -> int:
    return main(["card", str(fresh), "--claim", str(claim), *arguments])


def document(card: Path) -> dict[str, Any]:
    head, text = (card / "user-data").read_text().split("\n", 1)
    assert head == "#cloud-config"
    found: dict[str, Any] = json.loads(text)
    return found


def content(card: Path, path: str) -> str:
    return str(next(file["content"] for file in document(card)["write_files"] if file["path"] == path))


def test_a_card_is_ready_with_two_arguments(
    fresh: Path, claim: Path, repository: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(fresh, claim, *repository) == 0
    assert "the card is ready" in capsys.readouterr().out
    assert (fresh / "plainsight-claim.toml").read_text() == claim.read_text()
    assert main(["doctor", "--config", "/nowhere.toml", "--boot", str(fresh)]) == 0


def test_there_is_no_password_no_account_and_no_ssh_unless_asked(
    fresh: Path, claim: Path, repository: list[str]
) -> None:
    assert run(fresh, claim, *repository) == 0
    found = document(fresh)
    assert found["users"] == []
    assert (found["ssh_pwauth"], found["disable_root"]) == (False, True)
    assert "passw" not in json.dumps(found).replace("NOPASSWD", "")
    # runcmd would come too late: it waits for multi-user.target, and that for the dialog
    (masked,) = found["bootcmd"]
    assert masked[:3] == ["systemctl", "mask", "--now"]
    # Raspberry Pi OS's own wizard would make an administrator of whoever plugs in a keyboard
    assert {"userconfig.service", "sshswitch.service", "ssh.service", "ssh.socket"} <= set(masked)


def test_a_technicians_key_is_the_only_way_in(fresh: Path, claim: Path, repository: list[str], tmp_path: Path) -> None:
    assert run(fresh, claim, *repository, "--ssh-key", str(write(tmp_path / "id.pub", SSH))) == 0
    (user,) = document(fresh)["users"]
    assert user["ssh_authorized_keys"] == [SSH]
    assert user["lock_passwd"] is True
    assert "ssh.service" not in document(fresh)["bootcmd"][0]


def test_the_host_name_is_a_random_id_and_stays(fresh: Path, claim: Path, repository: list[str]) -> None:
    assert run(fresh, claim, *repository) == 0
    name = document(fresh)["hostname"]
    assert HOST_NAME.fullmatch(name)
    assert run(fresh, claim, *repository) == 0
    assert document(fresh)["hostname"] == name
    shutil.copy(fresh / "overlays" / "README", fresh / "meta-data")
    assert run(fresh, claim, *repository) == 0
    assert document(fresh)["hostname"] != name


def digests(card: Path) -> dict[str, str]:
    return {
        path.relative_to(card).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in card.rglob("*")
        if path.is_file()
    }


def test_doing_it_again_changes_nothing(fresh: Path, claim: Path, repository: list[str]) -> None:
    assert run(fresh, claim, *repository) == 0
    before = digests(fresh)
    assert run(fresh, fresh / "plainsight-claim.toml", *repository) == 0
    assert digests(fresh) == before


@pytest.mark.parametrize("microphone", ["adau7002", "voicehat"])
def test_a_microphone_on_i2s_gets_its_overlay(
    fresh: Path, tmp_path: Path, repository: list[str], microphone: str
) -> None:
    claim = make_claim(tmp_path, "i2s")
    assert run(fresh, claim, *repository, "--microphone", microphone, "--clock", "ds3231") == 0
    text = (fresh / "config.txt").read_text()
    assert f"dtoverlay={'adau7002-simple' if microphone == 'adau7002' else 'googlevoicehat-soundcard'}" in text
    assert "dtoverlay=i2c-rtc,ds3231" in text


def test_the_repository_is_believed_by_its_own_key_alone(fresh: Path, claim: Path, repository: list[str]) -> None:
    assert run(fresh, claim, *repository) == 0
    source = content(fresh, "/etc/apt/sources.list.d/plainsight.sources")
    assert "Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n mDME" in source
    assert source == apt_source(Repository("https://packages.example", ARMOR))


def test_packages_can_come_with_the_card(fresh: Path, claim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "packages"
    folder.mkdir()
    for name in (
        "plainsight-common_0.1.0_arm64.deb",
        "plainsight-box_0.1.0_all.deb",
        "plainsight-common_0.1.0_amd64.deb",
    ):
        write(folder / name, name)
    assert run(fresh, claim, "--packages", str(folder)) == 0
    assert {path.name for path in (fresh / "plainsight-packages").iterdir()} == {
        "plainsight-common_0.1.0_arm64.deb",
        "plainsight-box_0.1.0_all.deb",
    }
    assert "/boot/firmware/plainsight-packages/*.deb" in content(fresh, SCRIPT)


def test_the_installation_is_tried_until_it_works(
    fresh: Path, claim: Path, repository: list[str], tmp_path: Path
) -> None:
    assert run(fresh, claim, *repository) == 0
    script = write(tmp_path / "script", content(fresh, SCRIPT))
    subprocess.run(["sh", "-n", str(script)], check=True, timeout=60)
    unit = tmp_path / "plainsight-install.service"
    text = content(fresh, "/etc/systemd/system/plainsight-install.service")
    write(unit, text.replace(SCRIPT, "/bin/true"))
    for line in ("Restart=on-failure", "RestartSec=60", "StartLimitIntervalSec=0"):
        assert line in text.splitlines()
    said = subprocess.run(
        ["systemd-analyze", "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )
    assert [line for line in said.stderr.splitlines() if unit.name in line] == []


@pytest.fixture
def script(fresh: Path, claim: Path, repository: list[str]) -> str:
    """What the first boot runs until the box is installed."""
    assert run(fresh, claim, *repository) == 0
    return content(fresh, SCRIPT)


class Installation:
    """The script of a card, run against programs that only note what they were asked."""

    def __init__(self, folder: Path, script: str, model: str = "Raspberry Pi 3 Model B Plus Rev 1.3") -> None:
        self.programs, self.boot, self.run = folder / "bin", folder / "boot", folder / "run"
        for made in (self.programs, self.boot, self.run):
            made.mkdir()
        self.installed, self.asked, self.says = folder / "installed", folder / "asked", self.boot / FILE
        write(folder / "model", f"{model}\0")
        for here, there in (
            ("/boot/firmware", self.boot),
            ("/run/", f"{self.run}/"),
            ("/var/lib/plainsight-installed", self.installed),
            ("/proc/device-tree/model", folder / "model"),
        ):
            script = script.replace(here, str(there))
        self.script = write(folder / "install", script)
        self.bodies = {"findmnt": "echo /dev/mmcblk0p1"}

    def attempt(self, apt: str = "true", **bodies: str) -> int:
        """Run it where these programs do this; those that are not named do nothing."""
        given = {"apt-get": apt, "systemctl": "true", "dpkg": "true", "rpi-eeprom-config": "true", **self.bodies}
        for name, body in (given | {name.replace("_", "-"): body for name, body in bodies.items()}).items():
            note = f'echo "{name} $*" >>{self.asked}'
            write(self.programs / name, f"#!/bin/sh\n{note}\n{body}\n").chmod(0o755)
        environment = {"PATH": f"{self.programs}:/usr/bin:/bin"}
        return subprocess.run(["sh", str(self.script)], env=environment, check=False, timeout=60).returncode


def test_what_a_power_cut_left_half_installed_is_finished_first(script: str, tmp_path: Path) -> None:
    box = Installation(tmp_path, script)
    assert box.attempt(dpkg="exit 1") == 0
    asked = [line.split()[0] for line in box.asked.read_text().splitlines()]
    assert asked[:3] == ["dpkg", "apt-get", "apt-get"]
    assert "--configure -a" in box.asked.read_text().splitlines()[0]


@pytest.mark.parametrize(
    ("model", "source", "applies"),
    [
        ("Raspberry Pi 4 Model B Rev 1.4", "/dev/mmcblk0p1", True),
        ("Raspberry Pi 5 Model B Rev 1.0", "/dev/mmcblk0p1", True),
        ("Raspberry Pi 5 Model B Rev 1.0", "/dev/sda1", False),
        ("Raspberry Pi 3 Model B Plus Rev 1.3", "/dev/mmcblk0p1", False),
        ("Raspberry Pi Zero 2 W Rev 1.0", "/dev/mmcblk0p1", False),
    ],
)
def test_the_bootloader_boots_from_the_card_and_nothing_else(
    script: str, tmp_path: Path, model: str, source: str, *, applies: bool
) -> None:
    """Where the box itself stands on something else, it would not start any more."""
    box = Installation(tmp_path, script, model)
    assert box.attempt(findmnt=f"echo {source}") == 0
    applied = "rpi-eeprom-config --apply /usr/share/plainsight/firmware/eeprom.conf" in box.asked.read_text()
    assert (applied, box.installed.exists(), box.says.exists()) == (applies, True, False)


def test_a_bootloader_that_takes_nothing_is_told_and_the_box_is_installed(script: str, tmp_path: Path) -> None:
    box = Installation(tmp_path, script, "Raspberry Pi 4 Model B Rev 1.4")
    assert box.attempt(rpi_eeprom_config="echo no vcmailbox; exit 1") == 0
    assert box.installed.exists()
    assert "no vcmailbox" in box.says.read_text()
    assert "sudo rpi-eeprom-config --apply" in box.says.read_text()


def test_a_box_without_a_screen_says_on_its_card_why_nothing_is_installed(script: str, tmp_path: Path) -> None:
    box = Installation(tmp_path, script)
    attempt, says = box.attempt, box.says
    assert attempt("echo 'E: Could not resolve packages.example'; exit 100") == 1
    told = says.read_text()
    assert "Could not resolve packages.example" in told
    assert "network" in told
    before = says.stat()
    assert attempt("echo 'E: Could not resolve packages.example'; exit 100") == 1
    assert says.stat().st_mtime_ns == before.st_mtime_ns, "the card is not worn out"
    assert attempt("echo 'E: The repository is not signed.'; exit 100") == 1
    assert "not signed" in says.read_text()
    assert attempt() == 0
    assert not says.exists()
    assert box.installed.exists()


WIFI = [
    ("wpa2", []),
    ("wpa3", []),
    ("enterprise", ["--wifi-identity", "box", "--wifi-authority"]),
]


def wifi(tmp_path: Path, security: str, more: list[str]) -> list[str]:
    password = write(tmp_path / "password", 'correct "horse"\n')
    found = ["--wifi", "Staff: 5 GHz", "--wifi-security", security, "--wifi-password-file", str(password), *more]
    return [*found, str(write(tmp_path / "ca.pem", PEM))] if security == "enterprise" else found


@pytest.mark.parametrize("wireless", WIFI, ids=[name for name, _ in WIFI])
def test_cloud_init_itself_takes_the_files(
    fresh: Path, claim: Path, repository: list[str], tmp_path: Path, wireless: tuple[str, list[str]]
) -> None:
    if shutil.which("cloud-init") is None:
        pytest.skip("cloud-init is not installed here; deploy/package-test tries it with trixie's own")
    key = write(tmp_path / "id.pub", SSH)
    arguments = wifi(tmp_path, *wireless)
    assert run(fresh, claim, *repository, *arguments, "--ssh-key", str(key), "--time-server", "ntp.example") == 0
    done = subprocess.run(
        ["cloud-init", "schema", "-c", str(fresh / "user-data")],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Valid" in done.stdout
    made = subprocess.run(
        ["cloud-init", "devel", "net-convert", "--network-data", str(fresh / "network-config"), "--kind", "yaml",
         "--directory", str(tmp_path / "net"), "--distro", "debian", "--output-kind", "netplan"],
        capture_output=True, text=True, check=False, timeout=60,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    text = (tmp_path / "net/etc/netplan/50-cloud-init.yaml").read_text()
    assert "Staff: 5 GHz" in text
    assert "dhcp4: true" in text


def test_cloud_inits_verdict_can_be_no(tmp_path: Path) -> None:
    if shutil.which("cloud-init") is None:
        pytest.skip("cloud-init is not installed here; deploy/package-test tries it with trixie's own")
    wrong = write(tmp_path / "user-data", '#cloud-config\n{"ntp": {"enabled": "perhaps"}}\n')
    done = subprocess.run(
        ["cloud-init", "schema", "-c", str(wrong)], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode != 0


def test_a_wireless_box_keeps_its_radio_and_a_wired_one_does_not(
    fresh: Path, claim: Path, repository: list[str], tmp_path: Path
) -> None:
    assert run(fresh, claim, *repository) == 0
    assert "disable-wifi" in (fresh / "config.txt").read_text()
    assert run(fresh, claim, *repository, *wifi(tmp_path, "wpa2", [])) == 0
    assert "disable-wifi" not in (fresh / "config.txt").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], "--repository"),
        (["--packages", "/nowhere"], "build-deb"),
        (["--repository", "packages.example", "--repository-key", "KEY"], "https://"),
        (["--repository", "https://packages.example"], "--repository-key"),
        (["REPOSITORY", "--time-zone", "Missouri"], "no time zone"),
        (["REPOSITORY", "--time-server", "a b"], "no name of a host"),
        (["REPOSITORY", "--microphone", "voicehat"], "--hardware i2s"),
        (["REPOSITORY", "--ssh-key", "KEY"], "ends in .pub"),
        (["REPOSITORY", "--wifi", "Staff"], "--wifi-password-file"),
        (["REPOSITORY", "--wifi", "Staff", "--wifi-password-file", "SHORT"], "8 to 63"),
        (["REPOSITORY", "--wifi", "Staff", "--wifi-security", "enterprise", "--wifi-password-file", "KEY"], "--wifi"),
    ],
)  # fmt: skip
def test_what_is_missing_or_wrong_is_named_and_nothing_is_written(  # noqa: PLR0917 - fixtures, and a row
    fresh: Path,
    claim: Path,
    repository: list[str],
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    words: str,
) -> None:
    tmp_path = fresh.parent
    files = {
        "KEY": str(write(tmp_path / "private", "long enough a password")),
        "SHORT": str(write(tmp_path / "short", "abc")),
    }
    given = [part for word in arguments for part in (repository if word == "REPOSITORY" else [files.get(word, word)])]
    before = digests(fresh)
    assert run(fresh, claim, *given) == 2
    assert words in capsys.readouterr().err
    assert digests(fresh) == before


def test_only_a_fresh_boot_partition_is_written(
    fresh: Path, claim: Path, repository: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    for folder, words in (
        (empty, "no boot partition"),
        (tmp_path / "nowhere", "does not exist"),
        (claim, "raw device"),
    ):
        assert run(folder, claim, *repository) == 2
        assert words in capsys.readouterr().err
    (fresh / "ssh").touch()
    assert run(fresh, claim, *repository) == 2
    assert "customization" in capsys.readouterr().err
    (fresh / "ssh").unlink()
    (fresh / "user-data").unlink()
    assert run(fresh, claim, *repository) == 2
    assert "cloud-init" in capsys.readouterr().err


def test_a_claim_is_needed(fresh: Path, repository: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["card", str(fresh), *repository]) == 2
    assert "plainsight-archive enroll" in capsys.readouterr().err


def test_it_needs_nothing_of_the_box() -> None:
    # a technician's laptop has plainsight-common alone: no sound, no pins, no network code
    code = "import sys, appliance.card.command; print(*(n for n in sys.modules if n.split('.')[0] == 'appliance'))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    rooms = {name.split(".")[1] for name in done.stdout.split() if "." in name}
    assert rooms == {"boot_files", "card", "contract"}


def test_a_boxs_own_boot_files_are_brought_up_to_date_once(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (fresh / "config.txt").write_text((fresh / "config.txt").read_text() + "# the district's own line\n")
    arguments = ["boot-files", str(fresh), "--microphone", "voicehat", "--wired"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("changed")
    before = digests(fresh)
    assert main(arguments) == 0
    assert capsys.readouterr().out.startswith("unchanged")
    assert digests(fresh) == before
    assert "# the district's own line" in (fresh / "config.txt").read_text()
    (fresh / "config.txt").unlink()
    assert main(arguments) == 2


def test_boot_files_keep_what_the_card_was_made_for(fresh: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Else an update of many boxes would take the radio of one on Wi-Fi and the microphone of one on I2S."""
    given = ["--microphone", "voicehat", "--clock", "ds3231", "--no-wired"]
    assert main(["boot-files", str(fresh), *given]) == 0
    before = digests(fresh)
    assert main(["boot-files", str(fresh)]) == 0
    assert "\nunchanged\n" in capsys.readouterr().out
    assert digests(fresh) == before
    assert main(["boot-files", str(fresh), "--wired"]) == 0
    config = (fresh / "config.txt").read_text()
    assert "# made of: config.txt microphone-voicehat.txt rtc-ds3231.txt wired-only.txt\n" in config
    (fresh / "config.txt").write_text(config.replace("# made of: ", "# once made of: "))
    before = digests(fresh)
    assert main(["boot-files", str(fresh)]) == 2
    assert "--microphone" in capsys.readouterr().err
    assert digests(fresh) == before
    assert main(["boot-files", str(fresh), "--wired", "--microphone", "usb", "--clock", "none"]) == 0


def test_a_technicians_computer_checks_a_card_with_the_common_package_alone(
    fresh: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = digests(fresh)
    assert main(["boot-files", str(fresh), "--check"]) == 1
    assert "WRONG" in capsys.readouterr().out
    assert digests(fresh) == before, "it only looks"
    assert main(["boot-files", str(fresh), "--wired"]) == 0
    assert main(["boot-files", str(fresh), "--check"]) == 0


def test_packages_of_an_earlier_call_do_not_stay_on_the_card(fresh: Path, claim: Path, tmp_path: Path) -> None:
    for version in ("0.1.0", "0.2.0"):
        folder = tmp_path / version
        folder.mkdir()
        for name in (f"plainsight-common_{version}_arm64.deb", f"plainsight-box_{version}_all.deb"):
            write(folder / name, name)
        assert run(fresh, claim, "--packages", str(folder)) == 0
    # apt refuses two versions of one package
    assert {path.name for path in (fresh / "plainsight-packages").iterdir()} == {
        "plainsight-common_0.2.0_arm64.deb",
        "plainsight-box_0.2.0_all.deb",
    }
