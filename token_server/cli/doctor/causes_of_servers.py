"""What is wrong before anybody is in a room: settings, LiveKit, Redis, web, a token."""

from token_server.cli.doctor.checks import Cause

# Each cause, what it means and what to do; causes.py makes the table of docs/doctor.md of them.
ROWS = (
    Cause(
        "settings",
        "variables are missing or malformed; each has its line. In a checkout where no LiveKit is"
        " set: no `make dev` runs there",
        "set them in the environment or `.env`, and start both processes; `make dev` needs none",
    ),
    Cause(
        "livekit-unreachable",
        "nothing answers at `LIVEKIT_URL`; the evidence says if it is the name, the port, TLS or"
        " time",
        "start LiveKit, or correct `LIVEKIT_URL`",
    ),
    Cause(
        "not-livekit",
        "something else answers there",
        "`wss://PROJECT.livekit.cloud` or `ws://HOST:7880`",
    ),
    Cause(
        "livekit-failing",
        "LiveKit answers with an error of its own",
        "run it again: it may pass; else LiveKit's log",
    ),
    Cause(
        "livekit-quota",
        "LiveKit, or what is in front of it, refuses requests since there were too many (429):"
        " of this command, or of the token server",
        "`LIVEKIT_REQUESTS_PER_MINUTE` on the token server, less than [the"
        " quota](settings.md#livekits-quota)",
    ),
    Cause(
        "proxy",
        "the proxy of `HTTPS_PROXY` or `HTTP_PROXY`, of this command or of the token server,"
        " does not answer or lets nobody through",
        "the proxy's address, user and password; or the host in `NO_PROXY`",
    ),
    Cause(
        "key-unknown",
        "LiveKit does not know `LIVEKIT_API_KEY`",
        "a pair of this server or project",
    ),
    Cause(
        "secret-wrong",
        "it knows the key, and the signature is wrong",
        "the secret that belongs to the key",
    ),
    Cause(
        "key-or-secret",
        "it refuses the pair and does not say which",
        "a pair of this server or project",
    ),
    Cause(
        "clock",
        "our clock, or the token server's, differs from LiveKit's by more than 30 s (from 60 s"
        " on LiveKit's webhooks are refused, and logins may be)",
        "`timedatectl set-ntp true`",
    ),
    Cause(
        "redis",
        "Redis does not answer; only `unknown` where the token server does not miss it",
        "start Redis, or correct the host, user or password in `REDIS_URL`",
    ),
    Cause(
        "redis-certificate",
        "Redis answers over TLS with a certificate that we refuse; only `unknown` as above",
        "`REDIS_TLS_VERIFY=0`, or `ssl_ca_certs` in `REDIS_URL` ([several"
        " machines](several-machines.md#a-certificate-that-nobody-signed))",
    ),
    Cause(
        "server-unreachable",
        "no token server answers",
        "start it; or `TOKEN_SERVER_URL`, `PORT` or `--url`",
    ),
    Cause(
        "not-token-server",
        "something else answers there",
        "correct the address",
    ),
    Cause(
        "server-stuck",
        "it runs, and a loop of it that looks after rooms does not turn"
        " ([metrics](metrics.md#loops-that-turn))",
        "start it again, and report it",
    ),
    Cause(
        "server-not-ready",
        "it runs and its LiveKit does not answer it",
        "start it again with the `LIVEKIT_URL` of here; on another machine, one that is reached"
        " from there",
    ),
    Cause(
        "server-refuses",
        "it gives no token, and says why",
        "mend the field or setting that it names; a refused key or login: `--login` with another",
    ),
    Cause(
        "login-needed",
        "it wants a key or login that the settings here do not have",
        "`--login`",
    ),
    Cause(
        "rate-limited",
        "`RATE_LIMIT`, `RATE_LIMIT_KEY` or `SESSIONS_PER_CALLER`; it says which",
        "wait as long as it says",
    ),
    Cause(
        "other-credentials",
        "it runs with another key or secret than the ones here",
        "start it again with the ones here",
    ),
    Cause(
        "other-livekit",
        "the same key, but its rooms are on another LiveKit",
        "start it again with the `LIVEKIT_URL` of here, or set its own here",
    ),
    Cause(
        "other-agent-name",
        "its tokens name another agent than `LIVEKIT_AGENT_NAME` here",
        "one name for all; start web and worker again",
    ),
    Cause(
        "token-lifetime",
        "a token lasts a minute or less: LiveKit's clients drop it when it has 60 s left",
        "`TOKEN_TTL_SECONDS=600`",
    ),
    Cause(
        "room-ends-first",
        "livekit-server has `room.auto_create: false`, and rooms may end before their tokens:"
        " who joins then gets 404",
        "time-outs [as long as"
        " `TOKEN_TTL_SECONDS`](settings.md#how-long-a-token-and-its-room-last), or"
        " `room.auto_create: true`",
    ),
    Cause(
        "cors",
        "a browser keeps pages of the origin out",
        "the origin in `CORS_ORIGINS`",
    ),
    Cause(
        "server-too-old",
        "livekit-server is older than the oldest version that was tried, or refuses the token"
        " for a field that it does not know",
        "update it ([versions](versions.md))",
    ),
)
