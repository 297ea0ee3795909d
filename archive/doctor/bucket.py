"""The bucket's locks: whether they have not ended, and legal holds are those of the matters, as the worker saw them."""

from __future__ import annotations

from collections.abc import Iterator

from appliance.contract.check_result import CheckResult
from archive.recordings.bucket_locks import OutOfLine, chosen_bucket, out_of_line

_WORKER = "see that the worker runs and the bucket answers: it brings them in line within minutes"


def look() -> OutOfLine | None:
    """Read what the worker saw; the bucket is not asked. None where packages lie on a disk."""
    return out_of_line() if chosen_bucket() is not None else None


def check(seen: OutOfLine | None) -> Iterator[CheckResult]:
    """Yield what is not in line."""
    if seen is None:
        return
    waiting = [
        f"{count} {what}"
        for count, what in (
            (len(seen.not_held), "on hold without a legal hold"),
            (len(seen.still_held), "with one although their last hold has ended"),
        )
        if count
    ]
    if seen.unknown_hold:
        found = f"{len(seen.unknown_hold)} packages are under one that the database never knew of"
        remedy = "restore a newer database, or ask who set them there; 'plainsight-archive audit' lists them"
        yield CheckResult("legal holds", "wrong", found, remedy)
    elif waiting:
        yield CheckResult("legal holds", "warning", ", ".join(waiting), _WORKER)
    else:
        yield CheckResult("legal holds", "ok", "the bucket has those of the matters, and no others")
    if seen.ended:
        found = f"the lock of {len(seen.ended)} packages has ended, and they must stay"
        yield CheckResult("bucket's locks", "wrong", found, _WORKER)
    elif seen.problems:
        recording, problem = next(iter(seen.problems.items()))
        found = f"{len(seen.problems)} packages could not be brought in line, first {recording}: {problem}"
        yield CheckResult("bucket's locks", "wrong", found, "mend that; 'plainsight-archive check-store' says more")
    elif seen.unseen:
        yield CheckResult("bucket's locks", "warning", f"{seen.unseen} packages were not looked at yet", _WORKER)
