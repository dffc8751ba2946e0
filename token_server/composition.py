"""Puts the parts together, from settings to a running application. The adapters are known here."""

from dataclasses import dataclass

from flask import Flask

from token_server.app import create_app
from token_server.keeper import Keeper
from token_server.livekit_rooms import LiveKitRooms
from token_server.locks import MachineState, shared_folder
from token_server.look import Looker
from token_server.settings import Settings
from token_server.ticket import TicketSealer
from token_server.twirp import Twirp
from token_server.wants import Policy


@dataclass(frozen=True)
class TokenServer:
    """The WSGI application, and the keeper to start in the process that serves it."""

    app: Flask
    keeper: Keeper


def compose(settings: Settings) -> TokenServer:
    """Build a token server; nothing is started or connected yet."""
    twirp = Twirp(settings.livekit_url, settings.livekit_api_key, settings.livekit_api_secret)
    rooms = LiveKitRooms(twirp)
    machine = MachineState(shared_folder(settings.livekit_url, settings.livekit_api_key))
    policy = Policy(agent_names=settings.allowed_agent_names, attend_rooms=settings.attend_rooms)
    looker = Looker(rooms, machine, TicketSealer(settings.livekit_api_secret), policy)
    keeper = Keeper(rooms, looker, machine)
    return TokenServer(create_app(settings, rooms, keeper), keeper)
