"""`python -m bench.simulated --port PORT`: a LiveKit without media, for thousands of rooms.

The key and its secret come from LIVEKIT_API_KEY and LIVEKIT_API_SECRET, the name of the agents from
LIVEKIT_AGENT_NAME. Ctrl-C stops it.
"""

import argparse
import asyncio
import os
from contextlib import suppress

from bench.simulated.server import serve
from bench.simulated.simulation import Shape, Simulation
from bench.simulated.workers import Pool


def main() -> None:
    """Serve until told to stop."""
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(_parse()))


async def _serve(arguments: argparse.Namespace) -> None:
    shape = Shape(
        api_key=os.environ["LIVEKIT_API_KEY"],
        api_secret=os.environ["LIVEKIT_API_SECRET"],
        webhook_url=arguments.webhook_url,
        pool=Pool(
            agent_name=os.environ["LIVEKIT_AGENT_NAME"],
            fastest=arguments.fastest,
            slowest=arguments.slowest,
        ),
        seed=arguments.seed,
    )
    simulation = Simulation(shape, asyncio.get_running_loop().call_later)
    await serve(simulation, arguments.port)


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.simulated", description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--webhook-url", default="", help="where webhooks go")
    parser.add_argument("--fastest", type=float, default=0.2, help="s from dispatch to agent")
    parser.add_argument("--slowest", type=float, default=0.5, help="s at most")
    parser.add_argument("--seed", type=int, default=1, help="of all chance")
    return parser.parse_args()


if __name__ == "__main__":
    main()
