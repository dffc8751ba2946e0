"""What is typed to cure something, before it is known how it is typed here. No I/O."""

from dataclasses import dataclass
from enum import StrEnum

# The environment of whoever connects, and not a file, says which authorities are believed.
TRUST = "export SSL_CERT_FILE=YOUR-CA-FILE"
# What only the reader knows stands in capitals and names itself; no secret is ever printed.
LIVEKIT_URL, PUBLIC_URL = "YOUR-LIVEKIT-URL", "YOUR-PUBLIC-LIVEKIT-URL"
API_KEY, API_SECRET = "YOUR-API-KEY", "YOUR-API-SECRET"
KEY, LOGIN_TOKEN, OPERATOR_KEY = "YOUR-KEY", "YOUR-LOGIN-TOKEN", "YOUR-OPERATOR-KEY"
WORKER = "YOUR-WORKER-COMMAND"
WEBHOOK_KEY = "YOUR-WEBHOOK-KEY:YOUR-WEBHOOK-SECRET"
REDIS_URL, PROXY_URL, QUOTA = "YOUR-REDIS-URL", "YOUR-PROXY-URL", "YOUR-QUOTA"
PORT, HOST, LIVEKIT_IP = "YOUR-PORT", "YOUR-HOST", "YOUR-LIVEKIT-IP"
SET_CLOCK = "timedatectl set-ntp true"


@dataclass(frozen=True)
class Setting:
    """A setting gets this value, or one more; it is no step where it has the value already."""

    name: str
    value: str
    is_added: bool = False


class Start(StrEnum):
    """A process is started, again if it runs; its name in the Procfile."""

    WEB = "web"
    WORKER = "worker"


class Address(StrEnum):
    """What says where the token server is, is corrected."""

    OF_SERVER = "of server"


class Stack(StrEnum):
    """All parts are started where none runs."""

    OF_DEV = "of make dev"


@dataclass(frozen=True)
class Again:
    """The doctor is run again, as it was but for these options; "" leaves as it was."""

    agent: str = ""
    login: str = ""
    origin: str = ""
    url: str = ""


@dataclass(frozen=True)
class Beside:
    """A further worker is started beside the one that runs, with no port to be asked at."""


@dataclass(frozen=True)
class OwnWorker:
    """The worker of an agent is started that is not the token server's own one.

    Attributes:
        agent_name: Its name.
        port: Where it is asked then; 0 for nowhere.
    """

    agent_name: str
    port: int = 0


# A shell line that is the same everywhere is itself.
Step = Setting | Start | Stack | Address | Again | Beside | OwnWorker | str


def setting_of(problem: str) -> Setting | None:
    """Return how the setting of a sentence like `NAME must …` is mended; None if it names none.

    An empty one counts as not set: it has its default then, or is asked for.
    """
    name = problem.partition(" ")[0]
    if not name.isupper() or not name.replace("_", "").isalnum():
        return None
    return Setting(name, "" if "must be empty" in problem else _REQUIRED.get(name, ""))


_REQUIRED = {
    "LIVEKIT_URL": LIVEKIT_URL,
    "LIVEKIT_API_KEY": API_KEY,
    "LIVEKIT_API_SECRET": API_SECRET,
    "LIVEKIT_AGENT_NAME": "voice-agent",
    "TOKEN_AUTH": "key",
    "TOKEN_KEYS": KEY,
    "TOKEN_JWT_ISSUER": "YOUR-ISSUER-URL",
    "TOKEN_JWT_AUDIENCE": "YOUR-AUDIENCE",
}
