# kobling. "make run" and "make test" need only Go and PostgreSQL's programs;
# everything else is fetched by version from go.mod and the npm lock files.

SHELL   := /bin/bash
GO      ?= go
LINT    := $(GO) tool -modfile=internal/tools/golangci-lint.mod golangci-lint
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo dev)
LDFLAGS := -s -w -X main.version=$(VERSION)
# The fuzz targets run for this long each.
FUZZTIME ?= 60s
# Faults are injected for this long.
FAULTTIME ?= 6m

.DEFAULT_GOAL := help

.PHONY: help
help: ## Show what can be done
	@awk 'BEGIN {FS = ":.*## "} /^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.PHONY: build
build: ## Build bin/kobling
	@$(GO) build -trimpath -ldflags '$(LDFLAGS)' -o bin/kobling ./cmd/kobling

.PHONY: run
run: postgres build ## Build, start everything, publish the demonstration profiles, stay until Ctrl-C
	@bin/kobling demo

.PHONY: test
test: postgres schemas/node_modules ## Run all tests with the race detector, and the protocol simulation in full
	$(GO) test -race -timeout 15m ./...
	$(GO) test ./internal/simulate

.PHONY: check
check: lint vet ## Check style, imports, formatting, generated files
	@$(GO) mod tidy -diff
	@$(MAKE) --no-print-directory fmt-check

.PHONY: lint
lint: ## Check style, imports and common mistakes
	$(LINT) run ./...

.PHONY: vet
vet:
	$(GO) vet ./...

.PHONY: fmt
fmt: ## Format the code
	$(LINT) fmt ./...

.PHONY: fmt-check
fmt-check:
	@out=$$(gofmt -l $$(git ls-files '*.go')); if [ -n "$$out" ]; then echo "not formatted, run make fmt:"; echo "$$out"; exit 1; fi

.PHONY: bench
bench: ## Run the benchmarks, in a form that benchstat reads
	$(GO) test -run '^$$' -bench . -benchmem ./...

.PHONY: fuzz
fuzz: ## Fuzz every parser of foreign input for FUZZTIME each
	@set -e; for pkg in $$(grep -rl --include='*_test.go' '^func Fuzz' internal | xargs -n1 dirname | sort -u); do \
	  for f in $$(grep -rho --include='*_test.go' '^func Fuzz[A-Za-z0-9_]*' $$pkg | sed 's/func //'); do \
	    echo "fuzz $$pkg $$f"; $(GO) test -run '^$$' -fuzz "^$$f$$" -fuzztime $(FUZZTIME) ./$$pkg; done; done

.PHONY: faults
faults: ## Kill, cut and damage a working service for FAULTTIME, then ask the oracle
	KOBLING_FAULTS=$(FAULTTIME) $(GO) test -run '^TestFaults$$' -v -timeout 60m ./internal/e2e

.PHONY: dist
dist: ## Build static binaries for Linux and macOS into dist/
	@set -e; for os in linux darwin; do for arch in amd64 arm64; do \
	  echo "dist/kobling-$$os-$$arch"; \
	  CGO_ENABLED=0 GOOS=$$os GOARCH=$$arch $(GO) build -trimpath -ldflags '$(LDFLAGS)' -o dist/kobling-$$os-$$arch ./cmd/kobling; done; done

# The embedded PostgreSQL needs the server's programs on this machine.
.PHONY: postgres
postgres:
	@internal/tools/postgres.sh

# The AsyncAPI meta-schema, by its lock file; a test reads it.
schemas/node_modules: schemas/package-lock.json
	@cd schemas && npm ci --no-audit --no-fund --silent && touch node_modules
