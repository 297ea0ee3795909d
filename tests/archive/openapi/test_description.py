"""docs/openapi.json tells every address that programs ask, and nothing else; drawn requests find no defect."""

from __future__ import annotations

import json
import re

from archive.access.routes import ROUTES, Open
from tests.archive.access.table import addresses
from tests.archive.openapi.description import PAGE, description, written
from tests.archive.openapi.requests import Drawing, send
from tests.archive.page_fixtures import Arrive
from tests.support.archives import Archive

HEALTH = {"healthz", "livez", "readyz"}


def test_the_document_is_what_the_program_says() -> None:
    """Write it anew with `python -m tests.archive.openapi.description`."""
    assert PAGE.read_text() == written()


def test_it_has_each_address_and_method_of_the_table_of_routes() -> None:
    told = {
        (re.sub(r"\{\w+\}", "*", path), method.upper())
        for path, operations in description()["paths"].items()
        for method in operations
    }
    programs = {
        (re.sub(r"[A-Z]{2,}", "*", address), method)
        for address, name in addresses()
        if ROUTES[name].needs in {Open.BOX, Open.MONITOR, Open.CONTROL_PAGE} or name in HEALTH
        for method in ROUTES[name].methods
        if method != "HEAD"
    }
    assert told == programs


def test_every_reference_leads_somewhere() -> None:
    document = json.dumps(description())
    named = set(re.findall(r"#/components/schemas/(\w+)", document))
    assert named <= description()["components"]["schemas"].keys()
    assert {"Error", "UploadState", "Enrolled"} <= named


def test_no_drawn_request_finds_a_defect_or_an_answer_that_is_not_described(
    archive: Archive, arrive: Arrive, sealed: Arrive
) -> None:
    known = {"sealed": sealed(seconds=1).id, "receiving": arrive(seconds=1, reason=None).id}
    seen = send(archive, known, Drawing(examples=6))
    assert seen.problems == []
    assert seen.requests > 60
    assert {200, 401} <= seen.statuses.keys()
