"""What is said around the lines to type: what to stop, in how many terminals, what to make up."""

from token_server.cli.doctor.here import Here
from token_server.cli.doctor.hung_agent import Hang, agent_hung
from token_server.cli.doctor.steps import OPERATOR_KEY, Setting, Start


def test_what_runs_is_stopped_before_it_is_started_again() -> None:
    """Its port is taken."""
    stop = "Stop the token server first where it still runs: Ctrl-C in its terminal."
    assert f"Do it. {stop}" == Here().cure("Do it.", [Start.WEB])
    assert "Do it." == Here(is_outside=True).cure("Do it.", [Start.WEB])


def test_two_processes_need_two_terminals_and_make_dev_is_one() -> None:
    """The first line that was typed never ended, and the second one never began."""
    both = (Start.WEB, Start.WORKER)

    assert (
        "Do it. Stop the token server and the worker first where they still run: Ctrl-C in their"
        " terminals. Start them again each in a terminal of its own."
    ) == Here().cure("Do it.", both)
    assert "Do it. Stop `make dev` first where it still runs: Ctrl-C in its terminal." == Here(
        is_make_dev=True
    ).cure("Do it.", both)


def test_an_operator_s_key_that_is_nowhere_is_made_up() -> None:
    """Whoever has none looks for one in vain."""
    steps, made_up = [Setting("OPERATOR_KEY", OPERATOR_KEY)], "`openssl rand -hex 32`"

    assert made_up in Here().cure("Set it.", steps)
    assert made_up not in Here(is_outside=True).cure("Set it.", steps)


def test_tools_are_those_of_the_same_folder() -> None:
    """What is installed there is not on the PATH."""
    cure = agent_hung("It", Hang.BLOCKED).cure

    assert "`.venv/bin/py-spy dump --subprocesses" in Here(programs=".venv/bin/").cure(cure, [])
