"""`python -m setup.doctor_page`: the table of causes in docs/doctor.md, from the code's."""

from pathlib import Path

from token_server.cli.doctor.causes import with_table

PAGE = Path("docs/doctor.md")


def main() -> None:
    """Write the page in the working directory anew."""
    PAGE.write_text(with_table(PAGE.read_text()))


if __name__ == "__main__":
    main()
