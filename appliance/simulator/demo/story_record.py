"""What becomes of the story's recording: disclosed, held, backed up, destroyed, and gone from the old backup."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import io
import sqlite3
import zipfile
from datetime import datetime
from http import HTTPStatus
from pathlib import Path
from typing import Final

from .services import DemoError
from .story_cast import Cast
from .visitor import Page

PARTY: Final = "Dr. Kim, evaluator"
EVALUATION: Final = "an independent evaluation"
RECORDED: Final = ("Rosa Torres, mother", "Lee Park, speech therapist", "Marta Ruiz, interpreter")
"""Who was noted at the opening."""
ID: Final = "[0-9a-f-]{36}"
"""An identifier in an address, as a pattern."""
STATEMENT_FILE: Final = "statement-1.txt"
REST_H: Final = 25
"""A destruction rests for a day after its approval; an hour more, in hours."""
FORGOTTEN_H: Final = 32 * 24
"""After so many hours the copies of the keys that an archive made are forgotten ([backup] keep_days is 30)."""


class RecordLife(Cast):
    """The steps after the parent's request is answered."""

    async def _disclose_in_vain(self) -> None:
        page = await self.custodian.send(
            f"/recordings/{self._recording}/disclose/", party=PARTY, purpose=EVALUATION, what="audio", basis="consent"
        )
        page.expect("signed and dated consent", *RECORDED)
        self._disclosure = page.url
        refused = await self.custodian.get(f"{page.url}copy.zip")
        refused.expect("The gates do not let it through")

    async def _disclose(self) -> None:
        today = f"{datetime.now(self._zone):%Y-%m-%d}"
        page = await self.custodian.send(
            f"/recordings/{self._recording}/consents/new/",
            person="Rosa Torres",
            records="the recording of this meeting",
            purpose=EVALUATION,
            party=PARTY,
            signed_on=today,
            how="electronic",
            proof="Signed in with her own link and code",
            approval="Her words in an e-mail, in file 12",
        )
        page.expect("The consent was entered.", RECORDED[0])
        for name in RECORDED:
            await self.custodian.send(
                f"/recordings/{self._recording}/recorded/", name=name, consented_on=today, proof="file 13"
            )
        copy = await self.custodian.get(
            (await self.custodian.get(self._disclosure)).link(f"/disclosures/{ID}/copy.zip")
        )
        with zipfile.ZipFile(io.BytesIO(copy.content)) as file:
            held = file.namelist()
        if not {f"{self._recording}.flac", "REDISCLOSURE.txt", STATEMENT_FILE} <= set(held):
            raise DemoError(f"the copy holds {', '.join(held)}")
        page = await self.custodian.get(self._disclosure)
        page.expect(hashlib.sha256(copy.content).hexdigest())
        receipt = await self.custodian.get(page.link(f"/disclosures/{ID}/receipt.pdf"))
        if not receipt.content.startswith(b"%PDF-"):
            raise DemoError(f"{receipt.url} is no PDF file")
        (await self.parent.get(f"/own/{self._student}/record-of-access/")).expect(PARTY, EVALUATION)

    async def _evidence(self) -> None:
        page = await self.custodian.get(f"/recordings/{self._recording}/evidence/")
        package = await self.custodian.get(page.link(f"/recordings/{self._recording}/evidence.zip"))
        with zipfile.ZipFile(io.BytesIO(package.content)) as file:
            held = {name.partition("/")[2] for name in file.namelist()}
        wanted = {
            *("data/summary.pdf", "data/summary.es.pdf", f"data/recording/{self._recording}.flac"),
            *("data/custody/entries.jsonl", f"data/records/statements/{STATEMENT_FILE}"),
        }
        if not wanted <= held:
            raise DemoError(f"the evidence package lacks {', '.join(sorted(wanted - held))}")
        await self._verify(package.content)

    async def _enter_answer(self) -> None:
        (await self.registrar.get("/retention/")).expect("Ask counsel")
        page = await self.registrar.send("/retention/new/", code="SPED 4", title="Recordings of meetings", kinds="iep")
        answered = await self.registrar.send(
            f"{page.url}answer/",
            length="permanent",
            on_request="yes",
            citation="Retention schedule, item 4; 34 CFR 300.624(b)",
            decided_by="The board",
            decided_on=f"{datetime.now(self._zone):%Y-%m-%d}",
            advice="Counsel Lee, in writing",
        )
        answered.expect("for good", "Counsel Lee")

    async def _hold(self) -> None:
        page = await self.custodian.send(
            "/holds/new/", title="Torres v. the district", reason="A lawsuit is announced", owner="Counsel Lee"
        )
        held = await self.custodian.send(page.url, student="S-17")
        held.expect("It is on hold.", "All recordings of Ana Torres")
        refused = await self._propose(status=HTTPStatus.UNPROCESSABLE_ENTITY)
        refused.expect("It is on hold.")
        ended = await self.custodian.send(f"{held.url}end/", reason="It was settled")
        ended.expect("The matter has ended.")

    async def _propose(self, status: int = HTTPStatus.OK) -> Page:
        return await self.registrar.send(
            f"/recordings/{self._recording}/destroy/",
            status,
            basis="request",
            asked_by="Rosa Torres",
            reason="The parents ask for it, and it is no longer needed",
        )

    async def _propose_destruction(self) -> None:
        page = await self._propose()
        self._destruction = page.url
        letter = await self.registrar.send(page.link(f"/destructions/{ID}/students/{ID}/people/{ID}/tell/"))
        letter.expect("is no longer needed", "Ana Torres")
        await self.registrar.send(f"{letter.url}delivery/", how="by hand")
        page = await self.registrar.get(self._destruction)
        reply = page.link(f"/destructions/{ID}/letters/{ID}/reply/")
        page = await self.registrar.send(reply, reply="agrees", remark="Yes, please.")
        page.expect("The answer was entered.", "Yes, please.")

    async def _approve_destruction(self) -> None:
        alone = await self.registrar.send(f"{self._destruction}approve/", HTTPStatus.UNPROCESSABLE_ENTITY)
        alone.expect("You proposed it yourself.")
        approved = await self.custodian.send(f"{self._destruction}approve/")
        approved.expect("The day of rest after the approval is not over.")
        early = await self.custodian.send(
            f"{self._destruction}carry-out/", HTTPStatus.UNPROCESSABLE_ENTITY, understood="on"
        )
        early.expect("The day of rest after the approval is not over.")
        await self._hear(self.custodian)

    async def _restore(self) -> None:
        verified, of, words = await self._district.back_up_and_restore()
        if verified != of or not of:
            raise DemoError(f"of {of} recordings {verified} were verified after the restore: {words}")

    async def _tamper(self) -> None:
        """Change one entry in the restored archive, as somebody would who has its disk, and look who notices."""
        home = self._district.layout.restored
        entry = await asyncio.to_thread(_change_an_entry, home / "archive.sqlite3")
        said = await self._district.refused("check-custody", "--json", home=home)
        if f"entry {entry}: " not in said:
            raise DemoError(f"entry {entry} was changed, and the check says: {said}")

    async def _leave(self) -> None:
        verified, of, words = await self._district.leave_and_come_in()
        if verified != of or not of:
            raise DemoError(f"of {of} recordings {verified} were verified after the import: {words}")

    async def _destroy(self) -> None:
        await self._district.go_ahead(REST_H)
        for person in (self.custodian, self.registrar):
            await person.sign_in(self.passwords[person.name])
        await self._hear(self.custodian)
        done = await self.custodian.send(f"{self._destruction}carry-out/", understood="on")
        done.expect("It was destroyed. Here is the certificate.")
        recording = f"/recordings/{self._recording}/"
        await self.custodian.get(f"{recording}audio.wav", status=HTTPStatus.GONE)
        page = await self.registrar.until(
            self._destruction, lambda page: "not yet: short-lived copies" in page.words, "key and package to be removed"
        )
        printed = await self.registrar.get(page.link(f"/destructions/{ID}/certificate.pdf"))
        if not printed.content.startswith(b"%PDF-"):
            raise DemoError(f"{printed.url} is no PDF file")

    async def _open_old_backup(self) -> None:
        layout = self._district.layout
        old = min(path.name.removesuffix(".tar.age") for path in (layout.home / "key-generations").iterdir())
        await self._district.go_ahead(REST_H + FORGOTTEN_H)
        await self._district.archive("backup", "--to", str(layout.home / "backup"))
        said = await self._district.refused(
            "restore",
            *("--from", str(layout.home / "backup"), "--generation", old),
            *("--keys-from", str(layout.home / "key-generations")),
            *("--generation-keys-from", str(layout.home / "generation-keys")),
            home=layout.home / "nothing",
        )
        if "it was forgotten, and opens nothing" not in said:
            raise DemoError(f"the old copy of the keys still opens: {said}")
        await self.registrar.sign_in(self.passwords[self.registrar.name])
        page = await self.registrar.until(
            self._destruction, lambda page: "not yet: short-lived copies" not in page.words, "the second date"
        )
        page.expect("No backup opens it")


def _change_an_entry(database: Path) -> int:
    """Change what one entry of the custody log says, and return its number."""
    with contextlib.closing(sqlite3.connect(database)) as connection:
        names = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")]
        for name in names:
            connection.execute(f'DROP TRIGGER "{name}"')
        (n,) = connection.execute("SELECT n FROM custody_entry WHERE code = 'listen' ORDER BY n").fetchone()
        connection.execute("UPDATE custody_entry SET actor_id = '' WHERE n = ?", [n])
        connection.commit()
    return int(n)
