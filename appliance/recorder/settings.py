"""The recorder's settings: one TOML file, every setting with its unit and default (recorder.example.toml)."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from appliance.contract.errors import UnsealableError
from appliance.contract.former_boxes import FILE as FORMER
from appliance.contract.header import AgeRecipient, Audio, Text
from appliance.contract.ids import BoxId
from appliance.contract.keys import PUBLISHED, PublicKey
from appliance.contract.package_room import LINE_BYTES, check_promise, longest_frames
from appliance.contract.segment import padded_size
from appliance.contract.settings_file import AbsolutePath, Seconds, Section, load_settings

CREDENTIAL = "box.key"
"""Name under which systemd's LoadCredential= hands over the signing key."""

Pin = Annotated[int, Field(ge=0, le=27)]


class Box(Section):
    """Who this box is."""

    id: BoxId
    """The box's identifier, from enrollment. No default."""
    board: str = ""
    """Serial number of the board that the box was enrolled on; empty: not compared."""
    signing_key: AbsolutePath = Path("/etc/plainsight/box.key")
    """Private key (PKCS#8 PEM) that signs headers and ledgers; systemd's credential `box.key` goes first."""
    former: AbsolutePath = Path("/etc/plainsight/former.toml")
    """Boxes whose card went on in this board, with their keys; systemd's credential `former.toml` goes first."""
    commissioning: AbsolutePath = Path("/var/lib/plainsight/state/commissioning.tsv")
    """The signed record that commissioning made."""
    reports: AbsolutePath = Path("/var/lib/plainsight/state")
    """Where reports for the archive lie: of the last commissioning, and of the daily doctor."""

    def signing_key_path(self) -> Path:
        """Return where the signing key is: the systemd credential if there is one, else the setting."""
        return _credential(CREDENTIAL, self.signing_key)

    def former_path(self) -> Path:
        """Return where the former boxes stand: the systemd credential if there is one, else the setting."""
        return _credential(FORMER, self.former)


def _credential(name: str, else_here: Path) -> Path:
    folder = os.environ.get("CREDENTIALS_DIRECTORY")
    return Path(folder) / name if folder and (Path(folder) / name).exists() else else_here


class Keys(Section):
    """Public keys, from enrollment."""

    archive_recipient: AgeRecipient
    """The archive's age recipient: recordings' secrets are encrypted to it. No default."""
    escrow_recipient: AgeRecipient
    """The district's escrow age recipient. No default."""
    archive_key: PublicKey
    """The archive's signing key: the only one whose receipts are believed. No default."""

    @model_validator(mode="after")
    def _own(self) -> Self:
        if self.archive_key in PUBLISHED:
            raise ValueError(
                "archive_key is a key from a published example: anybody can sign receipts with it, and the box would "
                "delete recordings that no archive has; put in what enrollment gave"
            )
        if self.archive_recipient == self.escrow_recipient:
            raise ValueError("escrow_recipient must not be the archive's own recipient: the escrow would open nothing")
        return self


class Spool(Section):
    """Where recordings wait for the archive."""

    path: AbsolutePath = Path("/var/lib/plainsight/spool")
    """The spool; only the recorder writes here."""
    mounted: bool = False
    """A file system of its own is mounted at `path`: while it is not, nothing is written there, and amber says so."""
    inbox: AbsolutePath = Path("/var/lib/plainsight/inbox")
    """Where the courier lays receipts."""
    run: AbsolutePath = Path("/run/plainsight")
    """Memory-backed folder for status.json: a hung disk must not hang the lights."""


class MicrophoneSettings(Section):
    """The one microphone."""

    device: Text
    """PortAudio device name, as commissioning found it. No default."""
    card: Text = ""
    """ALSA card identifier (the word in brackets in /proc/asound/cards); empty: presence cannot be told when idle."""
    identity: Text = ""
    """USB identity `vendor:product` in hexadecimal, for example `0d8c:0014`; empty: not compared."""
    asound: AbsolutePath = Path("/proc/asound")
    """Where ALSA lists its cards; tests point it elsewhere."""
    rate: Annotated[int, Field(ge=8000, le=192000)] = 48000
    """Frames in a second."""
    channels: Literal[1, 2] = 1
    """Channels that are opened. With 1, ALSA decides what that one carries (firmware_config/asound.conf: the first)."""
    channel: Literal["left", "right", "mixed"] = "left"
    """Which of two channels is recorded; `mixed` is half of each, and silence where they are in opposite phase."""
    bits: Literal[16, 32] = 16
    """Bits of a sample as it is opened; I2S microphones give 24 bits in 32. Recorded are 16, after `gain_db`."""
    gain_db: Annotated[float, Field(ge=0, le=60)] = 0.0
    """What the sound in samples of 32 bits is raised by before they are rounded to 16, in decibels; a constant offset
    is not raised."""

    @model_validator(mode="after")
    def _fit(self) -> Self:
        if self.gain_db and self.bits == 16:
            raise ValueError("gain_db needs bits = 32: a 16-bit sample has nothing below its last step to be raised")
        if self.channel != "left" and self.channels == 1:
            raise ValueError(f"channel = {self.channel!r} needs channels = 2")
        return self


class PanelSettings(Section):
    """Button and lights; pins are BCM numbers (docs/wiring)."""

    kind: Literal["gpio", "simulated"] = "gpio"
    """Real pins, or the simulator's (refused where a box with real pins is set up)."""
    client: str = "appliance.simulator.panel:SimulatedPanel"
    """`module:Class` of the simulated panel; used only with kind `simulated`."""
    socket: AbsolutePath | None = None
    """The simulator's `panel.sock`; needed with kind `simulated`."""
    red: Pin = 23
    """REC_EN, out: the red lamp, whose current enables the microphone's supply."""
    button: Pin = 24
    """BUTTON, in, high while pressed."""
    lamp_seen: Pin | None = None
    """LAMP_SEEN, in: the sensor in the lamp, pin 25. Default: not wired, and every status says `unverified`."""
    mic_rail: Pin | None = None
    """MIC_RAIL, in: the microphone's supply, pin 27 in the wiring. Default: not wired."""
    green: Pin = 22
    """Green light, out."""
    amber: Pin = 17
    """Amber light, out."""

    @property
    def sensed(self) -> bool:
        """Whether a sensor in the lamp is wired (or, simulated, pretended)."""
        return self.lamp_seen is not None

    @model_validator(mode="after")
    def _sound(self) -> Self:
        pins = [self.red, self.button, self.green, self.amber]
        pins += [pin for pin in (self.lamp_seen, self.mic_rail) if pin is not None]
        if len(set(pins)) != len(pins):
            raise ValueError("two lines are given the same pin")
        if self.kind == "simulated" and self.socket is None:
            raise ValueError("kind 'simulated' needs 'socket', the path of the simulator's panel.sock")
        if not all(part for part in self.client.partition(":")):
            raise ValueError("'client' is written module:Class")
        return self


class Times(Section):
    """How long things take or may take; all in seconds."""

    debounce_s: Annotated[float, Field(ge=0, le=0.2)] = 0.02
    """A button's contacts bounce this long."""
    short_press_s: Seconds = 1.0
    """Released before this, a press pauses or resumes."""
    hold_s: Seconds = 1.5
    """Held this long, the recording ends at that moment."""
    close_s: Seconds = 0.15
    """Capture may take this long to close before it is killed."""
    heartbeat_s: Seconds = 0.15
    """How often the supervisor says that it sees the lamp lit."""
    heartbeat_stale_s: Seconds = 0.5
    """A heartbeat older than this makes capture close the microphone by itself."""
    lamp_s: Seconds = 0.2
    """Commanded and seen may differ this long."""
    stall_s: Seconds = 1.8
    """Without a block for this long, amber tells that no sound arrives, and a stream that had given sound is opened
    again. With the supervisor's turn (0.1 s) and the panel's light on top it stays below the 2 s within which a fault
    must be told."""
    first_block_s: Seconds = 5.0
    """A stream may take this long to its first block before it is opened again; twice as long the second time, then
    four times: a card that wakes slowly would never give any otherwise."""
    warm_s: Seconds = 10.0
    """A capture process may take this long to get ready before it is replaced; twice as long the second time, then four
    times, until one gets ready."""
    retry_s: Seconds = 1.0
    """Pause between attempts to open a microphone that was lost."""
    ack_s: Seconds = 5.0
    """Green goes out when the last acknowledgement is older than this."""
    slow_s: Seconds = 3.0
    """Amber tells about a disk that is busy with one thing for longer than this."""
    unsafe_s: Seconds = 25.0
    """Without an acknowledgement this long while frames arrive, the recording ends visibly (the ring holds 30 s)."""
    drain_s: Seconds = 30.0
    """The writer may take this long to finish a recording that has ended."""
    status_s: Seconds = 0.5
    """How often status.json is written without a change."""
    check_s: Seconds = 5.0
    """How often the idle checks run."""
    shutdown_s: Seconds = 5.0
    """An orderly shutdown may take this long."""

    @model_validator(mode="after")
    def _order(self) -> Self:
        if self.short_press_s > self.hold_s:
            raise ValueError("short_press_s must not exceed hold_s")
        if self.heartbeat_s * 2 > self.heartbeat_stale_s:
            raise ValueError("heartbeat_s must be at most half of heartbeat_stale_s")
        if self.first_block_s < self.stall_s:
            raise ValueError("first_block_s must not be less than stall_s")
        if self.ack_s > self.unsafe_s:
            raise ValueError("ack_s must not exceed unsafe_s")
        return self


class Limits(Section):
    """When a recording ends by itself, and how much room it needs."""

    cap_s: Annotated[float, Field(gt=0, le=64000)] = 4 * 3600.0
    """Longest recording in seconds; what no package can hold at `microphone.rate` is refused (4 GiB: docs/format.md
    section 5.4; 38,349 s at 48 kHz)."""
    quiet_s: Seconds = 20 * 60.0
    """Longest quiet of a live microphone in seconds."""
    paused_s: Seconds = 30 * 60.0
    """Longest pause in seconds."""
    warn_s: Seconds = 60.0
    """How long before that the green light warns, in seconds."""
    min_free_bytes: Annotated[int, Field(ge=0)] = 64 << 20
    """A recording is refused, or ends, when the spool has less free space, in bytes."""

    def longest_bytes(self, rate: int) -> int:
        """Return the room for the longest recording at `rate` frames a second, in bytes; with less, amber says so."""
        return self.min_free_bytes + int(self.cap_s) * second_bytes(rate)

    def warn_bytes(self, rate: int) -> int:
        """Return the free space at which about `warn_s` seconds of recording are left, in bytes."""
        return self.min_free_bytes + int(self.warn_s) * second_bytes(rate)


class Checks(Section):
    """What the idle checks demand."""

    clock: bool = True
    """Whether a clock that is not synchronized raises amber; the ledger says so in any case."""
    commissioned: bool = True
    """Whether a box without a record of commissioning raises amber."""


class Log(Section):
    """Where messages go."""

    to: Literal["stderr", "journal"] = "stderr"
    """The standard error, or systemd's journal with fields."""
    level: Literal["debug", "info", "warning", "error"] = "info"
    """The least serious messages that are kept."""


class RecorderSettings(Section):
    """The whole file."""

    box: Box
    keys: Keys
    spool: Spool = Spool()
    microphone: MicrophoneSettings
    panel: PanelSettings = PanelSettings()
    times: Times = Times()
    limits: Limits = Limits()
    checks: Checks = Checks()
    log: Log = Log()

    @model_validator(mode="after")
    def _sealable(self) -> Self:
        try:
            check_promise(self.audio)
        except UnsealableError as error:
            rate = self.microphone.rate
            raise ValueError(
                f"limits.cap_s = {self.limits.cap_s:g} makes recordings that no archive can seal: at microphone.rate = "
                f"{rate} a package holds {longest_frames(rate) // rate} s; lower one of the two"
            ) from error
        return self

    @property
    def audio(self) -> Audio:
        """The shape of the audio that these settings make: segments of a second, and the longest recording."""
        rate = self.microphone.rate
        return Audio(rate=rate, segment_frames=rate, max_frames=max(1, int(self.limits.cap_s * rate)))

    def capture_arguments(self) -> tuple[str, ...]:
        """Return the capture process's command line: it reads no file, so that it is ready sooner."""
        microphone, times = self.microphone, self.times
        given = {
            "stale-s": times.heartbeat_stale_s,
            "close-s": times.close_s,
            "channels": microphone.channels,
            "channel": microphone.channel,
            "bits": microphone.bits,
            "gain-db": microphone.gain_db,
        }
        return tuple(f"--{name}={value}" for name, value in given.items())


def second_bytes(rate: int) -> int:
    """Return the room that a second of audio takes in the spool at `rate` frames a second, ledger line included."""
    return padded_size(rate) + LINE_BYTES


def load(path: Path) -> RecorderSettings:
    """Read a settings file; raise SettingsError that names file, setting and, for a misspelled one, its likely name."""
    return load_settings(path, RecorderSettings, "name the file with --config")
