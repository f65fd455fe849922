// Command bench measures vecwire beside other engines and writes a report: a
// document with tables, plots and the results as JSON. From this directory:
//
//	go run . -setup                      # once: the engines in C++, into the cache
//	go run . -rows 10000,100000          # measure, and write report/benchmarks.md
//	go run . -rows 1000000 -keep         # add a size to the same report
//	go run . -render                     # write the report again from its results
//	go run . -smoke                      # a minute, to see that all of it works
//	go run . -go-peer "name=command"     # with one more engine, written in Go
//
// An engine from outside is any program that speaks the protocol of package
// contest; one in Go may leave that to contest.Serve, as that in weaviate does. It
// takes part in the graph search by Euclidean distance.
//
// `go test -bench .` runs the paired benchmarks of single parts instead.
package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/peer"
	"github.com/vecwire/vecwire/bench/pypeers"
	"github.com/vecwire/vecwire/bench/results"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := serveOr(ctx, os.Args[1:], func() error { return command(ctx, os.Args[1:]) })
	if err != nil && !errors.Is(err, flag.ErrHelp) {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

// serveOr is an engine's process if args say so, and otherwise calls f.
func serveOr(ctx context.Context, args []string, f func() error) error {
	if len(args) != 2 || args[0] != serve {
		return f()
	}
	e, err := peer.New(args[1])
	if err != nil {
		return err
	}
	return contest.Serve(ctx, e, os.Stdin, os.Stdout)
}

// serve is the first argument of an engine's process.
const serve = "serve"

// options are what the flags say.
type options struct {
	rows      []int
	queries   int
	rounds    int
	slot      time.Duration // of one engine in a round
	cpu       int
	data      string
	generated bool
	servers   bool
	only      *regexp.Regexp
	out       string
	cache     string
	keep      bool
	programs  []contestant // from outside
}

func command(ctx context.Context, args []string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	o := options{}
	flags := flag.NewFlagSet("bench", flag.ContinueOnError)
	rows := flags.String("rows", "10000,100000", "the numbers of rows to search in, with commas between")
	flags.IntVar(&o.queries, "queries", 1000, "how many queries are asked")
	flags.IntVar(&o.rounds, "rounds", 9, "how many turns each engine has")
	flags.DurationVar(&o.slot, "slot", time.Second, "how long a turn of a slow engine may take")
	flags.IntVar(&o.cpu, "cpu", runtime.NumCPU()-1, "the CPU that searches are pinned to")
	flags.StringVar(&o.data, "data", cmp.Or(os.Getenv("VECWIRE_TEST_DATA"), "../../shared/data"),
		"the directory of the SIFT descriptors; VECWIRE_TEST_DATA is another way to name it")
	flags.BoolVar(&o.generated, "generated", false, "use made-up vectors even if there are SIFT descriptors")
	flags.BoolVar(&o.servers, "servers", true, "start PostgreSQL and iris-pgwire too")
	only := flags.String("only", "", "measure only engines whose name matches this regular expression")
	flags.StringVar(&o.out, "out", "report", "the directory that the report is written to")
	flags.StringVar(&o.cache, "cache", filepath.Join(cache, "vecwire-bench"), "the directory of made-up data and of the Python environment")
	flags.BoolVar(&o.keep, "keep", false, "keep the sizes that an earlier run measured into the same report")
	flags.Func("peer", "let the program of `name=command` with arguments take part in the graph search; may be repeated", o.outside(false))
	flags.Func("go-peer", "the same for a program in Go: the best peer in Go is looked for among them too", o.outside(true))
	setup := flags.Bool("setup", false, "make the Python environment with the engines in C++, and end")
	render := flags.Bool("render", false, "write the report again from its results, and end")
	smoke := flags.Bool("smoke", false, "run everything once over few made-up vectors and without servers")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if o.only, err = regexp.Compile(*only); err != nil {
		return err
	}
	for field := range strings.SplitSeq(*rows, ",") {
		n, err := strconv.Atoi(strings.TrimSpace(field))
		if err != nil || n < 1000 {
			return fmt.Errorf("-rows: %q is not a number of rows from 1000", field)
		}
		o.rows = append(o.rows, n)
	}
	if *smoke {
		o.rows, o.queries, o.rounds, o.slot = []int{3000}, 100, 2, 100*time.Millisecond
		o.generated, o.servers = true, false
	}
	if err := distinct(phases(o)); err != nil {
		return err
	}
	switch {
	case *setup:
		return pypeers.Setup(ctx, o.cache)
	case *render:
		earlier, err := results.Read(o.out)
		if err != nil {
			return err
		}
		return write(earlier, o.out)
	}
	return run(ctx, o, "go run . "+shell(args))
}

// run measures every size and writes the report after each.
func run(ctx context.Context, o options, as string) error {
	var r results.Report
	if o.keep {
		var err error
		if r, err = results.Read(o.out); err != nil {
			return err
		}
	}
	r.Machine = machine()
	for _, n := range o.rows {
		size, err := measure(ctx, o, n)
		if err != nil {
			return err
		}
		size.Command = strings.TrimSpace(as)
		r.Put(size)
		if err := write(r, o.out); err != nil {
			return err
		}
	}
	return nil
}

// absolute is a path that tells where things lie on one machine, up to its last
// element.
var absolute = regexp.MustCompile(`(^|[=\s])/(?:[^\s/=]+/)+`)

// shell returns arguments as a shell reads them, with the folders of absolute paths
// left out: a report is read on other machines.
func shell(args []string) string {
	quoted := make([]string, len(args))
	for i, arg := range args {
		arg = absolute.ReplaceAllString(arg, "$1")
		if quoted[i] = arg; arg == "" || strings.ContainsAny(arg, " \t\n'\"\\`$&|;<>()[]{}*?!#~") {
			quoted[i] = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
	}
	return strings.Join(quoted, " ")
}

func write(r results.Report, dir string) error {
	path, err := r.Write(dir)
	if err == nil {
		fmt.Fprintln(os.Stderr, "written:", path)
	}
	return err
}
