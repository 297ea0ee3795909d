"""`plainsight enroll` and `renew` against a real archive over TLS: settings load, keys stay, the claim goes."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from appliance.contract.enrollment import ClaimError, NoAnswerError
from appliance.contract.errors import KeyFileError, SettingsError
from appliance.courier.settings import load as load_courier
from appliance.enrollment import command
from appliance.enrollment.command import NO_ANSWER, enroll, main_renew, renew
from appliance.enrollment.identity import Identity
from appliance.enrollment.says import FILE
from appliance.recorder.device_checks import look
from appliance.recorder.settings import load as load_recorder
from archive.authority.authority import Authority
from tests.support.archives import ROOT, Archive, archive_in, template

template()


@pytest.fixture(scope="module")
def district(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, str]]:
    """An archive that serves TLS with a certificate of its own authority."""
    home = tmp_path_factory.mktemp("district") / "archive"
    with archive_in(home) as archive:
        keys = archive.home / "keys"
        authority = Authority.make(keys, "A district", datetime.now(UTC))
        issued = authority.server(["127.0.0.1"], datetime.now(UTC))
        (keys / "web.pem").write_bytes(issued.certificate)
        (keys / "web.key").write_bytes(issued.key)
        settings = archive.home / "archive.toml"
        settings.write_text(
            f'[site]\nurl = "https://127.0.0.1:8443"\nhosts = ["127.0.0.1"]\n'
            f'[web]\ncertificate = "{keys}/web.pem"\nkey = "{keys}/web.key"\n'
        )
        with archive.serving(workers=1, ca=keys / "authority.pem") as address:
            yield archive, str(address)


@pytest.fixture
def claim(district: tuple[Archive, str], tmp_path: Path) -> Path:
    """A card with a claim for the running archive."""
    archive, address = district
    card = tmp_path / "card"
    card.mkdir()
    done = json.loads(archive.spawn("enroll", "Room 9", "-o", str(card), "--json").stdout)
    path = Path(done["file"])
    path.write_text(path.read_text().replace("https://127.0.0.1:8443", address))
    return path


def test_a_box_is_enrolled_with_keys_of_its_own_and_settings_that_load(claim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    answer = enroll(claim, folder)
    recorder, courier = load_recorder(folder / "recorder.toml"), load_courier(folder / "courier.toml")
    assert recorder.box.id == courier.box.id == answer.box
    assert recorder.keys.archive_key == answer.archive_key
    assert (recorder.panel.lamp_seen, recorder.panel.mic_rail) == (25, 27)
    for name in ("box.key", "courier.key", "mqtt/client.key"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    assert not claim.exists(), "a used claim does not stay on the card"


def test_a_crash_before_the_claim_is_removed_ends_in_the_same_box(
    claim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    kept = claim.read_text()
    first = enroll(claim, folder)
    for lost in ("recorder.toml", "courier.toml", "mqtt/client.pem"):
        (folder / lost).unlink()
        claim.write_text(kept)
        assert enroll(claim, folder).box == first.box
        assert (folder / lost).exists()


def test_a_box_whose_clock_says_1970_is_enrolled(claim: Path, tmp_path: Path) -> None:
    # the certificate of the archive is not valid yet at that time; the authority in the claim counts, the date doesn't
    program = (
        "import sys; from pathlib import Path; from appliance.enrollment.command import enroll; "
        "print(enroll(Path(sys.argv[1]), Path(sys.argv[2])).box)"
    )
    faketime = shutil.which("faketime")
    assert faketime, "deploy/lib/setup.sh installs faketime"
    folder = tmp_path / "etc"
    folder.mkdir()
    done = subprocess.run(
        [faketime, "1970-01-02 00:00:00", sys.executable, "-c", program, str(claim), str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("box-")


def test_another_archive_is_not_believed(claim: Path, tmp_path: Path) -> None:
    (tmp_path / "keys").mkdir()
    other = Authority.make(tmp_path / "keys", "Another district", datetime.now(UTC)).pem.decode()
    text = claim.read_text()
    begin, end = text.index("-----BEGIN"), text.index('\n"""', text.index("-----BEGIN"))
    claim.write_text(text[:begin] + other.strip() + text[end:])
    (tmp_path / "etc").mkdir()
    with pytest.raises(NoAnswerError, match="not the archive of this claim"):
        enroll(claim, tmp_path / "etc")
    assert claim.exists(), "nothing is lost"


def test_nobody_there_is_told_and_a_refusal_comes_in_the_archives_own_words(claim: Path, tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    text = claim.read_text()
    line = next(one for one in text.splitlines() if one.startswith("claim"))
    claim.write_text(text.replace(line, 'claim = "0000-0000-0000-0000"'))
    with pytest.raises(ClaimError, match="no such claim"):
        enroll(claim, tmp_path / "etc")
    url = next(one for one in text.splitlines() if one.startswith("url"))
    claim.write_text(text.replace(url, 'url = "https://127.0.0.1:9"'))
    with pytest.raises(NoAnswerError, match="does not answer"):
        enroll(claim, tmp_path / "etc")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        (("claim = ", "clam = "), "clam"),
        (('url = "https', 'url = "http'), "url"),
        (("BEGIN CERTIFICATE", "BEGIN"), "authority"),
        (('hardware = "usb"', 'hardware = "phone"'), "hardware"),
    ],
)
def test_a_claim_file_that_is_wrong_is_named(claim: Path, tmp_path: Path, change: tuple[str, str], field: str) -> None:
    claim.write_text(claim.read_text().replace(*change))
    with pytest.raises(SettingsError) as caught:
        enroll(claim, tmp_path / "etc")
    assert field in (caught.value.field or "") or field in caught.value.message


def of_age(district: tuple[Archive, str], folder: Path, days: int) -> None:
    """Give the box the certificate that the archive would have made so many days ago."""
    keys = district[0].home / "keys"
    made_at = datetime.now(UTC) - timedelta(days=days)
    request = Identity.load(folder).certificate_request()
    (folder / "mqtt" / "client.pem").write_bytes(Authority.load(keys).box(request, "box-of-age", made_at))


@pytest.mark.parametrize(
    ("days", "renewed"), [(0, False), (10, False), (201, True), (300, True), (900, True), (-30, True)]
)
def test_a_certificate_is_renewed_after_half_of_its_life_by_the_archives_clock(
    claim: Path, district: tuple[Archive, str], tmp_path: Path, days: int, *, renewed: bool
) -> None:
    """A year on a shelf counts as well, and so does one that was made while the archive's clock was ahead."""
    folder = tmp_path / "etc"
    folder.mkdir()
    enroll(claim, folder)
    of_age(district, folder, days)
    before = (folder / "mqtt" / "client.pem").read_bytes()
    assert renew(folder) is renewed
    assert ((folder / "mqtt" / "client.pem").read_bytes() != before) is renewed
    assert not renew(folder), "the new one is good"


@pytest.mark.parametrize(("days", "said"), [(300, "was renewed"), (10, "need not be renewed")])
def test_a_box_that_knows_no_time_keeps_its_broker(
    claim: Path, district: tuple[Archive, str], tmp_path: Path, days: int, said: str
) -> None:
    """Where no time gets through, a box counts only the hours that it has power, or begins in 1970 each day."""
    folder = tmp_path / "etc"
    folder.mkdir()
    enroll(claim, folder)
    of_age(district, folder, days)
    faketime = shutil.which("faketime")
    assert faketime, "deploy/lib/setup.sh installs faketime"
    done = subprocess.run(
        [faketime, "1970-01-02 00:00:00", sys.executable, "-m", "appliance.command", "renew", "--folder", str(folder)],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert said in done.stdout


def test_what_is_no_certificate_is_renewed_and_so_is_one_that_somebody_wants_renewed(
    claim: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    enroll(claim, folder)
    certificate = folder / "mqtt" / "client.pem"
    for damage in ("junk", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n", ""):
        certificate.write_text(damage)
        assert renew(folder)
        assert not renew(folder)
    certificate.unlink()
    assert renew(folder)
    assert renew(folder, force=True)


def test_a_box_asks_each_day_which_broker_is_its_own_and_keeps_its_certificate(
    claim: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    answer = enroll(claim, folder)
    address, certificate = folder / "mqtt" / "broker.json", folder / "mqtt" / "client.pem"
    told, before = address.read_text(), certificate.read_bytes()
    assert json.loads(told) == {"host": answer.broker.host, "port": answer.broker.port}
    address.write_text('{"host":"old.example","port":8883}')
    assert not renew(folder)
    assert (address.read_text(), certificate.read_bytes()) == (told, before)
    settings = folder / "courier.toml"
    url = next(one for one in settings.read_text().splitlines() if one.startswith("url"))
    settings.write_text(settings.read_text().replace(url, 'url = "https://127.0.0.1:9"'))
    for options in ([], ["--force"]):
        assert main_renew(["--folder", str(folder), *options]) == NO_ANSWER
        said = capsys.readouterr()
        assert said.out == "", "nothing was asked for that need not be renewed"
        assert "https://127.0.0.1:9 does not answer" in said.err
    assert (address.read_text(), certificate.read_bytes()) == (told, before)
    with pytest.raises(NoAnswerError):
        renew(folder)


def test_a_copied_card_with_a_claim_of_its_own_becomes_a_box_of_its_own(
    claim: Path, district: tuple[Archive, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, address = district
    folder = tmp_path / "etc"
    folder.mkdir()
    monkeypatch.setattr(command, "board_serial", lambda: "10000000abcdef12")
    first = enroll(claim, folder)
    keys = {name: (folder / name).read_bytes() for name in ("box.key", "courier.key")}
    monkeypatch.setattr(command, "board_serial", lambda: "20000000ffff0000")
    done = json.loads(archive.spawn("enroll", "Room 10", "-o", str(claim.parent), "--json").stdout)
    path = Path(done["file"])
    path.write_text(path.read_text().replace("https://127.0.0.1:8443", address))
    second = enroll(path, folder)
    assert second.box != first.box
    for name, before in keys.items():
        assert (folder / name).read_bytes() != before
        assert (folder / "of-board-10000000abcdef12" / name).read_bytes() == before, "nothing is lost"
    assert load_recorder(folder / "recorder.toml").box.board == "20000000ffff0000"


def test_renewing_makes_no_key(claim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    enroll(claim, folder)
    (folder / "box.key").unlink()
    with pytest.raises(KeyFileError):
        renew(folder, force=True)
    assert not (folder / "box.key").exists()


def test_a_claim_that_was_left_on_a_box_does_not_keep_it_from_starting(claim: Path, tmp_path: Path) -> None:
    folder = tmp_path / "etc"
    folder.mkdir()
    kept = claim.read_text()
    enroll(claim, folder)
    url = next(one for one in kept.splitlines() if one.startswith("url"))
    claim.write_text(kept.replace(url, 'url = "https://127.0.0.1:9"'))
    with pytest.raises(NoAnswerError):
        command.main(["--claim", str(claim), "--folder", str(folder), "--wait"])


def test_renewing_an_unknown_box_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="plainsight enroll"):
        renew(tmp_path)


def test_the_command_waits_for_a_network_where_it_is_told_to(
    claim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    text = claim.read_text()
    url = next(one for one in text.splitlines() if one.startswith("url"))
    claim.write_text(text.replace(url, 'url = "https://127.0.0.1:9"'))
    waited: list[float] = []

    def sleep(seconds: float) -> None:
        waited.append(seconds)
        if len(waited) == 7:
            claim.write_text(text)

    monkeypatch.setattr("appliance.enrollment.command.time.sleep", sleep)
    (tmp_path / "etc").mkdir()
    assert command.main(["--claim", str(claim), "--folder", str(tmp_path / "etc"), "--wait"]) == 0
    assert waited == [5, 10, 20, 40, 60, 60, 60]
    assert "check the network" in capsys.readouterr().err


@pytest.mark.parametrize(("hardware", "card", "channels"), [("usb", "", 1), ("i2s", "Microphone", 2)])
def test_a_usb_microphone_whose_supply_the_lamp_switches_is_not_asked_for_while_it_has_none(
    claim: Path, tmp_path: Path, hardware: str, card: str, channels: int
) -> None:
    """docs/wiring.md: with a card to look for, every press would be refused as `microphone-missing`."""
    claim.write_text(claim.read_text().replace('hardware = "usb"', f'hardware = "{hardware}"'))
    folder = tmp_path / "etc"
    folder.mkdir()
    enroll(claim, folder)
    settings = load_recorder(folder / "recorder.toml")
    assert (settings.microphone.card, settings.microphone.channels) == (card, channels)
    # no sound card is in sight: what an idle box with a switched socket sees
    (tmp_path / "cards").write_text("--- no soundcards ---\n")
    microphone = settings.microphone.model_copy(update={"asound": tmp_path})
    assert look(settings.model_copy(update={"microphone": microphone})).present is (hardware == "usb")


def said(claim: Path) -> str:
    path = claim.parent / FILE
    return path.read_text() if path.exists() else ""


def test_a_box_without_a_screen_says_on_its_card_why_it_is_not_enrolled(
    claim: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = claim.read_text()
    url = next(one for one in text.splitlines() if one.startswith("url"))
    claim.write_text(text.replace(url, 'url = "https://127.0.0.1:9"'))
    seen: list[tuple[str, int]] = []

    def sleep(_: float) -> None:
        seen.append((said(claim), (claim.parent / FILE).stat().st_ino))
        if len(seen) == 3:
            claim.write_text(text)

    monkeypatch.setattr("appliance.enrollment.command.time.sleep", sleep)
    (tmp_path / "etc").mkdir()
    assert command.main(["--claim", str(claim), "--folder", str(tmp_path / "etc"), "--wait"]) == 0
    assert len(set(seen)) == 1, "what stands there is not written again each minute"
    assert "check the network" in seen[0][0]
    assert said(claim) == "", "an enrolled box has nothing to say"


def test_a_claim_that_is_refused_is_told_on_the_card_and_the_reason_follows_what_is_wrong_now(
    claim: Path, tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    arguments = ["--claim", str(claim), "--folder", str(tmp_path / "etc"), "--wait"]
    text = claim.read_text()
    wrong = next(one for one in text.splitlines() if one.startswith("claim"))
    claim.write_text(text.replace(wrong, 'claim = "7K3M-Q9TX-0RB2-H5NC"'))
    with pytest.raises(ClaimError):
        command.main(arguments)
    assert "gave out no such claim" in said(claim)
    claim.write_text(text.replace(wrong, 'claim = "7K3M"'))
    with pytest.raises(ClaimError):
        command.main(arguments)
    assert "16 letters and digits" in said(claim)
    assert "gave out" not in said(claim)


def test_a_card_that_cannot_be_written_keeps_no_box_from_trying(tmp_path: Path) -> None:
    (tmp_path / FILE).mkdir()
    with pytest.raises(SettingsError):
        command.main(["--claim", str(tmp_path / "none.toml"), "--folder", str(tmp_path), "--wait"])
