"""Did the human get in, did the agent come, can it be heard? No I/O; absence.py has the whys."""

from urllib.parse import urlsplit

from token_server.absences import name_of
from token_server.doctor.absence import (
    Surroundings,
    job_lost,
    not_dispatched,
    not_taken,
    other_name,
)
from token_server.doctor.checks import TOO_OLD, Cause, Check, Trouble, ok, skipped
from token_server.doctor.sights import Sights


def check_join(sights: Sights, server_url: str) -> Check:
    """Say whether a human gets into the room."""
    if sights.connected_at is not None:
        seconds = sights.connected_at - sights.token_at
        return ok("join", f"A human is in the room {seconds:.2f} s after their token.")
    if sights.join_refusal == "field":
        return TOO_OLD.wrong(
            "join",
            "LiveKit refuses the token, since there is a field in it that it does not know.",
            "HTTP 401: unknown field",
        )
    host = urlsplit(server_url).hostname
    if sights.is_listed:
        return Trouble(
            Cause.MEDIA_BLOCKED,
            f"Open LiveKit's media ports on {host} (by default UDP 50000-60000 and TCP 7881), and"
            " set `rtc.use_external_ip` or `rtc.node_ip` to the address that clients reach.",
        ).wrong(
            "join",
            "LiveKit lets the human in, but no audio can pass: its media ports cannot be reached.",
            sights.join_error,
        )
    return Trouble(
        Cause.JOIN_FAILED,
        f"Set LIVEKIT_URL on the token server to an address that frontends reach too: they are"
        f" sent to {server_url}.",
    ).wrong("join", f"A human with a good token cannot join at {server_url}.", sights.join_error)


def check_agent(sights: Sights, around: Surroundings) -> Check:
    """Say whether the wanted agent came, and if not, what kept it."""
    if sights.agent:
        return _second_agent(sights) if len(sights.agents) > 1 else _agent_is_there(sights)
    if sights.strangers:
        return other_name(sights, sights.strangers[0], "it is in the probe's room")
    if not sights.dispatches_of(sights.agent_name):
        return not_dispatched(sights)
    if sights.jobs_of(sights.agent_name):
        return job_lost(sights, around)
    if sights.agent_name and sights.jobs_of(""):
        return other_name(sights, "", "it took the job that LiveKit offers to nameless workers")
    return not_taken(sights, around)


def check_audio(sights: Sights) -> Check:
    """Say whether the agent can be heard."""
    if not sights.agent:
        return skipped("audio", "There is no agent to listen to.")
    if sights.sound_at is not None:
        return ok("audio", f"First sound {sights.sound_at - sights.agent.seconds:.2f} s later.")
    if sights.track_at is not None:
        return ok(
            "audio",
            "The agent has an audio track.",
            "no sound yet: it may wait for the human to speak first",
        )
    return Trouble(
        Cause.AGENT_SILENT,
        "Read the worker's log for this room: the agent must publish an audio track (in an"
        " AgentSession, `session.start` with TTS or a realtime model; look for errors of those).",
    ).wrong(
        "audio",
        "The agent joined and publishes nothing.",
        f"no track within {sights.ended_at - sights.agent.seconds:.1f} s of its arrival",
    )


def _agent_is_there(sights: Sights) -> Check:
    seconds = max(sights.agent.seconds - (sights.connected_at or 0.0), 0.0) if sights.agent else 0.0
    wanted = _capital(name_of(sights.agent_name))
    return ok("agent", f"{wanted} is there {seconds:.2f} s after the human.")


def _second_agent(sights: Sights) -> Check:
    says = f"{_capital(name_of(sights.agent_name))} is there, and another agent too."
    others = [a.agent_name for a in sights.agents.values() if a is not sights.agent]
    evidence = f"the other is {name_of(others[0])}"
    if "" in others and sights.agent_name:
        return Trouble(
            Cause.WORKER_WITHOUT_NAME,
            "Stop the worker that has no name, or set LIVEKIT_AGENT_NAME for it and start it again:"
            " LiveKit sends it to every new room (automatic dispatch).",
        ).wrong("agent", says, evidence)
    return Trouble(
        Cause.SECOND_AGENT,
        "Find who else dispatches, and stop that: a webhook handler that calls CreateDispatch, a"
        " second token server with other settings, a SIP dispatch rule.",
    ).wrong("agent", says, evidence)


def _capital(words: str) -> str:
    return words[0].upper() + words[1:]
