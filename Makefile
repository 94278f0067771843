# What one types to work on pychat. Each target brings what it needs; a second run starts at once.

PYTHON ?= python3
MINUTES ?= 10
JOBS ?= 3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
PINS := tests/constraints.txt
SYSTEM := cc=build-essential chromium=chromium redis-server=redis-server faketime=faketime curl=curl weechat=weechat-curses openssl=openssl nginx=nginx-light
BROWSERS := firefox-esr=firefox-esr WebKitWebDriver=webkit2gtk-driver Xvfb=xvfb

# Tests start `pychat`, and `node` where only the environment has it.
export PATH := $(CURDIR)/$(BIN):$(PATH):/usr/sbin
# Node.js brings certificates of its own; behind a proxy that adds one, the machine's are the right ones.
export NODE_USE_SYSTEM_CA ?= 1

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
fuzz: MINUTES = 60
connects: MINUTES = 1
.PHONY: help serve test slow soak connects fuzz audit check format size lighthouse npm a11y browsers screenshots bench-page docs lock clean

help:
	@echo "make TARGET, where TARGET is one of:"
	@sed -n 's/^\([a-z0-9-]*\):.*## /  \1	/p' Makefile | expand -t 14

serve: $(VENV)/.ready ## run a chat room from this checkout; options in ARGS="--port 9000"
	@$(BIN)/pychat serve --dev $(ARGS)

test: check $(VENV)/.system node_modules/.ready ## set everything up, check, then run all tests but the slow ones; some with ARGS="tests/test_x.py -k y"
	@scripts/test $(BIN)/python $(JOBS) -m "not slow" $(ARGS)

slow: $(VENV)/.system node_modules/.ready tests/npm/node_modules/.ready ## run the tests that take ten seconds and more each
	$(BIN)/python -m pytest -m slow

soak: $(VENV)/.system node_modules/.ready ## kill servers under people who talk, for ten minutes or MINUTES=60, then try many sequences
	SOAK_SECONDS=$$(( $(MINUTES) * 60 )) $(BIN)/python -m pytest --capture=no tests/proof/test_sigkill.py
	PROOF_EXAMPLES=$$(( $(MINUTES) * 100 )) $(BIN)/python -m pytest tests/proof/test_any_sequence.py tests/proof/test_moderated.py

connects: $(VENV)/.ready ## let 200 people a second connect and drop, for a minute or MINUTES=10
	CONNECT_SECONDS=$$(( $(MINUTES) * 60 )) $(BIN)/python -m pytest tests/proof/test_connects.py

fuzz: $(VENV)/.fuzz ## look for bytes that make a decoder fail, for an hour or MINUTES=5; what is found is kept in tests/fuzz/corpus
	ls tests/fuzz/corpus | xargs -P $(JOBS) -I TARGET \
		$(BIN)/python -m tests.fuzz.run TARGET $$(( $(MINUTES) * 60 * $(JOBS) / $$(ls tests/fuzz/corpus | wc -l) ))

audit: $(VENV)/.audit ## look for known vulnerabilities of the pinned libraries; needs the network, and npm
	$(VENV)/audit/bin/pip-audit --no-deps --disable-pip --requirement $(PINS)
	npm audit
	cd benchmarks && npm audit

check: $(VENV)/.ready ## style, formatting, types and layers
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/.ready ## put code into form
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

size: $(VENV)/.system node_modules/.ready ## what a first visit costs: requests, bytes, and when the page can be used
	$(BIN)/python hatch_build.py
	$(BIN)/python -m tests.browser.cold_load

lighthouse: $(VENV)/.system node_modules/.ready benchmarks/lighthouse/node_modules/.ready ## what Lighthouse says of the page, on a desktop and on a phone
	$(BIN)/python hatch_build.py
	$(BIN)/python -m tests.browser.lighthouse

npm: node_modules/.ready ## make the npm package with the element, the client and types, in dist/npm
	node scripts/npm/build.mjs dist/npm $$($(BIN)/python -c 'from pychat._version import __version__; print(__version__)')

screenshots: $(VENV)/.system node_modules/.ready ## draw the states of the page into build/screenshots: light, dark, phone, right to left; some with ARGS="full-.*"
	$(BIN)/python hatch_build.py
	$(BIN)/python -m tests.browser.screenshots $(ARGS)

a11y: $(VENV)/.system node_modules/.ready ## what axe-core finds wrong, by state of the page
	$(BIN)/python -m pytest --capture=no tests/browser/test_accessibility.py

browsers: $(VENV)/.system node_modules/.ready ## what people do most, in Firefox and in WebKit
	@scripts/system-packages $(BROWSERS)
	$(BIN)/python -m pytest tests/engines

bench-page: $(VENV)/.system node_modules/.ready ## how quick the page is, beside its targets; ARGS="desktop phone", ARGS="--beside OTHER_CHECKOUT"
	$(BIN)/python hatch_build.py
	$(BIN)/python -m benchmarks.browser $(ARGS)

docs: $(VENV)/.ready ## write anew those parts of docs/ that the code knows best
	$(BIN)/python docs/generate.py

lock: ## move the pinned tools and libraries to the newest that pyproject.toml and package.json allow
	rm -rf $(VENV)
	: >$(PINS)
	$(MAKE) $(VENV)/.ready
	$(PIP) install --group node --group bench --group fuzz
	$(BIN)/python -m pip freeze --all --exclude-editable --exclude setuptools >$(PINS)
	npm update --package-lock-only --ignore-scripts

bench: $(VENV)/.bench benchmarks/node_modules/.ready ## measure pychat beside its peers; ARGS="--quick", ARGS="talk storm --rounds 3"
	$(BIN)/python -m benchmarks $(ARGS)

clean: ## remove all that make and the tools have made
	rm -rf $(VENV) node_modules benchmarks/node_modules benchmarks/lighthouse/node_modules tests/npm/node_modules build dist src/pychat/assets/dist src/pychat/assets/vendor .hypothesis .*_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.made:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "pychat needs Python 3.11 or newer: make PYTHON=python3.12 ...")'
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/system-packages ensurepip=python3-venv
	$(PYTHON) -m venv --clear $(VENV)
	$(PIP) install --upgrade --constraint $(PINS) pip
	@touch $@

$(VENV)/.ready: $(VENV)/.made $(PINS) pyproject.toml src/pychat/_version.py hatch_build.py package.json package-lock.json
	@# An environment that is older than the name pychat-room holds the same files under another name.
	@$(PIP) uninstall --yes pychat 2>/dev/null
	$(PIP) install --constraint $(PINS) --build-constraint $(PINS) --editable . --group dev
	@touch $@

$(VENV)/.system: Makefile scripts/system-packages | $(VENV)/.made
	@scripts/system-packages $(SYSTEM)
	@touch $@

# Node.js for the tests with the stock Socket.IO client: the machine's, or one from PyPI in the environment.
node_modules/.ready: package.json package-lock.json .npmrc | $(VENV)/.ready
	@command -v node >/dev/null && command -v npm >/dev/null || $(PIP) install --constraint $(PINS) --group node
	npm ci --ignore-scripts --no-audit --no-fund
	@touch $@

# In an environment of its own: it brings libraries in versions that are none of the pinned ones.
$(VENV)/.audit: | $(VENV)/.made
	$(PYTHON) -m venv --clear $(VENV)/audit
	$(VENV)/audit/bin/python -m pip --quiet --disable-pip-version-check install pip-audit
	@touch $@

$(VENV)/.bench: $(VENV)/.ready
	$(PIP) install --constraint $(PINS) --group bench
	@touch $@

$(VENV)/.fuzz: $(VENV)/.ready
	$(PIP) install --constraint $(PINS) --group fuzz
	@touch $@

%/node_modules/.ready: %/package.json %/package-lock.json %/.npmrc | $(VENV)/.ready
	@command -v node >/dev/null && command -v npm >/dev/null || $(PIP) install --constraint $(PINS) --group node
	cd $* && npm ci --ignore-scripts --no-audit --no-fund
	@touch $@
