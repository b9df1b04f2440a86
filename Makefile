# Everything that is done with this repository. `make help` says what there is; `make run` and `make test` are all that is needed.

SHELL := /bin/sh
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Built binaries never depend on the state of a checkout's history.
export GOFLAGS ?= -buildvcs=false

NPM_CI := npm ci --ignore-scripts --no-audit --no-fund
# One stamp a lock file: packages are installed again when the lock is newer.
ENGINE_STAMP := node_modules/.installed
WEB_STAMP := web/node_modules/.installed
WEB_BUILT := web/node_modules/.built
# tools/go.mod pins the linter apart from Canopy's own modules.
LINTER := bin/golangci-lint
LINTER_PACKAGE := github.com/golangci/golangci-lint/v2/cmd/golangci-lint

WEB_SOURCES := web/index.html web/vite.config.ts web/tsconfig.json web/package.json $(shell find web/src web/public web/scripts -type f 2>/dev/null)

.PHONY: help setup build run test e2e bench lint verify web generate clean programs

help: ## say what there is
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-10s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

programs:
	@for program in go node npm; do command -v $$program >/dev/null || { \
		echo "make: there is no $$program here. Canopy is built with Go 1.26 or newer, Node 20.19 or newer and npm."; exit 1; }; done

$(ENGINE_STAMP): package.json package-lock.json | programs
	$(NPM_CI)
	@touch $@

$(WEB_STAMP): web/package.json web/package-lock.json | programs
	cd web && $(NPM_CI)
	@touch $@

$(WEB_BUILT): $(WEB_STAMP) $(WEB_SOURCES)
	cd web && npm run build
	@touch web/dist/.gitkeep $@

web: $(WEB_BUILT) ## build the pages into web/dist

build: programs $(WEB_BUILT) ## build bin/canopy, pages inside
	CGO_ENABLED=0 go build -o bin/canopy ./cmd/canopy

setup: $(ENGINE_STAMP) build ## install what the lock files name (the ClickHouse library, the pages' packages) and build

run: setup ## start Canopy with a demonstration company on http://127.0.0.1:8080
	exec bin/canopy serve --data data --demo

test: setup ## run all tests: Go with the race detector, and the pages' unit tests
	@sh scripts/test.sh

e2e: setup ## start the built program and test it in a browser
	@node scripts/e2e.mjs

bench: setup ## measure; one line each: name, value, unit, ratio to its limit or rival
	@bin/canopy bench

$(LINTER): tools/go.mod tools/go.sum | programs
	cd tools && CGO_ENABLED=0 go build -o ../$(LINTER) $(LINTER_PACKAGE)

lint: build $(LINTER) ## look for what is wrong without running it
	@sh scripts/lint.sh

verify: ## what CI runs: lint, build, tests, browser tests
	@sh scripts/verify.sh lint build test e2e

generate: build ## write docs/openapi.json and the pages' API types again
	bin/canopy openapi > docs/openapi.json
	cd web && npm run generate

clean: ## remove what was built and installed here; never the data directory
	rm -rf bin node_modules web/node_modules .notrun
	find web/dist -mindepth 1 ! -name .gitkeep -delete
