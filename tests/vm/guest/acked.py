"""Copies what the box's status says is acknowledged to the host, by a port that is written through."""

import json
import os
import time
from pathlib import Path

port = os.open("/dev/virtio-ports/plainsight.acked", os.O_WRONLY)
last = None
while True:
    try:
        status = json.loads(Path("/run/plainsight/status.json").read_text())
    except (OSError, ValueError):
        status = {}
    said = {name: status.get(name) for name in ("boot_id", "state", "recording", "acked_frame", "acked_line")}
    if said != last:
        os.write(port, (json.dumps(said) + "\n").encode())
        last = said
    time.sleep(0.1)
