"""`python -m bench.image`: what deploy/Dockerfile says, done in a bare Debian, and both processes.

For a machine without a container engine; it wants root, debootstrap and a way to packages, and
takes minutes. What only an engine does (layers, its network, compose) is not tried.

On 2026-11-28 all was well, with one process number 1 and a /dev/shm of 64 MB for each: `web` 0.9 s
after its start, the worker after 1.3 s, the doctor's agent 1.1 s after its human; SIGTERM ended the
worker in 0.3 s, `web` in 2.3 s. The folder had 758 MB, 403 MB with the web process alone: 445 and
91 of them Python's packages, compiled, and pip; the rest is debootstrap's Debian, which is larger
than the image that the Dockerfile begins with.
"""
