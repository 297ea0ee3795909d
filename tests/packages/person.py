"""Runs inside a root, on its own Python: a custodian at a browser, from the first sign-in to a claim's file.

python3 person.py SET-UP CLAIM ROOM     what `plainsight-archive setup --json` printed; where the claim's file goes

The second step is set up as the pages ask. Prints one JSON object, or ends with a traceback.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import html
import http.cookiejar
import json
import re
import ssl
import struct
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

AUTHORITY = "/var/lib/plainsight-archive/keys/authority.pem"


class Person:
    """Somebody whose browser trusts the district's authority."""

    def __init__(self, site: str) -> None:
        self.site = site.rstrip("/")
        self._browser = urllib.request.build_opener(
            urllib.request.HTTPSHandler(context=ssl.create_default_context(cafile=AUTHORITY)),
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()),
        )
        self.at, self.page = "", ""

    def get(self, address: str) -> str:
        """Open a page and return its text."""
        return self._open(urllib.request.Request(self.site + address))

    def send(self, action: str, **typed: str) -> str:
        """Send the form of the page that goes to `action`, or to the page itself, with what is typed over it."""
        forms = re.findall(r"<form.*?</form>", self.page, re.DOTALL)
        forms.sort(key=lambda one: f'action="{action}"' not in one)
        form = next(one for one in forms if all(f'name="{name}"' in one for name in typed))
        held = {}
        for tag in re.findall(r"<input[^>]*>", form):
            of = dict(re.findall(r'([a-z_]+)="([^"]*)"', tag))
            if of.get("type") not in {"checkbox", "radio"} or " checked" in tag:
                held[of["name"]] = html.unescape(of.get("value", "on"))
        for name, options in re.findall(r'<select[^>]* name="([^"]+)"(.*?)</select>', form, re.DOTALL):
            chosen = re.findall(r'value="([^"]*)" selected', options) or re.findall(r'value="([^"]*)"', options)
            held[name] = chosen[0]
        data = urllib.parse.urlencode({**held, **typed}).encode()
        return self._open(urllib.request.Request(self.site + action, data, {"Referer": self.at}))

    def _open(self, request: urllib.request.Request) -> str:
        with self._browser.open(request, timeout=120) as answer:
            self.at, self.page = answer.url, answer.read().decode()
        return self.page


def code(secret: str) -> str:
    """Return what an authenticator app shows now (RFC 6238)."""
    counter = struct.pack(">Q", int(time.time()) // 30)
    digest = hmac.digest(base64.b32decode(secret), counter, hashlib.sha1)
    start = digest[-1] & 15
    return f"{(struct.unpack_from('>I', digest, start)[0] & 0x7FFFFFFF) % 1_000_000:06d}"


def main(made: str, claim: str, room: str) -> None:
    """Sign in, set the second step up, give a claim out and download its file."""
    known = json.loads(Path(made).read_text("utf-8"))
    person = Person(known["address"])
    person.get("/sign-in/")
    person.send("/sign-in/", username=known["user"], password=known["password"])
    signed_in = person.at
    person.get("/my/app/")
    secret = re.findall(r'<span class="id">([A-Z2-7 ]+)</span>', person.page)[0].replace(" ", "")
    person.send("/my/app/", code=code(secret))
    second_step = person.at
    person.get("/boxes/claims/new/")
    person.send("/boxes/claims/new/", room=room)
    Path(claim).write_text(person.send("/boxes/claims/file/"), "utf-8")
    print(json.dumps({"signed_in": signed_in, "second_step": second_step, "recordings": person.get("/recordings/")}))


if __name__ == "__main__":
    main(*sys.argv[1:])
