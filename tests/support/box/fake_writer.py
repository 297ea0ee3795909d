"""A writer without a disk: speaks the control protocol, acknowledges what it takes, logs messages to `writer.log`.

The folder in PLAINSIGHT_FAKES holds files that change how it behaves: `hang`, `die-at-begin`, `nonsense`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import time
from pathlib import Path

from appliance.recorder.ipc import messages
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
    control.send(messages.WriterReady(continues=None))
    control.send(messages.SpoolChecked(free_bytes=1 << 40))
    recording, frames = None, 0
    while True:
        while (FOLDER / "hang").exists():
            time.sleep(0.01)
        if (FOLDER / "nonsense").exists():
            control._socket.send(b'{"kind":"writer-news"}')
            (FOLDER / "nonsense").unlink()
        message = control.receive(0.1)
        if message is not None:
            with (FOLDER / "writer.log").open("a") as file:
                file.write(message.model_dump_json() + "\n")
            match message:
                case messages.BeginRecording():
                    if (FOLDER / "die-at-begin").exists():
                        os._exit(3)
                    recording, frames = message.recording, 0
                case messages.EndRecording():
                    control.send(messages.RecordingClosed(recording=recording, frames=frames))
                    recording = None
                case messages.StopWriter():
                    return
        while (block := consumer.read()) is not None:
            frames += block.frames
        if recording is not None and frames:
            control.send(
                messages.RecordingProgress(
                    recording=recording,
                    frames=frames,
                    write_seq=ring.read_seq,
                    silence_frames=0,
                    acked_frame=frames,
                    acked_silence=0,
                    acked_line=1,
                    lost_frames=0,
                )
            )


with contextlib.suppress(EOFError):
    main()
