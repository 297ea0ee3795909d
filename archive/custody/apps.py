"""The custody app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.module_loading import autodiscover_modules


class CustodyConfig(AppConfig):
    """Gathers the kinds of entries of all apps, and has the log's head published."""

    name = "archive.custody"

    def ready(self) -> None:
        """Import every app's `custody_kinds`, and register the worker's jobs."""
        from archive.core.deeds import FIRST  # noqa: PLC0415 - models are there only once the apps are ready
        from archive.core.jobs import JOBS, REQUIRED, Job  # noqa: PLC0415 - models are there only once the apps are ready
        from archive.core.metrics import provide  # noqa: PLC0415 - the same
        from archive.keystore.generations import register_guard  # noqa: PLC0415 - the same

        from .check import CHECK_S, tell  # noqa: PLC0415 - the same
        from .clock import why_wrong  # noqa: PLC0415 - the same
        from .heads import PUBLISH_S, require_own_log, signed_head  # noqa: PLC0415 - the same
        from .log import take_end  # noqa: PLC0415 - the same
        from .metrics import gauges  # noqa: PLC0415 - the same
        from .witnesses import tell_witnesses  # noqa: PLC0415 - the same

        autodiscover_modules("custody_kinds")
        provide(gauges)
        FIRST.append(take_end)
        REQUIRED.append(require_own_log)
        register_guard(why_wrong)
        JOBS.append(Job("publishing the custody log's head", PUBLISH_S, lambda _stop: signed_head()))
        JOBS.append(Job("telling the custody log's witnesses", PUBLISH_S, tell_witnesses, lane="witnesses"))
        JOBS.append(Job("checking the custody log", CHECK_S, tell, lane="checking"))
