"""All steps of a commissioning in order, up to the signed record; a failure ends it."""

from __future__ import annotations

from appliance.contract import times
from appliance.contract.commissioning import Commissioning, Floor, Part
from appliance.contract.header import Microphone
from appliance.contract.keys import SigningKey
from appliance.contract.version import software
from appliance.recorder.device_checks import card_identity, card_number
from appliance.recorder.microphone_monitor import Levels, check_speech, learn, measure
from appliance.recorder.settings import RecorderSettings

from .installer import Installer
from .listening import Listening, Samples
from .mixer import gain_advice
from .panel_loop import PanelLoop
from .record import keep_record
from .steps import try_button, try_lights, try_red

SPEECH_S = 8.0
"""How long the speech test takes, in seconds."""
CAPTURE = "appliance.recorder.capture.process"
"""The capture process's module; tests put another in its place."""


def walk(
    panel_loop: PanelLoop, installer: Installer, key: SigningKey, seconds: float, module: str = CAPTURE
) -> Commissioning:
    """Try every part, keep the record and return it; after an error no record is kept.

    `seconds`: how long to listen to the quiet room. Raises PlainSightError.
    """
    settings = panel_loop.settings
    installer.tell("Red lamp:")
    checked: list[Part] = try_red(panel_loop, installer)
    if installer.present:
        installer.tell("The other lights:")
        checked += try_lights(panel_loop, installer)
        checked += try_button(panel_loop, installer)
        installer.cue("quiet")
        while not installer.ask(f"Will everybody be still for {seconds:g} s, as in an empty room?"):
            installer.tell("Take your time: the noise floor is what the microphone gives while nobody speaks.")
    microphone, floor = _measure_floor(panel_loop, installer, seconds, module)
    installer.tell(f"Noise in the quiet room: {floor.rms / 100:.1f} dB of full scale.")
    checked.append("microphone")
    if installer.present:
        _measure_speech(panel_loop, installer, floor, module)
        checked.append("speech")
    record = Commissioning(
        box=settings.box.id,
        box_key=key.public,
        made_at=times.now(),
        microphone=microphone,
        rate=settings.microphone.rate,
        floor=floor,
        checked=checked,
        software=software(),
    )
    # a signal that came until now still stops it
    panel_loop.run_once(0)
    keep_record(settings.box.commissioning, record, key)
    return record


def _measure_floor(
    panel_loop: PanelLoop, installer: Installer, seconds: float, module: str
) -> tuple[Microphone, Floor]:
    settings = panel_loop.settings
    found: list[Microphone] = []
    installer.cue("none")
    installer.tell(f"The red lamp is lit while the box listens, about {seconds + 1:.0f} s. Be still.")
    with Listening(panel_loop, installer.tell, module) as listening:
        # read while it is open: on some boxes the lamp's current switches the microphone's supply
        samples = listening.listen(seconds, lambda: found.append(_microphone(settings)))
    for microphone in found:
        words = f"card {microphone.card or 'not set'}, identity {microphone.identity or 'none'}"
        installer.tell(f"Microphone {microphone.device!r}: {words}.")
    rate = settings.microphone.rate
    return found[0], learn(levels(samples, rate), gain_advice(settings.microphone))


def _measure_speech(panel_loop: PanelLoop, installer: Installer, floor: Floor, module: str) -> None:
    settings = panel_loop.settings
    installer.cue("speech")
    while not installer.ask(f"Will somebody speak for {SPEECH_S:g} s, as in a meeting, from the farthest seat?"):
        installer.tell("Please find somebody: what is too quiet now is too quiet in every meeting.")
    installer.cue("none")
    installer.tell(f"Speak now, for {SPEECH_S + 1:.0f} s. The red lamp is lit while the box listens.")
    with Listening(panel_loop, installer.tell, module) as listening:
        samples = listening.listen(SPEECH_S)
    level = check_speech(levels(samples, settings.microphone.rate), floor, gain_advice(settings.microphone))
    installer.tell(f"Speech: {level / 100:.0f} dB of full scale.")


def _microphone(settings: RecorderSettings) -> Microphone:
    chosen = settings.microphone
    number = card_number(chosen) if chosen.card else None
    identity = "" if number is None else card_identity(chosen.asound, number)
    return Microphone(device=chosen.device, card=chosen.card, identity=identity)


def levels(samples: Samples, rate: int) -> list[Levels]:
    """Return the levels of the whole seconds."""
    return [measure(samples[at : at + rate], rate) for at in range(0, len(samples) - rate + 1, rate)]
