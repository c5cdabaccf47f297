# One target for each thing a contributor runs; docs/development.md lists them.
# The environment is .venv; PYTHON chooses the interpreter that makes it.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
BENCH := .venv-bench
STAMP := $(VENV)/.installed
SPEEDUPS := $(foreach kind,pyx pxd h,$(wildcard pi/_speedups/*.$(kind)))

.PHONY: demo test check format tools compiled pure compare bench fuzz wheel clean venv

venv: $(STAMP)

# An editable install: the package is the tree, the compiled modules are built in place. Its
# warning, that the tree comes first on the path, is what is wanted here.
$(STAMP): pyproject.toml setup.py $(SPEEDUPS)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1" "setuptools>=77" "Cython>=3.1"
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --group dev
	PYTHONWARNINGS=ignore $(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --editable .
	@touch $@

# The main job on the embedded demo provider: no key, no network.
demo: venv
	$(BIN)/pi --provider demo --verbose -p "what is in this folder?"

test: check tools compiled pure

check: venv
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/mypy examples/extensions tests/extensions/typed_extension.py
	$(BIN)/python -m scripts.docs_samples build/samples
	$(BIN)/mypy build/samples
	$(BIN)/lint-imports

format: venv
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

# Tests drive a Chromium (HTML export) and a tmux (the terminal interface); where one cannot be had
# they are skipped, and say so.
tools:
	@install() { \
	  if [ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null; then \
	    { apt-get install -qq --yes --no-install-recommends "$$1" \
	      || { apt-get update -qq && apt-get install -qq --yes --no-install-recommends "$$1"; }; \
	    } >/dev/null 2>&1 && return; \
	  fi; \
	  echo "No $$1 here, and none could be installed: tests that need it will be skipped."; \
	}; \
	command -v tmux >/dev/null || install tmux; \
	for name in chromium chromium-browser google-chrome google-chrome-stable chrome; do \
	  if command -v $$name >/dev/null; then exit 0; fi; \
	done; \
	install chromium

# Of thousands of tests that drive real terminals, servers and processes, one may meet a machine that
# stands still for a second. What fails is tried once more, and listed: a race, which is to be mended.
# Many tests wait for something: six at a time take two thirds of the time of four on two cores.
TESTS := $(BIN)/python -m pytest -q -n 6 --dist worksteal --reruns 1 --max-suite-reruns 10 --rerun-show-tracebacks

compiled: venv
	PI_EXPECT=compiled $(TESTS)

# The twins have their own suite, which runs on both every time. What stands far above them and takes
# half of the time is run with the compiled modules alone; `make test ABOVE_TWINS=` leaves nothing out.
ABOVE_TWINS ?= tests/auth tests/builtin tests/extensions tests/mcp tests/e2e/interactive \
  $(wildcard tests/e2e/test_packages*.py) $(addprefix tests/e2e/test_,auth.py self_update.py update.py)

pure: venv
	PI_PURE=1 PI_EXPECT=pure $(TESTS) $(addprefix --ignore=,$(ABOVE_TWINS))

# Side by side with the reference implementation; PI_REFERENCE is its command.
compare: venv
	$(BIN)/python -m pytest -q -rs -n 2 tests/differential

# The table of benchmarks/RESULTS.md; with PI_REFERENCE, beside the reference. What is measured is an
# installed package, as people have it: the import hook of an editable one costs 10 ms at each start.
bench: venv
	@test -x $(BENCH)/bin/python || $(PYTHON) -m venv $(BENCH)
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --upgrade "pip>=25.1"
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --group dev httpx-sse
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check --force-reinstall --no-deps .
	$(BENCH)/bin/python -m pip install --quiet --disable-pip-version-check .
	$(BENCH)/bin/python -m benchmarks.whole

# Compiled modules and their twins on any bytes, for as long as FUZZ_SECONDS says.
FUZZ_SECONDS ?= 600
fuzz: venv
	PI_FUZZ_SECONDS=$(FUZZ_SECONDS) $(BIN)/python -m pytest -q -n 2 tests/speedups/test_fuzz.py

wheel: venv
	$(BIN)/python -m pip wheel --no-deps --wheel-dir dist .

clean:
	rm -rf $(VENV) $(BENCH) build dist *.egg-info pi/_speedups/*.c pi/_speedups/*.so
