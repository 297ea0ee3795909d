"""How a page is looked at: the media that it is shown on, what is wrong with it on each, and pictures for a person.

A page is loaded once and then shown on one medium after the other: what a page loads costs more than what is looked at.
With PLAINSIGHT_SHOTS=FOLDER each look is kept as a picture.
"""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from tests.archive.ui.test_browser import Visit
from tests.support.axe import violations


@dataclass(frozen=True)
class Medium:
    """What a page is shown on."""

    width: int
    """CSS pixels."""
    height: int = 900
    """CSS pixels."""
    kind: str = "screen"
    """Or "print"."""
    dark: bool = False
    forced: bool = False
    """Colors are the reader's own."""


MEDIA: Final = {
    "narrow": Medium(320, 640),
    "narrow-dark": Medium(320, 640, dark=True),
    "middle": Medium(768),
    "wide": Medium(1280),
    "wide-dark": Medium(1280, dark=True),
    "large": Medium(1920, 1080, dark=True),
    "forced": Medium(1280, forced=True),
    "print": Medium(720, kind="print", dark=True),
}
WIDE: Final = """
const [widest] = arguments;
return [...document.querySelectorAll('body *')]
  .filter((e) => e.checkVisibility() && !e.closest('.scroll, .skip, .hidden, thead'))
  .filter((e) => e.getBoundingClientRect().right > widest)
  .map((e) => e.outerHTML.slice(0, 120));
"""
"""What reaches further than the screen is wide (WCAG 2.1, 1.4.10); its argument is one pixel more than that."""
CONTRAST: Final = """
const light = (c) => c.map((v) => v / 255).map((v) => v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
  .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
const numbers = (text) => text.match(/[0-9.]+/g).map(Number);
const behind = (e) => {
  for (; e; e = e.parentElement) {
    const c = numbers(getComputedStyle(e).backgroundColor);
    if (c.length === 3 || c[3] > 0) return c.slice(0, 3);
  }
  return [255, 255, 255];
};
return [...document.querySelectorAll('body *')]
  .filter((e) => [...e.childNodes].some((n) => n.nodeType === 3 && n.data.trim()))
  .filter((e) => {
    const [a, b] = [light(numbers(getComputedStyle(e).color).slice(0, 3)), light(behind(e))];
    return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
  }).map((e) => e.outerHTML.slice(0, 120));
"""
"""Text with less than 4.5 to 1 (WCAG 2.1, 1.4.3), computed from what the browser really paints."""
BROKEN_HEADS: Final = """
return [...document.querySelectorAll('th')].filter((e) => !/\\s/.test(e.innerText.trim()) && e.innerText.trim())
  .filter((e) => { const r = document.createRange(); r.selectNodeContents(e); return new Set([...r.getClientRects()]
  .map((box) => Math.round(box.top))).size > 1; }).map((e) => e.innerText);
"""
BROKEN_WORDS: Final = """
const found = [];
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
for (let node; (node = walker.nextNode());) {
  const parent = node.parentElement;
  if (!parent.offsetParent || parent.closest('.id, .digest, .detail, .hidden, .skip, code, svg, footer')) continue;
  for (const match of node.data.matchAll(/(?<!\\w)[A-Za-z]{2,24}(?!\\w)/g)) {
    const range = document.createRange();
    range.setStart(node, match.index);
    range.setEnd(node, match.index + match[0].length);
    const tops = new Set([...range.getClientRects()].filter((r) => r.width > 0).map((r) => Math.round(r.top)));
    if (tops.size > 1) found.push(match[0]);
  }
}
return found;
"""
_LAYOUT: Final = f"""
const [widest] = arguments;
const frame = document.querySelector("header.site")?.offsetHeight ?? 0;
return {{
  "a frame that takes too much": frame > (widest < 400 ? 200 : 120) && frame,
  "too wide": (() => {{ {WIDE} }})(),
  "scrolls sideways": document.documentElement.scrollWidth >= widest,
  "heads in two lines": (() => {{ {BROKEN_HEADS} }})(),
  "words broken inside": (() => {{ {BROKEN_WORDS} }})(),
  "contrast": (() => {{ {CONTRAST} }})(),
}};
"""


def show_on(visit: Visit, name: str, after: str = "") -> Medium:
    """Show the page that is there on the medium `name`, right `after` another one where that is known."""
    medium = MEDIA[name]
    before = MEDIA.get(after)
    if before is None or (before.width, before.height) != (medium.width, medium.height):
        size = {"width": medium.width, "height": medium.height, "deviceScaleFactor": 1, "mobile": medium.width == 320}
        visit.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    wanted = {
        "prefers-color-scheme": "dark" if medium.dark else "light",
        "forced-colors": "active" if medium.forced else "none",
        # colors that still fade from one look to the next would be measured on their way
        "prefers-reduced-motion": "reduce",
    }
    features = [{"name": feature, "value": value} for feature, value in wanted.items()]
    visit.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": medium.kind, "features": features})
    return medium


def shoot(visit: Visit, name: str) -> None:
    """Keep a picture of what is shown, where one is asked for."""
    if folder := os.environ.get("PLAINSIGHT_SHOTS"):
        shot = visit.browser.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})
        (Path(folder) / f"{name}.png").write_bytes(base64.b64decode(shot["data"]))


def examine(visit: Visit, name: str, media: tuple[str, ...], by_axe: tuple[str, ...]) -> dict[str, Any]:
    """Return what is wrong with the page that is shown, on each of `media`; by axe on those of `by_axe`."""
    found: dict[str, Any] = {}
    for after, one in zip(("", *media), media, strict=False):
        medium = show_on(visit, one, after)
        shoot(visit, f"{name}-{one}")
        wrong: dict[str, Any] = visit.run(_LAYOUT, medium.width + 1)
        wrong["axe"] = one in by_axe and violations(visit.browser)
        if any(wrong.values()):
            found[f"{name} {one}"] = {what: value for what, value in wrong.items() if value}
    return found
