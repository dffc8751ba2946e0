"""Text from elsewhere, as a terminal may be shown it. Pure, no I/O.

Whoever makes a room, or joins one, chooses its name: it may hold a control character, an escape
sequence that redraws the screen, or a mark that turns the direction of what follows.
"""

from typing import Any


def printable(text: str, besides: str = "") -> str:
    """Escape every character that is not a visible one or a space, as Python's repr does.

    Args:
        text: From wherever.
        besides: Characters that stay.
    """
    if text.isprintable():
        return text
    return "".join(
        each if each.isprintable() or each in besides else repr(each)[1:-1] for each in text
    )


def printable_lines(text: str) -> str:
    """Escape the same in a text of several lines."""
    return printable(text, besides="\n")


def printable_content(content: Any) -> Any:  # noqa: ANN401 (whatever JSON holds)
    """Escape the same in every string of something that was JSON."""
    if isinstance(content, str):
        return printable(content)
    if isinstance(content, dict):
        return {name: printable_content(value) for name, value in content.items()}
    if isinstance(content, list):
        return [printable_content(value) for value in content]
    return content
