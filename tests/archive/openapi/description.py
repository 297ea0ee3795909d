"""docs/openapi.json: the addresses that programs ask; `python -m tests.archive.openapi.description` writes it anew.

What a body or an answer holds comes from the models that read and write it; which addresses there are, and for whom, is
held against the table of routes.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any, Final

from appliance.contract.enrollment import MAX_MESSAGE, Enrolled, Renewed
from appliance.contract.status import UploadState
from archive.control.summary import PATH, Summary

ROOT: Final = Path(__file__).resolve().parents[3]
PAGE: Final = ROOT / "docs" / "openapi.json"
Json = dict[str, Any]
LINE: Final = "text/tab-separated-values"
BYTES: Final = "application/octet-stream"


def _error(words: str) -> Json:
    return {"description": words, "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}}}


def _told(words: str, model: str) -> Json:
    schema = {"$ref": f"#/components/schemas/{model}"}
    return {"description": words, "content": {"application/json": {"schema": schema}}}


def _body(kind: str, words: str, most: int | None = None) -> Json:
    schema: Json = {"type": "string", "minLength": 1}
    schema |= {"format": "binary"} if kind == BYTES else {}
    schema |= {"maxLength": most} if most else {}
    return {"required": True, "description": words, "content": {kind: {"schema": schema}}}


_RECORDING: Final[Json] = {
    "name": "recording",
    "in": "path",
    "required": True,
    "description": "Identifier of the recording.",
    "schema": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
}
_NUMBER: Final[Json] = {
    "name": "number",
    "in": "path",
    "required": True,
    "description": "Number of a segment that the closing record lists as unverified tail.",
    "schema": {"type": "integer", "minimum": 0},
}
_REFUSED: Final = _error("Refused: `code` is stable and says why, `message` what to do (docs/format.md section 3).")
_KEPT: Final[Json] = {
    "200": {"description": "The same bytes are here already."},
    "201": {"description": "They were taken in."},
}


def _of_a_box(summary: str, answers: Json, *parameters: Json, body: Json | None = None) -> Json:
    made: Json = {"summary": summary, "tags": ["box"], "security": [{"signature": []}], "parameters": list(parameters)}
    made |= {"requestBody": body} if body else {}
    return made | {"responses": answers | {"default": _REFUSED}}


def _of_anyone(summary: str, answers: Json, tag: str, body: Json | None = None) -> Json:
    made: Json = {"summary": summary, "tags": [tag], "security": []}
    return made | ({"requestBody": body} if body else {}) | {"responses": answers}


def _health(summary: str) -> Json:
    works, fails = _told("It works.", "Health"), _told("A part fails; it is named.", "Health")
    return _of_anyone(summary, {"200": works} if "process" in summary else {"200": works, "503": fails}, "monitor")


def paths() -> dict[str, Json]:
    """Return every address with its operations."""
    state = {"200": _told("How far the recording got.", "UploadState")}
    line = _body(LINE, "One signed line (docs/enrollment.md).", MAX_MESSAGE)
    one = "/api/1/recordings/{recording}"
    figures = {"200": {"description": "Figures.", "content": {"text/plain": {"schema": {"type": "string"}}}}}
    receipt = {"200": {"description": "The signed receipt.", "content": {LINE: {"schema": {"type": "string"}}}}}
    return {
        "/api/1/enroll": {
            "post": _of_anyone(
                "A new box asks to be known; its claim decides.",
                {"200": _told("What its settings need.", "Enrolled"), "default": _REFUSED},
                "box",
                line,
            )
        },
        "/api/1/renew": {
            "post": _of_anyone(
                "A known box asks for its broker, and for a new certificate; its key decides.",
                {"200": _told("What it has to know now.", "Renewed"), "default": _REFUSED},
                "box",
                line,
            )
        },
        one: {"get": _of_a_box("How far a recording got.", state, _RECORDING)},
        f"{one}/header": {
            "put": _of_a_box("The recording's signed header.", _KEPT, _RECORDING, body=_body(LINE, "`header.tsv`."))
        },
        f"{one}/key": {
            "put": _of_a_box("The recording's encrypted key.", _KEPT, _RECORDING, body=_body(BYTES, "`key.age`."))
        },
        f"{one}/lines": {
            "post": _of_a_box(
                "Ledger lines, each segment's followed by its bytes.",
                state,
                _RECORDING,
                body=_body(BYTES, "From `next_line` on, up to ten segments (docs/format.md section 3)."),
            )
        },
        f"{one}/tail/{{number}}": {
            "put": _of_a_box(
                "A segment of the unverified tail.",
                _KEPT,
                _RECORDING,
                _NUMBER,
                body=_body(BYTES, "The segment's file."),
            )
        },
        f"{one}/receipt": {"get": _of_a_box("The receipt, once the recording is sealed.", receipt, _RECORDING)},
        "/livez": {"get": _health("This process answers.")},
        "/readyz": {"get": _health("Requests can be served.")},
        "/healthz": {"get": _health("All of the archive works.")},
        "/metrics": {
            "get": {
                "summary": "Figures for a monitor, in Prometheus's text format.",
                "tags": ["monitor"],
                "security": [{"token": []}],
                "responses": figures | {"default": _REFUSED},
            }
        },
        PATH: {
            "get": {
                "summary": "Counts for the control page of a co-operative (docs/control.md).",
                "tags": ["control page"],
                "security": [{"token": []}],
                "responses": {"200": _told("Counts, ages and ends.", "Summary"), "default": _REFUSED},
            }
        },
    }


def _models() -> Json:
    error = {
        "type": "object",
        "required": ["error"],
        "properties": {
            "error": {
                "type": "object",
                "required": ["code", "message", "field"],
                "properties": {
                    "code": {"type": "string", "pattern": "^[a-z0-9-]+$"},
                    "message": {"type": "string"},
                    "field": {"type": ["string", "null"]},
                },
                "additionalProperties": False,
            }
        },
        "additionalProperties": False,
    }
    health = {
        "type": "object",
        "required": ["version", "parts"],
        "properties": {
            "version": {"const": 1},
            "parts": {"type": "object", "additionalProperties": {"enum": ["works", "fails"]}},
        },
        "additionalProperties": False,
    }
    models: Json = {"Error": error, "Health": health}
    for model in (Enrolled, Renewed, UploadState, Summary):
        schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
        models |= schema.pop("$defs", {})
        models[model.__name__] = schema
    # the network's form has no version (docs/format.md section 3)
    models["UploadState"]["properties"].pop("version", None)
    return models


def description() -> Json:
    """Return the whole document."""
    signature = (
        "HTTP message signature (RFC 9421) by the box's courier, with Content-Digest, Signature-Input and Signature: "
        "docs/format.md section 3.1."
    )
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Plain Sight archive",
            "version": "1",
            "description": "What boxes, monitors and control pages ask an archive. docs/format.md, docs/running.md and "
            "docs/control.md say the rest.",
        },
        "paths": paths(),
        "components": {
            "schemas": _models(),
            "securitySchemes": {
                "signature": {"type": "apiKey", "in": "header", "name": "Signature", "description": signature},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


def written() -> str:
    """Return the document's text."""
    return json.dumps(description(), indent=1) + "\n"


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
    PAGE.write_text(written())
    sys.stdout.write(f"{PAGE.relative_to(ROOT)} is as the program has it\n")
