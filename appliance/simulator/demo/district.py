"""One district on this machine: makes keys and certificates, starts every part in order, and ends them all.

Concurrency: one event loop; `start`, `stop` and the rest run in it, and the process manager's tasks beside them.
"""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import sys
import zipfile
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.contract.encryption import Identity
from appliance.contract.errors import PlainSightError
from appliance.contract.keys import KeyRing, SigningKey
from appliance.contract.settings_file import load_settings
from appliance.simulator.microphone.device import CARD, DEVICE, IDENTITY
from appliance.simulator.speech import write_meeting

from .accounts import PANEL_GROUP, SPOOL_GROUP, Account, Accounts
from .broker import write_broker
from .clock import ahead
from .commissioned import commission
from .files import EnrolledRecorder, archive_toml, courier_toml, recorder_toml
from .layout import Layout
from .ports import free_ports
from .process_manager import ProcessManager
from .services import DemoError, Service, run_once, until

ROOM = "Room 12"
"""The demonstration's room; only the archive's database knows the name."""
VERIFY_COMMAND = "PLAINSIGHT_VERIFY"
"""Environment variable in which `deploy/demo` names `deploy/verify`, for the line that a person can copy."""


@dataclass(frozen=True)
class Exported:
    """A sealed package as the archive handed it out."""

    package: Path
    key: Path
    bag: Path


class District:
    """Broker, archive, box, panel; and what a script may do with them."""

    def __init__(self, layout: Layout, *, seconds: float, microphone: str | None, tell: Callable[[str], None]) -> None:
        """Prepare a district in `layout`; a meeting of `seconds` is spoken unless a real `microphone` is named."""
        self.layout = layout
        self.accounts = Accounts.here(Accounts.sound_groups() if microphone else ())
        self.spoken: Path | None = None if microphone else layout.root / "spoken.raw"
        self.box_id = ""
        self.box_key = ""
        self.archive_key = ""
        self.panel_url = ""
        self.services: dict[str, Service] = {}
        self.password = ""
        self._seconds = seconds
        self._microphone = microphone
        self._tell = tell
        self._process_manager: ProcessManager | None = None
        self._ahead_h = 0
        self._commands: dict[str, list[str]] = {}
        self._archive_port, self._boxes_port, self._broker_port = free_ports(3)

    @property
    def archive_url(self) -> str:
        """Where the archive's pages are."""
        return f"http://127.0.0.1:{self._archive_port}"

    async def start(self) -> None:
        """Make everything and start every part; raise DemoError that names the part that would not start."""
        self._tell(f"everything is made in {self.layout.root}")
        self._make_folders()
        spoken = self.spoken or self.layout.root / "spoken.raw"
        self._tell("speaking a meeting for the microphone to hear")
        await asyncio.to_thread(write_meeting, spoken, max(self._seconds + 60, 120))
        self._tell("making keys and certificates, starting the archive")
        await self._make_archive()
        await self._start_archive()
        self._tell("enrolling the box, starting the broker")
        enrolled = await self._enroll()
        await self._start_broker()
        self._tell("starting front panel, recorder and courier")
        await self._start_panel(spoken)
        await self._start_box(enrolled)
        self._write_addresses()

    @property
    def boxes_url(self) -> str:
        """Where boxes find the archive."""
        return f"https://127.0.0.1:{self._boxes_port}"

    async def stop(self) -> None:
        """End every part, the box first, so that nothing is lost; safe to call at any time.

        What cannot be ended is told, and keeps nothing else from its end.
        """
        ends: list[Callable[[], Awaitable[None]]] = []
        if self._process_manager is not None:
            manager = self._process_manager
            ends += [manager.stop, self.services["recorder"].stop, manager.put_lamps_out]
        order = ("recorder", "courier", "panel", "web", "boxes", "listen", "worker", "broker")
        ends += [self.services[name].stop for name in order if name in self.services]
        for end in ends:
            try:
                await end()
            except PlainSightError as error:
                self._tell(error.message)

    async def forever(self) -> None:
        """Wait until somebody cancels."""
        await asyncio.Event().wait()

    def broken(self) -> str | None:
        """Return what part has died, or None."""
        dead = [name for name, service in self.services.items() if not service.running and name != "recorder"]
        return f"{dead[0]} has ended: {self.services[dead[0]].tail(4)}" if dead else None

    def welcome(self) -> list[str]:
        """Return what a person needs to know."""
        verify = os.environ.get(VERIFY_COMMAND) or shlex.join([*program("plainsight"), "verify"])
        return [
            f"front panel  {self.panel_url}   press the button here; break and mend things",
            f"archive      {self.archive_url}   user custodian, password {self.password}",
            f"verify       {verify} PACKAGE.zip --keys {self.layout.key_ring}",
            "             PACKAGE.zip: open a recording in the archive, then Copies, then the sealed package",
            f"folder       {self.layout.root}",
            "sign-in      a second step is optional here; an archive asks for one where recordings can be heard",
            *self._tunnel(),
            "Ctrl-C ends everything.",
        ]

    def _tunnel(self) -> list[str]:
        """Return the line for whoever sits at another machine: the addresses are of this machine alone."""
        if "SSH_CONNECTION" not in os.environ:
            return []
        here = os.environ["SSH_CONNECTION"].split()[2]
        ports = [url.rpartition(":")[2] for url in (self.panel_url, self.archive_url)]
        forward = " ".join(f"-L {port}:127.0.0.1:{port}" for port in ports)
        return [f"over ssh     ssh {forward} {here}   on your own machine; then open the same addresses there"]

    async def control(self, request: dict[str, Any]) -> dict[str, Any]:
        """Do something at the panel or to the microphone, as a person would; return the simulator's answer."""
        reader, writer = await asyncio.open_unix_connection(self.layout.control)
        try:
            writer.write(json.dumps(request).encode() + b"\n")
            await writer.drain()
            answer: dict[str, Any] = json.loads(await reader.readline())
        finally:
            writer.close()
        if not answer.get("ok"):
            raise DemoError(f"the simulator refused {request}: {answer}")
        return answer

    async def press(self, seconds: float) -> None:
        """Press the button for so long."""
        await self.control({"button": "down"})
        await asyncio.sleep(seconds)
        await self.control({"button": "up"})

    async def export(self, recording: str) -> Exported:
        """Let the archive export a package and, apart from it, the encrypted key; unpack the package."""
        target = self.layout.export / recording
        self._folder(target, self.accounts.archive)
        await self.archive("export", recording, "--to", str(target), "--with-key")
        package = next(target.glob("*.zip"))
        with zipfile.ZipFile(package) as file:
            file.extractall(self.layout.export)
        return Exported(package, next(target.glob("*.age")), self.layout.export / recording)

    async def verify(self, package: Path) -> tuple[list[str], bool, str]:
        """Verify a package as an auditor would: return the command, whether it said `intact`, and its words."""
        command = [*program("plainsight"), "verify", str(package), "--keys", str(self.layout.key_ring)]
        process = await asyncio.create_subprocess_exec(
            *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        words, _ = await process.communicate()
        return command, process.returncode == 0, words.decode(errors="replace").rstrip()

    def archive_identity(self) -> Identity:
        """Return the archive's opening key, which only a demonstration may lay hands on."""
        return Identity.load(self.layout.home / "keys" / "opening.txt")

    async def archive(self, *arguments: str) -> str:
        """Run one of the archive's commands and return its output."""
        command = [*ahead(self._ahead_h), *program("plainsight-archive"), *arguments]
        return await run_once(command, self.accounts.archive, self.accounts, self._environment(archive=True))

    async def refused(self, *arguments: str, home: Path | None = None) -> str:
        """Run one of the archive's commands that must fail, and return what it says; raise DemoError if it does not."""
        environment = self._environment(archive=True) | ({"ARCHIVE_HOME": str(home)} if home else {})
        command = [*ahead(self._ahead_h), *program("plainsight-archive"), *arguments]
        try:
            words = await run_once(command, self.accounts.archive, self.accounts, environment)
        except DemoError as error:
            return error.message
        raise DemoError(f"{' '.join(arguments)} was to fail, and says: {words}")

    async def go_ahead(self, hours: int) -> None:
        """Start the archive's processes anew, with a clock that is ahead by so many hours."""
        self._ahead_h = hours
        parts = ("web", "boxes", "listen", "worker")
        for name in parts:
            await self.services[name].stop()
            self.services[name].command = [*ahead(hours), *self._commands[name]]
            await self.services[name].start()
        await self._listening("boxes", self._boxes_port)
        await self._listening("web", self._archive_port)

    async def leave_and_come_in(self) -> tuple[int, int, str]:
        """Export the archive in open formats, take it in as on another host, and return as `back_up_and_restore`."""
        taken, fresh, identity = self.layout.home / "leaving", self.layout.imported, Identity.generate()
        exported = await self.archive("export-archive", "--to", str(taken), "--recipient", identity.recipient, "--json")
        self._folder(fresh, self.accounts.archive, 0o700)
        opener = self.layout.home / "identity.txt"
        identity.save(opener)
        self._give(opener, self.accounts.archive, 0o400)
        command = [*program("plainsight-archive"), "import-archive", json.loads(exported)["folder"]]
        command += ["--identity", str(opener), "--json"]
        environment = self._environment(archive=True) | {"ARCHIVE_HOME": str(fresh)}
        words = await run_once(command, self.accounts.archive, self.accounts, environment)
        found = json.loads(words)
        return int(found["verified"]), int(found["recordings"]), words

    async def back_up_and_restore(self) -> tuple[int, int, str]:
        """Make a backup, restore it into an empty folder, and return how many recordings of how many hold there."""
        copies, fresh = self.layout.home / "backup", self.layout.restored
        await self.archive("backup", "--to", str(copies))
        self._folder(fresh, self.accounts.archive, 0o700)
        command = [
            *program("plainsight-archive"),
            "restore",
            *("--from", str(copies)),
            *("--keys-from", str(self.layout.home / "key-generations")),
            *("--generation-keys-from", str(self.layout.home / "generation-keys")),
            "--json",
        ]
        environment = self._environment(archive=True) | {"ARCHIVE_HOME": str(fresh)}
        words = await run_once(command, self.accounts.archive, self.accounts, environment)
        found = json.loads(words)
        return int(found["verified"]), int(found["recordings"]), words

    def _make_folders(self) -> None:
        layout, accounts = self.layout, self.accounts
        layout.root.mkdir(parents=True, exist_ok=True)
        layout.root.chmod(0o711)
        for folder in (layout.keys, layout.box, layout.logs, layout.export):
            folder.mkdir()
        layout.box.chmod(0o711)
        layout.export.chmod(0o711)
        self._folder(layout.home, accounts.archive, 0o700)
        self._folder(layout.broker, accounts.archive, 0o700)
        self._folder(layout.spool, accounts.recorder, 0o750, SPOOL_GROUP)
        self._folder(layout.run, accounts.recorder, 0o750, SPOOL_GROUP)
        self._folder(layout.inbox, accounts.courier, 0o2750, SPOOL_GROUP)
        self._folder(layout.state, accounts.courier, 0o2750, SPOOL_GROUP)
        self._folder(layout.panel, accounts.panel, 0o750, PANEL_GROUP)

    def _folder(self, path: Path, account: Account | None = None, mode: int = 0o755, group: int | None = None) -> Path:
        path.mkdir(exist_ok=True)
        if account is not None and self.accounts.separate:
            account.own(path, mode, group)
        return path

    def _give(self, path: Path, account: Account, mode: int) -> None:
        if self.accounts.separate:
            account.own(path, mode)

    async def _make_archive(self) -> None:
        layout = self.layout
        (layout.home / "archive.toml").write_text(
            archive_toml(layout, self.archive_url, self.boxes_url, self._broker_port)
        )
        escrow = Identity.generate()
        escrow.save(layout.keys / "escrow.txt")
        await self.archive("make-keys", "--escrow", escrow.recipient)
        await asyncio.gather(self.archive("make-certificates"), self.archive("migrate"))
        added = await self.archive("add-user", "custodian", "--role", "custodian", "--json")
        self.password = json.loads(added)["password"]

    async def _start_archive(self) -> None:
        command, account = program("plainsight-archive"), self.accounts.archive
        parts = {"web": ["web"], "boxes": ["web", "--boxes"], "listen": ["listen"], "worker": ["worker"]}
        for name, arguments in parts.items():
            self._commands[name] = [*command, *arguments]
            self._add(name, self._commands[name], account, archive=True)
            await self.services[name].start()
        await self._listening("boxes", self._boxes_port)

    async def _enroll(self) -> EnrolledRecorder:
        """Enroll the box as a technician does: a claim onto its card, and the box does the rest."""
        layout = self.layout
        await self.archive("enroll", ROOM, "-o", str(layout.home))
        (layout.home / layout.claim.name).rename(layout.claim)
        box = Account(os.geteuid(), os.getegid())
        command = [*program("plainsight"), "enroll", "--claim", str(layout.claim), "--folder", str(layout.box)]
        await run_once(command, box, self.accounts, self._environment())
        self._give(layout.box / "box.key", self.accounts.recorder, 0o400)
        for path in (layout.box / "courier.key", layout.box / "mqtt" / "client.key"):
            self._give(path, self.accounts.courier, 0o400)
        self._give(layout.box / "mqtt", self.accounts.courier, 0o700)
        enrolled = load_settings(layout.recorder_settings, EnrolledRecorder, "enroll the box anew")
        self.box_id, self.archive_key = enrolled.box.id, enrolled.keys.archive_key
        self.box_key = SigningKey.load(layout.box / "box.key").public
        ring = KeyRing(boxes={self.box_id: [self.box_key]}, archives=[self.archive_key])
        layout.key_ring.write_text(ring.model_dump_json() + "\n")
        return enrolled

    async def _start_broker(self) -> None:
        await self.archive("write-broker-access", str(self.layout.broker))
        self._add("broker", write_broker(self.layout.broker, self._broker_port), None)
        await self.services["broker"].start()
        await self._listening("broker", self._broker_port)
        await self._listening("web", self._archive_port)

    async def _start_panel(self, spoken: Path) -> None:
        layout = self.layout
        socket = layout.root / "process-manager.sock"
        output = layout.logs / "panel.log"
        self._add(
            "panel",
            [
                *(*program("plainsight"), "simulator", "--dir", str(layout.panel), "--spoken", str(spoken), "--json"),
                *("--status-file", str(layout.status), "--progress-file", str(layout.progress)),
                *("--process-manager-socket", str(socket), "--archive-url", self.archive_url),
            ],
            self.accounts.panel,
        )
        await self.services["panel"].start()
        await until(lambda: output.exists() and '"page"' in output.read_text(), 30, "the front panel", self.broken)
        lines = output.read_text().splitlines()
        self.panel_url = json.loads(next(line for line in lines if '"page"' in line))["page"]

    async def _start_box(self, enrolled: EnrolledRecorder) -> None:
        layout, command = self.layout, program("plainsight")
        microphone: dict[str, object] = {"device": DEVICE, "card": CARD, "identity": IDENTITY}
        microphone["asound"] = layout.panel / "asound"
        environment: dict[str, str] = {"ALSA_CONFIG_PATH": str(layout.panel / "asound.conf")}
        if self._microphone is not None:
            microphone, environment = {"device": self._microphone}, {}
        else:
            layout.commissioning.write_bytes(commission(self.box_id, SigningKey.load(layout.box / "box.key")))
            self._give(layout.commissioning, self.accounts.recorder, 0o444)
        layout.recorder_settings.write_text(
            recorder_toml(layout, enrolled, microphone, commissioned=self._microphone is None)
        )
        layout.courier_settings.write_text(courier_toml(layout, self.box_id, self.boxes_url, self._broker_port))
        self._add("recorder", [*command, "recorder", "--config", str(layout.recorder_settings)], self.accounts.recorder)
        self.services["recorder"].environment.update(environment)
        self.services["recorder"].first = True
        self._add("courier", [*command, "courier", "--config", str(layout.courier_settings)], self.accounts.courier)
        groups = {"recorder": ["recorder"], "archive": ["web", "boxes", "listen", "worker"], "broker": ["broker"]}
        self._process_manager = ProcessManager(
            recorder=self.services["recorder"],
            groups={name: [self.services[part] for part in parts] for name, parts in groups.items()},
            lamps_out=[*command, "lamps-out", "--config", str(layout.recorder_settings)],
            status=layout.status,
            tell=self._tell,
        )
        await self.services["recorder"].start()
        await self.services["courier"].start()
        await self._process_manager.start(layout.root / "process-manager.sock", self.accounts.separate)

    def _add(self, name: str, command: list[str], account: Account | None, *, archive: bool = False) -> None:
        self.services[name] = Service(
            name=name,
            command=command,
            account=account or Account(os.geteuid(), os.getegid()),
            accounts=self.accounts,
            environment=self._environment(archive=archive),
            log=self.layout.logs / f"{name}.log",
            # a server that is killed leaves its workers behind, with the archive's keys in their memory
            death="TERM" if archive else "KILL",
        )

    def _environment(self, *, archive: bool = False) -> dict[str, str]:
        kept = ("PATH", "LANG", "LC_ALL", "PYTHONPATH", "TZ")
        environment = {name: os.environ[name] for name in kept if name in os.environ}
        home = {"ARCHIVE_HOME": str(self.layout.home)} if archive else {}
        return {**environment, "PYTHONUNBUFFERED": "1", "PYTHONDONTWRITEBYTECODE": "1", **home}

    async def _listening(self, name: str, port: int) -> None:
        def answers() -> bool:
            table = Path("/proc/net/tcp").read_text().splitlines()[1:]
            return any(line.split()[1].endswith(f":{port:04X}") and line.split()[3] == "0A" for line in table)

        service = self.services[name]

        def dead() -> str | None:
            return None if service.running else f"it has ended: {service.tail()}"

        await until(answers, 30, f"{name} to listen on port {port}", dead)

    def _write_addresses(self) -> None:
        addresses = {
            "archive": self.archive_url,
            "user": "custodian",
            "password": self.password,
            "panel": self.panel_url,
            "broker": f"127.0.0.1:{self._broker_port}",
            "box": self.box_id,
        }
        self.layout.addresses.touch(0o600)
        self.layout.addresses.write_text(json.dumps(addresses, indent=1) + "\n")


def program(name: str) -> list[str]:
    """Return how to run one of the project's commands with this very interpreter."""
    module = {"plainsight": "appliance.command", "plainsight-archive": "archive.command"}[name]
    return [sys.executable, "-m", module]
