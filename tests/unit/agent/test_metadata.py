import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.job import job_metadata

WITHOUT_INSTRUCTIONS = {
    "nothing": "",
    "free text": "a customer from Rome",
    "another object": '{"customer": 7}',
    "a list": '["instructions"]',
    "a number": "7",
    "instructions of the wrong type": '{"instructions": 7}',
    "blank instructions": '{"instructions": " "}',
    "broken JSON": '{"instructions": "Be',
    "deeper than anybody": "[" * 100_000,
}


def test_instructions_are_read_from_a_json_object() -> None:
    """A dispatch can tell the voice agent how to behave in this one room."""
    assert job_metadata('{"instructions": "Be kind."}').unverified_instructions == "Be kind."


@pytest.mark.parametrize("text", WITHOUT_INSTRUCTIONS.values(), ids=WITHOUT_INSTRUCTIONS.keys())
def test_other_metadata_has_no_instructions(text: str) -> None:
    """Metadata is the caller's: whatever it is, the job goes on."""
    metadata = job_metadata(text)

    assert (text, None) == (metadata.text, metadata.unverified_instructions)


@given(st.text())
def test_any_text_has_its_size_in_bytes(text: str) -> None:
    """Sizes are what the log may say."""
    metadata = job_metadata(json.dumps({"instructions": text}))

    size = len(text.encode()) if text.strip() else 0
    assert (size, len(metadata.text)) == (metadata.instructions_size, metadata.size)


def test_metadata_does_not_show_its_text() -> None:
    """Metadata holds what callers know about people, and a log is no place for it."""
    assert "Rome" not in repr(job_metadata('{"instructions": "Rome"}'))
