# SPDX-License-Identifier: Apache-2.0
# What a person types; meson does the building. `make` alone lists the targets.

BUILD ?= build
ASAN ?= build-asan
DATA ?= ./demo
PORT ?= 8080
ADDRESS ?= 127.0.0.1
PREFIX ?= /usr/local
ROUNDS ?= 100
BENCH ?= enrol ocsp est
FUZZ_SECONDS ?= 600
MESON ?= meson

.DEFAULT_GOAL := help
.PHONY: help deps deps-test deps-lint build serve test crash lint format fuzz bench bench-scale install man clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile
	@echo
	@echo '  DATA=$(DATA) PORT=$(PORT) ADDRESS=$(ADDRESS) PREFIX=$(PREFIX) DESTDIR=$(DESTDIR)'

deps: ## install what building needs and is missing (Debian 12 and 13; asks sudo)
	@packaging/deps.sh build

deps-test:
	@packaging/deps.sh build test

deps-lint:
	@packaging/deps.sh build lint

build: $(BUILD)/build.ninja ## build into build/: scepterd, scepterctl, scepter
	@ninja -C $(BUILD)

$(BUILD)/build.ninja:
	@$(MESON) setup $(BUILD) -Dtests=false

serve: deps ## install what is missing, build, and serve a demonstration CA on PORT from DATA
	@$(MAKE) --no-print-directory build
	@exec env BUILD='$(BUILD)' DATA='$(DATA)' PORT='$(PORT)' ADDRESS='$(ADDRESS)' packaging/demo.sh

$(ASAN)/build.ninja:
	@$(MESON) setup $(ASAN) -Dwerror=true -Db_sanitize=address,undefined -Db_lundef=false

test: deps-test $(ASAN)/build.ninja ## all tests under ASan and UBSan: unit, scenario, interop
	@ninja -C $(ASAN)
	@tests/run.py --build $(ASAN)

crash: deps-test build ## ROUNDS of kill -9 under load, and what must have survived it
	@tests/scenario/crash.py --build $(BUILD) --rounds $(ROUNDS)

lint: deps-lint $(BUILD)/build.ninja ## format, clang-tidy, dependency direction, man pages, sizes
	@tools/lint.sh $(BUILD)

format: ## put every C file into the house format
	@git ls-files '*.c' '*.h' | xargs clang-format -i

fuzz: deps-lint ## every fuzz target for FUZZ_SECONDS
	@tools/fuzz.sh $(FUZZ_SECONDS)

bench: deps-test build ## enrolments/s beside bare key work and the Go server; OCSP; EST (BENCH="enrol ocsp est")
	@bench/bench.py --build $(BUILD) --only $(BENCH)

bench-scale: deps-test build ## ten million certificates, a million revoked: a quarter of an hour, 40 GB of disk
	@bench/bench.py --build $(BUILD) --only scale

install: ## install under PREFIX (and DESTDIR)
	@$(MESON) setup build-install --prefix=$(PREFIX) --buildtype=release -Dtests=false -Dbench=false --reconfigure >/dev/null 2>&1 \
		|| $(MESON) setup build-install --prefix=$(PREFIX) --buildtype=release -Dtests=false -Dbench=false
	@$(MESON) install -C build-install

man: ## show the list of man pages; read one with `man -l man/scepterd.8`
	@ls man/*.[1-8]
	@mandoc -T lint -W warning man/*.[1-8] && echo 'all pages are clean'

clean: ## remove what was built (the demonstration's data stays)
	@rm -rf $(BUILD) $(ASAN) build-fuzz build-install
