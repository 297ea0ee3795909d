"""The rules of accessibility that a machine can check, on whatever page a browser shows."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Final

from selenium import webdriver

AXE: Final = Path(__file__).resolve().parents[1] / "vendor" / "axe-core" / "axe.min.js"
AXE_SHA256: Final = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
_RUN: Final = """
const done = arguments[arguments.length - 1];
const runOnly = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
// none of these rules reads style sheets, which it would fetch and parse for each run
const preload = { assets: ["media"] };
axe.run(document, { runOnly, resultTypes: ["violations"], selectors: false, iframes: false, preload })
  .then((result) => done(result.violations.map((one) => [one.id, one.nodes.map((node) => node.html.slice(0, 160))])))
  .catch((error) => done([[String(error), []]]));
"""


def violations(browser: webdriver.Chrome) -> list[tuple[str, list[str]]]:
    """Return the rules that the page breaks, each with the elements that break it; no page of ours has frames."""
    if not browser.execute_script("return typeof axe === 'object'"):
        script = AXE.read_bytes()
        assert hashlib.sha256(script).hexdigest() == AXE_SHA256, "axe-core is not the version that is named"
        # also for the pages that follow: to send it to each costs seven times what it costs a page to load it
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": script.decode()})
        browser.execute_script(script.decode())
    found: list[tuple[str, list[str]]] = browser.execute_async_script(_RUN)
    return found
