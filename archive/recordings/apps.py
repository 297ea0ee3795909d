"""The recordings app."""

from __future__ import annotations

from django.apps import AppConfig


class RecordingsConfig(AppConfig):
    """Recordings."""

    name = "archive.recordings"

    def ready(self) -> None:
        """Tell core what says that the store takes bytes, the worker what to do, and the rooms how far uploads are."""
        from archive.core.health import register  # noqa: PLC0415 - Django imports no model before its apps are ready
        from archive.core.jobs import JOBS, REQUIRED, Job  # noqa: PLC0415 - the same
        from archive.core.metrics import provide  # noqa: PLC0415 - the same
        from archive.keystore.current import keystore  # noqa: PLC0415 - the same
        from archive.rooms.uploads import provide_uploads  # noqa: PLC0415 - the same
        from archive.store.current import require_store, writable  # noqa: PLC0415 - the same

        from .bucket_locks import LOOK_S as LOCKS_S  # noqa: PLC0415 - the same
        from .bucket_locks import bring_all_in_line  # noqa: PLC0415 - the same
        from .bucket_proof import LOOK_S as PROOF_S  # noqa: PLC0415 - the same
        from .bucket_proof import prove_when_due  # noqa: PLC0415 - the same
        from .fixity import LOOK_S as FIXITY_S  # noqa: PLC0415 - the same
        from .fixity import ask_what_is_due  # noqa: PLC0415 - the same
        from .listens import LOOK_S as LISTENS_S  # noqa: PLC0415 - the same
        from .listens import settle_still  # noqa: PLC0415 - the same
        from .metrics import gauges  # noqa: PLC0415 - the same
        from .uploads import pages_for, uploads_by_box  # noqa: PLC0415 - the same
        from .verification import LOOK_S, check_asked  # noqa: PLC0415 - the same
        from .waveform import LOOK_S as WAVEFORM_S  # noqa: PLC0415 - the same
        from .waveform import WaveformMaker  # noqa: PLC0415 - the same

        REQUIRED.append(lambda: require_store(keystore().public, take=True))
        register("store", writable, serving=True)
        provide(gauges)
        provide_uploads(uploads_by_box, pages_for)
        JOBS.append(Job("asking for the night's checks", FIXITY_S, ask_what_is_due, lane="checking"))
        JOBS.append(Job("checking", LOOK_S, check_asked, lane="checking", alone=False))
        JOBS.append(Job("proving the bucket's lock", PROOF_S, prove_when_due, lane="bucket"))
        JOBS.append(Job("bringing the bucket's locks in line", LOCKS_S, bring_all_in_line, lane="bucket"))
        JOBS.append(Job("making waveforms", WAVEFORM_S, WaveformMaker().once, lane="waveforms", alone=False))
        JOBS.append(Job("entering what was listened to", LISTENS_S, settle_still))
