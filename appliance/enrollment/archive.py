"""Asking the archive, which is known by the authority in the claim and by nothing else."""

from __future__ import annotations

import http.client
import json
import ssl
from typing import Final
from urllib.parse import urlsplit

from appliance.contract.enrollment import MAX_MESSAGE, NO_CHECK_TIME, ClaimError, NoAnswerError, RetiredBoxError
from appliance.contract.errors import PlainSightError

_ANSWER_S: Final = 30.0


def context(authority: str) -> ssl.SSLContext:
    """Return a context that believes `authority` (PEM) alone, whatever the clock says; raise ClaimError."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        made.load_verify_locations(cadata=authority)
    except ssl.SSLError as error:
        raise ClaimError(f"the claim's authority is no certificate: {error.reason}", field="authority") from error
    made.verify_flags |= ssl.VerifyFlags(NO_CHECK_TIME)
    return made


def ask(url: str, path: str, authority: str, body: bytes) -> bytes:
    """Send a request and return the answer's body.

    Raises NoAnswerError if nobody or somebody else answers: try again; PlainSightError with the archive's own words if
    it refuses.
    """
    parts = urlsplit(url)
    connection = http.client.HTTPSConnection(
        parts.hostname or "", parts.port, timeout=_ANSWER_S, context=context(authority)
    )
    try:
        connection.request("POST", path, body, {"Content-Type": "application/octet-stream"})
        answer = connection.getresponse()
        data = answer.read(MAX_MESSAGE + 1)
    except ssl.SSLCertVerificationError as error:
        raise NoAnswerError(
            f"what answers at {url} is not the archive of this claim ({error.verify_message}); is the network "
            "a guest's, or was the claim made for another archive?",
            field="url",
        ) from error
    except (OSError, http.client.HTTPException) as error:
        raise NoAnswerError(
            f"{url} does not answer: {error or type(error).__name__}; check the network", field="url"
        ) from error
    finally:
        connection.close()
    if answer.status == http.client.OK:
        return data
    raise refusal(answer.status, data)


def refusal(status: int, data: bytes) -> PlainSightError:
    """Return the error that an answer stands for: the archive's own words, or that it gave none."""
    try:
        said = json.loads(data)["error"]
        message, field, code = str(said["message"])[:500], said.get("field"), said.get("code")
    except (ValueError, TypeError, KeyError):
        return NoAnswerError(f"the archive answered {status} without a reason; try again later", field="url")
    if status >= http.client.INTERNAL_SERVER_ERROR:
        return NoAnswerError(f"the archive cannot answer now: {message}", field="url")
    kind = RetiredBoxError if code == RetiredBoxError.code else ClaimError
    return kind(message, field=str(field) if field else None)
