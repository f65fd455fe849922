package main

import "github.com/spf13/cobra"

// verbs are all verbs, in the order in which help and docs/cli.md list them.
func (a *app) verbs() []*cobra.Command {
	return []*cobra.Command{
		a.add(), a.search(), a.watch(),
		a.get(), a.ls(), a.collections(), a.schema(), a.count(), a.facet(), a.stats(),
		a.remove(), a.export(), a.load(), a.copy(), a.backup(), a.reembed(),
		a.index(), a.recall(), a.tune(), a.bench(), a.check(), a.salvage(), a.compact(), a.doctor(),
		a.serve(), a.mcp(),
		a.docs(),
	}
}
