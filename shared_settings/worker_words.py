"""How a worker signs what it tells the token server: what both have to agree about. No I/O."""

# The claim `aud` of such a signature. LiveKit's webhooks have none: neither passes for the other.
AUDIENCE = "livekit-token-server/workers"
