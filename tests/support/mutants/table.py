"""Which modules hold the promises, and which tests stand nearest to each."""

from __future__ import annotations

from dataclasses import dataclass

_MACHINE = (
    "tests/appliance/recorder/supervisor/machine/test_gestures.py",
    "tests/appliance/recorder/supervisor/machine/test_microphone_faults.py",
    "tests/appliance/recorder/supervisor/machine/test_writer_faults.py",
    "tests/appliance/recorder/supervisor/machine",
    "tests/appliance/recorder/supervisor/test_liveness.py",
)
_VERIFICATION = (
    "tests/appliance/contract/test_what_a_report_says.py",
    "tests/appliance/contract/test_verification.py",
    "tests/appliance/contract/test_dishonest_archive.py",
    "tests/appliance/contract/test_forgeries.py",
)
_INGEST = ("tests/archive/ingest", "tests/archive/rooms/test_placement.py")


@dataclass(frozen=True)
class Target:
    """Modules that hold one promise, and their nearest tests."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    """Paths for pytest, the quickest first; it stops at the first failure."""
    exact: bool = True
    """False where ordered comparisons are of nanoseconds (`mutations`)."""


TARGETS = (
    Target(
        "machine",
        tuple(
            f"appliance/recorder/supervisor/machine/{name}.py"
            for name in ("handlers", "rules", "timed_limits", "transition", "lights", "state")
        ),
        _MACHINE,
        exact=False,
    ),
    Target(
        "capture",
        tuple(f"appliance/recorder/capture/{name}.py" for name in ("conversion", "process", "stream")),
        tuple(
            f"tests/appliance/recorder/capture/test_{name}.py"
            for name in ("conversion", "stream", "watch", "process", "odd_cards", "capture_faults")
        ),
        exact=False,
    ),
    Target(
        "read-back",
        ("appliance/recorder/writer/read_back.py",),
        (
            "tests/appliance/recorder/writer/test_read_back.py",
            "tests/appliance/recorder/writer/test_recording_session.py",
        ),
    ),
    Target(
        "receipts",
        ("appliance/recorder/writer/receipts.py",),
        ("tests/appliance/recorder/writer/test_receipts.py", "tests/appliance/recorder/writer/test_process.py"),
    ),
    Target(
        "spool",
        ("appliance/recorder/storage/spool.py", "appliance/recorder/writer/recovery.py"),
        (
            "tests/appliance/recorder/storage",
            "tests/appliance/recorder/writer/test_interrupted.py",
            "tests/appliance/recorder/writer/test_receipts.py",
            "tests/appliance/recorder/writer/test_spool_faults.py",
            "tests/appliance/recorder/writer/test_process.py",
        ),
    ),
    Target("chain", ("appliance/contract/chain.py",), ("tests/appliance/contract/test_chain.py",)),
    Target("signed lines", ("appliance/contract/signed.py",), ("tests/appliance/contract/test_signed.py",)),
    Target(
        "verification",
        tuple(
            f"appliance/contract/verification/{name}.py" for name in ("arrivals", "audio", "bag", "evidence", "verify")
        ),
        _VERIFICATION,
    ),
    Target(
        "package",
        ("appliance/contract/zip_profile.py", "appliance/contract/package.py"),
        ("tests/appliance/contract/test_package.py", "tests/appliance/contract/test_forgeries.py"),
    ),
    Target(
        "upload",
        tuple(
            f"appliance/courier/upload/{name}.py"
            for name in ("archive_client", "batches", "receipt_inbox", "spool_reader", "upload", "uploader")
        ),
        ("tests/appliance/courier/upload",),
    ),
    Target(
        "ingest",
        tuple(
            f"archive/ingest/{name}.py" for name in ("accept_lines", "accept_start", "accept_tail", "batch", "views")
        ),
        _INGEST,
    ),
    Target(
        "sealing",
        tuple(f"archive/sealing/{name}.py" for name in ("seal", "material", "rebuild", "audit", "sweeping")),
        (
            "tests/archive/sealing/test_seal.py",
            "tests/archive/sealing/test_audit.py",
            "tests/archive/records/outside_recordings/test_checks.py",
            "tests/archive/recordings/test_bucket_locks.py",
        ),
    ),
    Target(
        "recordings",
        tuple(
            f"archive/recordings/{name}.py"
            for name in (
                "audio_index",
                "ledger_entries",
                "playback",
                "verification",
                "secrets",
                "dating",
                "listing",
                "recording_state",
            )
        ),
        tuple(
            f"tests/archive/recordings/test_{name}.py"
            for name in (
                *("dating", "secrets", "listing", "playback", "ledger_entries", "verify", "recording_state"),
                "recordings",
            )
        ),
    ),
    Target(
        "store",
        ("archive/store/local.py", "archive/store/base.py", "archive/keystore/recording_keys.py"),
        ("tests/archive/store", "tests/archive/keystore/test_recording_keys.py"),
    ),
    Target(
        "custody",
        ("archive/custody/log.py", "archive/custody/check.py", "archive/custody/heads.py"),
        ("tests/archive/custody", "tests/archive/test_two_archives.py"),
    ),
    Target(
        "access",
        tuple(f"archive/access/{name}.py" for name in ("decisions", "middleware", "people", "sign_ins")),
        (
            *(f"tests/archive/access/test_{name}.py" for name in ("decisions", "commands", "refusals")),
            *(f"tests/archive/accounts/test_{name}.py" for name in ("throttle", "second_factor")),
        ),
    ),
    Target("accounts", ("archive/accounts/throttle.py",), ("tests/archive/accounts/test_throttle.py",)),
)
