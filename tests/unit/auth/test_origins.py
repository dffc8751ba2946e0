"""CORS_ORIGINS with patterns: whose pages an operator means by `*`."""

import pytest

from shared_settings.settings import SettingsError
from tests.environ import settings
from token_server.auth.demo_pages import is_among
from token_server.setting_types import origin_matcher

PREVIEWS = "https://*.example.app"
MEANT = {
    "a label": (PREVIEWS, "https://pr-12.example.app"),
    "digits": (PREVIEWS, "https://12.example.app"),
    "an underscore": (PREVIEWS, "https://a_b.example.app"),
    "a name in punycode": (PREVIEWS, "https://xn--bcher-kva.example.app"),
    "capitals in the pattern": ("https://*.Example.app", "https://pr.example.app"),
    "its port": ("http://*.example.app:8080", "http://pr.example.app:8080"),
    "three labels behind it": ("https://*.dev.example.app", "https://pr.dev.example.app"),
    "an IPv6 address": ("http://[::1]:5173", "http://[::1]:5173"),
    "all": ("*", "https://anybody.example"),
}
NOT_MEANT = {
    "no label": (PREVIEWS, "https://example.app"),
    "an empty label": (PREVIEWS, "https://.example.app"),
    "two labels": (PREVIEWS, "https://a.pr.example.app"),
    "another host": (PREVIEWS, "https://pr.example.com"),
    "a host that ends like it": (PREVIEWS, "https://pr.notexample.app"),
    "a host that goes on": (PREVIEWS, "https://pr.example.app.evil.example"),
    "any character for the dot": (PREVIEWS, "https://pr.examplexapp"),
    "another scheme": (PREVIEWS, "http://pr.example.app"),
    "a port": (PREVIEWS, "https://pr.example.app:8443"),
    "another port": ("http://*.example.app:8080", "http://pr.example.app:80"),
    "no port": ("http://*.example.app:8080", "http://pr.example.app"),
    "a new line": (PREVIEWS, "https://pr.example.app\n"),
    "a path": (PREVIEWS, "https://pr.example.app/"),
    "a user": (PREVIEWS, "https://pr@x.example.app"),
    "a letter that looks like one": (PREVIEWS, "https://\u212a.example.app"),
    "another IPv6 address": ("http://[::1]:5173", "http://:5173"),
    "null": (PREVIEWS, "null"),
}
REFUSED = [
    "https://*",
    "https://*.com",
    "https://*.",
    "https://*.:8080",
    "https://*.1.2.3.4",
    "https://*.*.example.app",
    "https://**.example.app",
    "https://pr-*.example.app",
    "https://*-pr.example.app",
    "https://pr.*.example.app",
    "https://*.example.*",
    "https://*.example.app:*",
    "https://*.example.app/",
    "https://*.example..app",
    "https://[*.example.app]",
    "*.example.app",
    "*://*.example.app",
]


@pytest.mark.parametrize(("pattern", "origin"), MEANT.values(), ids=MEANT.keys())
def test_a_page_that_is_meant_may_ask(pattern: str, origin: str) -> None:
    """Each preview of a branch has a host of its own."""
    (named,) = settings(CORS_ORIGINS=pattern).cors_origins

    assert is_among(origin, [origin_matcher(named)])


@pytest.mark.parametrize(("pattern", "origin"), NOT_MEANT.values(), ids=NOT_MEANT.keys())
def test_any_other_page_may_not(pattern: str, origin: str) -> None:
    """Who lets in more than was meant lets in strangers' pages."""
    (named,) = settings(CORS_ORIGINS=pattern).cors_origins

    assert not is_among(origin, [origin_matcher(named)])


@pytest.mark.parametrize("pattern", REFUSED)
def test_a_pattern_that_anybody_could_fit_is_refused(pattern: str) -> None:
    """By the setting's name, with the rule."""
    with pytest.raises(SettingsError, match=r"^CORS_ORIGINS must each be .*https://\*\.HOST"):
        settings(CORS_ORIGINS=f"https://app.example.com, {pattern}")
