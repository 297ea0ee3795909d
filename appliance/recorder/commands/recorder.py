"""`plainsight recorder`: serve the button until asked to stop."""

from __future__ import annotations

import contextlib
import fcntl
import os
import signal
from collections.abc import Iterator
from pathlib import Path

from appliance.contract.errors import SettingsError

from ..checks import keys_fault
from ..journal import Journal
from ..panel.choose import make_panel
from ..processes import Programs
from ..settings import load
from ..supervisor import LOG, Supervisor
from .options import parser


def main(arguments: list[str] | None = None) -> int:
    """Run the recorder; return 0 after SIGTERM or SIGINT, 1 after a lost panel. Raises SettingsError or DeviceError."""
    options = parser(
        "recorder",
        "Run the recorder: button, lamp, microphone.",
        "It starts idle, and only its button starts a recording. SIGTERM ends a running one in good order.",
    ).parse_args(arguments)
    config = options.config.absolute()
    settings = load(config)
    fault = keys_fault(settings)
    with _alone(settings.spool.run):
        panel = make_panel(settings)
        journal = Journal(settings.log)
        try:
            if fault:
                LOG.error("%s", fault)
            supervisor = Supervisor(
                settings,
                panel,
                programs=Programs(writer_arguments=("--config", str(config))),
                start_faults=frozenset({"keys"} if fault else ()),
            )
            for number in (signal.SIGTERM, signal.SIGINT):
                signal.signal(number, lambda *_: supervisor.ask_to_stop())
            return supervisor.run()
        finally:
            journal.close()


@contextlib.contextmanager
def _alone(run: Path) -> Iterator[None]:
    """Refuse a second recorder with the same run folder; the kernel frees the lock with the process."""
    try:
        run.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(run / "recorder.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise SettingsError(
            f"cannot write into {run}: {error.strerror}; make the folder writable for the recorder", field="spool.run"
        ) from error
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise SettingsError(
                f"another recorder runs with {run}; stop it first, or give this one its own spool.run and spool.path",
                field="spool.run",
            ) from error
        yield
    finally:
        os.close(descriptor)
