"""Proving the bucket's lock again while the archive runs: a job of the worker.

Rights at a provider change without a word, so a proof counts for a day. One that fails is no proof any more: the doctor
says so, web server and worker do not start, and nothing is sealed, so boxes keep what they have.
"""

from __future__ import annotations

import logging
from datetime import UTC, datetime, timedelta
from typing import Final

from django.conf import settings

from appliance.contract.stop_signal import StopSignal
from archive.keystore.current import keystore
from archive.store.current import s3

from .bucket_locks import chosen_bucket

LOOK_S: Final = 600.0
"""How often it is looked whether a proof is due, in seconds; one that could not be finished is tried again then."""
LASTS: Final = timedelta(days=1)
"""So long a proof counts."""
_SLACK: Final = timedelta(minutes=5)
"""By so much a proof may seem to lie in the future: clocks are set right all the time."""
_log = logging.getLogger(__name__)


def prove_when_due(_stop: StopSignal) -> None:
    """Prove the lock of the bucket anew where the last proof is older than a day."""
    chosen = chosen_bucket()
    if chosen is None:
        return
    # it needs boto3, which is there only with a bucket
    from archive.store.bucket_trust import check, last_proof  # noqa: PLC0415

    home = settings.ARCHIVE_HOME
    proof = last_proof(home)
    # one of later than now is from before the clock was put back, and may be of any age
    if proof is not None and -_SLACK <= datetime.now(UTC) - proof.at < LASTS:
        return
    for one in check(s3(chosen, home), chosen, home, keystore().public):
        if one.verdict == "wrong":
            _log.error("the bucket's lock: %(problem)s", {"problem": f"{one.check}: {one.found}"})
