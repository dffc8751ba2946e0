"""The commands of people: `token-server dev`, `doctor`, `token`, `room` and `rooms`."""
