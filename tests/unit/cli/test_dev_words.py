"""What `make dev` tells the person at the terminal."""

import pytest

from token_server.cli.dev.supervisor import Death
from token_server.cli.dev.words import banner, boxed, obituary

ENVIRON = {"PORT": "8080", "TOKEN_AUTH": "none", "LIVEKIT_AGENT_NAME": "voice-agent"}


def test_box_is_as_wide_as_its_longest_line() -> None:
    """A box that is not closed looks broken."""
    assert boxed(["a", "abc"]) == "┌───────┐\n│  a    │\n│  abc  │\n└───────┘"


def test_banner_has_the_address_and_a_command_to_try() -> None:
    """These two are what a newcomer does next."""
    text = banner(ENVIRON, "here", has_page=True)

    assert (True, True, False) == (
        "Ready   http://127.0.0.1:8080 " in text,
        "curl -X POST http://127.0.0.1:8080/token" in text,
        "no page" in text,
    )


@pytest.mark.parametrize(("auth", "shown"), [("key", "$TOKEN_KEY"), ("jwt", "$LOGIN_TOKEN")])
def test_banner_shows_what_has_to_be_shown(auth: str, shown: str) -> None:
    """A command that answers 401 is no help; a login token is no key."""
    text = banner(ENVIRON | {"TOKEN_AUTH": auth}, "here", has_page=True)

    assert f'-H "Authorization: Bearer {shown}"' in text


def test_banner_says_that_there_is_no_page() -> None:
    """Without npm the address would lead to a 404 that nobody explains."""
    text = banner(ENVIRON, "here", has_page=False)

    assert "no page: npm was missing" in text


def test_obituary_has_name_cause_last_words_and_advice() -> None:
    """Which one, why, and what now: without scrolling through three logs."""
    text = obituary(Death("web", 1, ["TOKEN_AUTH must be set"]))

    assert text == (
        "\nweb ended (exit code 1), so everything was stopped. Its last lines:\n"
        "    TOKEN_AUTH must be set\n"
        "Mend what they say (settings: .env.example lists them all), then start again."
    )


def test_obituary_tells_signals_and_missing_programs_from_exit_codes() -> None:
    """-9 means out of memory more often than a bug; 127 means that .venv is incomplete."""
    texts = [obituary(Death("x", code, [])) for code in (-9, 127)]

    assert [True, True] == ["(signal 9)" in texts[0], "its program was not found" in texts[1]]
