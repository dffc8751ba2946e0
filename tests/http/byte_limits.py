"""What JSON Schema has no words for, told to schemathesis: limits in bytes of UTF-8.

A text of 256 characters fits the document's `maxLength`, and may be too long all the same. The
document says so by the text's `format`; here is how such a text is made.
"""

import schemathesis
from hypothesis import strategies as st

_LIMITS = (256, 1024, 8192)
# Of one to four bytes.
_CHARACTERS = ("x", "é", "語", "🎉")
_SHORT = 40


def _texts(limit: int) -> st.SearchStrategy[str]:
    """Make texts of up to so many bytes: short ones, and the longest."""
    longest = [character * (limit // len(character.encode())) for character in _CHARACTERS]
    return st.text(st.characters(codec="utf-8"), max_size=_SHORT) | st.sampled_from(longest)


for _limit in _LIMITS:
    schemathesis.openapi.format(f"utf8-{_limit}", _texts(_limit))
