"""The voice agent's way to end a call: release everybody, say goodbye, end the job."""

from collections.abc import Awaitable, Callable

from livekit.agents import RunContext, ToolError, function_tool
from livekit.agents.llm import Tool

from agent.release import ReleaseError

_DESCRIPTION = """
Ends the call. Use it when the caller clearly says that they are done, such as "that is all, bye".
Not when they want to pause or to be put through, nor when you are not sure.
"""
_GOODBYE = "The call ends after your next sentence: say goodbye in a few words."
_NOT_ENDED = "The call could not be ended. Say so; the caller can hang up."


def end_call_tool(release: Callable[[], Awaitable[None]], end: Callable[[str], None]) -> Tool:
    """Return the tool.

    Args:
        release: Releases all humans in the room, or raises ReleaseError.
        end: Ends the job, for a reason.
    """

    @function_tool(name="end_call", description=_DESCRIPTION)
    async def end_call(context: RunContext[None]) -> str:
        try:
            await release()
        except ReleaseError as error:
            # To leave now would bring the caller the next agent (livekit-behaviour 96).
            raise ToolError(_NOT_ENDED) from error
        # The goodbye belongs to the same speech.
        context.speech_handle.add_done_callback(lambda _: end("the agent has ended the call"))
        return _GOODBYE

    return end_call
