"""The supervisor's main loop: turns what happens into events, and performs the actions that the state machine returns.

The loop runs in the main thread and owns everything: panel outputs, children, the heartbeat, the status file. Two
threads run beside it: the panel's own, which only enqueues (ipc/wakeup_queue.py), and the journal's, which only writes
messages. The loop touches no disk (the status file lies in memory) and no audio, and waits only in its selector, so
that nothing can hang it.
"""

from __future__ import annotations

import logging
import secrets
import selectors
import time
from collections import deque
from typing import TYPE_CHECKING, assert_never

from appliance.contract import amber_codes
from appliance.contract.systemd_notification import SystemdNotifier
from appliance.contract.times import boot_id
from appliance.recorder import device_checks
from appliance.recorder.clock import ns
from appliance.recorder.ipc.messages import BeginRecording, EndRecording, EnterFact, EnterPause, ExpectGap
from appliance.recorder.ipc.ring import Ring
from appliance.recorder.ipc.wakeup_queue import RESTART, STOP, WakeupQueue
from appliance.recorder.panel.base import Panel, PanelEvent
from appliance.recorder.panel.lamp_token import Lamp, LampError, LitToken

from .commissioning_offer import CommissioningOffer
from .indicators import Indicators
from .liveness import unhealthy
from .machine import Parameters, State, actions, deadline, events, step
from .processes import Processes, Programs
from .status_file import StatusFile, describe

if TYPE_CHECKING:
    from appliance.contract.commissioning import Commissioning
    from appliance.recorder.settings import RecorderSettings

_log = logging.getLogger(__name__)
_EARLY_NS = 75_000_000
"""Work that is due within this time is done at once, so that one wake-up serves several: half a heartbeat."""
COMMISSION = 65
"""Returned by `Supervisor.run` when the button asked for a commissioning; never a status of the process."""
_LEVELS = {"info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}


class Supervisor:
    """One run of the recorder, from boot to Exit."""

    def __init__(
        self,
        settings: RecorderSettings,
        panel: Panel,
        *,
        programs: Programs,
        start_faults: frozenset[str] = frozenset(),
        commissioned: Commissioning | None = None,
        offer: CommissioningOffer | None = None,
    ) -> None:
        self.settings = settings
        self.panel = panel
        self.ring = Ring.create(settings.microphone.rate)
        self.parameters = Parameters.of(settings, sensed=panel.lamp_sensed, block_frames=self.ring.block_frames)
        self.state = State(now_ns=time.monotonic_ns(), since_ns=time.monotonic_ns())
        self.mailbox: WakeupQueue[PanelEvent | str] = WakeupQueue()
        self._lamp = Lamp(panel, self.parameters.lamp)
        self._token: LitToken | None = None
        self._indicators = Indicators(panel)
        self._status = StatusFile(settings.spool.run)
        self._notifier = SystemdNotifier()
        self._boot_id = boot_id()
        self._start_faults = start_faults
        self._commissioned = commissioned
        self._offer = offer or CommissioningOffer(first_press=False)
        self._selector = selectors.DefaultSelector()
        self._processes = Processes(self._selector, self.ring.descriptor, programs, self._dispatch)
        self._pending: deque[events.AnyEvent] = deque()
        self._progress = (0, 0)
        self._busy_ns: int | None = None
        self._heartbeat_ns = ns(settings.times.heartbeat_s)
        self._next_heartbeat_ns = self._next_status_ns = self._next_check_ns = self._next_watchdog_ns = 0
        self._exit: int | None = None
        self.left_open = False
        """A microphone may still be open: the kernel holds the process that opened it. The lamp is left as it is."""

    def run(self) -> int:
        """Serve until the state machine ends it; return the exit status."""
        self._selector.register(self.mailbox, selectors.EVENT_READ, self._read_mailbox)
        try:
            self.panel.start(self.mailbox.put)
            self._run_idle_checks()
            self._dispatch(events.Tick(time.monotonic_ns()))
            self._notifier.ready()
            while self._exit is None:
                for key, _ in self._selector.select(self._seconds_to_wait()):
                    key.data()
                self._do_due_work(time.monotonic_ns())
            return self._exit
        finally:
            self._stop()

    def ask_to_stop(self) -> None:
        """End in good order; may be called from a signal handler."""
        self.mailbox.put(STOP)

    def ask_to_restart(self) -> None:
        """End as soon as no recording is made; may be called from a signal handler."""
        self.mailbox.put(RESTART)

    def _seconds_to_wait(self) -> float:
        """Return how long the selector may wait, in seconds: until the next work is due."""
        due = [self._next_status_ns, self._next_check_ns]
        if self._token is not None:
            due.append(self._next_heartbeat_ns)
        if self._notifier.watchdog_ns:
            due.append(self._next_watchdog_ns)
        machine_ns = deadline(self.state, self.parameters)
        due += [moment for moment in (self._indicators.next_ns, machine_ns) if moment is not None]
        return max(0.0, (min(due) - time.monotonic_ns()) / 1e9)

    def _do_due_work(self, now_ns: int) -> None:
        """Do the work that is due: the heartbeat first, because capture closes the microphone without it."""
        self._write_heartbeat(now_ns)
        if self._offer.is_held(now_ns, self.state.phase):
            self._commission()
            return
        # a full ring takes no block, but the microphone still gives them
        progress = (self.ring.write_seq, self.ring.lost_frames)
        self._dispatch(events.BlockSeen(now_ns, progress[0]) if progress != self._progress else events.Tick(now_ns))
        self._progress = progress
        busy_ns = self.ring.busy_since_ns if self.state.writer != "dead" else None
        if busy_ns != self._busy_ns:
            self._busy_ns = busy_ns
            self._dispatch(events.WriterBusy(now_ns, busy_ns))
        if now_ns >= self._next_check_ns - _EARLY_NS:
            self._run_idle_checks()
        self._processes.maintain(now_ns)
        self._indicators.tick(now_ns)
        if now_ns >= self._next_status_ns - _EARLY_NS:
            self._publish_status(now_ns)
        if self._notifier.watchdog_ns and now_ns >= self._next_watchdog_ns:
            self._next_watchdog_ns = now_ns + self._notifier.watchdog_ns
            self._notify_watchdog()

    def _notify_watchdog(self) -> None:
        why = unhealthy(self.state, self.parameters)
        if why is None:
            self._notifier.watchdog()
        else:
            _log.error("systemd's watchdog is not notified and will restart the recorder: %s", why)

    def _write_heartbeat(self, now_ns: int) -> None:
        # every wake-up looks at the lamp, whatever woke the loop
        self._next_heartbeat_ns = now_ns + self._heartbeat_ns
        if self._token is None:
            return
        if self._token.valid:
            self.ring.write_heartbeat(now_ns)
        else:
            self.ring.clear_heartbeat()
            self._token = None

    def _run_idle_checks(self) -> None:
        now_ns = time.monotonic_ns()
        self._next_check_ns = now_ns + ns(self.settings.times.check_s)
        found = device_checks.look(self.settings, self._commissioned)
        codes = found.faults | self._start_faults
        self._dispatch(events.Checked(now_ns, codes, present=found.present, held=found.held))

    def _publish_status(self, now_ns: int) -> None:
        self._next_status_ns = now_ns + ns(self.settings.times.status_s)
        box, kind = self.settings.box.id, self.panel.kind
        self._status.write(
            describe(self.state, self.parameters, box=box, boot_id=self._boot_id, now_ns=now_ns, panel=kind)
        )
        self._notifier.status(" ".join([self.state.phase, *sorted(self.state.faults)]))

    def _dispatch(self, event: events.AnyEvent) -> None:
        # an event that an action causes waits until the actions before it are performed, so that none is overtaken
        self._pending.append(event)
        if len(self._pending) > 1:
            return
        before = self.state
        while self._pending and self._exit is None:
            self.state, asked = step(self.state, self._pending[0], self.parameters)
            for action in asked:
                self._perform(action)
            self._pending.popleft()
        self._pending.clear()
        self._log_changes(before)

    def _log_changes(self, before: State) -> None:
        after = self.state
        if after.phase != before.phase:
            _log.info("the state changes from %s to %s", before.phase, after.phase)
        if after.faults != before.faults:
            for code in sorted(after.faults - before.faults):
                fault = amber_codes.find(code)
                _log.warning("amber %d (%s): %s %s", fault.blinks, code, fault.cause, fault.remedy)
            for code in sorted(before.faults - after.faults):
                _log.info("amber code %s no longer holds", code)
        shown = ("phase", "recording", "red", "green", "amber")
        if after.faults != before.faults or any(getattr(after, name) != getattr(before, name) for name in shown):
            self._next_status_ns = 0

    def _perform(self, action: actions.Action) -> None:  # noqa: PLR0912 - one case an action
        now_ns = time.monotonic_ns()
        match action:
            case actions.SetRed(lit=lit):
                if not lit:
                    self._token = None
                    self.ring.clear_heartbeat()
                self._pending.append(events.RedSet(self._lamp.command(lit=lit), lit))
            case actions.SetGreen(mode=mode):
                self._indicators.set_green(mode, now_ns)
            case actions.SetAmber(mode=mode, blinks=blinks):
                self._indicators.set_amber(mode, blinks, now_ns)
            case actions.SpawnCapture():
                self._processes.spawn_capture()
            case actions.OpenCapture(generation=generation):
                self._open_capture(generation)
            case actions.CloseCapture():
                self._processes.close_capture()
            case actions.KillCapture():
                self._processes.kill_capture()
            case actions.CheckMicrophone():
                self._run_idle_checks()
            case actions.StartWriter():
                # the disk call of a writer that died no longer runs
                self.ring.set_busy_since(None)
                self._processes.start_writer()
            case actions.KillWriter():
                self._processes.kill_writer()
            case actions.Log(level=level, message=message):
                _log.log(_LEVELS[level], "%s", message)
            case actions.Exit(status=status):
                self._exit = status
            case BeginRecording() | EnterFact() | EnterPause() | ExpectGap() | EndRecording():
                # without a writer the recording has ended already
                if self._processes.writer is not None:
                    self._processes.writer.send(action)
            case _:
                assert_never(action)

    def _open_capture(self, generation: int) -> None:
        try:
            self._token = self._lamp.token()
            self.ring.write_heartbeat(time.monotonic_ns())
            self._processes.open_capture(self._token, self.settings.microphone.device, generation)
        except LampError as error:
            _log.warning("%s", error.message)
            self._processes.kill_capture()

    def _read_mailbox(self) -> None:
        for word in self.mailbox.drain():
            if not isinstance(word, PanelEvent):
                asked = events.RestartAsked if word == RESTART else events.ShutdownAsked
                self._dispatch(asked(time.monotonic_ns()))
                continue
            if self._offer.is_taken(word, self.state.phase):
                self._commission()
                return
            match word.kind:
                case "button-down":
                    self._dispatch(events.ButtonDown(word.at_ns, secrets.token_hex(16)))
                case "button-found-down":
                    self._dispatch(events.ButtonFoundDown(word.at_ns))
                case "button-up":
                    self._dispatch(events.ButtonUp(word.at_ns))
                case "lamp-seen" | "lamp-unseen":
                    self._lamp.sensed(seen=word.kind == "lamp-seen", at_ns=word.at_ns)
                    self._dispatch(events.LampSensed(word.at_ns, word.kind == "lamp-seen"))
                case "rail-on" | "rail-off":
                    self._dispatch(events.RailSensed(word.at_ns, word.kind == "rail-on"))
                case "panel-lost":
                    self._dispatch(events.PanelLost(word.at_ns))
                case _:
                    assert_never(word.kind)

    def _commission(self) -> None:
        _log.info("the button asks for a commissioning: it takes the recorder's place")
        self._exit = COMMISSION

    def _stop(self) -> None:
        """Leave nothing behind: microphone first, then the lamp, then the writer, which may still be saving."""
        if self._exit != COMMISSION:
            self._notifier.stopping()
        self.left_open = not self._processes.stop_capture()
        self.ring.clear_heartbeat()
        if not self.left_open:
            self.panel.close()
        self._processes.stop_writer(self.settings.times.shutdown_s)
        self._selector.close()
        self._publish_status(time.monotonic_ns())
