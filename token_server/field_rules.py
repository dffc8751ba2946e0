"""The rule of each field of a request, said twice: to the validator and to the document. No I/O.

Limits are LiveKit's (pkg/config/config.go 1.13.5, `limit`) or tighter: the token travels in a URL.
"""

import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic.fields import FieldInfo

# Bytes of UTF-8.
_NAME_LIMIT = 256
_METADATA_LIMIT = 8192
_ATTRIBUTES_LIMIT = 8192
# In a query each byte may take three, and all of it has to fit into gunicorn's 8190.
_QUERY_METADATA_LIMIT = 1024

# The agent's own identity starts so; LiveKit would put it out for a human of the same identity.
AGENT_IDENTITY_PREFIX = "agent-"
# LiveKit's own attributes, and ours (the ticket).
_RESERVED_ATTRIBUTES = ("lk.", "token_server.")

# Control and format characters (Unicode 16), and those of private use that icon fonts draw. As
# ranges of a regular expression, in the syntax that Python and ECMA 262 share, so that the document
# has the very rule that is checked. What is merely unassigned is people's next emoji; half a pair
# never gets through the JSON.
_BEFORE_JOINERS = (
    r"\u0000-\u001f\u007f-\u009f\u00ad\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u180e\u200b"
)
# Parts of letters and emoji: Persian and family names are written with them.
_JOINERS = r"\u200c\u200d"
_BEHIND_JOINERS = (
    r"\u200e\u200f\u202a-\u202e\u2060-\u206f\ue000-\uf8ff\ufeff\ufff9-\ufffb"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e007f"
)
_REFUSED = _BEFORE_JOINERS + _JOINERS + _BEHIND_JOINERS
_REFUSED_IN_SHOWN = _BEFORE_JOINERS + _BEHIND_JOINERS
_SPACES = r" \u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"


_Search = Callable[[str], re.Match[str] | None]


def _name_pattern(refused: str) -> str:
    """Return the pattern of a text without these characters, and without a space at its ends."""
    outer = f"[^{refused}{_SPACES}]"
    return f"(?:{outer}(?:[^{refused}]*{outer})?)?$"


_NAME_PATTERN = f"^{_name_pattern(_REFUSED)}"
_IDENTITY_PATTERN = f"^(?!{AGENT_IDENTITY_PREFIX}){_name_pattern(_REFUSED)}"
_SHOWN_NAME_PATTERN = f"^{_name_pattern(_REFUSED_IN_SHOWN)}"
_has_refused = re.compile(f"[{_REFUSED}]").search
_has_refused_in_shown = re.compile(f"[{_REFUSED_IN_SHOWN}]").search


def check_identity(value: str) -> str:
    """Return a participant identity; ValueError names the rule that it breaks."""
    if value.startswith(AGENT_IDENTITY_PREFIX):
        raise ValueError(f"must not start with {AGENT_IDENTITY_PREFIX}, which is for agents")
    return _check_name(value)


def check_shown_name(value: str) -> str:
    """Return a participant name; ValueError names the rule that it breaks."""
    return _check_name(value, _has_refused_in_shown)


def _check_name(value: str, has_refused: _Search = _has_refused) -> str:
    if has_refused(value):
        raise ValueError("must not contain control or private use characters")
    if value != value.strip():
        raise ValueError("must not start or end with a space")
    return _at_most(_NAME_LIMIT, value)


def _check_metadata(value: str) -> str:
    return _at_most(_METADATA_LIMIT, value)


def _check_query_metadata(value: str) -> str:
    return _at_most(_QUERY_METADATA_LIMIT, value)


def _check_attributes(value: dict[str, str]) -> dict[str, str]:
    if any(key.startswith(_RESERVED_ATTRIBUTES) for key in value):
        raise ValueError(f"keys must not start with {' or '.join(_RESERVED_ATTRIBUTES)}")
    if sum(len(key.encode()) + len(text.encode()) for key, text in value.items()) > (
        _ATTRIBUTES_LIMIT
    ):
        raise ValueError(f"must be at most {_ATTRIBUTES_LIMIT} bytes in all")
    return value


def _at_most(limit: int, value: str) -> str:
    if len(value.encode()) > limit:
        raise ValueError(f"must be at most {limit} bytes of UTF-8")
    return value


def _described(limit: int, pattern: str = "") -> FieldInfo:
    """Describe a text. JSON Schema counts characters and we count bytes: the format says so."""
    rules = {"pattern": pattern} if pattern else {}
    info: FieldInfo = Field(
        json_schema_extra={"maxLength": limit, "format": f"utf8-{limit}", **rules}
    )
    return info


Name = Annotated[str, _described(_NAME_LIMIT, _NAME_PATTERN), AfterValidator(_check_name)]
ShownName = Annotated[
    str, _described(_NAME_LIMIT, _SHOWN_NAME_PATTERN), AfterValidator(check_shown_name)
]
Identity = Annotated[
    str, _described(_NAME_LIMIT, _IDENTITY_PATTERN), AfterValidator(check_identity)
]
Metadata = Annotated[str, _described(_METADATA_LIMIT), AfterValidator(_check_metadata)]
QueryMetadata = Annotated[
    str, _described(_QUERY_METADATA_LIMIT), AfterValidator(_check_query_metadata)
]
Attributes = Annotated[
    dict[str, str],
    Field(
        description=f"At most {_ATTRIBUTES_LIMIT} bytes of UTF-8 in all, keys and values.",
        json_schema_extra={
            "propertyNames": {"pattern": r"^(?!lk\.|token_server\.)"},
            "additionalProperties": {"type": "string", "maxLength": _ATTRIBUTES_LIMIT},
        },
    ),
    AfterValidator(_check_attributes),
]
