"""A writer without a disk: speaks the control protocol, acknowledges what it takes, logs messages to `writer.log`.

The folder in PLAINSIGHT_FAKES holds files that change how it behaves: `hang`, `die-at-begin`.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import time
from pathlib import Path

from appliance.recorder.ipc.message_channel import MessageChannel
from appliance.recorder.ipc.ring import Consumer, Ring

FOLDER = Path(os.environ["PLAINSIGHT_FAKES"])


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ring-fd", type=int)
    parser.add_argument("--control-fd", type=int)
    options = parser.parse_args()
    ring, control = Ring.attach(options.ring_fd), MessageChannel.from_fd(options.control_fd)
    consumer = Consumer(ring)
    control.send({"report": "ready", "continues": None, "recovered": []})
    control.send({"report": "checked", "free_bytes": 1 << 40, "fsync_ms": 1, "faults": []})
    recording, frames = None, 0
    while True:
        while (FOLDER / "hang").exists():
            time.sleep(0.01)
        message = control.receive(0.1)
        if message is not None:
            with (FOLDER / "writer.log").open("a") as file:
                file.write(json.dumps(message) + "\n")
            match message["do"]:
                case "begin":
                    if (FOLDER / "die-at-begin").exists():
                        os._exit(3)
                    recording, frames = message["recording"], 0
                case "end":
                    control.send({"report": "closed", "recording": recording, "frames": frames})
                    recording = None
                case "stop":
                    return
        while (block := consumer.take()) is not None:
            frames += block.frames
        if recording is not None and frames:
            report = {"report": "progress", "recording": recording, "frames": frames, "acked_frame": frames}
            report["write_seq"] = ring.read_seq
            control.send({**report, "acked_line": 1, "lost_frames": 0, "fsync_ms": 1})


with contextlib.suppress(EOFError):
    main()
