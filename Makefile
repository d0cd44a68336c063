# The commands of this project. `make test` is what a plain clone passes; .ci/run runs all of it with everything provided.

.PHONY: build test race lint fuzz bench bench-smoke gobench compat clean

build: ## the program, static
	CGO_ENABLED=0 go build -trimpath -o bin/idpool ./cmd/idpool

test: ## all tests; what needs more than Go skips and says what it lacks
	go vet ./...
	go test ./...

race: ## all tests under the race detector
	go test -race -timeout 20m ./...

lint: ## formatting, vet, staticcheck: no baseline, no exceptions without a reason
	test -z "$$(gofmt -l .)"
	go vet ./...
	go tool -modfile=tools/go.mod staticcheck ./...

FUZZTIME ?= 10m
fuzz: ## every fuzzer for FUZZTIME each
	FUZZTIME=$(FUZZTIME) ./tools/fuzz

bench: build ## what requests cost, beside a floor; ARGS are flags of `bin/bench run`
	go build -o bin/bench ./bench
	bin/bench run $(ARGS)

bench-smoke: build ## every row of bench works
	go build -o bin/bench ./bench
	bin/bench run --smoke --json bin/bench.json
	bin/bench read bin/bench.json

gobench: ## the Go benchmarks: the inner steps, with what they allocate
	go test -run '^$$' -bench . -benchmem ./bench ./internal/...

compat: ## real clients against a running server; what is not installed skips
	cd cognitocreds && go vet ./... && go test ./...
	cd compat/idp/zitadel && go vet ./...
	cd compat && go vet ./... && go test -timeout 20m ./...

clean:
	rm -rf bin
