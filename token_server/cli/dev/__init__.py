"""The local stack behind `make dev`: livekit-server and the Procfile's processes, as one.

Open run.py first. This file and binary.py are read by `make setup` before anything is installed:
standard library only.
"""


class DevError(Exception):
    """Why the local stack cannot run, as a sentence that says what to do."""
