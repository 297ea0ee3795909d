"""Requests that schemathesis draws from the description, sent as a box, as a stranger, and about what is there.

Nothing may answer 5xx, but for health that tells a part's fault; every answer is one that the description knows.
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Final

import jsonschema_rs
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis.core import NOT_SET
from schemathesis.core.result import Ok
from schemathesis.generation import GenerationMode

from tests.support.archives import Archive

from .description import description

HEALTH: Final = frozenset({"/healthz", "/readyz"})
"""What may answer 503, by its description."""


@dataclass
class Seen:
    """What the answers were."""

    requests: int = 0
    statuses: Counter[int] = field(default_factory=Counter)
    problems: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Drawing:
    """How requests are drawn."""

    examples: int
    """How many of each operation and kind."""
    seed: int | None = None
    """What they are drawn from; None: the same each time."""


def send(archive: Archive, known: dict[str, str], drawing: Drawing) -> Seen:
    """Send requests of each operation, good and bad ones; `known` are recordings that are there, by their state."""
    document = description()
    schema = schemathesis.openapi.from_dict(document)
    stranger = archive.client()
    stranger.signer = None
    sender = _Sender({"box": archive.client(), "stranger": stranger}, document, Seen())
    for client in sender.clients.values():
        # a defect becomes its answer, as it does for whoever asks
        client.raise_request_exception = False
    for mode in (GenerationMode.POSITIVE, GenerationMode.NEGATIVE):
        for found in schema.get_all_operations():
            if not isinstance(found, Ok):
                raise found.err()
            _draw(found.ok(), mode, sender, known, drawing)
    return sender.seen


def _draw(operation: Any, mode: Any, sender: _Sender, known: dict[str, str], drawing: Drawing) -> None:
    cases = operation.as_strategy(mode)

    @settings(
        max_examples=drawing.examples,
        deadline=None,
        database=None,
        derandomize=drawing.seed is None,
        phases=(Phase.generate,),
        suppress_health_check=list(HealthCheck),
    )
    @given(cases, st.sampled_from(["", *known.values()]), st.sampled_from(sorted(sender.clients)))
    def one(case: Any, recording: str, who: str) -> None:
        if recording and "recording" in (case.path_parameters or {}):
            case.path_parameters["recording"] = recording
        sender.send(case, who)

    if drawing.seed is not None:
        one = seed(drawing.seed)(one)
    try:
        one()
    except Unsatisfiable:
        # nothing can be wrong with a request that has no parameter and no body
        if mode is GenerationMode.POSITIVE:
            raise


@dataclass
class _Sender:
    """Sends what is drawn, and judges the answers."""

    clients: dict[str, Any]
    document: dict[str, Any]
    seen: Seen

    def send(self, case: Any, who: str) -> None:
        """Send one request."""
        body = b"" if case.body is NOT_SET else case.body
        text = body if isinstance(body, bytes | str) else json.dumps(body, default=str)
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass")
        named = {str(name): str(value) for name, value in (case.headers or {}).items()}
        # what no server would hand on
        headers = {name: value for name, value in named.items() if name.isprintable() and value.isprintable()}
        answer = self.clients[who].generic(
            case.method, case.formatted_path, data, case.media_type or "", headers=headers
        )
        self.seen.requests += 1
        self.seen.statuses[answer.status_code] += 1
        problem = self._problem(case, answer)
        if problem:
            told = f"{case.method} {case.formatted_path} ({len(data)} bytes) as {who}: {answer.status_code}"
            self.seen.problems.append(f"{told}: {problem}")

    def _problem(self, case: Any, answer: Any) -> str:
        if answer.status_code >= 500 and not (case.path in HEALTH and answer.status_code == 503):
            return f"a defect: {answer.content[:200]!r}"
        operation = self.document["paths"].get(case.path, {}).get(case.method.lower(), {})
        answers = operation.get("responses", {})
        described = answers.get(str(answer.status_code), answers.get("default"))
        if described is None:
            # a method or an address that the description does not have
            return "" if answer.status_code in {400, 401, 404, 405} else "the description does not know this"
        content = described.get("content", {}).get("application/json")
        if content is None:
            return ""
        kind = answer.headers.get("Content-Type", "").partition(";")[0]
        if kind != "application/json":
            return f"{kind}, not JSON"
        schema = {**content["schema"], "components": self.document["components"]}
        errors = jsonschema_rs.validator_for(schema).iter_errors(json.loads(answer.content))
        return "; ".join(error.message for error in errors)
