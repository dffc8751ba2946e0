"""What is wrong once somebody joins a room: the join, the agent, its worker, webhooks."""

from token_server.cli.doctor.checks import Cause

# Each cause, what it means and what to do; causes.py makes the table of docs/doctor.md of them.
ROWS = (
    Cause(
        "join-failed",
        "a human cannot connect to the `server_url` that the token server gives out, its"
        " `LIVEKIT_URL`",
        "`LIVEKIT_PUBLIC_URL`: an address that frontends reach",
    ),
    Cause(
        "public-url",
        "a human cannot connect to the `server_url` that the token server gives out, its"
        " `LIVEKIT_PUBLIC_URL`: nobody or something else answers there, or another LiveKit than"
        " `LIVEKIT_URL`'s",
        "the address of the same LiveKit, with the path that a proxy gives it",
    ),
    Cause(
        "media-blocked",
        "signalling works and audio cannot pass",
        "LiveKit's media ports and `node_ip`",
    ),
    Cause(
        "not-dispatched",
        "a human is in the room, and the token server did not send for the agent",
        "start it again; its log",
    ),
    Cause(
        "agent-absent",
        "seen as a caller does, without LiveKit's key: no agent came",
        "run it where the token server's settings are",
    ),
    Cause(
        "no-worker",
        "the agent was sent for, and no worker took the job; none answers on this machine",
        "start it; on another machine compare name, URL, key and secret",
    ),
    Cause(
        "worker-other-name",
        "the worker is registered under another name, which is told",
        "one `LIVEKIT_AGENT_NAME` for both; of a worker with the name in its code, that name",
    ),
    Cause(
        "worker-without-name",
        "the worker has no name: LiveKit sends it to every new room, and never where a name is"
        " asked for",
        "give it the name, or `AGENT_DISPATCH=automatic` to both",
    ),
    Cause(
        "worker-full",
        "the worker is at its load limit",
        "another worker beside it, or `LIVEKIT_AGENT_MAX_JOBS`",
    ),
    Cause(
        "worker-silent",
        "a worker of the name has told the token server that it is there, and was not heard for"
        " 6 s: frozen, cut off, or dead on another machine ([workers](workers.md))",
        "start it again",
    ),
    Cause(
        "worker-dead",
        "the only worker of the name was on this machine, and its process has ended",
        "start it again; the end of its log",
    ),
    Cause(
        "worker-elsewhere",
        "the worker has the right name and is free, and this LiveKit does not know it: another"
        " server or project, or not connected",
        "the same URL, key and secret",
    ),
    Cause(
        "job-died",
        "a worker took the job, and the job is gone before its agent joined",
        "the lines of the worker's log that name the room; started again in a terminal, it is"
        " there",
    ),
    Cause(
        "agent-failing",
        "in a live room, or in the probe's, one agent after the other goes soon after it came, or"
        " its job is refused or raises; the next ones come at growing intervals, up to a minute",
        "the worker's log; an agent that is done says so ([how a call"
        " ends](agents.md#how-a-call-ends))",
    ),
    Cause(
        "human-waits",
        "in a live room a human has waited 5 s or more for another agent than the one that the"
        " doctor called; or for that one, which came to the doctor",
        "`token-server doctor --agent NAME`; or `token-server room NAME`",
    ),
    Cause(
        "job-slow",
        "a worker took the job, and no agent joined in time; from another machine this may be"
        " `job-died` too",
        "the worker's log; run it again",
    ),
    Cause(
        "second-agent",
        "the agent is there, and another one too, of this name or another",
        "find who else dispatches",
    ),
    Cause(
        "region",
        "the agent comes from another of LiveKit's regions than the human: it answers, late",
        "a worker near the callers; or run the doctor where they are",
    ),
    Cause(
        "room-names-reused",
        "one caller after another comes into the same live room; only `unknown` without"
        " `OPERATOR_KEY`, where only the room's age tells",
        "tokens without `room_name`; only names that are meant to be shared in `ROOM_NAMES` as"
        " they are",
    ),
    Cause(
        "agent-silent",
        "the agent joined and publishes no audio",
        "the worker's log: `session.start`, TTS",
    ),
    Cause(
        "agent-hung",
        "the agent is in the room and does not answer: its process is frozen or cut off, or its"
        " event loop stands still; the evidence says which",
        "the process and its host, or the call that blocks; then the worker again",
    ),
    Cause(
        "no-webhooks",
        "none came during the probe; agents come all the same, slower",
        "the webhook's URL in LiveKit's settings",
    ),
    Cause(
        "webhooks-stopped",
        "they have come since the token server started, and none came during the probe",
        "LiveKit's log; `curl` from its machine",
    ),
    Cause(
        "webhooks-left-out",
        "they arrive, but not `participant_joined` or `participant_left`, which the evidence"
        " names; not told with `REDIS_URL`, where another machine may have got them",
        "[`filter_params`](webhooks.md#fewer-of-them) in LiveKit's configuration",
    ),
    Cause(
        "webhook-path",
        "LiveKit sends them to another path",
        "`https://YOUR-HOST/webhook`",
    ),
    Cause(
        "webhook-key",
        "they are signed with a key that the token server does not know",
        "that key and its secret in `LIVEKIT_WEBHOOK_KEYS`, or sign with `LIVEKIT_API_KEY`",
    ),
    Cause(
        "webhooks-unseen",
        "the token server does not tell whether they come",
        "`OPERATOR_KEY` on the server and here",
    ),
    Cause(
        "not-cleared",
        "the probe's room could not be deleted; it ends by itself",
        "nothing",
    ),
)
