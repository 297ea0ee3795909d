"""Run in a process of its own: hears the test microphone through real PortAudio, and writes down what it heard.

usage: python hear.py OUT.raw SECONDS
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import pyaudio

out, seconds = Path(sys.argv[1]), float(sys.argv[2])
audio = pyaudio.PyAudio()
names = [str(audio.get_device_info_by_index(index)["name"]) for index in range(audio.get_device_count())]
blocks: list[bytes] = []
flags: list[int] = []


def callback(data: bytes, frames: int, times: object, status: int) -> tuple[None, int]:
    blocks.append(data)
    flags.append(status)
    return None, pyaudio.paContinue


stream = audio.open(
    format=pyaudio.paInt16,
    channels=1,
    rate=48000,
    input=True,
    input_device_index=names.index("plainsight"),
    frames_per_buffer=4096,
    stream_callback=callback,
)
print(json.dumps({"names": names}), flush=True)
deadline = time.monotonic() + seconds
while time.monotonic() < deadline:
    time.sleep(0.05)
print(json.dumps({"active": stream.is_active(), "blocks": len(blocks), "overflowed": any(flags)}), flush=True)
stream.stop_stream()
stream.close()
audio.terminate()
out.write_bytes(b"".join(blocks))
