"""The promise under every fault we know: a LiveKit with all its ways, several keepers, no clock.

Nothing here waits or starts a thread. `world.py` and `workers.py` are LiveKit, `process.py` is
one token server, `promises.py` and `meant_ends.py` say what none of them may ever do, judged by
what a `look.py` has seen; `machine.py` tells histories.
"""
