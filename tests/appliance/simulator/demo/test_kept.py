"""What a demonstration leaves behind at its end: what was asked for, what is worth a look, or nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.simulator.demo.kept import clean_up
from appliance.simulator.demo.layout import Layout


@pytest.fixture
def layout(tmp_path: Path) -> Layout:
    made = Layout(tmp_path / "demo")
    for folder in (made.logs, made.export / ("a" * 32), made.root / "archive"):
        folder.mkdir(parents=True)
    made.key_ring.parent.mkdir(parents=True, exist_ok=True)
    for file in (made.key_ring, made.logs / "recorder.log", made.root / "archive" / "key.txt"):
        file.write_text("something")
    for name in ("recording.age", "header.tsv"):
        (made.export / ("a" * 32) / name).write_text("something")
    return made


def files(layout: Layout) -> set[str]:
    return {path.name for path in layout.root.rglob("*") if path.is_file()} if layout.root.exists() else set()


@pytest.mark.parametrize("worth_a_look", [True, False])
def test_what_somebody_asked_to_keep_is_kept_whole_also_after_ctrl_c(layout: Layout, worth_a_look: bool) -> None:
    before = files(layout)
    assert str(layout.root) in clean_up(layout, keep=True, worth_a_look=worth_a_look)
    assert files(layout) == before


def test_after_a_result_logs_and_packages_stay_and_no_key_opens_them(layout: Layout) -> None:
    assert str(layout.root) in clean_up(layout, keep=False, worth_a_look=True)
    assert files(layout) == {"recorder.log", "header.tsv", layout.key_ring.name}


def test_after_ctrl_c_nothing_is_left(layout: Layout) -> None:
    assert "--keep" in clean_up(layout, keep=False, worth_a_look=False)
    assert not layout.root.exists()
