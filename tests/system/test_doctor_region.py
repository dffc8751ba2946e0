"""`token-server doctor` where LiveKit has regions, and the worker is in another one."""

from pathlib import Path
from typing import Any

import pytest

from tests.redis_server import RedisServer
from tests.system.doctor_stage import ChangedLiveKit, Stack

pytestmark = pytest.mark.live

_REGIONS = [
    {"name": "frankfurt", "lat": 50.1, "lon": 8.7},
    {"name": "mumbai", "lat": 19.1, "lon": 72.9},
]


def node_in(region: str) -> dict[str, Any]:
    """Configure a node that keeps rooms in its own region."""
    selector = {"kind": "regionaware", "sort_by": "random", "regions": _REGIONS}
    return {"region": region, "node_selector": selector}


def test_a_worker_in_another_region_is_named_with_both(tmp_path: Path) -> None:
    """A call from here to there and back: the agent answers, and every answer is late."""
    with (
        RedisServer(tmp_path) as redis,
        Stack(
            tmp_path, livekit=node_in("frankfurt"), redis_address=f"127.0.0.1:{redis.port}"
        ) as stack,
        ChangedLiveKit(tmp_path, node_in("mumbai"), redis_address=f"127.0.0.1:{redis.port}") as far,
    ):
        stack.with_web().with_worker(LIVEKIT_URL=far.url)
        diagnosis = stack.diagnose()

    text = diagnosis.text("region")
    assert (1, ["region"]) == (diagnosis.exit_code, diagnosis.causes())
    assert "this human is in frankfurt" in text
    assert "its worker is in mumbai" in text
