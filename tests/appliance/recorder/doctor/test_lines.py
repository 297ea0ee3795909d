"""What doctor says of the kernel's choice for a dead recorder's lines (docs/wiring.md)."""

from __future__ import annotations

from pathlib import Path

import pytest

from appliance.recorder.doctor.examination import examine_box
from tests.support.box.supervisor import settings

CHECK = "lines of a dead recorder"


def lines(tmp_path: Path, kind: str = "gpio", **parameters: str) -> list[tuple[str, str]]:
    for driver, value in parameters.items():
        folder = tmp_path / "module" / driver / "parameters"
        folder.mkdir(parents=True)
        (folder / "persist_gpio_outputs").write_text(f"{value}\n")
    chosen = settings(tmp_path, panel={"kind": kind})
    found = examine_box(chosen, devices=tmp_path, modules=tmp_path / "module")
    return [(one.verdict, one.remedy) for one in found if one.check == CHECK]


@pytest.mark.parametrize("driver", ["pinctrl_bcm2835", "pinctrl_rp1"])
def test_lines_that_keep_their_level_are_well(tmp_path: Path, driver: str) -> None:
    assert [verdict for verdict, _ in lines(tmp_path, **{driver: "Y"})] == ["ok"]


def test_promise_1_lines_that_drop_are_wrong_and_the_remedy_is_a_word_for_the_kernel(tmp_path: Path) -> None:
    ((verdict, remedy),) = lines(tmp_path, pinctrl_bcm2835="N")
    assert verdict == "wrong"
    word = "pinctrl_bcm2835.persist_gpio_outputs=y"
    assert word in remedy
    shipped = Path(__file__).resolve().parents[4] / "firmware_config" / "cmdline.txt"
    assert word in shipped.read_text(encoding="ascii").split()


def test_a_kernel_that_does_not_say_is_a_warning_and_a_simulated_panel_has_no_lines(tmp_path: Path) -> None:
    assert [verdict for verdict, _ in lines(tmp_path)] == ["warning"]
    assert lines(tmp_path, kind="simulated") == []
