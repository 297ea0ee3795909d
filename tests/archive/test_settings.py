"""What the archive's configuration makes of Django's settings: clean for deployment, secrets outside, mail off."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail

from appliance.contract.errors import SettingsError
from archive.configuration.fields import read_secret
from archive.configuration.file import Configuration, load
from archive.configuration.services import Mail
from archive.configuration.web import Metrics
from archive.core.mail import EmailBackend
from archive.doctor import secret_files, site
from tests.support.archives import Archive

SITE = '[site]\nurl = "https://archive.example.org"\nhosts = ["archive.example.org"]\n'


def spawn(archive: Archive, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "archive.command", *arguments]
    return subprocess.run(
        command, env=archive.environment() | environment, capture_output=True, text=True, timeout=300, check=False
    )


def test_djangos_own_check_for_deployment_finds_nothing(archive: Archive) -> None:
    (archive.home / "archive.toml").write_text(SITE)
    done = spawn(archive, "check", "--deploy", "--fail-level", "WARNING")
    assert (done.returncode, "WARNINGS" in done.stderr) == (0, False), done.stderr


def test_that_check_tells_an_address_without_encryption(archive: Archive) -> None:
    (archive.home / "archive.toml").write_text(SITE.replace("https", "http"))
    assert spawn(archive, "check", "--deploy", "--fail-level", "WARNING").returncode == 1


def test_mail_is_off_unless_the_settings_say_how(archive: Archive) -> None:
    assert Configuration().mail is None
    assert settings.EMAIL_BACKEND == "django.core.mail.backends.dummy.EmailBackend"
    assert settings.ADMINS == settings.MANAGERS == []
    said = [one for one in site.check(site.look(settings.ARCHIVE, archive.home)) if one.check == "mail"]
    assert [one.found for one in said] == ["off: nothing is sent"]


def test_mail_that_is_on_goes_through_the_districts_server_alone(archive: Archive) -> None:
    (archive.home / "archive.toml").write_text(
        SITE + '[mail]\nhost = "mail.district.example"\nsender = "a@district.example"\n'
    )
    shown = "from django.conf import settings as s; print(s.EMAIL_BACKEND, s.EMAIL_HOST, s.EMAIL_USE_TLS)"
    done = spawn(archive, "shell", "--no-imports", "-c", shown)
    assert done.stdout.strip() == "archive.core.mail.EmailBackend mail.district.example True", done.stderr


def test_the_mail_password_is_read_when_mail_is_sent(archive: Archive, tmp_path: Path) -> None:
    """So a command that sends none does not need it, and a changed one needs no restart."""
    given = Mail(host="127.0.0.1", port=9, sender="a@example.org", user="archive", password_file=tmp_path / "gone")
    configuration = settings.ARCHIVE.model_copy(update={"mail": given})
    with pytest.MonkeyPatch.context() as changed:
        changed.setattr(settings, "ARCHIVE", configuration)
        with pytest.raises(SettingsError, match=r"mail\.password|secret") as told:
            mail.send_mail(
                "x", "y", "a@example.org", ["b@example.org"], connection=EmailBackend(host="127.0.0.1", port=9)
            )
        assert told.value.field == "mail.password_file"
        (tmp_path / "gone").write_text("now it is here\n")
        backend = EmailBackend(host="127.0.0.1", port=9)
        with pytest.raises(ConnectionRefusedError):
            backend.open()
        assert backend.password == "now it is here"


def test_a_secret_is_a_file_or_a_credential_of_the_service(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mail.password").write_text("s3cret\n")
    assert read_secret(None, "x") == ""
    assert read_secret(tmp_path / "mail.password", "x") == "s3cret"
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)
    with pytest.raises(SettingsError, match="systemd-run"):
        read_secret(Path("credential:mail.password"), "x")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert read_secret(Path("credential:mail.password"), "x") == "s3cret"
    for wrong in ("credential:other", str(tmp_path / "nowhere"), str(tmp_path)):
        with pytest.raises(SettingsError) as told:
            read_secret(Path(wrong), "mail.password_file")
        assert told.value.field == "mail.password_file"


@pytest.mark.parametrize("name", ["../keys/signing.pem", "a/b", ""])
def test_a_credential_cannot_lead_elsewhere(tmp_path: Path, name: str) -> None:
    file = tmp_path / "archive.toml"
    file.write_text(f'[metrics]\ntoken_file = "credential:{name}"\n')
    with pytest.raises(SettingsError) as told:
        load(file)
    assert told.value.field == "metrics.token_file"


def test_a_command_that_needs_no_secret_runs_without_it(archive: Archive) -> None:
    (archive.home / "archive.toml").write_text(
        SITE + '[mail]\nhost = "m.example"\nsender = "a@d.example"\npassword_file = "credential:mail.password"\n'
        '[metrics]\ntoken_file = "credential:metrics.token"\n'
    )
    environment = {name: value for name, value in os.environ.items() if name != "CREDENTIALS_DIRECTORY"}
    assert "CREDENTIALS_DIRECTORY" not in environment
    assert spawn(archive, "list", "--json").returncode == 0


def test_doctor_tells_a_secret_that_others_may_read(tmp_path: Path) -> None:
    file = tmp_path / "metrics.token"
    chosen = Configuration(metrics=Metrics(token_file=file))
    for mode, verdict in ((0o600, "ok"), (0o640, "ok"), (0o644, "wrong"), (0o660, "wrong")):
        file.write_text("x")
        file.chmod(mode)
        [found] = secret_files.check(secret_files.look(chosen, tmp_path / "home"))
        assert (found.check, found.verdict) == ("metrics.token_file", verdict)
    file.unlink()
    assert [one.verdict for one in secret_files.check(secret_files.look(chosen, tmp_path / "home"))] == ["wrong"]
    assert secret_files.look(chosen, tmp_path) == (), "the archive's own folder is looked at as a whole"
    credential = Configuration(metrics=Metrics(token_file=Path("credential:metrics.token")))
    assert secret_files.look(credential, tmp_path) == ()
