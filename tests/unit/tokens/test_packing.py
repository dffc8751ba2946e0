"""How text is made short, and what is not taken for such a text."""

import hashlib
import zlib

import hypothesis
import pytest
from hypothesis import strategies as st

from tests.long_metadata import LONG_METADATA
from token_server.tokens.packing import LONGEST_UNPACKED, pack, unpack

WORDS = b'{"role":"user","content":"I would like to change my order, please."}'
# Packed on the day that the dictionary was made: all of it.
PACKED = bytes.fromhex(
    "edd98110000000032195f953bec7ae349a1936c366d80c9b61336c86cdb01936c366d80c9b61336c86cdb019"
    "36c366d80c9b61336c86cdb01936c366d80c9be1f3190e"
)
SHA256 = "e09972492b23ca8d101acdfc305ea57540eb01f1785a67c08f54d4a46fe15673"


@hypothesis.given(st.binary())
def test_whatever_was_packed_comes_out_again(text: bytes) -> None:
    """Metadata is the application's own."""
    assert text == unpack(pack(text))


def test_realistic_metadata_becomes_less_than_two_fifths() -> None:
    """So 8 KiB of it fit into a URL, beside what livekit-client has in there."""
    text = LONG_METADATA.encode()

    assert (8192, True) == (len(text), len(pack(text)) < 0.38 * len(text))


def test_what_was_packed_by_an_earlier_process_comes_out() -> None:
    """Rooms outlast deploys: another dictionary would lose what their agents are to be told."""
    assert SHA256 == hashlib.sha256(unpack(PACKED)).hexdigest()


def test_a_text_that_grows_without_end_is_none() -> None:
    """A thousandth of it is packed; nobody without our secret could, and it costs no memory."""
    bomb = pack(bytes(64 * LONGEST_UNPACKED))

    with pytest.raises(ValueError, match=f"longer than {LONGEST_UNPACKED} bytes"):
        unpack(bomb)


@pytest.mark.parametrize(
    "unverified_packed",
    [b"", b"\xff\xff", pack(WORDS)[:-1], zlib.compress(WORDS)],
    ids=["nothing", "rubbish", "cut off", "zlib's own form"],
)
def test_what_was_not_packed_so_is_none(unverified_packed: bytes) -> None:
    """One kind of error, and no other."""
    with pytest.raises(ValueError, match=r"not packed so|cut off"):
        unpack(unverified_packed)
