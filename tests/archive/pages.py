"""A page as a tree, and the rules that every page must keep (WCAG 2.1 AA, as far as markup alone can tell)."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from html.parser import HTMLParser

VOID = {"meta", "link", "input", "br", "img", "hr", "source"}
UNLABELLED = {"hidden", "submit", "button"}


@dataclass
class Node:
    """An element."""

    tag: str
    attributes: dict[str, str | None] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)
    text_parts: list[str] = field(default_factory=list)

    def all(self, *tags: str) -> list[Node]:
        """Every descendant with one of these tags, in order; all if none is given."""
        found: list[Node] = []
        for child in self.children:
            if not tags or child.tag in tags:
                found.append(child)
            found += child.all(*tags)
        return found

    def one(self, tag: str) -> Node:
        found = self.all(tag)
        assert len(found) == 1, f"{len(found)} <{tag}>"
        return found[0]

    @property
    def text(self) -> str:
        """All text, white space joined."""
        return " ".join(" ".join(self.text_parts).split())

    def get(self, name: str) -> str:
        return self.attributes.get(name) or ""


class _Builder(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.root = Node("document")
        self.open = [self.root]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        node = Node(tag, dict(attrs))
        assert len(node.attributes) == len(attrs), f"<{tag}> repeats an attribute"
        self.open[-1].children.append(node)
        if tag not in VOID:
            self.open.append(node)

    def handle_endtag(self, tag: str) -> None:
        assert self.open[-1].tag == tag, f"</{tag}> closes <{self.open[-1].tag}>"
        self.open.pop()

    def handle_data(self, data: str) -> None:
        for node in self.open:
            node.text_parts.append(data)


def parse(html: str) -> Node:
    """The tree of a page; every element must be closed in order."""
    builder = _Builder()
    builder.feed(html)
    builder.close()
    assert len(builder.open) == 1, f"<{builder.open[-1].tag}> is never closed"
    return builder.root


SKIP = {"en": "Skip to the content", "es": "Ir al contenido"}


def check(html: str, *, language: str = "en") -> Node:
    """Assert the rules of a page in `language`, and return the tree."""
    assert html.startswith("<!DOCTYPE html>")
    page = parse(html)
    assert page.one("html").get("lang") == language
    assert page.one("title").text.endswith("· Plain Sight")
    assert any(
        meta.get("name") == "viewport" and "user-scalable" not in meta.get("content") for meta in page.all("meta")
    )
    _check_landmarks(page, language)
    _check_headings(page)
    _check_controls(page)
    _check_tables(page)
    _check_nothing_inline_or_foreign(page)
    _check_references(page)
    return page


def _check_landmarks(page: Node, language: str) -> None:
    assert page.one("main").get("id") == "main"
    assert page.one("header")
    assert page.one("footer")
    first = page.one("body").all("a")[0]
    assert (first.get("href"), first.text) == ("#main", SKIP[language])
    names = [nav.get("aria-label") for nav in page.all("nav")]
    assert all(names), "a <nav> has no name"
    assert len(set(names)) == len(names), "two <nav> have the same name"


def _check_headings(page: Node) -> None:
    levels = [int(node.tag[1]) for node in page.all("h1", "h2", "h3", "h4")]
    assert levels.count(1) == 1, "one <h1> a page"
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels)), levels
    assert all(node.text for node in page.all("h1", "h2", "h3", "h4"))


def _check_controls(page: Node) -> None:
    labels = {label.get("for") for label in page.all("label") if label.text}
    for control in page.all("input", "select", "textarea"):
        if control.get("type") not in UNLABELLED:
            assert control.get("id") in labels, f"<{control.tag} name={control.get('name')}> has no label"
    for element in page.all("button", "a"):
        assert element.text or element.get("aria-label"), f"a <{element.tag}> without a name"
    for audio in page.all("audio"):
        assert audio.get("aria-label")
        assert "controls" in audio.attributes
        assert "autoplay" not in audio.attributes
    for form in page.all("form"):
        if form.get("method") == "post":
            assert any(one.get("name") == "csrfmiddlewaretoken" for one in form.all("input")), "a form without a token"


def _check_tables(page: Node) -> None:
    for table in page.all("table"):
        assert table.one("caption").text
        assert table.all("th")
        assert all(head.get("scope") in {"col", "row"} for head in table.all("th"))


def _check_nothing_inline_or_foreign(page: Node) -> None:
    assert not page.all("style", "iframe", "object", "embed")
    for node in page.all():
        assert "style" not in node.attributes, f"<{node.tag}> has a style"
        assert not [name for name in node.attributes if name.startswith("on")], f"<{node.tag}> has a script"
        for name in ("src", "href", "action"):
            assert "//" not in node.get(name), f"{node.get(name)} is elsewhere"
    for script in page.all("script"):
        assert script.get("src")
        assert not script.text


def _check_references(page: Node) -> None:
    identifiers = [node.get("id") for node in page.all() if node.get("id")]
    assert len(set(identifiers)) == len(identifiers), "an id occurs twice"
    for node in page.all():
        for name in ("aria-labelledby", "aria-describedby", "for"):
            for wanted in node.get(name).split():
                assert wanted in identifiers, f"{name}={wanted} names nothing"
        if node.get("href").startswith("#") and node.get("href") != "#":
            assert node.get("href")[1:] in identifiers
