"""`plainsight card`: prepare a card with Raspberry Pi OS for a new box."""

from __future__ import annotations

import argparse
import re
import zoneinfo
from pathlib import Path
from typing import Final, get_args

from appliance.boot_files.box_files import Clock, Microphone
from appliance.contract.errors import SettingsError

from .first_boot import host_name_in
from .plan import Plan, Repository, Wifi, random_host_name
from .write import CLAIM, check_folder, write_card

_SSH_KEY: Final = re.compile(r"(?:ssh-ed25519|ecdsa-sha2-nistp\d+|ssh-rsa|sk-[a-z0-9@.-]+) [A-Za-z0-9+/=]+(?: .*)?")
_HOST: Final = re.compile(r"[A-Za-z0-9.:-]{1,253}")
_ADDRESS: Final = re.compile(r"(?:https?|file)://[^\s\"']+")
_LARGEST: Final = 64 << 10


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="plainsight card",
        description=(
            "Prepare a card for a new box. DIR is the mounted boot partition of a card with Raspberry Pi OS Lite "
            "(trixie, 64 bit), just written and not yet started. At its first boot the box installs the software, uses "
            "its claim and starts to serve. There is no password, and nobody can log in unless you give an SSH key. "
            "Exit status: 0 the card is ready, 1 the boot files are wrong, 2 nothing was written."
        ),
        epilog="example: plainsight card /media/bootfs --repository https://packages.district.example "
        "--repository-key packages.asc",
    )
    parser.add_argument("card", metavar="DIR", type=Path, help="where the card's boot partition is mounted")
    parser.add_argument(
        "--claim", type=Path, help=f"the box's claim, from 'plainsight-archive enroll' (default: DIR/{CLAIM})"
    )
    parser.add_argument("--repository", metavar="URL", help="the district's repository of packages")
    parser.add_argument(
        "--repository-key", metavar="FILE", type=Path, help="the public key that signs it (ASCII armor)"
    )
    parser.add_argument(
        "--packages", metavar="DIR", type=Path, help="instead of a repository: copy the packages in DIR onto the card"
    )
    parser.add_argument("--microphone", choices=get_args(Microphone), default="usb", help="default: usb")
    parser.add_argument("--clock", choices=get_args(Clock), default="none", help="a clock on I2C (default: none)")
    parser.add_argument("--wifi", metavar="NAME", help="a wireless network; without it, the box needs a cable")
    parser.add_argument("--wifi-security", choices=("wpa2", "wpa3", "enterprise"), default="wpa2", help="default: wpa2")
    parser.add_argument("--wifi-password-file", metavar="FILE", type=Path, help="a file with its password in one line")
    parser.add_argument("--wifi-identity", metavar="NAME", default="", help="the box's account, with enterprise")
    parser.add_argument("--wifi-authority", metavar="FILE", type=Path, help="its server's authority, with enterprise")
    parser.add_argument("--wifi-country", metavar="CC", default="US", help="two letters (default: US)")
    parser.add_argument("--time-zone", metavar="NAME", default="America/Chicago", help="default: America/Chicago")
    parser.add_argument("--time-server", metavar="HOST", action="append", default=[], help="may be given again")
    parser.add_argument("--ssh-key", metavar="FILE", type=Path, help="let the holder of this public key log in")
    return parser


def main(arguments: list[str]) -> int:
    """Prepare a card; return 1 if its boot files are wrong. Raises SettingsError or StorageError."""
    options = _parser().parse_args(arguments)
    check_folder(options.card)
    plan = Plan(
        host_name=host_name_in(_text(options.card / "meta-data", "DIR")) or random_host_name(),
        source=_source(options),
        microphone=options.microphone,
        clock=options.clock,
        wifi=_wifi(options),
        time_zone=_time_zone(options.time_zone),
        time_servers=tuple(_time_server(name) for name in options.time_server),
        ssh_key=_ssh_key(options.ssh_key),
    )
    results = write_card(options.card, plan, options.claim or options.card / CLAIM)
    for result in results:
        print(result.as_text())
    wrong = any(result.verdict == "wrong" for result in results)
    if not wrong:
        print(f"the card is ready: eject it, put it into the box and give it power; its host name is {plan.host_name}")
    return 1 if wrong else 0


def _text(path: Path, field: str) -> str:
    """Return a small text file; raise SettingsError that names it."""
    try:
        data = path.read_bytes()[:_LARGEST]
        return data.decode("utf-8").strip()
    except OSError as error:
        raise SettingsError(f"cannot read {path}: {error.strerror}", field=field) from error
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path} is no text", field=field) from error


def _source(options: argparse.Namespace) -> Repository | tuple[Path, ...]:
    if (options.repository is None) == (options.packages is None):
        raise SettingsError(
            "say where the box gets its packages: --repository URL or --packages DIR", field="--repository"
        )
    if options.packages is not None:
        return _packages(options.packages)
    if not _ADDRESS.fullmatch(options.repository):
        raise SettingsError(f"{options.repository!r} is no address; it begins with https://", field="--repository")
    if options.repository_key is None:
        raise SettingsError(
            "name the key that signs the repository; deploy/apt-repository wrote it beside it as plainsight.asc",
            field="--repository-key",
        )
    key = _text(options.repository_key, "--repository-key")
    if not key.startswith("-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        raise SettingsError(f"{options.repository_key} is no public key in ASCII armor", field="--repository-key")
    return Repository(options.repository, key)


def _packages(folder: Path) -> tuple[Path, ...]:
    found = []
    for name in ("plainsight-common_*_arm64.deb", "plainsight-box_*_all.deb"):
        matches = sorted(folder.glob(name))
        if len(matches) != 1:
            raise SettingsError(
                f"{folder} has {len(matches)} files {name}, and needs one; build them with deploy/build-deb -o DIR",
                field="--packages",
            )
        found.append(matches[0])
    return tuple(found)


def _wifi(options: argparse.Namespace) -> Wifi | None:
    if options.wifi is None:
        return None
    if options.wifi_password_file is None:
        raise SettingsError("name the file with the network's password", field="--wifi-password-file")
    password = _text(options.wifi_password_file, "--wifi-password-file")
    least = 1 if options.wifi_security == "enterprise" else 8
    if not (least <= len(password) <= 63 and password.isascii() and password.isprintable()):
        raise SettingsError(
            f"{options.wifi_password_file} must hold one line of {least} to 63 characters, the password",
            field="--wifi-password-file",
        )
    if not re.fullmatch(r"[A-Z]{2}", options.wifi_country):
        raise SettingsError("a country is two capital letters, such as US", field="--wifi-country")
    authority = ""
    if options.wifi_security == "enterprise":
        if not options.wifi_identity or options.wifi_authority is None:
            raise SettingsError(
                "an enterprise network needs the box's account and the authority that its server is known by: without "
                "it, the box would give its password to whoever asks",
                field="--wifi-identity" if not options.wifi_identity else "--wifi-authority",
            )
        authority = _text(options.wifi_authority, "--wifi-authority") + "\n"
        if not authority.startswith("-----BEGIN CERTIFICATE-----"):
            raise SettingsError(f"{options.wifi_authority} is no certificate (PEM)", field="--wifi-authority")
    return Wifi(
        options.wifi, options.wifi_country, options.wifi_security, password, options.wifi_identity, authority
    )  # fmt: skip


def _time_zone(name: str) -> str:
    if name not in zoneinfo.available_timezones():
        raise SettingsError(f"there is no time zone {name!r}; write one such as America/Chicago", field="--time-zone")
    return name


def _time_server(name: str) -> str:
    if not _HOST.fullmatch(name):
        raise SettingsError(f"{name!r} is no name of a host", field="--time-server")
    return name


def _ssh_key(path: Path | None) -> str:
    if path is None:
        return ""
    key = _text(path, "--ssh-key")
    if not _SSH_KEY.fullmatch(key):
        raise SettingsError(f"{path} is no public key of SSH; give the file that ends in .pub", field="--ssh-key")
    return key
