"""Signing in, the second step and the accounts in a real browser: by keyboard alone, and axe finds nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.sessions.models import Session
from django.db import connections
from django.utils import timezone
from selenium import webdriver
from selenium.webdriver.common.keys import Keys as Key

from archive.access.deeds import ROLES
from archive.accounts.invitations import issue
from archive.accounts.models import ProviderSubject, User
from tests.archive.accounts.sign_in import code_of
from tests.archive.page_fixtures import PASSWORD, make_user
from tests.archive.ui.looks import CONTRAST, WIDE
from tests.archive.ui.test_browser import Visit, chromium
from tests.support.archives import Archive, archive_in
from tests.support.axe import violations

SETTINGS = """[site]
url = "http://localhost"
hosts = ["localhost", "127.0.0.1"]
[sign_in]
second_factor = "required"
[sign_in.provider]
issuer = "https://id.example.org"
client_id = "plain-sight"
secret_file = "{secret}"
label = "Sign in with your district account"
"""


def make_real(name: str, role: str | None = None) -> User:
    """An account whose password the server of its own process accepts."""
    user = make_user(name, role=role)
    user.password = PBKDF2PasswordHasher().encode(PASSWORD, "salt" * 6)
    user.save()
    connections.close_all()
    return user


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Archive, str]]:
    with archive_in(tmp_path_factory.mktemp("sign-in") / "archive") as made:
        secret = made.home / "provider.secret"
        secret.write_text("only for tests")
        made.write_settings(SETTINGS.format(secret=secret))
        now = timezone.now()
        ProviderSubject.objects.create(
            issuer="https://id.example.org", subject="s-1", name="Bea Ode", roles=["technician"], last_at=now
        )
        ProviderSubject.objects.create(issuer="https://id.example.org", subject="s-2", last_at=now, groups_missing=True)
        connections.close_all()
        with made.serving() as address:
            yield made, address.replace("127.0.0.1", "localhost")


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    with chromium(tmp_path_factory.mktemp("profile"), "--window-size=1200,900") as started:
        started.execute_cdp_cmd("WebAuthn.enable", {})
        options = {
            "protocol": "ctap2",
            "transport": "internal",
            "hasResidentKey": True,
            "hasUserVerification": True,
            "isUserVerified": True,
            "automaticPresenceSimulation": True,
        }
        started.execute_cdp_cmd("WebAuthn.addVirtualAuthenticator", {"options": options})
        yield started


@pytest.fixture
def visit(served: tuple[Archive, str], browser: webdriver.Chrome) -> Visit:
    """The browser, signed out."""
    visit = Visit(browser, served[1])
    visit.go("/sign-in/")
    browser.delete_all_cookies()
    visit.complaints()
    return visit


def look(visit: Visit, state: str) -> None:
    """The page as it is now keeps every rule, at 320 and 1200 pixels, light and dark."""
    found: dict[str, Any] = {}
    for width, scheme in ((320, "light"), (1200, "light"), (1200, "dark")):
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width == 320}
        visit.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        # colors that still fade from one scheme to the other would be measured on their way
        wanted = {"prefers-color-scheme": scheme, "prefers-reduced-motion": "reduce"}
        features = [{"name": name, "value": value} for name, value in wanted.items()]
        visit.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "screen", "features": features})
        wrong = {
            "axe": violations(visit.browser),
            "too wide": visit.run(WIDE, width + 1),
            "scrolls sideways": visit.run("return document.documentElement.scrollWidth > arguments[0]", width),
            "contrast": visit.run(CONTRAST),
        }
        found |= {f"{state}, {width} {scheme}: {what}": told for what, told in wrong.items() if told}
    visit.browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert found == {}


def complaints(visit: Visit) -> list[str]:
    """What the browser's console says, without the styles that axe itself tries to set while it looks."""
    return [one for one in visit.complaints() if "Applying inline style" not in one]


def heading(visit: Visit, text: str) -> None:
    visit.until("document.querySelector('h1')?.innerText.trim() === arguments[0]", text)


def type_name_and_password(visit: Visit, name: str, password: str = PASSWORD) -> None:
    visit.tab_to("username")
    visit.press(name)
    visit.tab_to("password")
    visit.press(password, Key.ENTER)


def set_up_app(visit: Visit) -> str:
    """From one's own sign-ins, by keyboard; returns the secret."""
    visit.tab_to("Set up an authenticator app")
    visit.press(Key.ENTER)
    heading(visit, "Set up an authenticator app")
    secret = str(visit.run("return document.querySelector('.scan ~ .detail .id').innerText"))
    look(visit, "app")
    visit.tab_to("code")
    visit.press(code_of(secret), Key.ENTER)
    heading(visit, "Recovery codes")
    return secret


def test_a_custodian_sets_up_a_second_step_and_signs_in_with_it(visit: Visit) -> None:
    make_real("ann", role="custodian")
    visit.go("/recordings/")
    look(visit, "sign-in")
    type_name_and_password(visit, "ann", "wrong")
    visit.until("document.querySelector('[role=alert]')")
    assert visit.run("return document.activeElement.id") == "wrong"
    look(visit, "sign-in refused")
    visit.go("/recordings/")
    type_name_and_password(visit, "ann")
    heading(visit, "My sign-ins")
    look(visit, "own sign-ins, none yet")
    secret = set_up_app(visit)
    look(visit, "recovery codes")
    assert visit.run("return document.querySelectorAll('.codes li').length") == 10
    visit.tab_to("Back to my sign-ins")
    visit.press(Key.ENTER)
    heading(visit, "My sign-ins")
    look(visit, "own sign-ins")
    visit.tab_to("Sign out")
    visit.press(Key.ENTER)
    heading(visit, "Sign in")

    visit.go("/recordings/")
    type_name_and_password(visit, "ann")
    heading(visit, "Second step")
    assert visit.run("return document.activeElement.name") == "code", "it can be typed at once"
    look(visit, "second step")
    visit.run("document.activeElement.blur()")
    visit.tab_to("code")
    visit.press("99999999", Key.ENTER)
    visit.until("document.querySelector('[role=alert]')")
    look(visit, "second step refused")
    visit.tab_to("code")
    visit.press(code_of(secret, 1), Key.ENTER)
    heading(visit, "Recordings")
    assert complaints(visit) == []


def test_a_passkey_is_added_and_signs_in_alone(visit: Visit) -> None:
    make_real("bea", role="custodian")
    visit.go("/my/")
    type_name_and_password(visit, "bea")
    heading(visit, "My sign-ins")
    visit.tab_to("Add a passkey")
    visit.press(Key.ENTER)
    heading(visit, "Add a passkey")
    look(visit, "passkey")
    visit.tab_to("Add it")
    visit.press(Key.ENTER)
    heading(visit, "Recovery codes")
    visit.tab_to("Sign out")
    visit.press(Key.ENTER)
    heading(visit, "Sign in")
    visit.tab_to("Sign in with a passkey")
    visit.press(Key.ENTER)
    visit.until("!location.pathname.startsWith('/sign-in/')")
    assert visit.run("return document.body.innerText").count("Signed in as bea") == 1

    visit.tab_to("Sign out")
    visit.press(Key.ENTER)
    heading(visit, "Sign in")
    type_name_and_password(visit, "bea")
    heading(visit, "Second step")
    look(visit, "second step by passkey")
    visit.tab_to("Use your passkey")
    visit.press(Key.ENTER)
    visit.until("!location.pathname.startsWith('/sign-in/')")
    visit.go("/my/")
    visit.tab_to("Take away Master key")
    visit.press(Key.ENTER)
    visit.until("location.pathname.endsWith('/remove/')")
    look(visit, "take a passkey away")
    assert complaints(visit) == []


def test_an_account_is_made_looked_at_and_ended_by_keyboard(visit: Visit) -> None:
    make_real("cara", role="custodian")
    visit.go("/my/")
    type_name_and_password(visit, "cara")
    heading(visit, "My sign-ins")
    set_up_app(visit)
    visit.go("/accounts/")
    look(visit, "accounts, with people who tried")
    visit.tab_to("Make an account")
    visit.press(Key.ENTER)
    heading(visit, "Make an account")
    look(visit, "new account")
    visit.tab_to("Make the account")
    visit.press(Key.ENTER)
    visit.until("document.querySelector('[role=alert]')")
    look(visit, "new account refused")
    visit.tab_to("username")
    visit.press("dora")
    while visit.run("return document.activeElement.name") != "role":
        visit.press(Key.TAB)
    visit.press("t")
    visit.tab_to("Make the account")
    visit.press(Key.ENTER)
    heading(visit, "Pass this link on")
    look(visit, "link")
    link = str(visit.run("return document.getElementById('id_link').value")).replace("http://localhost", "")
    visit.tab_to("To the account")
    visit.press(Key.ENTER)
    heading(visit, "dora")
    look(visit, "account")
    visit.tab_to("End this account")
    visit.press(Key.ENTER)
    visit.until("document.body.innerText.includes('This account ended')")
    look(visit, "account that ended")
    visit.go("/accounts/?q=nobody-at-all")
    look(visit, "no account fits")
    visit.go("/accounts/")
    visit.tab_to("Make the account of Bea Ode")
    visit.press(Key.ENTER)
    heading(visit, "Bea Ode")
    assert User.objects.get(oidc_subject="s-1").grants.count() == len(ROLES["technician"]), (
        "the role that was offered stood in the list"
    )
    connections.close_all()
    visit.go(f"/accounts/{User.objects.get(username='cara').pk}/")
    look(visit, "own account")
    visit.go(link)
    heading(visit, "This link does not work any more")
    look(visit, "a link that was used")


def test_an_invited_person_chooses_a_password(visit: Visit) -> None:
    text = issue(make_real("edda"))
    connections.close_all()
    visit.go(f"/sign-in/invitation/{text}/")
    heading(visit, "Choose your password")
    look(visit, "invitation")
    visit.tab_to("new_password1")
    visit.press("another 13579 word")
    visit.tab_to("new_password2")
    visit.press("another 13579 word", Key.ENTER)
    visit.until("!location.pathname.startsWith('/sign-in/')")
    assert "Signed in as edda" in visit.run("return document.body.innerText")


def test_a_session_that_ends_in_the_middle_of_typing_loses_nothing(visit: Visit) -> None:
    name = "fay"
    make_real(name, role="custodian")
    visit.go("/my/")
    type_name_and_password(visit, name)
    heading(visit, "My sign-ins")
    secret = set_up_app(visit)
    visit.go("/accounts/new/")
    visit.tab_to("username")
    visit.press("half.typed")
    visit.tab_to("display_name")
    visit.press("Half Typed")
    Session.objects.all().delete()
    connections.close_all()
    visit.press(Key.ENTER)
    heading(visit, "Sign in")
    look(visit, "sign-in with what was typed")
    type_name_and_password(visit, name)
    heading(visit, "Second step")
    visit.press(code_of(secret, 1), Key.ENTER)
    heading(visit, "Make an account")
    look(visit, "what was typed")
    assert visit.run("return document.getElementById('id_username').value") == "half.typed"
    assert visit.run("return document.getElementById('id_display_name').value") == "Half Typed"
