"""The rule of each field of a request, said twice: to the validator and to the document. No I/O.

Limits are LiveKit's (pkg/config/config.go 1.13.5, `limit`) or tighter: the token travels in a URL.
"""

import json
import re
from collections.abc import Callable
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema
from pydantic.fields import FieldInfo

from token_server.livekit.port import AGENT_IDENTITY_PREFIX

# Bytes of UTF-8.
_NAME_LIMIT = 256
_METADATA_LIMIT = 8192
_ATTRIBUTES_LIMIT = 8192
# They are in the ticket as they are: what is long is metadata.
_JOB_ATTRIBUTES_LIMIT = 1024
# A job's metadata that is as long as this in JSON is no text: that takes six bytes for a control
# character alone.
_JSON_METADATA_LIMIT = 32768
# The token's, that all of these are in. Clients join with it in their URL, and many proxies take
# lines of 8 KB. What else a client puts there is up to it: livekit-client 2.23.0, 2.4 KB.
TOKEN_LIMIT = 7000
# LiveKit's own (protocol/agent/environment.go 1.50.5, ValidateDeployment): a dispatch with another
# one is refused.
_DEPLOYMENT_LIMIT = 64
# In a query each byte may take three, and all of it has to fit into gunicorn's 8190.
_QUERY_METADATA_LIMIT = 1024

# LiveKit puts out the older of two participants of one identity (livekit-behaviour 43). So begin
# those of agents, of phone callers and of egress, which records the room (livekit-behaviour 44). An
# ingress has the identity that its operator chose.
_RESERVED_IDENTITIES = (AGENT_IDENTITY_PREFIX, "sip_", "EG_")
# What LiveKit says of agents, phone callers and ingress (protocol/livekit/attrs.go), and we of
# whoever has a ticket.
_RESERVED_ATTRIBUTES = ("lk.", "sip.", "ingress.", "token_server.")

# Control and format characters (Unicode 16), and those of private use that icon fonts draw. As
# ranges of a regular expression, in the syntax that Python and ECMA 262 share, so that the document
# has the very rule that is checked. What is merely unassigned is people's next emoji. Half a pair
# does not get through the JSON of a request; the JSON of a login token it does.
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
_IDENTITY_PATTERN = f"^(?!{'|'.join(_RESERVED_IDENTITIES)}){_name_pattern(_REFUSED)}"
_SHOWN_NAME_PATTERN = f"^{_name_pattern(_REFUSED_IN_SHOWN)}"
_DEPLOYMENT_PATTERN = f"^[^{_REFUSED}{_SPACES}_]*$"
_is_deployment = re.compile(f"[^{_REFUSED}{_SPACES}_\ud800-\udfff]*").fullmatch
_has_refused = re.compile(f"[{_REFUSED}]").search
_has_refused_in_shown = re.compile(f"[{_REFUSED_IN_SHOWN}]").search
_has_half_a_pair = re.compile("[\ud800-\udfff]").search
# Tabs, ends of lines and other control characters stand between words; the rest is invisible.
_CONTROL = re.compile(r"\s*[\u0000-\u001f\u007f-\u009f][\s\u0000-\u001f\u007f-\u009f]*")
_INVISIBLE = re.compile(f"[{_REFUSED_IN_SHOWN}\ud800-\udfff]")


def check_identity(value: str) -> str:
    """Return a participant identity; ValueError names the rule that it breaks."""
    if value.startswith(_RESERVED_IDENTITIES):
        raise ValueError(
            f"must not start with {_or(_RESERVED_IDENTITIES)}, which are LiveKit's own"
        )
    return _check_name(value)


def check_shown_name(value: str) -> str:
    """Return a participant name; ValueError names the rule that it breaks."""
    return _check_name(value, _has_refused_in_shown)


def mend_shown_name(unverified_name: str) -> str:
    """Make a participant name of any text; one that keeps the rules stays as it is.

    An identity is never mended: two people could become one.

    Returns:
        A name that `check_shown_name` returns; "" if nothing of it can be shown.
    """
    spaced = _CONTROL.sub(" ", unverified_name)
    shown = _INVISIBLE.sub("", spaced).strip()
    return shown.encode()[:_NAME_LIMIT].decode(errors="ignore").strip()


def _check_name(value: str, has_refused: _Search = _has_refused) -> str:
    if has_refused(value) or _has_half_a_pair(value):
        raise ValueError("must not contain control or private use characters")
    if value != value.strip():
        raise ValueError("must not start or end with a space")
    return _at_most(_NAME_LIMIT, value)


def _check_job_metadata(value: str) -> str:
    if len(json.dumps(value)) > _JSON_METADATA_LIMIT:
        raise ValueError(
            f"must be at most {_JSON_METADATA_LIMIT} bytes as JSON, where a control character"
            " takes six"
        )
    return _at_most(_METADATA_LIMIT, value)


def _check_deployment(value: str) -> str:
    if not _is_deployment(value):
        raise ValueError("must not contain spaces, `_`, control or private use characters")
    return _at_most(_DEPLOYMENT_LIMIT, value)


def _check_attributes(limit: int, value: dict[str, str]) -> dict[str, str]:
    if any(key.startswith(_RESERVED_ATTRIBUTES) for key in value):
        raise ValueError(f"keys must not start with {_or(_RESERVED_ATTRIBUTES)}")
    if sum(len(key.encode()) + len(text.encode()) for key, text in value.items()) > limit:
        raise ValueError(f"must be at most {limit} bytes in all")
    return value


def _or(words: tuple[str, ...]) -> str:
    return f"{', '.join(words[:-1])} or {words[-1]}"


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


def _described_attributes(limit: int) -> FieldInfo:
    """Likewise of attributes."""
    info: FieldInfo = Field(
        description=f"At most {limit} bytes of UTF-8 in all, keys and values.",
        json_schema_extra={
            "propertyNames": {"pattern": f"^(?!{'|'.join(map(re.escape, _RESERVED_ATTRIBUTES))})"},
            "additionalProperties": {"type": "string", "maxLength": limit},
        },
    )
    return info


Name = Annotated[str, _described(_NAME_LIMIT, _NAME_PATTERN), AfterValidator(_check_name)]
ShownName = Annotated[
    str, _described(_NAME_LIMIT, _SHOWN_NAME_PATTERN), AfterValidator(check_shown_name)
]
Identity = Annotated[
    str, _described(_NAME_LIMIT, _IDENTITY_PATTERN), AfterValidator(check_identity)
]
Metadata = Annotated[
    str, _described(_METADATA_LIMIT), AfterValidator(partial(_at_most, _METADATA_LIMIT))
]
JobMetadata = Annotated[str, _described(_METADATA_LIMIT), AfterValidator(_check_job_metadata)]
Deployment = Annotated[
    str, _described(_DEPLOYMENT_LIMIT, _DEPLOYMENT_PATTERN), AfterValidator(_check_deployment)
]
QueryMetadata = Annotated[
    str, _described(_QUERY_METADATA_LIMIT), AfterValidator(partial(_at_most, _QUERY_METADATA_LIMIT))
]
# In JSON's words and no others; an empty one is not given.
QueryFlag = Annotated[
    bool,
    BeforeValidator(lambda text: {"true": True, "false": False}.get(text, text)),
    WithJsonSchema({"enum": [True, False, ""]}),
]
Attributes = Annotated[
    dict[str, str],
    _described_attributes(_ATTRIBUTES_LIMIT),
    AfterValidator(partial(_check_attributes, _ATTRIBUTES_LIMIT)),
]
JobAttributes = Annotated[
    dict[str, str],
    _described_attributes(_JOB_ATTRIBUTES_LIMIT),
    AfterValidator(partial(_check_attributes, _JOB_ATTRIBUTES_LIMIT)),
]
