"""The sealing app."""

from __future__ import annotations

from django.apps import AppConfig


class SealingConfig(AppConfig):
    """Known to Django for its commands and the worker's jobs."""

    name = "archive.sealing"

    def ready(self) -> None:
        """Register the worker's jobs, and what says that it runs."""
        from archive.core.health import is_alive, register  # noqa: PLC0415 - models are there only once the apps are ready
        from archive.core.jobs import JOBS, WORKER, Job  # noqa: PLC0415 - the same

        from .audit import AUDIT_S, audit_and_repair  # noqa: PLC0415 - the same
        from .sealer import LOOK_S, Sealer  # noqa: PLC0415 - the same
        from .sweeping import SWEEP_S, sweep  # noqa: PLC0415 - the same

        register(WORKER, lambda: is_alive(WORKER))
        # in a lane of its own: a bucket or a disk that answers slowly must hold up no seal
        JOBS.append(Job("auditing", AUDIT_S, audit_and_repair, lane="auditing"))
        JOBS.append(Job("sealing", LOOK_S, Sealer().once, alone=False))
        JOBS.append(Job("sweeping", SWEEP_S, sweep))
