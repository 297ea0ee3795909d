"""Makes the panel that the settings name."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any, cast

from appliance.contract.errors import SettingsError
from appliance.recorder.settings import RecorderSettings

from .base import Panel
from .gpio import GpioPanel, lgpio_factory
from .real_box import find_real_box

DEVICES = Path("/dev")


def make_panel(settings: RecorderSettings, root: Path = Path("/")) -> Panel:
    """Return the panel; raise SettingsError where a simulated one would stand beside those of a real box.

    `root` is the file system in which a real box is looked for.
    """
    if settings.panel.kind == "gpio":
        return GpioPanel(settings.panel, settings.times.debounce_s, lgpio_factory(settings.spool.run))
    if found := find_real_box(root):
        raise SettingsError(found, field="panel.kind")
    client = _of_client(settings, settings.panel.client.partition(":")[2])
    return cast("Panel", client(settings.panel.socket, lamp_sensed=settings.panel.sensed))


def _of_client(settings: RecorderSettings, name: str) -> Any:
    module = settings.panel.client.partition(":")[0]
    try:
        return getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError) as error:
        raise SettingsError(f"panel.client names no class: {error}", field="panel.client") from error
