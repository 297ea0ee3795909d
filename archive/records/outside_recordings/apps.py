"""The app of recordings that no box made."""

from __future__ import annotations

from django.apps import AppConfig


class OutsideRecordingsConfig(AppConfig):
    """Recordings that no box made: brought by somebody, kept byte for byte, at a lower grade."""

    name = "archive.records.outside_recordings"

    def ready(self) -> None:
        """Tell whom they are about and which keys are theirs, and have the worker seal them."""
        from archive.access.scopes import register_resolver  # noqa: PLC0415 - models need ready apps
        from archive.core.jobs import JOBS, Job  # noqa: PLC0415 - the same
        from archive.custody.actors import SubjectType  # noqa: PLC0415 - the same
        from archive.keystore.recording_keys import register_owner  # noqa: PLC0415 - the same
        from archive.recordings.elsewhere import Elsewhere, register_elsewhere  # noqa: PLC0415 - the same
        from archive.recordings.removal import register_destroyed  # noqa: PLC0415 - the same
        from archive.records.meetings.sections import SECTIONS  # noqa: PLC0415 - the same

        from .check_deeds import LOOK_S as FIXITY_S  # noqa: PLC0415 - the same
        from .check_deeds import check_due, damaged  # noqa: PLC0415 - the same
        from .meeting_section import section  # noqa: PLC0415 - the same
        from .plain_file import OUTSIDE, outside_package  # noqa: PLC0415 - the same
        from .reach import destroyed_packages, kept, kept_keys, scopes_of_outside  # noqa: PLC0415 - the same
        from .seal_deeds import LOOK_S, seal_all  # noqa: PLC0415 - the same

        register_resolver(SubjectType.OUTSIDE, scopes_of_outside)
        register_owner(kept_keys)
        register_destroyed(destroyed_packages)
        register_elsewhere(Elsewhere(OUTSIDE, outside_package, kept, damaged))
        SECTIONS.provide(section)
        JOBS.append(Job("sealing what was brought", LOOK_S, seal_all))
        JOBS.append(Job("checking what was brought", FIXITY_S, check_due, lane="checking"))
