"""The test microphone's controls: what it hears, and what is wrong with it.

The plugin maps the control file and looks at it all the time; this object alone writes it. Each field is a naturally
aligned word, so a reader sees the old or the new value, never a mixture.
"""

from __future__ import annotations

import mmap
import struct
import time
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from appliance.contract.errors import DeviceError

from .build import build

DEVICE: Final = "plainsight"
"""The PortAudio name."""
CARD: Final = "PlainSight"
"""The card's identifier in the stand-in for /proc/asound."""
IDENTITY: Final = "1209:0001"
"""A USB identity from the range that pid.codes keeps for tests."""
RATE: Final = 48000
_FRAME: Final = 2
"""Size of a frame of the raw file, in bytes."""
_CONTAINERS: Final = {b"RIFF", b"fLaC", b"OggS"}
"""First bytes of audio files that are not raw; their headers would be heard as noise."""
_MAGIC: Final = 0x31434D5350
_WORDS: Final = {
    "epoch_ns": (8, "<q"),
    "plugged": (16, "<i"),
    "stalled": (20, "<i"),
    "busy": (24, "<i"),
    "drift_ppb": (28, "<i"),
    "lost": (32, "<q"),
    "muted": (40, "<i"),
    "off": (44, "<i"),
    "gain": (48, "<q"),
    "deaf": (56, "<i"),
    "hang_close": (60, "<i"),
    "wake_ms": (64, "<i"),
    "right": (68, "<i"),
    "card_rate": (72, "<q"),
    "channels": (80, "<i"),
    "bits": (84, "<i"),
    "offset": (88, "<q"),
}
_SIZE: Final = 96
_RIGHT: Final = {"same": 0, "opposite": 1, "silent": 2, "alone": 3}
MOST_GAIN_DB: Final = 60
"""Greatest gain either way, in dB."""


class SimulatedMicrophone:
    """A microphone in `folder` that hears the raw file `spoken` (mono, 16-bit little-endian, 48 kHz)."""

    def __init__(self, folder: Path, spoken: Path, library_folder: Path | None = None) -> None:
        """Build the plugin, write its configuration, and plug it in; raise DeviceError if one of them fails."""
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        _check_raw(spoken)
        library = build(library_folder or folder)
        control = folder / "microphone.control"
        control.write_bytes(struct.pack("<Q", _MAGIC).ljust(_SIZE, b"\0"))
        control.chmod(0o644)
        with control.open("r+b") as file:
            self._words = mmap.mmap(file.fileno(), _SIZE)
        self._open = self._busy = False
        self._set("epoch_ns", time.monotonic_ns())
        self.amplify(0)
        self.shape()
        # PortAudio 19.6 asserts that there is one device beyond those that it opened, as `default` is on every machine
        configuration = folder / "asound.conf"
        configuration.write_text(
            f'pcm_type.plainsight {{ lib "{library}" }}\n'
            "pcm.default { type null }\n"
            f'pcm.{DEVICE} {{ type plainsight control "{control}" raw "{spoken.resolve()}" '
            f'simulator "{self.socket}" hint {{ show on description "Plain Sight test microphone" }} }}\n'
        )
        # the recorder is another user; the folder's mode decides who may come here, not our umask
        configuration.chmod(0o644)
        self.replug()

    @property
    def socket(self) -> Path:
        """Where the plugin reports each open handle."""
        return self.folder / "microphone.sock"

    @property
    def asound(self) -> Path:
        """The stand-in for /proc/asound."""
        return self.folder / "asound"

    @property
    def environment(self) -> dict[str, str]:
        """What a process needs in its environment to find this microphone and no other."""
        return {"ALSA_CONFIG_PATH": str(self.folder / "asound.conf")}

    def unplug(self) -> None:
        """Take it away: running streams fail, new ones find no device."""
        self._set("plugged", 0)
        self._list(" --- no soundcards ---\n")
        usb = self.asound / "card0" / "usbid"
        if usb.exists():
            usb.unlink()

    def replug(self) -> None:
        """Plug it in again."""
        (self.asound / "card0").mkdir(parents=True, exist_ok=True)
        usb = self.asound / "card0" / "usbid"
        usb.write_text(f"{IDENTITY}\n")
        usb.chmod(0o644)
        for place in (self.asound, self.asound / "card0"):
            place.chmod(0o755)
        if not (self.asound / CARD).exists():
            (self.asound / CARD).symlink_to("card0")
        self._show_status()
        self._list(f" 0 [{CARD:<15}]: USB-Audio - Simulated\n                      Simulated microphone\n")
        self._set("plugged", 1)

    def stall(self) -> None:
        """Let running streams give nothing more, without an error."""
        self._set("stalled", 1)

    def resume(self) -> None:
        """End a stall."""
        self._set("stalled", 0)

    def mute(self, muted: bool = True) -> None:
        """Give digital silence instead of what is heard."""
        self._set("muted", int(muted))

    def switch_off(self, off: bool = True) -> None:
        """Open an analog switch: the amplifier's own low noise instead of what is heard."""
        self._set("off", int(off))

    def amplify(self, gain_db: float) -> None:
        """Change the gain, in dB; 0 gives the file as it is, too much is cut off as a converter does."""
        if abs(gain_db) > MOST_GAIN_DB:
            raise DeviceError(f"a gain is at most {MOST_GAIN_DB} dB either way, not {gain_db:g}", field="gain_db")
        self._set("gain", round(1000 * 10 ** (gain_db / 20)))

    def shift(self, share: float) -> None:
        """Give the signal a constant part, as a share of full scale, as some I2S microphones have it."""
        self._set("offset", round(share * (1 << 31)) // 256 * 256)

    def busy(self, busy: bool = True) -> None:
        """Refuse to be opened, as a device that somebody else holds."""
        self._set("busy", int(busy))
        self._busy = busy
        self._show_status()

    def deafen(self, deaf: bool = True, *, hang: bool = False) -> None:
        """Let streams that start from now on never give a frame; with `hang`, let starting them not even return."""
        self._set("deaf", 0 if not deaf else 2 if hang else 1)

    def hang_on_close(self, hangs: bool = True) -> None:
        """Let closing a stream not return."""
        self._set("hang_close", int(hangs))

    def shape(self, *, rate: int = RATE, channels: int = 1, bits: int = 16, right: str = "same") -> None:
        """Be another card: its only rate, number of channels and size of a sample; takes effect at the next opening.

        `right`: the second channel is the `same` as the first, in `opposite` phase, `silent`, or `alone` with sound.
        """
        self._set("card_rate", rate)
        self._set("channels", channels)
        self._set("bits", bits)
        self._set("right", _RIGHT[right])

    def wake_slowly(self, seconds: float) -> None:
        """Let streams that start from now on give their first frame so much later."""
        self._set("wake_ms", round(seconds * 1000))

    def drift(self, ppb: int) -> None:
        """Let the crystal run too fast by `ppb` parts in a thousand million."""
        self._set("drift_ppb", ppb)

    def lose(self, frames: int) -> None:
        """Lose frames without telling anybody."""
        self._set("lost", int(struct.unpack_from("<q", self._words, _WORDS["lost"][0])[0]) + frames)

    def close(self) -> None:
        """Let go of the control file."""
        self._words.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _set(self, word: str, value: int) -> None:
        offset, form = _WORDS[word]
        struct.pack_into(form, self._words, offset, value)

    def hold(self, opened: bool) -> None:
        """Know whether somebody has the device open, as who serves `socket` does."""
        self._open = opened
        self._show_status()

    def _show_status(self) -> None:
        """Say it as the kernel does."""
        status = self.asound / "card0" / "pcm0c" / "sub0" / "status"
        status.parent.mkdir(parents=True, exist_ok=True)
        for place in (status.parent, status.parent.parent):
            place.chmod(0o755)
        _replace(status, "state: RUNNING\n" if self._open or self._busy else "closed\n")

    def _list(self, text: str) -> None:
        _replace(self.asound / "cards", text)


def _check_raw(spoken: Path) -> None:
    """Raise DeviceError unless `spoken` can be raw audio: whole frames, a second at least, and no header of a WAV."""
    wanted = "name a mono 16-bit 48 kHz raw file of at least a second"
    if not spoken.is_file():
        raise DeviceError(f"there is no file {spoken}; {wanted}")
    try:
        with spoken.open("rb") as file:
            begin = file.read(4)
        size = spoken.stat().st_size
    except OSError as error:
        raise DeviceError(f"cannot read {spoken}: {error.strerror}; {wanted}") from error
    if size < RATE * _FRAME or size % _FRAME or begin in _CONTAINERS:
        raise DeviceError(f"{spoken} ({size} bytes) is no raw audio; {wanted}")


def _replace(path: Path, text: str) -> None:
    """Replace a file that others read at any moment."""
    partial = path.with_name(f".{path.name}")
    partial.write_text(text)
    partial.chmod(0o644)
    partial.replace(path)
