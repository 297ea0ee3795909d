"""A person at a browser, as far as the archive can tell: reads pages, fills in their forms, follows where they lead.

It knows nothing but what pages say: links by their address, forms by the names of their fields.
Concurrency: each request runs in a thread of its own, and a visitor makes one at a time.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from http import HTTPStatus
from typing import Final
from urllib.parse import urljoin

import requests

from .services import DemoError

PATIENCE_S: Final = 240.0
"""Longest wait for one answer, and for a page to say what it will say, in seconds; enough for a busy machine."""
_INLINE: Final = {"a", "abbr", "b", "code", "em", "span", "strong", "time"}
"""Elements whose words a person reads without a gap before them."""


@dataclass
class PageForm:
    """One form of a page, with what it sends if nobody types anything."""

    action: str
    """Where it is sent; empty for the page itself."""
    sent: dict[str, str] = field(default_factory=dict)
    """Values of its fields, the hidden ones too."""
    hidden: set[str] = field(default_factory=set)
    """Names of the hidden ones."""
    names: set[str] = field(default_factory=set)
    """Names of all its fields."""
    options: dict[str, dict[str, str]] = field(default_factory=dict)
    """Of each list to choose from: value by what a person reads."""
    told: dict[str, str] = field(default_factory=dict)
    """What the page tells its own script about it (attributes data-...)."""

    def takes(self, typed: Mapping[str, str]) -> bool:
        """Tell whether this is the form in which somebody would type that; only a deed's own form asks for nothing."""
        fits = all(name in self.names for name in typed)
        fixed = all(self.sent[name] == value for name, value in typed.items() if name in self.hidden)
        return fits and fixed and (bool(typed) or "once" in self.names)

    def filled(self, typed: Mapping[str, str]) -> dict[str, str]:
        """Return what is sent; from a list a person chooses by what it says."""
        chosen = {name: self.options.get(name, {}).get(value, value) for name, value in typed.items()}
        return {**self.sent, **chosen}


class _Reader(HTMLParser):
    """Collects what a person sees and can do."""

    def __init__(self) -> None:
        super().__init__()
        self.words: list[str] = []
        self.links: list[tuple[str, str]] = []
        self.forms: list[PageForm] = []
        self.audio = ""
        self._form: PageForm | None = None
        self._list = self._option = self._area = ""
        self._said: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        of = {name: value or "" for name, value in attrs}
        name, form = of.get("name", ""), self._form
        if tag not in _INLINE:
            self.words.append(" ")
        if tag == "input" and "readonly" in of:
            self.words.append(f" {of.get('value', '')} ")
        if tag == "a":
            self.links.append((of.get("href", ""), ""))
            self._said = []
        elif tag == "audio":
            self.audio = of.get("src", "")
        elif tag == "form":
            told = {name.removeprefix("data-"): value for name, value in of.items() if name.startswith("data-")}
            self._form = PageForm(of.get("action", ""), told=told)
            self.forms.append(self._form)
        elif form is not None and name and tag in {"input", "select", "textarea"}:
            self._field(form, tag, name, of)
        elif form is not None and tag == "option":
            self._option, self._said = of.get("value", ""), []
            if "selected" in of or self._list not in form.sent:
                form.sent[self._list] = self._option

    def _field(self, form: PageForm, tag: str, name: str, of: Mapping[str, str]) -> None:
        form.names.add(name)
        if tag == "select":
            self._list = name
            form.options[name] = {}
        elif tag == "textarea":
            self._area, self._said = name, []
        elif of.get("type") not in {"file", "submit"}:
            if of.get("type") == "hidden":
                form.hidden.add(name)
            if of.get("type") not in {"radio", "checkbox"} or "checked" in of:
                form.sent[name] = of.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        said = " ".join("".join(self._said).split())
        if tag == "a" and self.links:
            self.links[-1] = (self.links[-1][0], said)
        elif tag == "option" and self._form is not None:
            self._form.options[self._list][said] = self._option
        elif tag == "textarea" and self._form is not None:
            self._form.sent[self._area] = "".join(self._said).removeprefix("\n")
        elif tag == "form":
            self._form = None

    def handle_data(self, data: str) -> None:
        self.words.append(data)
        self._said.append(data)


@dataclass(frozen=True)
class Page:
    """An answer."""

    url: str
    """Where it was found in the end."""
    status: int
    """HTTP status."""
    content: bytes
    """All of it."""
    kind: str
    """Its media type."""
    words: str
    """What a person reads of it; empty for what is no page."""
    links: tuple[tuple[str, str], ...]
    """Address and words of each link."""
    forms: tuple[PageForm, ...]
    """Its forms."""
    audio: str
    """Address of its player's audio; empty without a player."""

    @property
    def said(self) -> str:
        """Its begin, for a message."""
        return self.words[:600] or repr(self.content[:600])

    @classmethod
    def read(cls, answer: requests.Response) -> Page:
        """Read an answer."""
        reader, kind = _Reader(), answer.headers.get("Content-Type", "").partition(";")[0]
        if kind == "text/html":
            reader.feed(answer.content.decode())
        words = " ".join("".join(reader.words).split())
        links, forms = tuple(reader.links), tuple(reader.forms)
        return cls(answer.url, answer.status_code, answer.content, kind, words, links, forms, reader.audio)

    def link(self, pattern: str) -> str:
        """Return the address of the first link that matches all of `pattern`; raise DemoError."""
        found = self.all_links(pattern)
        if not found:
            raise DemoError(f"{self.url} has no link to {pattern}: {self.said}")
        return found[0]

    def all_links(self, pattern: str) -> list[str]:
        """Return the addresses that match all of `pattern`."""
        return [address for address, _ in self.links if re.fullmatch(pattern, address)]

    def expect(self, *words: str) -> Page:
        """Return this page if a person reads each of `words` on it; raise DemoError."""
        for one in words:
            if one not in self.words:
                raise DemoError(f"{self.url} does not say “{one}”: {self.said}")
        return self


class Visitor:
    """Somebody with a browser of their own."""

    def __init__(self, site: str, name: str) -> None:
        self.site, self.name = site, name
        self._browser = requests.Session()
        # what an environment says of proxies is not for this machine's own addresses
        self._browser.trust_env = False

    async def get(self, address: str, *, status: int = HTTPStatus.OK, part: str = "") -> Page:
        """Open an address, or the bytes `part` of it; raise DemoError if the answer has another status."""
        headers = {"Range": f"bytes={part}"} if part else {}
        return self._checked(await self._ask("GET", address, headers=headers), status)

    async def send(self, address: str, status: int = HTTPStatus.OK, file: bytes | None = None, **typed: str) -> Page:
        """Open a page, type into the form that has these fields, send it, and return where it leads."""
        page = await self.get(address)
        form = next((one for one in page.forms if one.takes(typed)), None)
        if form is None:
            raise DemoError(f"{page.url} has no form with {', '.join(typed) or 'a button alone'}: {page.said}")
        files = None if file is None else {"file": ("file.csv", file)}
        target = urljoin(page.url, form.action)
        return self._checked(await self._ask("POST", target, data=form.filled(typed), files=files), status)

    async def bring(self, address: str, data: bytes) -> Page:
        """Choose a file on a page that sends it in pieces, as its script does; return where it leads."""
        page = await self.get(address)
        form = next((one for one in page.forms if "pieces" in one.told), None)
        if form is None:
            raise DemoError(f"{page.url} takes no file in pieces: {page.said}")
        length = int(form.told["piece"])
        headers = {"Content-Type": "application/octet-stream", "X-CSRFToken": form.sent["csrfmiddlewaretoken"]}
        for at in range(0, len(data), length):
            place = f"{urljoin(page.url, form.told['pieces'])}?at={at}&size={len(data)}"
            sent = await self._ask("POST", place, data=data[at : at + length], headers=headers)
            self._checked(sent, HTTPStatus.OK)
        return await self.send(address)

    async def sign_in(self, password: str) -> None:
        """Sign in with the own name."""
        page = await self.send("/sign-in/", username=self.name, password=password)
        if "/sign-in/" in page.url:
            raise DemoError(f"{self.name} cannot sign in: {page.said}")

    async def until(self, address: str, holds: Callable[[Page], bool], what: str) -> Page:
        """Load a page again and again until `holds`; raise DemoError when nobody would wait any longer."""
        deadline = asyncio.get_running_loop().time() + PATIENCE_S
        while not holds(page := await self.get(address)):
            if asyncio.get_running_loop().time() > deadline:
                raise DemoError(f"{self.name} waited {PATIENCE_S:.0f} s in vain for {what}: {page.said}")
            await asyncio.sleep(0.5)
        return page

    async def _ask(self, method: str, address: str, **options: object) -> Page:
        def ask() -> Page:
            url = urljoin(self.site, address)
            return Page.read(self._browser.request(method, url, timeout=PATIENCE_S, **options))  # type: ignore[arg-type]  # passed on

        try:
            return await asyncio.to_thread(ask)
        except requests.RequestException as error:
            raise DemoError(f"{method} {address} failed: {error}") from error

    def _checked(self, page: Page, status: int) -> Page:
        if page.status != status:
            raise DemoError(f"{self.name} got {page.status} instead of {status} from {page.url}: {page.said}")
        return page
