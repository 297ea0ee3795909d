"""systemd is told what it asks for."""

from __future__ import annotations

import importlib
import socket
from pathlib import Path

import pytest

from appliance.contract.errors import SettingsError
from appliance.contract.systemd_notification import SystemdNotifier


def test_without_systemd_nobody_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NOTIFY_SOCKET", raising=False)
    notifier = SystemdNotifier()
    notifier.ready()
    assert notifier.watchdog_ns == 0


def test_systemd_is_told_of_readiness_and_status_and_its_watchdog_is_fed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("systemd.daemon", reason="systemd-python is not installed here")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as systemd:
        systemd.bind(str(tmp_path / "notify"))
        systemd.settimeout(60)
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        monkeypatch.setenv("WATCHDOG_USEC", "3000000")
        notifier = SystemdNotifier()
        assert notifier.watchdog_ns == 1_000_000_000
        notifier.ready()
        notifier.status("idle")
        notifier.status("idle")
        notifier.watchdog()
        notifier.stopping()
        heard = [systemd.recv(100) for _ in range(4)]
    assert heard == [b"READY=1", b"STATUS=idle", b"WATCHDOG=1", b"STOPPING=1"]


def test_a_missing_library_is_named_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ModuleNotFoundError(name)

    monkeypatch.setenv("NOTIFY_SOCKET", "/nowhere")
    monkeypatch.setattr(importlib, "import_module", missing)
    with pytest.raises(SettingsError, match="systemd-python is not installed; install"):
        SystemdNotifier()
