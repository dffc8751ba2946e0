# The front door. Each target sets up first: seconds when nothing has changed.
#   make dev PORT=9000    make test ARGS="-k reload"    make setup PYTHON=python3.12
#   make test LIVEKIT_SERVER_VERSION=1.9.11
# On another livekit-server than the usual: the tests that ask one.
ifdef LIVEKIT_SERVER_VERSION
ARGS ?= tests/contract tests/system
export LIVEKIT_SERVER_VERSION
endif

.PHONY: dev test check bench pictures setup format lock release

dev: setup
	@.venv/bin/token-server dev

test:
	@sh setup/run --for-tests
	cd web && npm test --if-present
	.venv/bin/pytest $(ARGS)

check: setup
	.venv/bin/ruff format --check
	.venv/bin/ruff check
	.venv/bin/mypy
	.venv/bin/lint-imports
	if [ -d web/node_modules ]; then cd web && npm run check; fi

bench:
	@sh setup/run --for-tests
	.venv/bin/python -m bench $(ARGS)

# The README's, of a real run.
pictures:
	@sh setup/run --for-tests
	.venv/bin/python -m bench.pictures

setup:
	@sh setup/run

format: setup
	.venv/bin/ruff format
	.venv/bin/ruff check --fix

lock: .venv/bin/uv
	@.venv/bin/python -m setup.locks $(ARGS)

.venv/bin/uv:
	@sh setup/run

release: setup
	@.venv/bin/python -m setup.release --check
	$(MAKE) check test
	@.venv/bin/python -m setup.release
