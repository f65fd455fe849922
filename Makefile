# What takes one command is one command: `go test ./...` and .ci/run need no make.

.PHONY: bench bench-smoke

# Measures beside other engines and writes bench/report/benchmarks.md: about an
# hour. BENCH is what the program is told, see `cd bench && go run . -h`: for a
# million rows too, make bench BENCH="-rows 10000,100000,1000000".
bench:
	cd bench && go run . -setup
	cd bench && go build -C weaviate -o ../report/weaviate .
	cd bench && go run . -go-peer Weaviate=report/weaviate $(BENCH)

# The same with few vectors and without servers: a minute at most.
bench-smoke:
	cd bench && go run . -smoke
