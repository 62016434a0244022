# Everything sets up what it needs first (tools/setup): Debian 12 with Python 3.11 or newer is enough to begin with.

PYTHON := .venv/bin/python
SEALGATE := .venv/bin/sealgate
CODE := src tests bench
TESTS ?=

.PHONY: help run run-upgraded test check bench soak clean

help: ## what can be made
	@sed -n 's/^\([a-z-]*\):.*## /  make \1	/p' Makefile | expand -t 24

run: ## an evaluation gateway on loopback, in the foreground; its state is in var/
	@tools/setup run
	@exec $(SEALGATE) evaluate --home var

run-upgraded: ## the same, from an AsyncOS 15.0 configuration: TLS 1.1 and 1.2, as an upgrade leaves it
	@tools/setup run
	@exec $(SEALGATE) evaluate --home var-upgraded --from examples/asyncos-15.0.xml

test: ## all tests, and what they need; TESTS=tests/tls for some
	@tools/setup test
	@$(PYTHON) -m pytest $(TESTS)

check: ## format, lint, types, imports, sizes and docs
	@tools/setup check
	@$(PYTHON) -m ruff format --check --quiet $(wildcard $(CODE))
	@$(PYTHON) -m ruff check --quiet $(wildcard $(CODE))
	@$(PYTHON) -m mypy --no-error-summary
	@.venv/bin/lint-imports --no-cache --no-logo
	@$(PYTHON) -m pytest -qq tests/test_house.py

bench: ## the benchmarks: this gateway and a private Postfix in the same minutes
	@tools/setup test
	@$(PYTHON) -m bench.run
	@$(PYTHON) -m bench.handshake
	@$(PYTHON) -m bench.memory

soak: ## the long forms of what `make test` runs short
	@tools/setup test
	@$(PYTHON) -m pytest --soak $(TESTS)
	@$(PYTHON) -m tests.fault.soak

clean: ## forget what was set up; var/ stays
	rm -rf .venv .venv-scan .peers .hypothesis .mypy_cache .pytest_cache .ruff_cache
