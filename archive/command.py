"""The `plainsight-archive` command: Django's management command under its own name."""

from __future__ import annotations

import errno
import gc
import os
import sys
from difflib import get_close_matches
from pathlib import Path

from appliance.contract.errors import PlainSightError, SettingsError
from appliance.contract.standard_output import BROKEN_PIPE, flush_output, nobody_reads
from appliance.contract.version import software

from .core.own_user import become_own_user

OWN = {
    "setup": "set up an archive on this host, in one command",
    "doctor": "say what is wrong with this archive, and what to do",
    "control-page": "ask a co-operative's archives how they are, and write the page that shows it",
    "take-certificate": "take a public certificate for the pages",
    "make-certificates": "make the district's authority, and the certificates of this host",
    "write-broker-access": "write what the broker lets each box do",
    "make-keys": "make the archive's opening, signing and session keys, and the escrow key",
    "migrate": "make or update the database",
    "enroll": "give out a one-time claim for a new box in a room",
    "withdraw-claim": "let a claim be taken no longer",
    "add-box": "make a box known by hand, where it cannot use a claim",
    "retire": "take nothing new from a box, or from one key of it",
    "place": "say in which room a box stands",
    "add-user": "make an account for the pages",
    "list-users": "list the accounts and what each may do",
    "disable-user": "end an account",
    "set-password": "give an account a new password",
    "grant": "let an account do more",
    "revoke": "take rights away from an account",
    "web": "serve the boxes' interface and the pages",
    "worker": "seal what boxes have closed, sign receipts, clear and compare",
    "listen": "follow what boxes say about themselves (MQTT)",
    "list": "list the recordings",
    "seal": "seal one recording by hand",
    "verify": "check a sealed recording again",
    "fixity": "say what the regular checks of the packages found",
    "export": "write out a sealed package, and its key if asked",
    "take-in": "take in a recording that another district's archive hands over",
    "keyring": "print the key ring that a checker needs",
    "backup": "copy the whole archive, and its keys apart from it",
    "restore": "take a backup back into an empty folder, and verify all of it",
    "export-archive": "export the whole archive in open formats, to leave with it",
    "import-archive": "take such an export in again, on another host",
    "audit": "compare store, keys and database",
    "move-store": "move packages from the disk into a bucket, or back",
    "check-store": "prove that a bucket keeps what it is given, before it is used",
    "make-waveform": "measure a sealed recording's levels again",
    "check-custody": "check the custody log's chain",
    "confirm-clock": "say that the clock is right, where the custody log speaks against it",
}

REFUSED = {
    "createsuperuser": "there are no superusers; make an account with add-user",
    "changepassword": "that would leave no custody entry; use set-password",
}
"""Django's own subcommands that would go around the custody log."""


def usage() -> str:
    """Return the help text."""
    width = max(map(len, OWN))
    return "\n".join(
        [
            "usage: plainsight-archive SUBCOMMAND [ARGUMENTS]",
            "",
            *(f"  {name:<{width}}  {purpose}" for name, purpose in OWN.items()),
            "",
            "Django's own subcommands work as well ('plainsight-archive help' lists them).",
            "Run them with sudo: they go on as the archive's own user. Each has --help.",
            "$ARCHIVE_HOME names the archive's folder.",
            "example: ARCHIVE_HOME=/srv/archive plainsight-archive list --json",
        ]
    )


def main(arguments: list[str] | None = None) -> int:
    """Run one subcommand and return its exit status: 2 for anything wrong with arguments, settings or the output.

    141 if nobody reads the output any more, and for nothing else.
    """
    try:
        status = _run(sys.argv[1:] if arguments is None else arguments)
    except SystemExit as ended:
        # Django's and argparse's
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BrokenPipeError:
        # a connection's may be a defect, and is told
        if not nobody_reads():
            raise
        status = BROKEN_PIPE
    except OSError as error:
        if error.errno not in {errno.ENOSPC, errno.EDQUOT} or error.filename is not None:
            raise
        status = _refuse_output(error)
    failed = flush_output()
    if isinstance(failed, BrokenPipeError):
        return BROKEN_PIPE
    return status if failed is None or status else _refuse_output(failed)


def _refuse_output(error: OSError) -> int:
    print(f"plainsight-archive: cannot write the result: {error.strerror}; name another place for it", file=sys.stderr)
    return 2


def _run(arguments: list[str]) -> int:
    if not arguments or arguments in (["--help"], ["-h"], ["--version"]):
        print(software() if arguments == ["--version"] else usage(), file=sys.stdout if arguments else sys.stderr)
        return 0 if arguments else 2
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "archive.settings")
    name = arguments[0]
    if name in OWN:
        # a module's name cannot hold a hyphen
        arguments = [name.replace("-", "_"), *arguments[1:]]
    try:
        if name in {"setup", "take-certificate"}:
            # root runs them, and they make what Django would read
            from archive.setup import command as setup  # noqa: PLC0415 - only when it is asked for

            return (setup.main if name == "setup" else setup.take_certificate)(arguments[1:])
        if name == "control-page":
            # it runs where no archive is, as any user, and is none of the archive that may be here
            os.environ.setdefault("ARCHIVE_HOME", "/nonexistent")
        from archive.configuration.file import home  # noqa: PLC0415 - only when it is installed

        become_own_user(home())
        return _execute(name, arguments)
    except ModuleNotFoundError as error:
        print(
            f"plainsight-archive: the package {error.name!r} is not installed; install plainsight[archive]",
            file=sys.stderr,
        )
        return 2
    except PlainSightError as error:
        where = f" [{error.field}]" if error.field else ""
        print(f"plainsight-archive {name}:{where} {error.message}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130


def _execute(name: str, arguments: list[str]) -> int:
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - only when it is installed
    from django.db import OperationalError  # noqa: PLC0415

    reason = REFUSED.get(name)
    if reason is None and name not in {*OWN, "help"} and not name.startswith("-") and not _is_django_s(name):
        near = get_close_matches(name, OWN, 1)
        reason = "there is no such subcommand" + (f"; did you mean {near[0]!r}?" if near else "; --help lists them")
    if reason is not None:
        print(f"plainsight-archive {name}: {reason}", file=sys.stderr)
        return 2
    try:
        _set_django_up()
        _keep_from_making_a_database(arguments)
        execute_from_command_line(["plainsight-archive", *arguments])
    except OperationalError as error:
        from archive.core.base_command import explained  # noqa: PLC0415 - as above

        print(f"plainsight-archive {name}: {explained(error)}", file=sys.stderr)
        return 2
    return 0


def _set_django_up() -> None:
    """Import what every command needs, and look for no garbage in it: all of it stays, and is most of what there is.

    A command starts a seventh sooner, and the web server's workers share what nobody writes into.
    """
    import django  # noqa: PLC0415 - only when it is installed
    from django.apps import apps  # noqa: PLC0415 - the same

    if apps.ready:
        return
    gc.disable()
    try:
        django.setup()
    finally:
        gc.freeze()
        gc.enable()


def _keep_from_making_a_database(arguments: list[str]) -> None:
    """Let only a `migrate` that writes make the file that SQLite would make at every look at a missing database.

    `import-archive` makes it as well, after it looked at everything else.
    """
    from django.db import connection  # noqa: PLC0415 - only when it is installed

    path = Path(connection.settings_dict["NAME"])
    if connection.vendor != "sqlite" or path.exists() or arguments[0] == "import_archive":
        return
    if arguments[0] == "migrate" and not {"--plan", "--check", "--help", "-h"} & set(arguments):
        _check_is_for_an_archive(path.parent)
    else:
        connection.settings_dict["OPTIONS"]["database"] = f"{path.as_uri()}?mode=rw"


def _check_is_for_an_archive(folder: Path) -> None:
    """Raise SettingsError if `folder` holds other things, and none of an archive."""
    names = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    if names and not names & {"keys", "archive.toml"}:
        raise SettingsError(
            f"{folder} holds other things and no archive's keys; set $ARCHIVE_HOME to the archive's folder, "
            "or run 'make-keys' first",
            field="ARCHIVE_HOME",
        )


def _is_django_s(name: str) -> bool:
    from django.core.management import get_commands  # noqa: PLC0415 - only when it is installed

    # before it is set up, Django knows only some of its subcommands
    _set_django_up()
    return name in get_commands()


if __name__ == "__main__":
    sys.exit(main())
