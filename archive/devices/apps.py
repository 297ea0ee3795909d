"""The devices app."""

from __future__ import annotations

from django.apps import AppConfig


class DevicesConfig(AppConfig):
    """Devices."""

    name = "archive.devices"

    def ready(self) -> None:
        """Tell core what says that the listener hears, and register the worker's job."""
        from archive.core.health import register  # noqa: PLC0415 - Django imports no model before its apps are ready
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - the same
        from archive.core.metrics import provide  # noqa: PLC0415 - the same

        from .broker_access import WRITE_S, write_for_brokers  # noqa: PLC0415 - the same
        from .listener import hears  # noqa: PLC0415 - the same
        from .metrics import gauges  # noqa: PLC0415 - the same

        register("listener", hears)
        provide(gauges)
        # each worker writes what brokers on its own host read
        JOBS.append(Job("writing the brokers' access lists", WRITE_S, write_for_brokers, alone=False))
