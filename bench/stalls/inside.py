"""What the measured process runs: `inside ROUNDS FOLDER` prints the gaps of each work as JSON."""

import gc
import json
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from bench.stalls import answers, calls, timelines
from bench.stalls.ticks import longest_gap

# Makes the input of one round; what it returns is measured.
Prepare = Callable[[], Callable[[], object]]


def main() -> None:
    """Measure all in turns, so that a busy moment of the machine does not hit only one of them."""
    rounds, folder = int(sys.argv[1]), Path(sys.argv[2])
    with calls.livekit() as of_calls:
        works: Mapping[str, Prepare] = {
            **timelines.works(folder),
            **answers.works(folder),
            **of_calls,
        }
        gc.freeze()
        gaps: dict[str, list[tuple[float, float]]] = {what: [] for what in works}
        for _ in range(rounds):
            for what, prepare in works.items():
                gaps[what].append(longest_gap(prepare()))
    json.dump(gaps, sys.stdout)


if __name__ == "__main__":
    main()
