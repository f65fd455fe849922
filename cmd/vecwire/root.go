package main

import (
	"context"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// app is one call of the program.
type app struct {
	in       io.Reader
	out, log io.Writer
	settings settings
	json     bool
	verbose  bool
}

// groups are the headings in the list of verbs.
var groups = []*cobra.Group{
	{ID: "begin", Title: "Put in and find:"},
	{ID: "look", Title: "Look around:"},
	{ID: "move", Title: "Move and change:"},
	{ID: "tune", Title: "Measure and tune:"},
	{ID: "serve", Title: "Let others ask:"},
}

// execute runs the program with these arguments and returns its exit code.
func execute(ctx context.Context, args []string, in io.Reader, out, log io.Writer) int {
	a := &app{in: in, out: out, log: log}
	root := a.root()
	root.SetArgs(doubleDashes(root, args))
	root.SetIn(in)
	root.SetOut(out)
	root.SetErr(log)
	return a.report(ctx, root.ExecuteContext(ctx))
}

const first = `vecwire finds texts by meaning, by words and by filters.

Begin with a folder of yours, in it or above it:

  vecwire add docs                       read it into the file vecwire.db
  vecwire search "how do I undo this?"   ask
  vecwire watch docs                     keep up with what changes
  vecwire mcp install                    let an assistant ask

All verbs: vecwire help. More about one: vecwire help search.
`

// usage is what help shows below a verb's description: without the flags of all verbs,
// so that it fits a screen.
const usage = `Usage: {{if not .HasParent}}{{.CommandPath}} VERB [flags]{{else}}{{.UseLine}}{{end}}
{{if .HasExample}}
{{.Example}}
{{end}}{{if .HasAvailableSubCommands}}{{$verbs := .Commands}}{{if .Groups}}{{range $group := .Groups}}
{{.Title}}{{range $verbs}}{{if and (eq .GroupID $group.ID) .IsAvailableCommand}}
  {{rpad .Name .NamePadding}} {{.Short}}{{end}}{{end}}
{{end}}{{else}}
{{range $verbs}}{{if .IsAvailableCommand}}  {{rpad .Name .NamePadding}} {{.Short}}
{{end}}{{end}}{{end}}{{end}}{{if .HasAvailableLocalFlags}}
Flags:
{{.LocalFlags.FlagUsagesWrapped 100 | trimTrailingWhitespaces}}
{{end}}{{if .HasParent}}
Flags of all verbs, such as --db and --json: vecwire help
{{else}}
More about a verb: vecwire help VERB
{{end}}`

func (a *app) root() *cobra.Command {
	cobra.EnableCommandSorting = false // verbs gives the order
	root := &cobra.Command{
		Use:           "vecwire",
		Short:         "finds texts by meaning, by words and by filters",
		Version:       version(),
		SilenceErrors: true,
		SilenceUsage:  true,

		SuggestionsMinimumDistance: 2,
		Args:                       cobra.ArbitraryArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				_, err := io.WriteString(a.out, first)
				return err
			}
			return unknownVerb(cmd, args[0])
		},
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return &usageError{err.Error()} })
	root.CompletionOptions.HiddenDefaultCmd = false
	root.AddGroup(groups...)
	root.SetUsageTemplate(usage)
	root.SetHelpCommandGroupID("serve")
	root.SetCompletionCommandGroupID("serve")
	flags := root.PersistentFlags()
	flags.SortFlags = false
	a.settings.register(flags)
	flags.BoolVar(&a.json, "json", false, "print one JSON object a line")
	flags.BoolVar(&a.verbose, "verbose", false, "log to standard error what the library does")
	root.PersistentPreRunE = func(cmd *cobra.Command, _ []string) error { return a.settings.load(cmd.Flags()) }
	for _, verb := range a.verbs() {
		verb.Flags().SortFlags = false
		verb.DisableFlagsInUseLine = true
		root.AddCommand(verb)
	}
	return root
}

// doubleDashes takes -json for --json, as Go's own programs do: names of flags that
// have more than one letter may be written with one dash.
func doubleDashes(root *cobra.Command, args []string) []string {
	long := map[string]bool{"help": true}
	note := func(f *pflag.Flag) { long[f.Name] = len(f.Name) > 1 }
	var walk func(*cobra.Command)
	walk = func(cmd *cobra.Command) {
		cmd.Flags().VisitAll(note)
		cmd.PersistentFlags().VisitAll(note)
		for _, sub := range cmd.Commands() {
			walk(sub)
		}
	}
	walk(root)
	fixed := make([]string, len(args))
	for i, arg := range args {
		fixed[i] = arg
		if arg == "--" {
			copy(fixed[i:], args[i:])
			break
		}
		if name, _, _ := strings.Cut(strings.TrimPrefix(arg, "-"), "="); strings.HasPrefix(arg, "-") && long[name] {
			fixed[i] = "-" + arg
		}
	}
	return fixed
}
