"""One recording on its way: what comes next, given what the archive says that it has (docs/format.md section 3)."""

from __future__ import annotations

import logging
from typing import Literal

from appliance.contract.durable_files import read_bounded
from appliance.contract.errors import FormatError
from appliance.contract.paths import HEADER, KEY
from appliance.contract.receipt import Receipt
from appliance.contract.status import UploadProgress, UploadState
from appliance.courier.backoff import Backoff

from .archive_client import ArchiveClient, DownError, RefusedError
from .batches import MAX_SEGMENTS, Batch, BatchReader
from .receipt_inbox import ReceiptInbox
from .spool_reader import PendingRecording

Step = Literal["asked", "sent", "gathering", "caught-up", "unsealed", "receipt"]
"""It is known what the archive has; something was taken, and more follows at once; something was taken, and the next
batch of a running recording gathers; all that may be sent is sent (and the archive was not asked); the seal is awaited;
the receipt is in the inbox."""
_START_BYTES = 64 << 10
_STALE_CODES = {"bad-order", "unknown-recording"}
"""Refusals that mean that our idea of what the archive has is out of date."""
_log = logging.getLogger(__name__)


class Upload:
    """One recording's way to the archive. It belongs to the uploading thread."""

    def __init__(self, pending: PendingRecording, client: ArchiveClient, inbox: ReceiptInbox) -> None:
        """Begin, or go on where the archive says, with the recording `pending`."""
        self.recording = pending.recording
        self.backoff = Backoff()
        self.gathering_until = 0.0
        """CLOCK_MONOTONIC in seconds before which a running recording's next batch gathers."""
        self.refused = False
        """Whether the last attempt ended in the archive's refusal."""
        self.done = False
        """Whether the receipt is in the inbox."""
        self._folder = pending.folder
        self._client = client
        self._inbox = inbox
        self._batches = BatchReader(pending.folder)
        self._max_segments = self._ceiling = MAX_SEGMENTS
        """Segments in the next batch, and in any: a body that was refused as too large is not tried again."""
        self._state: UploadState | None = None
        self._asked_anew = False
        self._best = UploadProgress()
        receipt = inbox.read(self.recording)
        if receipt is not None:
            try:
                self._finish(Receipt.read(receipt, None))
            except FormatError as error:
                _log.warning("the receipt of %s in the inbox is none (%s); it is fetched again", self.recording, error)

    @property
    def progress(self) -> UploadProgress:
        """How far it got."""
        if self.refused:
            return self._best.model_copy(update={"state": "refused"})
        return self._best

    def forget(self) -> None:
        """Ask the archive and read the ledger anew next time, since what was known may no longer hold."""
        self._state = None
        self._batches = BatchReader(self._folder)

    def step(self, pending: PendingRecording) -> Step:
        """Do the next thing, or raise DownError, RefusedError, StorageError, FormatError or OSError."""
        try:
            return self._step(pending)
        except RefusedError as error:
            self.forget()
            if error.answer_code not in _STALE_CODES or self._asked_anew:
                raise
            self._asked_anew = True
            return "asked"

    def _step(self, pending: PendingRecording) -> Step:
        state = self._state
        if state is None:
            self._keep(self._ask())
            return "asked"
        if state.state == "refused":
            raise RefusedError("refused", "the archive took the recording in and found that it cannot be sealed")
        if state.state == "sealed":
            return self._fetch(pending)
        batch = self._batches.read_batch(state.next_line, pending.limit, self._max_segments)
        if batch.lines:
            return self._send(batch, pending)
        if pending.limit is not None:
            return "caught-up"
        if state.tail_missing:
            number = state.tail_missing[0]
            self._client.put_tail(self.recording, number, self._batches.tail(number))
            answer = self._client.state(self.recording)
            if number in answer.tail_missing:
                raise DownError(f"the archive took unverified segment {number} and still misses it", whole=False)
            self._keep(answer)
            return "sent"
        return self._await_seal(state, pending)

    def _send(self, batch: Batch, pending: PendingRecording) -> Step:
        try:
            answer = self._client.post_lines(self.recording, batch.body)
        except (DownError, RefusedError) as error:
            # whatever lies between may be too slow for so much at once, or take only smaller bodies
            self._max_segments = max(1, batch.segments // 2)
            if batch.segments > 1 and isinstance(error, RefusedError) and error.answer_code == "too-large":
                self._ceiling = batch.segments - 1
                return "asked"
            raise
        if answer.next_line < batch.next_line:
            raise DownError(
                f"the archive took lines {batch.first} to {batch.next_line - 1} and says that it needs "
                f"{answer.next_line}",
                whole=False,
            )
        if batch.segments == self._max_segments:
            self._max_segments = min(self._ceiling, self._max_segments + 1)
        self._asked_anew = False
        self._keep(answer)
        return "sent" if batch.full or pending.limit is None else "gathering"

    def _ask(self) -> UploadState:
        """Return what the archive has, after the header and the key are there."""
        try:
            state = self._client.state(self.recording)
        except RefusedError as error:
            if error.answer_code != "unknown-recording":
                raise
            self._client.put_header(self.recording, self._start(HEADER))
            self._client.put_key(self.recording, self._start(KEY))
            return self._client.state(self.recording)
        if state.next_line == 0 and state.state == "receiving":
            # the header is there; the key may be missing, and lines are only taken after it
            self._client.put_key(self.recording, self._start(KEY))
        return state

    def _start(self, name: str) -> bytes:
        return read_bounded(self._folder / name, _START_BYTES)

    def _await_seal(self, before: UploadState, pending: PendingRecording) -> Step:
        state = self._client.state(self.recording)
        if state.state == "receiving" and (state.next_line, state.tail_missing) == (before.next_line, []):
            raise RefusedError(
                "not-closed",
                f"the archive waits for line {state.next_line}, which this ledger does not have; "
                "compare the ledger with the archive's",
            )
        self._keep(state)
        return self._fetch(pending) if state.state == "sealed" else "unsealed"

    def _fetch(self, pending: PendingRecording) -> Step:
        if pending.limit is not None:
            # sealed without its end, as of a lost box; the writer checks that receipt once the recording is closed
            return "caught-up"
        line = self._client.receipt(self.recording)
        if line is None:
            return "unsealed"
        if line != self._inbox.read(self.recording):
            self._inbox.store(self.recording, line)
        self._finish(Receipt.read(line, None))
        return "receipt"

    def _finish(self, receipt: Receipt) -> None:
        self.done = True
        self._best = UploadProgress(lines=receipt.ledger_lines, frames=receipt.frames, state="sealed")

    def _keep(self, state: UploadState) -> None:
        self._state = state
        self._best = UploadProgress(
            lines=state.next_line,
            frames=state.frames,
            state="receiving" if state.state == "refused" else state.state,
        )
