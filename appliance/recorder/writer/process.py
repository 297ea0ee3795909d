"""The writer process: reads the ring, makes recordings in the spool, and maintains the spool between them.

It has one thread, which may hang in any disk call; the ring goes on filling meanwhile, and the supervisor limits how
long it waits. It needs no network. When the supervisor is gone it saves the audio in the ring and ends; the next start
closes the recording that was in progress (recovery.py).
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from appliance.contract import times
from appliance.contract.commissioning import Floor
from appliance.contract.errors import KeyFileError, PlainSightError
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.contract.version import software
from appliance.recorder import clock, resources
from appliance.recorder.device_checks import keys_fault
from appliance.recorder.ipc import child_setup
from appliance.recorder.ipc.message_channel import ChannelStalledError, MessageChannel
from appliance.recorder.ipc.messages import (
    BeginRecording,
    EndRecording,
    EnterFact,
    EnterPause,
    ExpectGap,
    FromWriter,
    Message,
    MessageError,
    RecordingClosed,
    RecordingProgress,
    StopWriter,
    WriterFault,
    WriterReady,
)
from appliance.recorder.ipc.ring import Ring
from appliance.recorder.settings import RecorderSettings, load
from appliance.recorder.storage.disk import DAMAGED, FAILED, FULL, Disk, DiskError
from appliance.recorder.storage.spool import Spool, store

from . import recovery
from .former import former_keys
from .interrupted import Interrupted
from .learned_floor import read_floor
from .receipts import BAD_RECEIPT, Pinned, ReceiptError, ReceiptInbox
from .recording_file import Begin, Maker
from .recording_session import RecordingSession
from .spool_faults import SpoolFaults

# a child is started with `python -m`, where __name__ is __main__
_log = logging.getLogger("appliance.recorder.writer.process")
KEYS: Final = "keys"
"""The amber code for a signing key that is not there."""
LEDGER_INCOMPLETE: Final = "ledger-incomplete"
"""The amber code for a message from the supervisor that cannot be entered in a ledger."""
LOCK_PATIENCE_S: Final = 5.0
"""How long another writer may take to finish, in seconds."""
CHECK_S: Final = 30.0
"""How often an idle writer tries the spool, in seconds."""
_INBOX_S: Final = 2.0
_FAULTY_S: Final = 5.0
_RESCUE_S: Final = 5.0
_REPORT_S: Final = 1.0


def make_maker(settings: RecorderSettings, key: SigningKey) -> Maker:
    """Return what every recording of this box has in common."""
    microphone = settings.microphone
    return Maker(
        box=settings.box.id,
        key=key,
        key_recipients=(settings.keys.archive_recipient, settings.keys.escrow_recipient),
        audio=settings.audio,
        panel=settings.panel.kind,
        lamp="verified" if settings.panel.sensed else "unverified",
        microphone=Microphone(device=microphone.device, card=microphone.card, identity=microphone.identity),
        software=software(),
    )


class Writer:
    """The process's main loop."""

    def __init__(
        self,
        spool: Spool,
        maker: Maker,
        inbox: ReceiptInbox,
        ring: Ring,
        control: MessageChannel,
        *,
        key_fault: Callable[[], str | None],
        floor: Floor | None = None,
        cap_s: float = 0.0,
        former: Sequence[SigningKey] = (),
    ) -> None:
        """Work in `spool`; `key_fault` looks at the key file and tells what is wrong with it, or None.

        `cap_s`: the longest recording in seconds, for which the disk must have names; `former`: the keys of boxes whose
        cards went on in this board.
        """
        self._cap_s = int(cap_s)
        self._former = former
        self._key_fault = key_fault
        self._spool = spool
        self._maker = maker
        self._inbox = inbox
        self._ring = ring
        self._control = control
        self._floor = floor
        self._spool_faults = SpoolFaults(spool, self._report, maker.audio.rate)
        self._session: RecordingSession | None = None
        self._ready = False
        self._interrupted: Interrupted | None = None
        self._unfinished: list[tuple[str, int]] = []
        self._damaged: set[str] = set()
        self._check_at = 0.0
        self._inbox_at = 0.0

    def run(self) -> int:
        """Work until told to stop, or until the supervisor is gone; return the exit status."""
        pause = 0.0
        while True:
            self._control.wait(pause)
            # read before the messages: a message that was sent before these blocks is then handled before they are read
            limit = self._ring.write_seq
            try:
                while (message := self._control.receive()) is not None:
                    if isinstance(message, StopWriter):
                        self._finish()
                        return 0
                    self._handle(message)
            except MessageError as error:
                self._refuse(error.message)
                pause = 0.0
                continue
            except EOFError:
                if self._session:
                    self._session.rescue(_RESCUE_S)
                return 0
            pause = self._work(limit)

    def _finish(self) -> None:
        """Save what was heard before this process ends; the supervisor kills it where that takes too long."""
        if self._session is not None and not self._session.ending:
            self._session.rescue(_RESCUE_S)
            return
        while self._session is not None:
            time.sleep(self._work(self._ring.write_seq))

    def _work(self, limit: int) -> float:
        if self._session is None:
            return self._idle()
        pause = self._session.step(limit)
        if self._session.finished:
            if self._session.abandoned:
                self._unfinished.append((self._session.recording, self._session.frames))
            self._session = None
            self._check_at = 0.0
        return pause

    def _handle(self, message: Message) -> None:
        match message:
            case BeginRecording():
                self._begin(message)
            case EnterFact() | EnterPause() | ExpectGap() if self._session is not None:
                self._session.enter(message)
            case EnterFact() | EnterPause() | ExpectGap():
                # for a recording that was given up, it is already reported that its ledger is incomplete
                if not self._unfinished:
                    self._refuse(f"{message.kind} came without a recording")
            case EndRecording():
                self._end(message)
            case _:
                self._refuse(f"{message.kind} is not for the writer")

    def _refuse(self, why: str) -> None:
        """Raise a code: a message of the supervisor cannot be entered, so the ledger would be incomplete."""
        self._spool_faults.raise_code(
            LEDGER_INCOMPLETE, f"a message from the supervisor cannot be used: {why}; report it"
        )
        if self._session is not None:
            self._session.incomplete = True

    def _begin(self, message: BeginRecording) -> None:
        if self._session is not None or not self._ready:
            why = "a recording is being made" if self._session else "the spool is not usable"
            self._spool_faults.raise_code("spool-failed", f"no recording can begin: {why}", fatal=True)
            return
        self._spool_faults.clear(LEDGER_INCOMPLETE)
        begin = Begin(message.recording, self._continued(message.continues), message.created_ns)
        self._session = RecordingSession(
            self._ring,
            self._spool,
            self._maker,
            begin,
            spool_faults=self._spool_faults,
            report=self._report,
            floor=self._floor,
        )

    def _continued(self, asked: str | None) -> str | None:
        """Return the recording that this one goes on from, if that is known now."""
        interrupted, self._interrupted = self._interrupted, None
        if interrupted is None or interrupted.recording != asked:
            return None
        return interrupted.recording if interrupted.fresh(clock.look(), times.boot_id()) else None

    def _end(self, message: EndRecording) -> None:
        if self._session is not None:
            self._session.end(message.reason)
        elif not self._unfinished:
            # nothing was written to the disk, so there is nothing to close
            self._report(RecordingClosed(recording=None, frames=0))

    def _idle(self) -> float:
        now = time.monotonic()
        due = not self._ready or self._unfinished or now >= min(self._check_at, self._inbox_at)
        if due:
            # set before, since it cannot be set while a call hangs
            self._ring.set_busy_since(time.monotonic_ns())
        try:
            if not self._ready or self._unfinished:
                self._recover(now)
            elif now >= self._check_at:
                self._check(now)
            elif now >= self._inbox_at:
                self._inbox_at = now if self._inbox.step() else now + _INBOX_S
                self._spool_faults.clear(*([] if self._inbox.refused else [BAD_RECEIPT]))
        except ReceiptError as error:
            self._spool_faults.raise_code(BAD_RECEIPT, error.message)
        except DiskError as error:
            self._spool_faults.raise_code(error.fault, error.message)
            if error.fault == DAMAGED:
                # the disk serves the others; a bad sector is not read again and again while a press may come
                self._inbox_at = now + CHECK_S
            else:
                self._check_at = self._inbox_at = now + _FAULTY_S
        if due:
            self._ring.set_busy_since(None)
        return min(max(min(self._check_at, self._inbox_at) - time.monotonic(), 0.0), 1.0)

    def _recover(self, now: float) -> None:
        if now < self._check_at:
            return
        left: dict[str, str] = {}
        recovered = recovery.recover(self._spool, self._maker.key, left.__setitem__, self._former)
        self._leave(left)
        for recording, frames in self._unfinished:
            if recording in left and recording not in recovered:
                raise DiskError(FAILED, f"{recording} could not be closed; it is tried again")
            self._report(RecordingClosed(recording=recording, frames=frames))
        self._unfinished.clear()
        if not self._ready:
            self._inbox.resume()
            self._interrupted = recovery.continued(self._spool, self._maker.key, left.__setitem__)
            self._leave(left)
            continues = self._interrupted.recording if self._interrupted else None
            for recording in recovered:
                _log.warning("%s was left open by a crash or a power cut and is closed as interrupted", recording)
            self._try_spool()
            self._ready = True
            self._report(WriterReady(continues=continues))
            self._check(now)

    def _leave(self, left: dict[str, str]) -> None:
        """Tell of the recordings of which the disk lost something; the others go on."""
        for recording in left.keys() - self._damaged:
            _log.error("%s", left[recording])
        self._damaged = set(left)
        if left:
            self._spool_faults.raise_code(DAMAGED, "; ".join(left.values()))

    def _check(self, now: float) -> None:
        self._check_at = now + CHECK_S
        self._try_spool()
        self._check_keys()
        self._spool_faults.check_names(self._cap_s)
        self._check_handles()
        self._check_damaged()
        self._spool_faults.clear(FULL, "spool-failed")
        self._spool_faults.tell()

    def _check_keys(self) -> None:
        # the key in memory still signs; but the next start would find none, and by then a meeting may be running
        fault = self._key_fault()
        if fault is None:
            self._spool_faults.clear(KEYS)
        else:
            self._spool_faults.raise_code(KEYS, fault)

    def _check_handles(self) -> None:
        fault = resources.handles_fault()
        if fault is None:
            self._spool_faults.clear(resources.HANDLES)
        else:
            self._spool_faults.raise_code(resources.HANDLES, fault)

    def _check_damaged(self) -> None:
        disk, folder = self._spool.disk, self._spool.folder
        self._damaged = {recording for recording in self._damaged if disk.exists(folder(recording))}
        if not self._damaged and not self._inbox.unreadable:
            self._spool_faults.clear(DAMAGED)

    def _try_spool(self) -> None:
        self._spool.require_mount()
        probe = self._spool.root / ".probe"
        store(self._spool.disk, probe, os.urandom(4096))
        self._spool.disk.remove(probe)
        self._spool.keep_reserve()
        self._spool_faults.measure()

    def _report(self, message: FromWriter) -> None:
        try:
            self._control.send(message, 0.0 if isinstance(message, RecordingProgress) else _REPORT_S)
        except EOFError:
            # the main loop reads the same end of file and ends
            _log.debug("%s was not reported: the supervisor is gone", message.kind)
        except ChannelStalledError as error:
            _log.warning("%s was not reported: %s", message.kind, error.message)


def open_spool(settings: RecorderSettings, former: Mapping[str, SigningKey]) -> tuple[Spool, Maker, ReceiptInbox]:
    """Return what the settings name, after the spool was locked; raise PlainSightError if any of it is unusable."""
    key = SigningKey.load(settings.box.signing_key_path())
    spool = Spool(settings.spool.path, Disk(), mounted=settings.spool.mounted)
    if spool.disk.exists(spool.root):
        spool.require_mount()
        spool.lock(LOCK_PATIENCE_S)
    spool.prepare()
    boxes = {signing.public: box for box, signing in former.items()} | {key.public: settings.box.id}
    pinned = Pinned(boxes, settings.keys.archive_key)
    return spool, make_maker(settings, key), ReceiptInbox(settings.spool.inbox, spool, pinned)


def main(arguments: list[str] | None = None) -> int:
    """Run the process."""
    options = child_setup.parser("appliance.recorder.writer.process", "Makes recordings in the spool.")
    options.add_argument("--config", type=Path, required=True, help="the recorder's settings (TOML)")
    chosen = options.parse_args(arguments)
    child_setup.leave_signals_to_the_supervisor()
    child_setup.protect_memory("ps-writer")
    child_setup.log_to_stderr()
    os.umask(0o027)
    try:
        control = MessageChannel.from_fd(chosen.control_fd)
    except OSError as error:
        _log.error("descriptor %d is no control socket: %s", chosen.control_fd, error)
        return 2
    try:
        settings = load(chosen.config)
        ring = Ring.attach(chosen.ring_fd)
        # the next calls use the disk and may hang
        ring.set_busy_since(time.monotonic_ns())
        former = former_keys(settings)
        spool, maker, inbox = open_spool(settings, former)
        floor = read_floor(settings, maker.key.public)
    except PlainSightError as error:
        code = KEYS if isinstance(error, KeyFileError) else getattr(error, "fault", "spool-failed")
        _log.error("%s", error.message)
        try:
            control.send(WriterFault(code=code, message=error.message[:2000], fatal=True), _REPORT_S)
        except (EOFError, ChannelStalledError) as gone:
            _log.error("it was not reported to the supervisor: %s", gone)
        return 2
    key = maker.key.public
    writer = Writer(
        spool,
        maker,
        inbox,
        ring,
        control,
        key_fault=lambda: keys_fault(settings, key),
        floor=floor,
        cap_s=settings.limits.cap_s,
        former=tuple(former.values()),
    )
    return writer.run()


if __name__ == "__main__":
    sys.exit(main())
