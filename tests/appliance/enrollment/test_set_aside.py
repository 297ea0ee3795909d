"""A former identity is set aside whole, whenever the power is cut; nothing of it is lost, and none of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from appliance.contract import durable_files
from appliance.enrollment import command, set_aside
from appliance.enrollment.command import enroll
from appliance.recorder.settings import load as load_recorder

from .fake_archive import FakeArchive, files, kept, public

FIRST, SECOND = "10000000abcdef12", "20000000ffff0000"
IDENTITY = (
    "recorder.toml",
    "courier.toml",
    "mqtt/client.key",
    "mqtt/client.pem",
    "courier.key",
    "box.key",
    "archive-ca.pem",
)
MOVES = len(IDENTITY) + 1
"""And `mqtt/ca.pem`, which is the same as `archive-ca.pem`."""


class PowerCutError(BaseException):
    """Nothing in the program survives it."""


class Power:
    """Cuts the power at the move `cut_at` of an identity, before or behind it; notes what is moved and made durable."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.moves = 0
        self.cut_at = 0
        self.behind = False
        self.calls: list[tuple[str, str]] = []
        rename, sync = Path.rename, durable_files.sync_folder

        def moved(path: Path, target: Path) -> Path:
            if not target.parent.name.startswith("of-"):
                return rename(path, target)
            self.moves += 1
            if self.moves == self.cut_at and not self.behind:
                raise PowerCutError
            self.calls.append(("move", path.name))
            done = rename(path, target)
            if self.moves == self.cut_at:
                raise PowerCutError
            return done

        def synced(folder: Path) -> None:
            sync(folder)
            self.calls.append(("sync", folder.name))

        monkeypatch.setattr(Path, "rename", moved)
        monkeypatch.setattr(set_aside, "sync_folder", synced)


@pytest.fixture
def archive(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> FakeArchive:
    made = FakeArchive.make(tmp_path / "keys")
    monkeypatch.setattr(command, "ask", made.ask)
    return made


@pytest.fixture
def board(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Puts the card into a board."""

    def put(serial: str) -> None:
        monkeypatch.setattr(command, "board_serial", lambda: serial)

    put(FIRST)
    return put


@pytest.mark.parametrize("behind", [False, True])
@pytest.mark.parametrize("cut_at", range(1, MOVES + 1))
def test_a_copied_card_ends_as_a_box_of_its_own_wherever_the_power_is_cut(
    archive: FakeArchive,
    board: Callable[[str], None],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    cut_at: int,
    *,
    behind: bool,
) -> None:
    folder, card = tmp_path / "etc", tmp_path / "card"
    enroll(archive.claim(card), folder)
    before = files(folder)
    board(SECOND)
    power = Power(monkeypatch)
    power.cut_at, power.behind = cut_at, behind
    claim = archive.claim(card)
    with pytest.raises(PowerCutError):
        enroll(claim, folder)
    assert len(archive.asked) == 1, "nobody was asked in the name of the other box"
    power.cut_at = 0
    enroll(claim, folder)
    first, second = archive.asked
    assert second.box_key != first.box_key
    assert second.courier_key != first.courier_key
    assert public(folder) == second.box_key
    assert load_recorder(folder / "recorder.toml").box.board == SECOND
    after = files(folder)
    assert all(after[f"of-board-{FIRST}/{Path(name).name}"] == before[name] for name in IDENTITY), "nothing is lost"


def test_each_move_is_durable_before_the_next_and_the_settings_go_last(
    archive: FakeArchive, board: Callable[[str], None], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, card = tmp_path / "etc", tmp_path / "card"
    enroll(archive.claim(card), folder)
    board(SECOND)
    power = Power(monkeypatch)
    enroll(archive.claim(card), folder)
    moved = [name for what, name in power.calls if what == "move"]
    assert moved[-1] == "recorder.toml", "they tell the next start whose identity this is"
    assert power.calls[0] == ("sync", "etc"), "the folder aside has its own name"
    for place, (what, name) in enumerate(power.calls):
        if what == "move":
            source = "mqtt" if name in {"client.key", "client.pem", "ca.pem"} else "etc"
            assert power.calls[place + 1 : place + 3] == [("sync", f"of-board-{FIRST}"), ("sync", source)]


def test_a_card_that_comes_back_to_a_board_overwrites_nothing(
    archive: FakeArchive, board: Callable[[str], None], tmp_path: Path
) -> None:
    folder, card = tmp_path / "etc", tmp_path / "card"
    keys: list[bytes] = []
    for serial in (FIRST, SECOND, FIRST, SECOND):
        board(serial)
        enroll(archive.claim(card), folder)
        keys.append((folder / "box.key").read_bytes())
    assert len(set(keys)) == 4
    assert set(keys[:3]) <= kept(folder)


def test_settings_that_cannot_be_read_do_not_make_a_copied_identity_ones_own(
    archive: FakeArchive, board: Callable[[str], None], tmp_path: Path
) -> None:
    folder, card = tmp_path / "etc", tmp_path / "card"
    enroll(archive.claim(card), folder)
    before = public(folder)
    (folder / "recorder.toml").write_bytes(b"\0" * 100)
    board(SECOND)
    enroll(archive.claim(card), folder)
    assert public(folder) != before
