"""How an agent shows that its event loop runs: it answers a call over LiveKit's RPC."""

from livekit import rtc

from shared_settings.agent_signs import ALIVE_METHOD


def answer_for_life(us: rtc.LocalParticipant) -> None:
    """Answer whoever asks, from the event loop: where that stands still, nobody answers."""
    us.register_rpc_method(ALIVE_METHOD, _alive)


async def _alive(_: rtc.RpcInvocationData) -> str:
    return "{}"
