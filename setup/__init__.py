"""`make setup`: everything that this project needs, from a bare checkout.

Runs before anything is installed: standard library only. Open __main__.py first. Each step leaves
a stamp with the hash of what it was made from, so that a second run does nothing, and one that was
interrupted is repaired by the next.
"""


class SetupError(Exception):
    """Why a step cannot be done, as a sentence that says what to do."""
