package main

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/bench/contest"
	"github.com/vecwire/vecwire/bench/results"
)

// outside returns what adds the value of a flag, name=command with arguments, to
// the programs from outside.
func (o *options) outside(goPeer bool) func(value string) error {
	return func(value string) error {
		name, line, _ := strings.Cut(value, "=")
		command := strings.Fields(line)
		if name == "" || len(command) == 0 {
			return errors.New("want a name, = and a command")
		}
		start := func(ctx context.Context, _ options) (*contest.Process, error) {
			return contest.Start(ctx, nil, command[0], command[1:]...)
		}
		o.programs = append(o.programs, contestant{
			name: name, process: &process{start: start, metric: "l2"}, group: results.Graph, goPeer: goPeer,
		})
		return nil
	}
}

// distinct says which name two contestants have, if there is one: by it they are
// told apart.
func distinct(phases [][]contestant) error {
	seen := map[string]bool{}
	for _, phase := range phases {
		for _, c := range phase {
			if seen[c.name] {
				return fmt.Errorf("there are two engines named %q", c.name)
			}
			seen[c.name] = true
		}
	}
	return nil
}
