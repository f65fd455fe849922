# What takes one command is one command: `go test ./...` and .ci/run need no make.

.DEFAULT_GOAL := help
.PHONY: help test test-all race check lint fuzz ci bench bench-smoke

help: ## show this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' Makefile

test: ## the short tests of the root module, under 3 minutes
	go test -short ./...

test-all: ## every test, over every version and mode of a server
	VECWIRE_TEST_ALL=1 go test -timeout 30m ./...

race: ## the short tests with the race detector
	.ci/run race

check: ## format, vet, linters and dead code, in every module
	.ci/run format lint dead

lint: ## golangci-lint alone
	.ci/run lint

fuzz: ## 20 seconds of each of the ten most exposed parsers
	.ci/run fuzz

ci: ## what CI runs
	.ci/run

# BENCH is what the program is told, see `cd bench && go run . -h`: for a million
# rows too, make bench BENCH="-rows 10000,100000,1000000".
bench: ## measure beside other engines, and write bench/report/benchmarks.md: about an hour
	cd bench && go run . -setup
	cd bench && go build -C weaviate -o ../report/weaviate .
	cd bench && go run . -go-peer Weaviate=report/weaviate $(BENCH)

bench-smoke: ## the same with few vectors and without servers: a minute at most
	cd bench && go run . -smoke
