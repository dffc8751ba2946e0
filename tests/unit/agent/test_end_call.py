import asyncio

from livekit.agents import Agent, AgentSession, llm
from livekit.agents.types import DEFAULT_API_CONNECT_OPTIONS

from agent.end_call import end_call_tool
from agent.release import ReleaseError

ENDED = "the agent has ended the call"


class HangsUp(llm.LLM[str]):
    """Calls `end_call`, then says what it was told."""

    def chat(self, *, chat_ctx: llm.ChatContext, **_: object) -> llm.LLMStream:
        return _Turn(self, chat_ctx=chat_ctx, tools=[], conn_options=DEFAULT_API_CONNECT_OPTIONS)


class _Turn(llm.LLMStream):
    async def _run(self) -> None:
        last = self._chat_ctx.items[-1]
        if isinstance(last, llm.FunctionCallOutput):
            delta = llm.ChoiceDelta(role="assistant", content=last.output)
        else:
            call = llm.FunctionToolCall(name="end_call", arguments="{}", call_id="1")
            delta = llm.ChoiceDelta(role="assistant", tool_calls=[call])
        self._event_ch.send_nowait(llm.ChatChunk(id="turn", delta=delta))


def events_of_a_goodbye(*, fails: bool = False) -> list[str]:
    """Let a caller say goodbye; return what happened, in order."""
    events: list[str] = []

    async def release() -> None:
        events.append("released")
        if fails:
            raise ReleaseError("a made-up failure")

    def note(item: object) -> None:
        if isinstance(item, llm.ChatMessage):
            events.append(item.text_content or "")

    async def run() -> None:
        session: AgentSession[None] = AgentSession(llm=HangsUp(), vad=None)
        session.on("conversation_item_added", lambda added: note(added.item))
        tool = end_call_tool(release, events.append)
        await session.start(Agent(instructions="", tools=[tool]))
        await session.generate_reply(user_input="Goodbye!")
        await session.aclose()

    asyncio.run(run())
    return events


def test_a_call_ends_after_the_goodbye_and_nobody_is_sent_any_more() -> None:
    """First the mark: where the agent died in its last sentence, another one would greet."""
    _, released, goodbye, ended = events_of_a_goodbye()

    assert ("released", ENDED) == (released, ended)
    assert "say goodbye" in goodbye


def test_a_call_that_cannot_be_ended_goes_on() -> None:
    """To leave the caller now would bring them the next agent; they can hang up themselves."""
    events = events_of_a_goodbye(fails=True)

    assert "could not be ended" in events[-1]
    assert ENDED not in events
