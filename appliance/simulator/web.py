"""The front panel's page: draws button and lights, and lets a person press and break things.

Guarded, because a page of any other origin in the same browser could otherwise press the button: it listens on
127.0.0.1 only, answers only requests whose Host is its own address (DNS rebinding), and acts only on requests with its
own Origin and a token that only its own page holds. Everything else gets 403 with a code.
"""

from __future__ import annotations

import asyncio
import html
import json
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from aiohttp import web

from appliance.contract import amber_codes

from .front_panel import Message
from .lights import meaning
from .sockets import Simulation

STATIC = Path(__file__).with_name("static")
PERIOD_S = 0.1
"""How often the page hears of the state, in seconds."""
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def refusal(code: str, message: str, status: int = 403) -> web.Response:
    """Return an error with a stable code."""
    return web.json_response({"error": {"code": code, "message": message}}, status=status, headers=HEADERS)


STATES: Final = {
    "self-test": "The box tests itself",
    "idle": "Idle",
    "fault": "Not ready",
    "arming": "Opening the microphone",
    "recording": "Recording",
    "paused": "Paused",
    "ending": "Finishing the recording",
}
"""The recorder's states in words."""
_ARCHIVE: Final = {
    "down": "Uploads wait: the archive does not answer. The box keeps everything and sends it later.",
    "refusing": "Uploads wait: the archive refuses this box.",
}
_UPLOADS: Final = {
    "receiving": "The archive is receiving the recording.",
    "closed": "The archive has the whole recording and is sealing it.",
    "sealed": "The archive has sealed the recording.",
    "refused": "The archive refuses the recording.",
}


@dataclass
class Figures:
    """Where recorder and courier say how far they are, and what stands beside the lights."""

    status: Path | None
    progress: Path | None
    _last: Message = field(default_factory=dict, init=False)
    """Seconds recorded and acknowledged of the last recording, which stay on the page after its end."""

    def read(self) -> Message:
        """Return seconds recorded, acknowledged and archived, and what is the matter, or that nothing is known."""
        status, progress = _json(self.status), _json(self.progress)
        age_s = (time.monotonic_ns() - int(status["monotonic_ns"])) / 1e9 if status else None
        if status is None or age_s is None or age_s > 2:
            return {"word": False}
        rate = int(status["rate"])
        recording = status["recording"]
        if recording:
            self._last = {
                "recording": recording,
                "recorded_s": round(int(status["frames"]) / rate, 1),
                "acknowledged_s": round(int(status["acked_frame"]) / rate, 1),
            }
        upload = (progress or {}).get("recordings", {}).get(self._last.get("recording", ""))
        archived_s = round(int(upload["frames"]) / rate, 1) if upload else 0.0
        # nothing is sent before it is safe on the box, and the last word about a recording comes before its last second
        safe_s = max(self._last.get("acknowledged_s", 0.0), archived_s)
        return {
            "word": True,
            "recorded_s": max(self._last.get("recorded_s", 0.0), safe_s),
            "acknowledged_s": safe_s,
            "state": STATES.get(status["state"], status["state"]),
            "holdable": status["state"] in {"recording", "paused"},
            "codes": [_code(name) for name in status["faults"]],
            "recording": recording,
            "archived_s": archived_s,
            "uploads": _uploads(progress, upload),
        }


def _code(name: str) -> Message:
    found = amber_codes.find(name)
    return {"code": name, "blinks": found.blinks, "cause": found.cause, "remedy": found.remedy}


def _uploads(progress: Message | None, upload: Message | None) -> str:
    if progress is None:
        return ""
    told = [_ARCHIVE.get(progress.get("archive", ""), "") or (_UPLOADS.get(upload["state"], "") if upload else "")]
    if progress.get("broker") == "down":
        told.append("Status reports wait: the broker does not answer.")
    return " ".join(filter(None, told))


def _json(path: Path | None) -> dict[str, Any] | None:
    try:
        value = json.loads(path.read_bytes()) if path else None
    except (OSError, ValueError):
        return None
    return value if isinstance(value, dict) else None


@dataclass
class Page:
    """The page, and what it may do."""

    simulation: Simulation
    figures: Figures
    process_manager: Path | None
    """Socket of whoever runs the other parts; None: they cannot be stopped from here."""
    archive_url: str = ""
    """Address of the archive's pages; empty: the page links to none."""
    origin: str = ""
    """`http://127.0.0.1:PORT`, known once the socket is bound."""
    token: str = field(default_factory=lambda: secrets.token_urlsafe(24))
    _runner: web.AppRunner | None = None

    async def start(self, port: int) -> str:
        """Serve the page and return its address."""

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guarded(request, handler)

        app = web.Application(middlewares=[guard], client_max_size=4096)
        app.add_routes(
            [
                web.get("/", self._index),
                web.get("/panel.js", self._file),
                web.get("/panel.css", self._file),
                web.get("/events", self._events),
                web.post("/do", self._do),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.5)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        bound = self._runner.addresses[0][1]
        self.origin = f"http://127.0.0.1:{bound}"
        return self.origin

    async def close(self) -> None:
        """Stop serving."""
        if self._runner is not None:
            await self._runner.cleanup()

    async def _guarded(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if f"http://{request.headers.get('Host', '')}" != self.origin:
            return refusal("wrong-host", f"this page is only at {self.origin}")
        if request.method != "GET":
            if request.headers.get("Origin") != self.origin:
                return refusal("foreign-origin", "only this panel's own page may press its button")
            if not secrets.compare_digest(request.headers.get("X-Panel-Token", "").encode(), self.token.encode()):
                return refusal("wrong-token", "reload the page: it belongs to an earlier run")
        try:
            return await handler(request)
        except web.HTTPException as error:
            return refusal("bad-request", f"refused: {error.reason}", error.status)

    async def _index(self, _request: web.Request) -> web.Response:
        text = (STATIC / "panel.html").read_text().replace("{{token}}", self.token)
        text = text.replace("{{archive}}", html.escape(self.archive_url))
        text = text.replace("{{archive-hidden}}", "" if self.archive_url else "hidden")
        return web.Response(text=text, content_type="text/html", headers=HEADERS)

    async def _file(self, request: web.Request) -> web.Response:
        name = request.path.lstrip("/")
        kind = "text/javascript" if name.endswith(".js") else "text/css"
        return web.Response(text=(STATIC / name).read_text(), content_type=kind, headers=HEADERS)

    async def _events(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        last, parts, beat = "", await self._parts(), 0
        while True:
            if beat % 10 == 0:
                parts = await self._parts()
            panel = self.simulation.state()
            panel["meaning"] = meaning(panel["red"], panel["green"], panel["amber"])
            state = {"panel": panel, "figures": self.figures.read(), "parts": parts}
            text = json.dumps(state)
            if text != last or beat % 50 == 0:
                await response.write(f"data: {text}\n\n".encode())
                last = text
            beat += 1
            await asyncio.sleep(PERIOD_S)

    async def _do(self, request: web.Request) -> web.Response:
        try:
            wanted = await request.json()
        except ValueError:
            return refusal("bad-request", "the body is not JSON", 400)
        if not isinstance(wanted, dict):
            return refusal("bad-request", "the body is one JSON object", 400)
        if "process_manager" in wanted:
            answer = await self._ask(wanted["process_manager"])
            return web.json_response(answer, status=200 if answer.get("ok") else 409, headers=HEADERS)
        answer = self.simulation.act(wanted)
        return web.json_response(answer, status=200 if answer["ok"] else 400, headers=HEADERS)

    async def _parts(self) -> Message | None:
        if self.process_manager is None:
            return None
        answer = await self._ask({"do": "state"})
        return answer.get("state")

    async def _ask(self, request: Any) -> Message:
        if self.process_manager is None:
            return {"ok": False, "error": {"code": "no-process-manager", "message": "nobody here runs the other parts"}}
        try:
            reader, writer = await asyncio.open_unix_connection(self.process_manager)
            try:
                writer.write(json.dumps(request).encode() + b"\n")
                await writer.drain()
                answer = json.loads(await asyncio.wait_for(reader.readline(), 30))
            finally:
                writer.close()
        except (OSError, ValueError, TimeoutError) as error:
            return {"ok": False, "error": {"code": "process-manager-silent", "message": f"no answer: {error}"}}
        return answer if isinstance(answer, dict) else {"ok": False}
