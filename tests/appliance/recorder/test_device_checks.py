"""The idle checks know what they claim without opening a device."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.contract.errors import DeviceError
from appliance.contract.header import Microphone
from appliance.contract.kernel_clock import interpret_adjtimex
from appliance.contract.keys import SigningKey
from appliance.contract.times import Clock
from appliance.recorder import device_checks
from tests.support.box.commissioning import a_record
from tests.support.box.supervisor import plug, settings


def test_a_card_is_found_by_its_identifier_among_others(tmp_path: Path) -> None:
    (tmp_path / "asound").mkdir()
    (tmp_path / "asound" / "cards").write_text(
        " 0 [PCH            ]: HDA-Intel - HDA Intel PCH\n                      HDA Intel PCH at 0xf7e10000 irq 31\n"
        " 2 [Test           ]: USB-Audio - Test Microphone\n                      Test Microphone at usb-1\n"
    )
    assert device_checks.card_number(settings(tmp_path).microphone) == 2


def test_an_absent_card_and_a_kernel_without_sound_are_absent_microphones(tmp_path: Path) -> None:
    assert not device_checks.look(settings(tmp_path)).present
    plug(tmp_path, plugged=False)
    assert not device_checks.look(settings(tmp_path)).present
    plug(tmp_path)
    assert device_checks.look(settings(tmp_path)).present


@pytest.mark.parametrize(("found", "faults"), [("0D8C:0014\n", set()), ("1234:5678\n", {"microphone-wrong"})])
def test_another_microphone_than_at_commissioning_is_noticed(tmp_path: Path, found: str, faults: set[str]) -> None:
    plug(tmp_path)
    (tmp_path / "asound" / "card0").mkdir()
    (tmp_path / "asound" / "card0" / "usbid").write_text(found)
    assert device_checks.look(settings(tmp_path, microphone={"identity": "0d8c:0014"})).faults == faults


def test_a_card_without_usb_identity_is_not_the_commissioned_one(tmp_path: Path) -> None:
    plug(tmp_path)
    assert device_checks.look(settings(tmp_path, microphone={"identity": "0d8c:0014"})).faults == {"microphone-wrong"}


@pytest.mark.parametrize(
    ("usb", "members", "faults"),
    [
        ("0d8c:0014", {}, set()),
        ("0D8C:0014", {}, set()),
        ("1234:5678", {}, {"microphone-wrong"}),
        ("", {}, {"microphone-wrong"}),
        ("0d8c:0014", {"card": "Other"}, {"microphone-wrong"}),
        ("1234:5678", {"card": "", "identity": ""}, set()),
        ("1234:5678", {"identity": ""}, {"microphone-wrong"}),
        ("", {"identity": ""}, set()),
    ],
)
def test_without_a_setting_the_commissioned_microphone_is_the_right_one(
    tmp_path: Path, usb: str, members: dict[str, str], faults: set[str]
) -> None:
    plug(tmp_path)
    (tmp_path / "asound" / "card0").mkdir()
    if usb:
        (tmp_path / "asound" / "card0" / "usbid").write_text(f"{usb}\n")
    chosen = settings(tmp_path)
    microphone = Microphone(**{"device": "test", "card": "Test", "identity": "0d8c:0014", **members})
    record = a_record(chosen, SigningKey.generate(), microphone=microphone)
    assert device_checks.look(chosen, record).faults == faults
    # what is set goes first
    assert device_checks.look(settings(tmp_path, microphone={"identity": usb or "-"}), record).faults == (
        set() if usb else {"microphone-wrong"}
    )


@pytest.mark.parametrize(
    ("name", "text", "held"),
    [
        ("pcm0c/sub0", "closed\n", False),
        ("pcm0c/sub0", "state: RUNNING\nowner_pid   : 77\n", True),
        ("pcm1c/sub3", "state: SETUP\n", True),
        ("pcm0p/sub0", "state: RUNNING\n", False),
        ("pcm0c/sub0", "", False),
    ],
)
def test_promise_1_whoever_holds_the_microphone_is_seen_without_opening_it(
    tmp_path: Path, name: str, text: str, held: bool
) -> None:
    plug(tmp_path)
    folder = tmp_path / "asound" / "card0" / name
    folder.mkdir(parents=True)
    (folder / "status").write_text(text)
    other = tmp_path / "asound" / "card1" / "pcm0c" / "sub0"
    other.mkdir(parents=True)
    (other / "status").write_text("state: RUNNING\n")
    assert device_checks.look(settings(tmp_path)).held is held


def test_a_clock_that_is_not_synchronized_is_a_fault_only_where_asked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(device_checks, "read_clock", lambda: Clock(synchronized=False, source="none", offset_ns=None))
    assert device_checks.look(settings(tmp_path)).faults == set()
    assert device_checks.look(settings(tmp_path, checks={"clock": True})).faults == {"clock"}


def test_the_key_check_names_what_is_wrong(tmp_path: Path) -> None:
    chosen = settings(tmp_path, box={"signing_key": tmp_path / "box.key"})
    assert "box.key" in (device_checks.keys_fault(chosen) or "")
    SigningKey.generate().save(tmp_path / "box.key")
    assert device_checks.keys_fault(chosen) is None
    assert "restart" in (device_checks.keys_fault(chosen, SigningKey.generate().public) or "")


@pytest.mark.parametrize(
    ("verdict", "status", "offset", "expected"),
    [
        (0, 0x2001, 250, (True, "ntp", 250)),
        (0, 0x0001, 3, (True, "ntp", 3000)),
        (0, 0x2000, 0, (True, "ntp", None)),  # chrony: the kernel makes up for nothing, and knows of no offset
        (5, 0x0000, 0, (False, "none", None)),
        (0, 0x0040, 0, (False, "none", None)),
    ],
)
def test_the_kernels_word_on_the_clock_is_read_as_adjtimex_documents(
    verdict: int, status: int, offset: int, expected: tuple[bool, str, int | None]
) -> None:
    clock = interpret_adjtimex(verdict, status, offset)
    assert (clock.synchronized, clock.source, clock.offset_ns) == expected


class Opened:
    """A capture device of a sound card, and the threads that the kernel tells of."""

    def __init__(self, folder: Path, card: str = "card0") -> None:
        self.asound, self.proc = folder / "asound", folder / "proc"
        self._status = self.asound / card / "pcm0c" / "sub0" / "status"
        self._status.parent.mkdir(parents=True)
        self.proc.mkdir()
        self.says("closed\n")

    def says(self, text: str) -> None:
        self._status.write_text(text)

    def by(self, owner: int) -> None:
        self.says(f"state: RUNNING\nowner_pid   : {owner}\ntrigger_time: 1.5\n")

    def thread(self, number: int, name: str, process: int) -> None:
        (self.proc / str(number)).mkdir(exist_ok=True)
        (self.proc / str(number) / "status").write_text(f"Name:\t{name}\nTgid:\t{process}\nNgid:\t0\n")
        (self.proc / str(number) / "comm").write_text(f"{name}\n")


@pytest.mark.parametrize("card", ["card0", "card3"])
def test_promise_1_a_capture_process_of_an_earlier_run_that_the_kernel_holds_is_known_whatever_its_card(
    tmp_path: Path, card: str
) -> None:
    """A box for a USB microphone names no card: with one to look for, every press would be refused."""
    opened = Opened(tmp_path, card)
    assert device_checks.left_open(opened.asound, opened.proc) is None
    opened.thread(4711, "arecord", 4711)
    opened.by(4711)
    assert device_checks.left_open(opened.asound, opened.proc) is None, "amber tells of another program"
    # PortAudio is used by a thread of its own, which some versions of Python give its own name
    opened.thread(4711, "microphone", 4700)
    opened.thread(4700, "ps-capture", 4700)
    assert device_checks.left_open(opened.asound, opened.proc) == 4711


def test_promise_1_a_device_whose_thread_is_gone_or_hidden_is_taken_for_ours(tmp_path: Path) -> None:
    """Another thread of it may hang in the driver, and ProtectProc= hides a process that nobody may trace."""
    opened = Opened(tmp_path)
    opened.by(4711)
    assert device_checks.left_open(opened.asound, opened.proc) == 4711


def test_promise_1_a_capture_process_that_is_about_to_end_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = Opened(tmp_path)
    opened.by(4711)
    microphone = settings(tmp_path, microphone={"card": ""}).microphone
    monkeypatch.setattr("appliance.recorder.device_checks.time.sleep", lambda _: opened.says("closed\n"))
    device_checks.require_closed(microphone, opened.proc)
    opened.by(4711)
    with pytest.raises(DeviceError, match=r"4711.*unplug the microphone"):
        device_checks.require_closed(microphone, opened.proc, patience_s=0)
