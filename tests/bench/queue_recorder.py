"""A peer: python-sounddevice with a queue, and soundfile writing FLAC, as its users are taught to record.

usage: python queue_recorder.py OUT.flac SECONDS
"""

from __future__ import annotations

import queue
import sys
import time

import sounddevice
import soundfile

out, seconds = sys.argv[1], float(sys.argv[2])
blocks: queue.Queue[object] = queue.Queue()
with soundfile.SoundFile(out, "x", samplerate=48000, channels=1, subtype="PCM_16") as file:
    stream = sounddevice.InputStream(
        samplerate=48000,
        channels=1,
        dtype="int16",
        device="plainsight",
        callback=lambda data, frames, times, status: blocks.put(data.copy()),
    )
    deadline = time.monotonic() + seconds
    with stream:
        while time.monotonic() < deadline:
            file.write(blocks.get())
