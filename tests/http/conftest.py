"""An application on a LiveKit in memory, with a keeper that only remembers."""

from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from tests.fakes import FakeLiveKit
from tests.http.clients import client_for
from tests.issuer import Issuer
from tests.recording_keeper import RecordingKeeper


@pytest.fixture
def rooms() -> FakeLiveKit:
    """LiveKit."""
    return FakeLiveKit()


@pytest.fixture
def issuer() -> Iterator[Issuer]:
    """Who signs login tokens."""
    with Issuer() as running:
        yield running


@pytest.fixture
def keeper() -> RecordingKeeper:
    """What the application tells the keeper."""
    return RecordingKeeper()


@pytest.fixture
def client(rooms: FakeLiveKit, keeper: RecordingKeeper) -> FlaskClient:
    """A client of an application with the default settings."""
    return client_for(rooms, keeper)
