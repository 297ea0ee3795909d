"""Which recording is served when. One refused recording keeps no other back, and no backlog keeps a meeting back.

Concurrency: everything here runs in the thread that calls `run_pass`, the courier's main thread. It blocks on the
spool's disk, and on the archive within the limits of `[times]`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Literal

from appliance.contract.errors import FormatError, StorageError
from appliance.contract.status import UploadProgress
from appliance.contract.trouble_log import TroubleLog
from appliance.courier.backoff import Backoff, Pace
from appliance.courier.settings import CourierSettings
from appliance.courier.status_reader import StatusReader

from .archive_client import ArchiveClient, DownError, RefusedError, SlowDownError
from .receipt_inbox import ReceiptInbox
from .spool_reader import PendingRecording, SpoolReader
from .upload import Step, Upload

REMEMBERED = 16
"""How many recordings that have left the box are still reported."""
ONCE_MORE_S = 3600.0
"""A receipt is fetched again when its recording is still in the spool after so long, in seconds."""
_log = logging.getLogger(__name__)


class Uploader:
    """Serves all recordings in turn."""

    def __init__(
        self,
        settings: CourierSettings,
        client: ArchiveClient,
        status: StatusReader,
        on_event: Callable[[str, str], None] = lambda _kind, _recording: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`on_event` is called with kind and recording of what happens once; `clock` counts seconds."""
        self._client = client
        self._status = status
        self._on_event = on_event
        self._clock = clock
        self._spool = SpoolReader(settings.spool.path)
        self._inbox = ReceiptInbox(settings.spool.inbox)
        self._times = times = settings.times
        self._down = Pace(times.retry_s, times.retry_max_s)
        self._refused = Pace(times.refused_s, times.refused_max_s)
        self._sealing = Pace(times.receipt_s, times.receipt_max_s, int(times.receipt_quick_s / times.receipt_s))
        self._uploads: dict[str, Upload] = {}
        self._present: set[str] | None = None
        self._left: deque[tuple[str, UploadProgress]] = deque(maxlen=REMEMBERED)
        self._served = ""
        """Which other recording was served last while a meeting was recorded."""
        self._backoff = Backoff()
        """For the archive as a whole; each recording has its own beside it."""
        self._troubles = TroubleLog(_log)
        self._answered = float("-inf")
        self.archive: Literal["up", "down", "refusing"] = "down"
        """Whether the archive answers and takes what it is sent."""

    def run_pass(self) -> float:
        """Serve each recording once, and return how long the next pass can wait, in seconds.

        While a meeting is recorded, it is served until it has caught up, and only then one step of one other recording
        follows: however many wait, what is missing of the meeting is what one step takes.
        """
        status = self._status.active()
        try:
            present = self._spool.present()
            if present != self._present:
                self._note_present(present)
        except StorageError as error:
            self._troubles.report("spool", error.message)
            self._probe_if_quiet()
            return self._times.poll_s
        self._troubles.clear("spool")
        pending = self._spool.pending(present, status)
        meeting = next((one for one in pending if one.limit is not None), None)
        if meeting is not None and self._backoff.due(self._clock()) and self._serve(meeting):
            # a thief, or a fire, would take what is missing of it
            return 0.0
        more = False
        for other in self._in_turn([one for one in pending if one is not meeting]):
            # looked at before each, since one attempt can show that the whole archive is away
            if not self._backoff.due(self._clock()):
                break
            more = self._serve(other) or more
            if more and meeting is not None:
                # the meeting has gone on meanwhile
                self._served = other.recording
                break
        if more:
            return 0.0
        self._probe_if_quiet()
        return self._pause()

    def _in_turn(self, pending: list[PendingRecording]) -> list[PendingRecording]:
        """Return them from the one behind that which was served last."""
        behind = next((at + 1 for at, one in enumerate(pending) if one.recording == self._served), 0)
        return pending[behind:] + pending[:behind]

    def recordings(self) -> dict[str, UploadProgress]:
        """Return how far each recording got, those that left the box lately included."""
        found = dict(self._left)
        for recording in sorted(self._present or ()):
            upload = self._uploads.get(recording)
            found[recording] = upload.progress if upload else UploadProgress()
        return found

    def _pause(self) -> float:
        """Return the time until something is due, in seconds; a look at the spool is due soon in any case."""
        now = self._clock()
        dues = [upload.backoff.until - now for upload in self._uploads.values() if upload.backoff.until > now]
        return min([self._times.poll_s, *dues])

    def _note_present(self, present: set[str]) -> None:
        for recording in set(self._uploads) - present:
            self._left.append((recording, self._uploads.pop(recording).progress))
            self._troubles.forget(recording)
        self._inbox.remove_finished(present)
        self._present = present

    def _serve(self, pending: PendingRecording) -> bool:
        """Do one step for a recording, and tell whether another may follow at once."""
        recording, now = pending.recording, self._clock()
        try:
            upload = self._uploads.get(recording)
            if upload is None:
                upload = self._uploads[recording] = Upload(pending, self._client, self._inbox)
                if upload.done:
                    upload.backoff.until = now + ONCE_MORE_S
            if not upload.backoff.due(now) or (pending.limit is not None and now < upload.gathering_until):
                return False
            if upload.done:
                _log.info("recording %s is still in the spool; its receipt is fetched again", recording)
                upload.forget()
            again = upload.done
            return self._succeeded(upload, upload.step(pending), again=again)
        except DownError as error:
            self._archive_down(error, self._uploads[recording])
        except SlowDownError as error:
            self._slow_down(error)
        except RefusedError as error:
            self._archive_refuses(error, self._uploads[recording])
        except (FormatError, StorageError) as error:
            self._local_failure(pending, error.message)
        except OSError as error:
            self._local_failure(pending, str(error))
        return False

    def _succeeded(self, upload: Upload, step: Step, *, again: bool) -> bool:
        if step == "caught-up":
            return False
        now = self._answered = self._clock()
        if step == "asked":
            # that the archive answers does not yet mean that it takes anything: pauses must go on growing
            return True
        upload.refused = False
        self._troubles.clear(upload.recording)
        self._archive_up()
        if step == "unsealed":
            upload.backoff.failed(self._sealing, now)
            return False
        upload.backoff.succeeded()
        if step == "gathering":
            upload.gathering_until = now + self._times.gather_s
        if step == "receipt":
            upload.backoff.until = now + ONCE_MORE_S
            if not again:
                _log.info("recording %s is sealed; its receipt is in the inbox", upload.recording)
                self._on_event("sealed", upload.recording)
        return step == "sent"

    def _archive_down(self, error: DownError, upload: Upload | None) -> None:
        now = self._answered = self._clock()
        self.archive = "down"
        if upload is not None:
            upload.forget()
            if not error.whole:
                upload.backoff.failed(self._down, now, error.wait_s)
        if error.whole:
            self._backoff.failed(self._down, now, error.wait_s)
        self._troubles.report("archive" if error.whole or upload is None else upload.recording, error.message)

    def _archive_refuses(self, error: RefusedError, upload: Upload) -> None:
        now = self._answered = self._clock()
        self.archive = "refusing"
        upload.refused = True
        upload.backoff.failed(self._refused, now, error.wait_s)
        self._troubles.clear("archive")
        self._troubles.report(
            upload.recording,
            f"the archive refuses recording {upload.recording} with {error.answer_code!r}: {error.message}; "
            "it stays in the spool and is tried again",
        )

    def _slow_down(self, error: SlowDownError) -> None:
        """Send nothing at all for a while. The archive works, and what is known of each recording still holds."""
        self._backoff.failed(self._down, self._clock(), error.wait_s)
        self._troubles.report("archive", error.message)

    def _local_failure(self, pending: PendingRecording, message: str) -> None:
        if not pending.folder.exists():
            # the writer deleted it in between
            return
        upload = self._uploads.get(pending.recording)
        if upload is not None:
            upload.forget()
            upload.backoff.failed(self._down, self._clock())
        self._troubles.report(pending.recording, f"recording {pending.recording} cannot be sent: {message}")

    def _archive_up(self) -> None:
        self._backoff.succeeded()
        self._answered = self._clock()
        self.archive = "up"
        self._troubles.clear("archive")

    def _probe_if_quiet(self) -> None:
        """Ask whether the archive is there, if nothing else has shown it lately."""
        now = self._clock()
        late = self._backoff.attempts > 0 or now - self._answered >= self._times.probe_s
        if late and self._backoff.due(now):
            try:
                self._client.probe()
            except DownError as error:
                self._archive_down(error, None)
            except SlowDownError as error:
                self._slow_down(error)
            except RefusedError as error:
                self._archive_down(DownError(f"the archive refuses to answer: {error.message}", whole=True), None)
            else:
                self._archive_up()
                if any(upload.refused for upload in self._uploads.values()):
                    self.archive = "refusing"
