"""Which recording is served when. One refused recording keeps no other back, and a backlog keeps no meeting back.

Concurrency: everything here runs in the thread that calls `run_pass`, the courier's main thread. It blocks on the
spool's disk, and on the archive within the limits of `[times]`.
"""

from __future__ import annotations

import logging
import time
from collections import deque
from collections.abc import Callable

from appliance.contract.errors import FormatError, StorageError
from appliance.contract.status import CourierProgress, UploadProgress
from appliance.courier.backoff import Backoff, Pace
from appliance.courier.settings import CourierSettings
from appliance.courier.status_reader import StatusReader

from .archive_client import ArchiveClient, DownError, RefusedError
from .receipt_inbox import ReceiptInbox
from .spool_reader import Offer, SpoolReader
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
        tell: Callable[[str, str], None] = lambda _kind, _recording: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`tell` hears of events (kind, recording); `clock` counts seconds."""
        times = settings.times
        self._client = client
        self._status = status
        self._tell = tell
        self._clock = clock
        self._view = SpoolReader(settings.spool.path)
        self._inbox = ReceiptInbox(settings.spool.inbox)
        self._down = Pace(times.retry_s, times.retry_most_s)
        self._refused = Pace(times.refused_s, times.refused_most_s)
        self._sealing = Pace(times.receipt_s, times.receipt_most_s, int(times.receipt_quick_s / times.receipt_s))
        self._probe_s = times.probe_s
        self._poll_s = times.poll_s
        self._uploads: dict[str, Upload] = {}
        self._present: set[str] | None = None
        self._left: deque[tuple[str, UploadProgress]] = deque(maxlen=REMEMBERED)
        self._whole = Backoff()
        self._trouble: dict[str, str] = {}
        self._answered = float("-inf")
        self._archive: str = "down"

    def run_pass(self) -> float:
        """Serve each recording once, and return how long the next pass can wait, in seconds."""
        status = self._status.active()
        try:
            present = self._view.present()
            if present != self._present:
                self._note_present(present)
        except StorageError as error:
            self._say("spool", error.message)
            self._keep_in_touch()
            return self._poll_s
        self._say("spool", "")
        moved = False
        for offer in self._view.offers(present, status):
            # looked at before each, since one attempt can show that the whole archive is away
            if not self._whole.due(self._clock()):
                break
            moved = self._serve(offer) or moved
        if moved:
            return 0.0
        self._keep_in_touch()
        return self._pause()

    def _pause(self) -> float:
        """Return the time until something is due, in seconds; a look at the spool is due soon in any case."""
        now = self._clock()
        dues = [upload.backoff.until - now for upload in self._uploads.values() if upload.backoff.until > now]
        return min([self._poll_s, *dues])

    def progress(self, *, broker: bool) -> CourierProgress:
        """Return the courier's own account."""
        recordings = dict(self._left)
        for recording in sorted(self._present or ()):
            upload = self._uploads.get(recording)
            recordings[recording] = upload.progress if upload else UploadProgress()
        return CourierProgress.model_validate(
            {
                "monotonic_ns": time.monotonic_ns(),
                "broker": "up" if broker else "down",
                "archive": self._archive,
                "recordings": recordings,
            }
        )

    def _note_present(self, present: set[str]) -> None:
        for recording in set(self._uploads) - present:
            self._left.append((recording, self._uploads.pop(recording).progress))
        self._inbox.tidy(present)
        self._present = present

    def _serve(self, offer: Offer) -> bool:
        """Do one step for a recording, and tell whether another may follow at once."""
        try:
            upload = self._uploads.get(offer.recording)
            if upload is None:
                upload = self._uploads[offer.recording] = Upload(offer, self._client, self._inbox)
                if upload.done:
                    upload.backoff.until = self._clock() + ONCE_MORE_S
            if not upload.backoff.due(self._clock()):
                return False
            if upload.done:
                _log.info("recording %s is still in the spool; its receipt is fetched again", offer.recording)
                upload.forget()
            again = upload.done
            return self._succeeded(upload, upload.step(offer), again=again)
        except DownError as error:
            self._archive_down(error, self._uploads[offer.recording])
        except RefusedError as error:
            self._archive_refuses(error, self._uploads[offer.recording])
        except (FormatError, StorageError) as error:
            self._own_trouble(offer, error.message)
        except OSError as error:
            self._own_trouble(offer, str(error))
        return False

    def _succeeded(self, upload: Upload, step: Step, *, again: bool) -> bool:
        if step == "caught-up":
            return False
        self._answered = self._clock()
        if step == "learnt":
            # that the archive answers does not yet mean that it takes anything: pauses must go on growing
            return True
        upload.refused = False
        self._say(upload.recording, "")
        self._up()
        if step == "unsealed":
            upload.backoff.failed(self._sealing, self._clock())
            return False
        upload.backoff.succeeded()
        if step == "receipt":
            upload.backoff.until = self._clock() + ONCE_MORE_S
            if not again:
                _log.info("recording %s is sealed; its receipt lies in the inbox", upload.recording)
                self._tell("sealed", upload.recording)
        return step == "moved"

    def _archive_down(self, error: DownError, upload: Upload | None) -> None:
        now = self._clock()
        self._archive = "down"
        self._answered = now
        if upload is not None:
            upload.forget()
            if not error.whole:
                upload.backoff.failed(self._down, now)
        if error.whole:
            self._whole.failed(self._down, now)
        self._say("archive" if error.whole or upload is None else upload.recording, error.message)

    def _archive_refuses(self, error: RefusedError, upload: Upload) -> None:
        now = self._clock()
        self._answered = now
        self._archive = "refusing"
        upload.refused = True
        upload.backoff.failed(self._refused, now)
        self._say("archive", "")
        self._say(
            upload.recording,
            f"the archive refuses recording {upload.recording} with {error.answer_code!r}: {error.message}; "
            "it stays in the spool and is tried again",
        )

    def _own_trouble(self, offer: Offer, message: str) -> None:
        upload = self._uploads.get(offer.recording)
        if not offer.folder.exists():
            # the writer deleted it in between
            return
        if upload is not None:
            upload.forget()
            upload.backoff.failed(self._down, self._clock())
        self._say(offer.recording, f"recording {offer.recording} cannot be sent: {message}")

    def _up(self) -> None:
        self._whole.succeeded()
        self._answered = self._clock()
        self._archive = "up"
        self._say("archive", "")

    def _keep_in_touch(self) -> None:
        """Ask whether the archive is there, if nothing else has shown it lately."""
        now = self._clock()
        late = self._whole.attempts > 0 or now - self._answered >= self._probe_s
        if late and self._whole.due(now):
            try:
                self._client.probe()
            except DownError as error:
                self._archive_down(error, None)
            except RefusedError as error:
                self._archive_down(DownError(f"the archive refuses to talk: {error.message}", whole=True), None)
            else:
                refused = any(upload.refused for upload in self._uploads.values())
                self._up()
                self._archive = "refusing" if refused else "up"

    def _say(self, about: str, trouble: str) -> None:
        """Log a trouble when it changes, and its end; not with each of a thousand attempts."""
        before = self._trouble.get(about, "")
        if trouble == before:
            return
        if trouble:
            self._trouble[about] = trouble
            _log.warning("%s", trouble)
        else:
            del self._trouble[about]
            _log.info("%s: it works again", about)
