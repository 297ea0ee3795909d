"""From installed packages to a page that somebody signs in to, a box that is enrolled, and a sealed recording."""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from .root import CODE, Root, require
from .services import Services
from .table import Trial

ROOT: Final = Path(__file__).resolve().parents[2]
HOST: Final = "archive.district.example"
HOME: Final = "/var/lib/plainsight-archive"
ARCHIVE: Final = "plainsight-archive"
RECORDED_S: Final = 6
MEETINGS: Final = 3
LETTER: Final = """
import os, sys, types
os.environ["DJANGO_SETTINGS_MODULE"] = "archive.settings"
import django
django.setup()
from archive.records.letters.pdf import letter_pdf
letter = types.SimpleNamespace(
    template=types.SimpleNamespace(language="es"), person=None, subject="Acuse de recibo",
    body="Estimada señora Núñez:\\n\\nLa reunión se graba.")
sys.stdout.buffer.write(letter_pdf(letter))
"""
NOISE: Final = """
import numpy, pathlib
samples = numpy.random.default_rng(1).normal(0, 900, 48000 * 60)
pathlib.Path("/sim/spoken.raw").write_bytes(numpy.rint(samples).astype("<i2").tobytes())
"""
ANSWERS: Final = f"""
import ssl, urllib.error, urllib.request
try:
    urllib.request.urlopen("https://{HOST}:8443/healthz", context=ssl.create_default_context(
        cafile="{HOME}/keys/authority.pem"), timeout=60)
    print("yes")
except OSError as error:
    print(error)
"""
PRESS: Final = """
import json, socket, sys, time
line = socket.socket(socket.AF_UNIX)
line.connect("/sim/panel/control.sock")
for edge, seconds in (("down", float(sys.argv[1])), ("up", 0)):
    line.sendall(json.dumps({"button": edge}).encode() + b"\\n")
    assert json.loads(line.makefile().readline())["ok"]
    time.sleep(seconds)
"""


def a_letter_is_a_pdf(root: Root) -> str:
    """The installed libraries make a letter as PDF, with its words and in its font."""
    root.run("apt-get install -q -y --no-install-recommends poppler-utils")
    root.path("/tmp/letter.py").write_text(LETTER)
    with Services(root) as services:
        services.run(f"{CODE} ARCHIVE_HOME={HOME} python3 /tmp/letter.py >/tmp/letter.pdf", ARCHIVE)
    words = root.run("pdftotext /tmp/letter.pdf -")
    require("Estimada señora Núñez" in words and "La reunión se graba." in words, f"what the letter says: {words}")
    fonts = root.run("pdffonts /tmp/letter.pdf")
    require("DejaVu-Serif" in fonts, f"the letter's fonts: {fonts}")
    return f"{root.path('/tmp/letter.pdf').stat().st_size / 1000:.0f} kB"


def set_up_the_archive(root: Root) -> None:
    """One command after the installation, everything is there that somebody can sign in to."""
    root.run(f"find {HOME} -mindepth 1 -delete; mkdir -p /media/stick")
    with root.path("/etc/hosts").open("a") as hosts:
        hosts.write(f"127.0.0.1 localhost {HOST}\n")
    root.run(
        f"plainsight-archive setup --host {HOST} --user m.jones --new-escrow /media/stick/escrow.txt --json "
        ">/tmp/set-up.json"
    )
    require(json.loads(root.path("/tmp/set-up.json").read_text())["password"], "the first account's password")


@contextmanager
def running_archive(root: Root) -> Iterator[Services]:
    """The archive's programs, as their units start them; the pages answer."""
    with Services(root) as services:
        services.start("broker", "mosquitto -c /etc/mosquitto/mosquitto.conf", "root")
        for part in ("web", "listen", "worker"):
            services.start(part, f"plainsight-archive {part}", ARCHIVE, ARCHIVE_HOME=HOME)
        root.path("/tmp/answers.py").write_text(ANSWERS)
        services.until(lambda: services.run("python3 /tmp/answers.py", status=None) == "yes\n", "the pages")
        yield services


def first_sign_in_and_a_claim_from_the_pages(root: Root) -> None:
    """The custodian signs in over HTTPS, sets up the second step, gives out a claim and downloads its file."""
    shutil.copy(Path(__file__).with_name("person.py"), root.path("/tmp/person.py"))
    root.run("mkdir -p /boot/firmware")
    with running_archive(root) as services:
        done = json.loads(
            services.run('python3 /tmp/person.py /tmp/set-up.json /boot/firmware/plainsight-claim.toml "Room 12"')
        )
    require(done["signed_in"].endswith("/my/"), f"after the password: {done['signed_in']}")
    require(done["second_step"].endswith("/my/recovery-codes/"), f"after the app's code: {done['second_step']}")
    claim = tomllib.loads(root.path("/boot/firmware/plainsight-claim.toml").read_text())
    require(claim["url"] == f"https://{HOST}:8443", f"the claim is for {claim['url']}")


EXCUSED = {"backup", "clock", "contact", "custody witnesses"}
"""Checks of the doctor that warn on a new archive until a person has answered them."""


def doctor_finds_nothing_wrong(root: Root) -> str:
    """A new archive is good in every check, but for what nobody here can answer: clock, contact, backup, witnesses."""
    found: dict[str, Any] = {}

    def good() -> bool:
        nonlocal found
        found = json.loads(services.run("plainsight-archive doctor --json", ARCHIVE, status=None))
        return bool(found["ok"])

    with running_archive(root) as services:
        services.until(good, "a doctor who is content")
    wrong = [one for one in found["checks"] if one["verdict"] == "warning" and one["check"] not in EXCUSED]
    require(not wrong, f"the doctor warns: {wrong}")
    names = {one["check"] for one in found["checks"] if one["verdict"] == "ok"}
    require({"broker", "worker", "listener", "certificate of the pages"} <= names, f"what is good: {names}")
    return f"{len(names)} checks are good"


def a_box_is_enrolled_by_its_claim(root: Root) -> None:
    """The installed box uses the claim from its card, over TLS; its settings load, and the claim is gone."""
    root.install("old", "plainsight-common", "plainsight-gpio", "plainsight-box")
    with running_archive(root) as services:
        services.run("plainsight enroll")
    root.run("systemd-tmpfiles --create /usr/lib/tmpfiles.d/plainsight-box.conf")
    require(root.path("/etc/plainsight/recorder.toml").exists(), "the box's settings")
    require(not root.path("/boot/firmware/plainsight-claim.toml").exists(), "the used claim stays on the card")


def one_press_to_a_sealed_recording(root: Root) -> str:
    """The enrolled box records at a press, and the archive seals it; panel and microphone are simulated.

    The simulator is no part of the packages: it is put beside them, and the settings name it.
    """
    root.run("apt-get install -q -y --no-install-recommends gcc libc6-dev libasound2-dev python3-aiohttp")
    root.run("mkdir -p /sim/panel && chown plainsight-recorder:plainsight-spool /sim/panel && chmod 2750 /sim/panel")
    simulator = root.path("/usr/lib/plainsight/appliance/simulator")
    shutil.copytree(ROOT / "appliance/simulator", simulator, dirs_exist_ok=True)
    root.path("/tmp/noise.py").write_text(NOISE)
    root.path("/tmp/press.py").write_text(PRESS)
    root.run("python3 /tmp/noise.py")
    _simulate_devices(root.path("/etc/plainsight/recorder.toml"))
    with running_archive(root) as services:
        services.start(
            "panel", f"env {CODE} plainsight simulator --dir /sim/panel --spoken /sim/spoken.raw", "plainsight-recorder"
        )
        services.until(root.path("/sim/panel/panel.sock").exists, "the panel")
        # what the units' RuntimeDirectory=, LoadCredential= and StateDirectory= do
        root.run(
            "install -d -m 750 -o plainsight-recorder -g plainsight-spool /run/plainsight /run/credentials/box; "
            "install -m 400 -o plainsight-recorder /etc/plainsight/box.key /run/credentials/box/; "
            "install -d -m 700 -o plainsight-courier -g plainsight-courier /var/lib/plainsight-courier"
        )
        services.start(
            "recorder", "plainsight recorder --config /etc/plainsight/recorder.toml", "plainsight-recorder",
            ALSA_CONFIG_PATH="/sim/panel/asound.conf", CREDENTIALS_DIRECTORY="/run/credentials/box",
        )  # fmt: skip
        services.start("courier", "plainsight courier --config /etc/plainsight/courier.toml", "plainsight-courier")
        # a meeting of which a busy machine lost sound is held again, as the demonstration advises
        sealed = [_one_meeting(root, services, 1)]
        while sealed[0]["lost_frames"] and len(sealed) < MEETINGS:
            sealed.insert(0, _one_meeting(root, services, len(sealed) + 1))
        services.run(f"install -d -o {ARCHIVE} /tmp/export && plainsight-archive keyring >/tmp/keyring.json", "root")
        services.run(f"plainsight-archive export {sealed[0]['recording']} --to /tmp/export", ARCHIVE)
        words = services.run("plainsight verify /tmp/export/*.zip --keys /tmp/keyring.json")
    require("Intact as far as it was checked, with keys from outside" in words, f"the checker says: {words}")
    require(sealed[0]["outcome"] == "complete" and not sealed[0]["lost_frames"], f"how it was sealed: {sealed[0]}")
    shutil.rmtree(simulator)
    return f"{sealed[0]['seconds']:.1f} s sealed as complete"


def _one_meeting(root: Root, services: Services, number: int) -> dict[str, Any]:
    """Hold a meeting and return its recording as the archive lists it, once so many of them are sealed."""

    def recorded() -> bool:
        status = _status(root)
        return status.get("state") == "recording" and (status.get("acked_frame") or 0) >= RECORDED_S * 48000

    sealed: list[dict[str, Any]] = []

    def is_sealed() -> bool:
        sealed[:] = json.loads(services.run("plainsight-archive list --state sealed --json", ARCHIVE))
        return len(sealed) == number

    services.until(lambda: bool(_status(root).get("ready")), "a box that is ready")
    services.run("python3 /tmp/press.py 0.2")
    services.until(recorded, "a recording")
    services.run("python3 /tmp/press.py 2")
    services.until(is_sealed, "a sealed recording")
    return max(sealed, key=lambda one: str(one["created_at"]))


def _status(root: Root) -> dict[str, Any]:
    try:
        found: dict[str, Any] = json.loads(root.path("/run/plainsight/status.json").read_text())
    except (OSError, ValueError):
        return {}
    return found


def _simulate_devices(path: Path) -> None:
    """Put the simulator's devices in the place of the box's, and let its first press record."""
    kept = path.read_text()
    written = tomllib.loads(kept)
    written["panel"] |= {"kind": "simulated", "socket": "/sim/panel/panel.sock"}
    written["microphone"] = {
        "device": "plainsight", "card": "PlainSight", "identity": "1209:0001", "asound": "/sim/panel/asound",
    }  # fmt: skip
    written["checks"] = {"commissioned": False}
    # TOML's basic values are JSON's
    lines = [
        line
        for name, section in written.items()
        for line in (f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in section.items()))
    ]
    path.write_text("\n".join([*lines, ""]))


SET_UP: Final[list[Trial]] = [
    a_letter_is_a_pdf,
    set_up_the_archive,
    first_sign_in_and_a_claim_from_the_pages,
    doctor_finds_nothing_wrong,
    a_box_is_enrolled_by_its_claim,
    one_press_to_a_sealed_recording,
]
