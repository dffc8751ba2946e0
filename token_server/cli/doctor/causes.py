"""All causes that the doctor names: the table of docs/doctor.md is made from this one.

`python -m setup.doctor_page` makes it. The sentences of a finding, with its hosts and values, stand
where it is found.
"""

from token_server.cli.doctor import causes_of_rooms, causes_of_servers

CAUSES = (*causes_of_servers.ROWS, *causes_of_rooms.ROWS)


def as_table() -> str:
    """Return the table as Markdown."""
    rows = [f"| `{cause.name}` | {cause.means} | {cause.cure} |\n" for cause in CAUSES]
    return f"| cause | what it means | what to do |\n|---|---|---|\n{''.join(rows)}"


def with_table(page: str) -> str:
    """Return the page with the table in the place of the one that it has."""
    before, head, rest = page.partition("| cause | what it means |")
    _, gap, after = rest.partition("\n\n")
    return f"{before}{as_table()}\n{after}" if head and gap else page
