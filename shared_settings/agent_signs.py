"""What an agent of ours shows of itself, and the token server looks for. No I/O."""

# The RPC method that its event loop answers: where that stands still, nobody does.
ALIVE_METHOD = "token-server.alive"
# The participant attribute that names its dispatch.
DISPATCH_ATTRIBUTE = "job.dispatch"
