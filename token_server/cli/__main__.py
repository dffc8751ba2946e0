"""The command line: `token-server dev`, `token`, `doctor`, `room`, `rooms`, `release`, `workers`.

It and wsgi.py are where the environment comes in.
"""

import argparse
import json
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from shared_settings.env_file import with_env_file
from shared_settings.extras import MissingExtraError, require_extra
from token_server.cli.dev import DevError
from token_server.cli.dev.plan import children_environ
from token_server.cli.dev.ports import choose_ports
from token_server.cli.dev.run import export_lines, run
from token_server.cli.dev.stack_file import stack_here, with_stack
from token_server.cli.leaving import leave, unread
from token_server.cli.release import release
from token_server.cli.running_server import fetch_token, server_url, unverified_claims
from token_server.cli.show_rooms import follow_room, show_room, show_rooms
from token_server.cli.workers import show_workers
from token_server.environment import command_environ
from token_server.errors import TokenServerError
from token_server.telemetry.printable import printable_lines

_INTERRUPTED = 130  # as shells say it: 128 + SIGINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code; without arguments, it is the process's own."""
    try:
        code = _run(argv)
        sys.stdout.flush()
    except BrokenPipeError:
        code = unread()
    return leave(code, sys.modules) if argv is None else code


def _run(argv: Sequence[str] | None) -> int:
    arguments = _parser().parse_args(argv)
    try:
        return int(arguments.run(arguments, _environ(arguments)))
    except (DevError, MissingExtraError, TokenServerError) as error:
        sys.stderr.write(f"token-server {arguments.command}: {printable_lines(str(error))}\n")
    except KeyboardInterrupt:
        return _INTERRUPTED
    return 1


def _environ(arguments: argparse.Namespace) -> dict[str, str]:
    if arguments.command == "dev":
        # It runs what the folder's Procfile says: who is in a stranger's folder has lost already.
        return with_env_file(os.environ)
    found = command_environ(os.environ, getattr(arguments, "login", ""))
    return with_stack(found, os.environ, _stack_here(arguments))


def _stack_here(arguments: argparse.Namespace) -> dict[str, str]:
    return stack_here(Path.cwd(), os.environ, getattr(arguments, "url", None))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="token-server", description=__doc__.partition("\n")[0])
    commands = parser.add_subparsers(dest="command", required=True)
    _add_dev(commands.add_parser("dev", help="run livekit-server, web and worker here"))
    _add_token(commands.add_parser("token", help="fetch a token from the running server"))
    _add_doctor(commands.add_parser("doctor", help="find out why an agent does not come"))
    _add_room(commands.add_parser("room", help="show a room, and what happened in it"))
    _add_rooms(commands.add_parser("rooms", help="list live rooms, those that wait first"))
    _add_release(commands.add_parser("release", help="take a call over: its agent leaves"))
    _add_workers(commands.add_parser("workers", help="list workers, those in trouble first"))
    return parser


def _add_dev(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--procfile", type=Path, default=Path("Procfile"), help="what to run instead of Procfile"
    )
    parser.add_argument(
        "--export",
        action="store_true",
        help="start nothing: print LIVEKIT_URL, key and secret of the stack that runs in this"
        ' folder, for a worker of your own: eval "$(token-server dev --export)"',
    )
    parser.set_defaults(run=_dev)


def _add_token(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--room", help="room_name; the server's choice when not given")
    parser.add_argument("--identity", help="participant_identity; likewise")
    parser.add_argument("--agentless", action="store_true", help="ask for one without an agent")
    parser.add_argument("--decode", action="store_true", help="print the claims, unverified")
    parser.set_defaults(run=_token)


def _add_doctor(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print what machines can read")
    parser.add_argument("--origin", default="", help="check CORS for pages of https://HOST")
    parser.add_argument("--url", help="the token server; default: TOKEN_SERVER_URL, or PORT here")
    parser.add_argument("--login", default="", help="a bearer key or login token to show to it")
    parser.add_argument(
        "--agent", metavar="NAME", default="", help="look at this agent; default: the server's own"
    )
    parser.set_defaults(run=_doctor)


def _add_room(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("room_name", metavar="NAME")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--follow", action="store_true", help="go on, until Ctrl-C")
    how.add_argument("--json", action="store_true", help="print what machines can read")
    parser.set_defaults(run=_room)


def _add_rooms(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print what machines can read")
    parser.set_defaults(run=_rooms)


def _add_release(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("room_name", metavar="ROOM")
    parser.add_argument("--agent", metavar="NAME", help="only from this agent; default: from any")
    parser.add_argument("--identity", help="only this human; default: all of the room")
    parser.set_defaults(run=_release)


def _add_workers(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print what machines can read")
    parser.set_defaults(run=_workers)


def _dev(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if arguments.export:
        # Whatever this shell was told before: an older stack's address, say.
        sys.stdout.writelines(f"{line}\n" for line in export_lines(stack_here(Path.cwd(), {})))
        return 0
    return run(Path.cwd(), arguments.procfile, environ)


def _token(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    wanted = {
        "room_name": arguments.room,
        "participant_identity": arguments.identity,
        "agentless": arguments.agentless,
    }
    answer = fetch_token(environ, {name: value for name, value in wanted.items() if value})
    shown = unverified_claims(answer["participant_token"]) if arguments.decode else answer
    sys.stdout.write(f"{json.dumps(shown, indent=2)}\n")
    return 0


def _doctor(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    require_extra("doctor", "It")
    # What the doctor needs takes half a second to import.
    from token_server.cli.doctor.examination import run  # noqa: PLC0415
    from token_server.cli.doctor.folder import is_checkout  # noqa: PLC0415
    from token_server.cli.doctor.patient import (  # noqa: PLC0415
        Options,
        has_livekit_settings,
        is_running,
    )

    is_make_dev = bool(_stack_here(arguments))
    would_be = None
    if not is_make_dev and not has_livekit_settings(environ):
        of_make_dev = children_environ(environ, choose_ports(environ, is_free=lambda _: True))
        is_meant = arguments.url in {None, server_url(of_make_dev)}
        is_make_dev = is_meant and is_running(of_make_dev)
        environ = of_make_dev if is_make_dev else environ
        is_ended = not is_make_dev and not stack_here(Path.cwd(), {}) and is_checkout(Path.cwd())
        would_be = of_make_dev if is_ended else None
    options = Options(
        server_url=(arguments.url or server_url(environ)).rstrip("/"),
        origin=arguments.origin,
        login=arguments.login,
        agent_name=arguments.agent,
        url=arguments.url or "",
        is_make_dev=is_make_dev,
        is_outside=bool(arguments.url) and not has_livekit_settings(environ),
        of_make_dev=would_be,
        process=os.environ,
    )
    return run(environ, options, as_json=arguments.json)


def _room(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    if arguments.follow:
        return follow_room(environ, arguments.room_name, sys.stdout)
    return show_room(environ, arguments.room_name, sys.stdout, as_json=arguments.json)


def _rooms(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    return show_rooms(environ, sys.stdout, as_json=arguments.json)


def _release(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    # An agent's name may be empty.
    only = {"agent_name": arguments.agent, "participant_identity": arguments.identity}
    given = {name: value for name, value in only.items() if value is not None}
    return release(environ, arguments.room_name, given, sys.stdout)


def _workers(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    return show_workers(environ, sys.stdout, as_json=arguments.json)


if __name__ == "__main__":
    sys.exit(main())
