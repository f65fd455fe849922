// Vecwire finds texts by meaning, words and filters: in a file of its own, or in
// PostgreSQL or IRIS.
//
//	vecwire add docs                            read a folder
//	vecwire search "how do I undo a commit?"    ask
//
// It is the command line over package vecwire: each verb checks its flags, calls the
// library and prints the answer. docs/cli.md describes the verbs.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"
)

func main() { os.Exit(run()) }

// run lets the first signal end the work in order, and the second one end the process.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	context.AfterFunc(ctx, stop)
	return execute(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
}
