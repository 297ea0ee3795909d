"""Which panel is made: a simulated button never beside real lines, and never another pin library than lgpio."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance.contract.errors import DeviceError, SettingsError
from appliance.recorder.panel.choose import make_panel
from tests.support.box.supervisor import settings


class Client:
    kind = "simulated"

    def __init__(self, socket: Path, lamp_sensed: bool) -> None:
        self.socket = socket
        self.lamp_sensed = lamp_sensed


def test_a_simulated_panel_is_refused_where_a_box_with_real_pins_is_set_up(tmp_path: Path) -> None:
    (tmp_path / "etc/plainsight").mkdir(parents=True)
    (tmp_path / "etc/plainsight/recorder.toml").write_text('[panel]\nkind = "gpio"\n')
    with pytest.raises(SettingsError, match=r"recorder\.toml") as caught:
        make_panel(settings(tmp_path), root=tmp_path)
    assert caught.value.field == "panel.kind"


def test_the_simulated_panel_is_the_class_that_the_settings_name(tmp_path: Path) -> None:
    chosen = settings(tmp_path, panel={"client": f"{__name__}:Client"})
    panel = make_panel(chosen, root=tmp_path)
    assert isinstance(panel, Client)
    assert (panel.socket, panel.lamp_sensed) == (tmp_path / "panel.sock", True)


@pytest.mark.parametrize("client", ["no.such.module:Panel", "appliance.recorder.panel.lamp_token:Nothing"])
def test_a_client_that_does_not_exist_is_named(tmp_path: Path, client: str) -> None:
    with pytest.raises(SettingsError, match="names no class"):
        make_panel(settings(tmp_path, panel={"client": client}), root=tmp_path)


def test_without_a_gpio_chip_real_pins_are_an_error_and_never_a_fallback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("lgpio", reason="lgpio is not installed here")
    if list(Path("/dev").glob("gpiochip*")):
        pytest.skip("this machine has a GPIO chip")
    (tmp_path / "run").mkdir()
    monkeypatch.setenv("GPIOZERO_PIN_FACTORY", "mock")
    monkeypatch.setenv("LG_WD", "")
    with pytest.raises(DeviceError, match="GPIO chip"):
        make_panel(settings(tmp_path, panel={"kind": "gpio"}))
    assert os.environ["LG_WD"] == str(tmp_path / "run")
