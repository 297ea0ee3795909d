"""The front panel's page: guarded against every other page, and pressed in a real browser."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from selenium import webdriver
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from appliance.simulator.panel import SimulatedPanel
from tests.support.axe import violations
from tests.support.simulator import Simulator
from tests.support.waiting import until


def token(simulator: Simulator) -> str:
    found = re.search(r'panel-token" content="([^"]+)"', requests.get(simulator.page, timeout=60).text)
    assert found
    return found.group(1)


def buttons(simulator: Simulator) -> list[str]:
    return [line["button"] for line in simulator.log("panel") if "button" in line]


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"Origin": "http://evil.example"}, "foreign-origin"),
        ({"Origin": "null"}, "foreign-origin"),
        ({}, "foreign-origin"),
        ({"Origin": "SELF"}, "wrong-token"),
        ({"Origin": "SELF", "X-Panel-Token": "guess"}, "wrong-token"),
        ({"Origin": "SELF", "Host": "panel.evil.example"}, "wrong-host"),
    ],
)
def test_promise_1_no_foreign_page_presses_the_button(simulator: Simulator, headers: dict[str, str], code: str) -> None:
    sent = {name: simulator.page if value == "SELF" else value for name, value in headers.items()}
    answer = requests.post(f"{simulator.page}/do", json={"button": "down"}, headers=sent, timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, code)
    assert buttons(simulator) == []


def test_a_request_that_means_nothing_gets_400_and_changes_nothing(simulator: Simulator) -> None:
    headers = {"Origin": simulator.page, "X-Panel-Token": token(simulator)}
    for body in ("{", "[]", '{"button": "sideways"}', '{"microphone": "eat"}'):
        answer = requests.post(f"{simulator.page}/do", data=body, headers=headers, timeout=60)
        assert answer.status_code == 400
    assert buttons(simulator) == []


def test_a_panel_without_a_process_manager_says_so(simulator: Simulator) -> None:
    headers = {"Origin": simulator.page, "X-Panel-Token": token(simulator)}
    body = {"process_manager": {"do": "stop", "what": "archive"}}
    answer = requests.post(f"{simulator.page}/do", json=body, headers=headers, timeout=60)
    assert (answer.status_code, answer.json()["error"]["code"]) == (409, "no-process-manager")


def test_promise_1_a_simulated_panel_is_refused_on_a_machine_that_is_set_up_as_a_box(
    tmp_path: Path, spoken: Path
) -> None:
    (tmp_path / "etc/plainsight").mkdir(parents=True)
    (tmp_path / "etc/plainsight/recorder.toml").write_text('[panel]\nkind = "gpio"\n')
    result = subprocess.run(
        [
            *(sys.executable, "-m", "appliance.command", "simulator"),
            *("--dir", str(tmp_path), "--spoken", str(spoken), "--root", str(tmp_path)),
        ],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert result.returncode == 2
    assert "recorder.toml" in result.stderr
    assert not (tmp_path / "panel.sock").exists()
    assert "Traceback" not in result.stderr


def test_what_is_not_there_or_too_long_is_refused_with_a_code_too(simulator: Simulator) -> None:
    missing = requests.get(f"{simulator.page}/secrets", timeout=60)
    assert (missing.status_code, missing.json()["error"]["code"]) == (404, "bad-request")
    headers = {"Origin": simulator.page, "X-Panel-Token": token(simulator)}
    long = requests.post(f"{simulator.page}/do", data=b" " * 5000, headers=headers, timeout=60)
    assert (long.status_code, long.json()["error"]["code"]) == (413, "bad-request")
    lose = requests.post(f"{simulator.page}/do", json={"lose": 10**30}, headers=headers, timeout=60)
    assert lose.status_code == 400


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in (
        *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"),
        *("--disable-background-networking", "--disable-component-update", "--disable-dev-shm-usage"),
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


def word(browser: webdriver.Chrome, light: str) -> str:
    return browser.find_element(By.ID, f"{light}-word").text


def test_the_button_is_held_with_mouse_and_with_keyboard(simulator: Simulator, browser: webdriver.Chrome) -> None:
    browser.get(simulator.page)
    button = browser.find_element(By.ID, "button")
    ActionChains(browser).click_and_hold(button).perform()
    until(lambda: buttons(simulator) == ["down"])
    ActionChains(browser).move_by_offset(0, 100).release().perform()
    until(lambda: buttons(simulator) == ["down", "up"])
    browser.execute_script("arguments[0].focus()", button)
    ActionChains(browser).key_down(Keys.SPACE).perform()
    until(lambda: buttons(simulator) == ["down", "up", "down"])
    ActionChains(browser).key_up(Keys.SPACE).perform()
    until(lambda: buttons(simulator) == ["down", "up", "down", "up"])


def test_the_lights_are_drawn_as_they_are_and_a_broken_lamp_stays_dark(
    simulator: Simulator, browser: webdriver.Chrome
) -> None:
    browser.get(simulator.page)
    until(lambda: "no word" in browser.find_element(By.ID, "state").text)
    events: list[str] = []
    panel = SimulatedPanel(simulator.folder / "panel.sock")
    panel.start(lambda event: events.append(event.kind))
    panel.set_red(True)
    panel.set_green("slow")
    panel.set_amber("slow", 3)
    until(lambda: [word(browser, name) for name in ("red", "green", "amber")] == ["steady", "slow", "slow, code 3"])
    until(lambda: "lamp-seen" in events and "rail-on" in events)
    browser.find_element(By.CSS_SELECTOR, '[data-fault="lamp_broken"]').click()
    until(lambda: word(browser, "red") == "off")
    until(lambda: events[-2:] == ["lamp-unseen", "rail-off"])
    panel.close()
    assert [line["red"] for line in simulator.log("panel") if "red" in line] == [True, False]


def test_the_microphone_is_unplugged_from_the_page(simulator: Simulator, browser: webdriver.Chrome) -> None:
    browser.get(simulator.page)
    control = browser.find_element(By.CSS_SELECTOR, '[data-fault="unplugged"]')
    control.click()
    until(lambda: control.text == "Plug the microphone in")
    assert control.get_attribute("aria-pressed") is None, "its words change, so it is no switch that is pressed"
    assert simulator.control(state=True)["state"]["faults"] == {"unplugged": True}
    assert not browser.find_element(By.ID, "kill").is_enabled(), "nobody runs the other parts here"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_on_the_panel_and_nothing_scrolls_sideways(
    simulator: Simulator, browser: webdriver.Chrome, scheme: str
) -> None:
    size = {"width": 320, "height": 640, "deviceScaleFactor": 1, "mobile": True}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    features = [{"name": "prefers-color-scheme", "value": scheme}]
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})
    try:
        browser.get(simulator.page)
        until(lambda: "no word" in browser.find_element(By.ID, "state").text)
        assert violations(browser) == []
        assert browser.execute_script("return document.documentElement.scrollWidth") == 320
    finally:
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
