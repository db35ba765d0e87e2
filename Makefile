# Everything here needs Go, make and git, and nothing else. The types of the TypeScript client are written where there is Node.

.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# The programs of .ci are named one by one, because ./... passes by what begins with a dot.
TOOLS = ./.ci/audit ./.ci/gotest ./.ci/scan
# Generated code is diffed (check-generate), not linted.
HAND = $$(go list ./... | grep -v '/gen/') $(TOOLS)

.PHONY: help
help: ## Show this list.
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-18s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: run
run: build ## Build and start the service on 127.0.0.1:8080, for development.
	@bin/gatehouse serve --dev

# Without cgo the binary is the same on a machine with a C compiler and on one without.
.PHONY: build
build: ## Build the service as bin/gatehouse.
	@CGO_ENABLED=0 go build -trimpath -o bin/gatehouse ./cmd/gatehouse

.PHONY: generate
generate: ## Write gen/ from openapi.yaml.
	@go run ./cmd/gatehouse-gen generate
	@if command -v npm >/dev/null; then $(MAKE) typescript-schema; else \
		echo "Node is not installed: gen/typescript/src/schema.gen.ts is left as it was"; fi

# Always, because git gives files no times that could be compared.
.PHONY: typescript-schema
typescript-schema: gen/typescript/node_modules/.package-lock.json
	@cd gen/typescript && npm run --silent schema >/dev/null

gen/typescript/node_modules/.package-lock.json: gen/typescript/package-lock.json
	@cd gen/typescript && npm ci --silent --ignore-scripts --no-audit --no-fund || \
		{ echo "npm cannot install the tools of gen/typescript: its src/schema.gen.ts is left as it was"; exit 1; }

# Its tests take nine minutes with the race detector, most of it in interpreters of JSON Schema. What it does at once, generating, the tests
# of cmd/gatehouse-gen do under the detector.
GENERATOR = ./internal/codegen/...
# The packages whose tests take longest, first: the last to begin would else keep one core waiting for minutes.
LONGEST = ./internal/server ./internal/oauth ./internal/accounts ./cmd/gatehouse-gen

.PHONY: test
test: ## Run every test, with the race detector where there is a C compiler.
	@go run ./.ci/gotest -norace $(GENERATOR)
	@go run ./.ci/gotest $(LONGEST) $$(go list ./... | grep -v /internal/codegen) $(TOOLS) -- bench

# go test takes one package and one target at a time. What a target finds is written to testdata/fuzz of its package.
FUZZTIME = 10s

.PHONY: fuzz
fuzz: ## Run every native fuzz target, FUZZTIME=10s each.
	@for file in $$(grep -rl --include='*_test.go' '^func Fuzz' internal cmd); do \
		for target in $$(sed -n 's/^func \(Fuzz[A-Za-z0-9]*\)(.*/\1/p' $$file); do \
			echo "$$target ($$(dirname $$file))"; \
			go test ./$$(dirname $$file) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) || exit 1; \
		done; \
	done

# The pairs of which zero may disagree. It takes half an hour on two cores.
PAIRS = 10000000

.PHONY: fuzz-differential
fuzz-differential: ## Compare the generated decoders with another implementation of JSON Schema, PAIRS=10000000.
	@GATEHOUSE_DIFFERENTIAL=$(PAIRS) go test ./internal/codegen -run '^TestDifferential$$' -v -timeout 4h

.PHONY: check
check: check-format check-vet check-staticcheck check-spec check-generate check-tidy check-layers ## Everything that CI checks beside the tests.

.PHONY: check-format
check-format: ## gofmt
	@files=$$(git ls-files -co --exclude-standard '*.go' | grep -v '^gen/' | xargs gofmt -l) && \
	if [ -n "$$files" ]; then echo "not as gofmt writes it, run gofmt -w on:"; echo "$$files"; exit 1; fi

.PHONY: check-vet
check-vet: ## go vet
	go vet $(HAND)
	cd bench && go vet ./...

# Built, because go run would look for it in the module of bench.
.PHONY: check-staticcheck
check-staticcheck: ## staticcheck, in the version of go.mod
	@go build -o bin/staticcheck honnef.co/go/tools/cmd/staticcheck
	bin/staticcheck $(HAND)
	cd bench && ../bin/staticcheck ./...

.PHONY: check-spec
check-spec: ## Judge openapi.yaml without writing anything.
	go run ./cmd/gatehouse-gen check

# Compared with what stood there before, not with the last commit, so that it can be run before a commit too. The index of its own
# takes what git does not ignore, and leaves the real one as it is.
.PHONY: check-generate
check-generate: ## gen/ is what openapi.yaml gives.
	@index=$$(mktemp -d) && trap 'rm -rf "$$index"' EXIT && \
	tree() { GIT_INDEX_FILE=$$index/index git add -A gen && GIT_INDEX_FILE=$$index/index git write-tree; } && \
	before=$$(tree) && $(MAKE) generate && after=$$(tree) && \
	if ! git --no-pager diff --exit-code --stat $$before $$after; then \
		echo "gen/ was not what openapi.yaml gives: it is now, commit it with the change that caused it"; exit 1; fi

.PHONY: check-tidy
check-tidy: ## go.mod and go.sum are as go mod tidy writes them.
	go mod tidy -diff
	cd bench && go mod tidy -diff

.PHONY: check-layers
check-layers: ## Forbidden imports, file sizes, package comments.
	go test ./internal -skip TestTheThreeEditsOfTheReadme # which compiles for a minute, and is one of make test

# Ends with 0: all was checked and clean, 1: findings, 3: no findings, but something could not be checked. make
# itself answers 2 for both and shows the number; bin/audit run by hand ends with it.
.PHONY: audit
audit: ## Known vulnerabilities, gosec, licences. Needs the network.
	@go build -o bin/audit ./.ci/audit
	@bin/audit

# Ends with 0, 1 and 3 as audit does.
.PHONY: scan
scan: build ## Have nmap, testssl and, where it is installed, ZAP look at the service with TLS. Takes minutes.
	@go build -o bin/scan ./.ci/scan
	@bin/scan

.PHONY: bench
bench: ## CPU per request beside hand-written net/http (bench/README.md).
	@cd bench && go run .

# ajv is measured where npm is there to get it.
.PHONY: bench-decode
bench-decode: ## Decode and validate a body, beside other ways to do it (bench/README.md).
	@if command -v npm >/dev/null && [ ! -d bench/decode/ajv/node_modules ]; then npm ci --silent --prefix bench/decode/ajv; fi
	@cd bench && go run ./decode

.PHONY: bench-auth
bench-auth: ## Logins and verified requests a second, how fast a revocation is seen, what times tell (bench/README.md).
	@cd bench && go run . -auth all

# It ends with an error where a bound is not kept.
.PHONY: abuse
abuse: ## What the service does under hostile load: guesses, floods, slow clients, overload, a Redis that fails (bench/README.md).
	@cd bench && go run . -abuse all

.PHONY: generate-bench
generate-bench: ## Write the generated code that bench-decode compares.
	@go run ./cmd/gatehouse-gen generate --spec bench/decode/openapi.yaml --out bench/decode/gatehouseapi --package gatehouseapi
	@cd bench/decode && go tool ogen -config ogen.yml -target ogenapi -package ogenapi -clean openapi.yaml

.PHONY: clean
clean: ## Remove what was built. Keeps data/.
	@rm -rf bin
