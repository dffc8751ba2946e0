"""What JSON Schema has no words for, told to schemathesis: limits in bytes of UTF-8.

A text of 256 characters fits the document's `maxLength`, and may be too long all the same. The
document says so by the text's `format`; here is how such a text is made. And what makes too long a
token may keep each of its fields' rules.
"""

from typing import Any

import schemathesis
from hypothesis import strategies as st

_LIMITS = (64, 256, 1024, 8192)
# Of one to four bytes.
_CHARACTERS = ("x", "é", "語", "🎉")
_SHORT = 40
# Bytes of what stands in the token as it is; beside it there is room for the longest names.
_IN_CLEAR = 2400


def _texts(limit: int) -> st.SearchStrategy[str]:
    """Make texts of up to so many bytes: short ones, and the longest."""
    longest = [character * (limit // len(character.encode())) for character in _CHARACTERS]
    return st.text(st.characters(codec="utf-8"), max_size=_SHORT) | st.sampled_from(longest)


for _limit in _LIMITS:
    schemathesis.openapi.format(f"utf8-{_limit}", _texts(_limit))


@schemathesis.hook
def filter_case(_: schemathesis.HookContext, case: schemathesis.Case[Any]) -> bool:
    """Leave out what is refused for the token's length alone."""
    body = case.body if isinstance(case.body, dict) else {}
    lengths = [_length(body.get(f"participant_{part}")) for part in ("metadata", "attributes")]
    return sum(lengths) <= _IN_CLEAR or max(lengths) > max(_LIMITS)


def _length(value: object) -> int:
    """Count the bytes of all texts in it."""
    if isinstance(value, dict):
        return sum(_length(each) for each in (*value, *value.values()))
    return len(value.encode(errors="surrogatepass")) if isinstance(value, str) else 0
