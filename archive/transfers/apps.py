"""The transfers app."""

from __future__ import annotations

from django.apps import AppConfig


class TransfersConfig(AppConfig):
    """Recordings that another archive sealed, and what came with them."""

    name = "archive.transfers"

    def ready(self) -> None:
        """Tell with which keys they are checked, what goes along with copies, and what the pages and packages say."""
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - the same
        from archive.devices.keyring import register_provider  # noqa: PLC0415 - models need ready apps
        from archive.keystore.recording_keys import register_owner  # noqa: PLC0415 - the same
        from archive.recordings import companions  # noqa: PLC0415 - the same
        from archive.recordings.removal import register_identifying, register_never_kept  # noqa: PLC0415 - the same
        from archive.records.evidence import chapters  # noqa: PLC0415 - the same
        from archive.records.outside_recordings.companions import register_outside  # noqa: PLC0415 - the same
        from archive.records.outside_recordings.contributions import provide  # noqa: PLC0415 - the same
        from archive.records.today.tray_tasks import BROUGHT  # noqa: PLC0415 - the same

        from .clear_deeds import CLEAR_S, clear_stored, is_left  # noqa: PLC0415 - the same
        from .known import (  # noqa: PLC0415 - the same  # noqa: PLC0415 - the same
            contribution,
            documents_of,
            keys_of,
            origin_chapter,
            statements_of,
            statements_with,
            uploads_of,
        )
        from .upload_deeds import LOOK_S, arriving, take_in_all  # noqa: PLC0415 - the same
        from .waiting import to_bring_here  # noqa: PLC0415 - the same

        register_provider(keys_of)
        companions.register(statements_of)
        register_outside(statements_with)
        provide(contribution)
        chapters.register(origin_chapter)
        register_identifying("documents of the other archive", documents_of)
        register_identifying("what was said of the other archive's package", uploads_of)
        register_owner(arriving)
        register_never_kept(is_left)
        BROUGHT.append(to_bring_here)
        JOBS.append(Job("taking in what was handed over", LOOK_S, take_in_all, lane="checking"))
        JOBS.append(Job("clearing what was handed over in vain", CLEAR_S, clear_stored, lane="checking"))
