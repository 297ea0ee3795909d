"""The judgment of the kernel's events, tried on traces without a kernel."""

from __future__ import annotations

from tests.vm.trace import disorder, moments, parse

LINE = "  {task}-842     [000] .....  {at:.6f}: {what}"
OPENING = "opening: (snd_pcm_capture_open+0x4/0x70 [snd_pcm]) file=0xff{file}"
OPENED = "opened: (snd_open+0xb0/0x190 [snd] <- snd_pcm_capture_open) file=0xff{file} status={status}"
RELEASED = "released: (__fput+0xe3/0x2b0 <- snd_pcm_release) file=0xff{file}"


def text(*events: str) -> str:
    return "# tracer: nop\n" + "\n".join(
        LINE.format(task="ps-capture", at=100.0 + number, what=event) for number, event in enumerate(events)
    )


def red(value: int) -> str:
    return f"gpio_value: 535 set {value}"


def opening(file: int = 1) -> str:
    return OPENING.format(file=file)


def released(file: int = 1) -> str:
    return RELEASED.format(file=file)


def test_lamp_first_and_last_is_in_order() -> None:
    events = parse(text(red(1), opening(), OPENED.format(file=1, status=0), released(), red(0)))
    assert disorder(events) == ""
    assert moments(events) == {"lit": 100.0, "opening": 101.0, "released": 103.0, "dark": 104.0}


def test_a_microphone_opened_in_the_dark_is_found() -> None:
    assert "in the dark" in disorder(parse(text(opening(), red(1), released(), red(0))))
    assert "in the dark" in disorder(parse(text(red(1), red(0), opening(), released())))


def test_a_lamp_that_goes_out_under_an_open_microphone_is_found() -> None:
    assert "with the microphone open" in disorder(parse(text(red(1), opening(1), opening(2), released(1), red(0))))


def test_a_microphone_that_stays_open_is_found() -> None:
    assert "never closed" in disorder(parse(text(red(1), opening())))


def test_a_refused_opening_holds_nothing_open_and_a_players_release_closes_nothing() -> None:
    refused = OPENED.format(file=1, status=-16)
    assert disorder(parse(text(red(1), opening(1), refused, red(0)))) == ""
    # a playback device has another file
    assert "with the microphone open" in disorder(parse(text(red(1), opening(1), released(9), red(0))))


def test_other_lines_and_reads_are_no_lamp() -> None:
    assert parse(text("gpio_value: 534 set 1", "gpio_value: 535 get 1")) == []
