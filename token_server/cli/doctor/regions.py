"""Are the human and their agent in one region of LiveKit's? No I/O.

LiveKit Cloud lets everybody in at the region nearest to them. A self-hosted node has the region of
its configuration, and shows it as everybody's who is in a room on that node; where the worker is
registered, only the worker knows, and ours tells.
"""

from token_server.cli.doctor.checks import Check, Trouble, ok
from token_server.cli.doctor.probe_observation import ProbeObservation
from token_server.cli.doctor.steps import Again


def check_region(seen: ProbeObservation) -> Check | None:
    """Compare the regions of the human, the agent and its worker; None where LiveKit has none."""
    agent, ours = seen.agent, seen.region
    if agent is None or not ours:
        return None
    told = {"the agent": agent.region, "its worker": agent.worker_region}
    evidence = [f"this human is in {ours}"]
    evidence += [f"{who} is in {region}" for who, region in told.items() if region]
    if len(evidence) == 1:
        return None
    other = next((region for region in told.values() if region not in {"", ours}), "")
    if not other:
        return ok("region", f"Human and agent are in LiveKit's region {ours}.")
    return Trouble(
        "region",
        f"Start a worker near region {ours}, if your callers are there too. If they are nearer to"
        f" {other}, run this where they are: then nothing is wrong.",
        (Again(),),
    ).wrong(
        "region",
        f"The agent comes from LiveKit's region {other}, and this human is in {ours}: each"
        " sentence travels between the two, and LiveKit Cloud prefers workers of the caller's"
        " region.",
        *evidence,
    )


def region_hint(seen: ProbeObservation) -> list[str]:
    """Say where to compare when no agent came; nothing where LiveKit has no regions."""
    if not seen.region:
        return []
    where = f"this human is in LiveKit's region {seen.region}"
    return [f"{where}: the worker's line `registered worker` has its own, maybe another"]
