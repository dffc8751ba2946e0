"""`python -m bench.image`: what deploy/Dockerfile says, done in a bare Debian, and both processes.

For a machine without a container engine; it wants root, debootstrap and a way to packages, and
takes minutes. What only an engine does (layers, its network, compose) is not tried.
"""
