package main

import (
	_ "embed"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
)

// firstMinutes is a script that the tests play and that the page shows.
//
//go:embed testdata/script/first_minutes.txtar
var firstMinutes string

// docs prints docs/cli.md.
func (a *app) docs() *cobra.Command {
	return &cobra.Command{
		Use: "docs", Short: "print this manual as Markdown", Hidden: true,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error { return manual(a.out, cmd.Root()) },
	}
}

const preface = `# The command line

Made by ` + "`go run . docs > ../../docs/cli.md`" + ` in cmd/vecwire, from the help of the verbs; a test
plays every example.

    go install github.com/vecwire/vecwire/cmd/vecwire@latest

It is one static program, with the model in it. cmd/vecwire/dist has a script that builds
archives for all platforms, a Dockerfile and a systemd unit.
` + "`vecwire completion bash`" + `, ` + "`zsh`, `fish` or `powershell`" + ` prints completion for a shell.

## The first five minutes

%s
## Settings

A flag counts most, then the environment, then the configuration file: JSON with the
keys ` + "`db`, `collection`, `embedder`, `embed-url`, `embed-model` and `embed-dim`" + `, in
` + "`vecwire/config.json`" + ` of your configuration folder (` + "`~/.config`" + ` on Linux). A file in the
current folder is never read, since it may be part of a repository that somebody else
wrote. Flags of several letters may be written with one dash or two.

%s
## Exit codes

| code | means |
|---|---|
| 0 | done; a search that finds nothing is done, too |
| %d | failed; standard error says why, and what to do |
| %d | called in a wrong way: a flag, an argument, a filter |
| %d | there is no database, collection or record of that name |
| %d | some records were refused, and are listed on standard error; all others are stored |
| %d | interrupted by Ctrl-C or SIGTERM; the same command goes on from there |

With ` + "`--json`" + ` every verb prints one JSON object a line on standard output, and all else
on standard error. Progress is shown on a terminal only.

`

// manual writes the page of all verbs.
func manual(w io.Writer, root *cobra.Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, preface, played(firstMinutes), fence(root.PersistentFlags().FlagUsagesWrapped(90)),
		exitFailed, exitUsage, exitNotFound, exitPartly, exitInterrupted)
	for _, group := range groups {
		fmt.Fprintf(&b, "## %s\n\n", strings.TrimSuffix(group.Title, ":"))
		for _, verb := range root.Commands() {
			if verb.GroupID == group.ID && !verb.Hidden && verb.Example != "" {
				section(&b, "###", verb)
			}
		}
	}
	_, err := io.WriteString(w, strings.TrimRight(b.String(), "\n")+"\n")
	return err
}

func section(b *strings.Builder, level string, verb *cobra.Command) {
	fmt.Fprintf(b, "%s %s\n\n`%s`\n\n%s\n\n", level, strings.TrimPrefix(verb.CommandPath(), "vecwire "), verb.UseLine(), verb.Long)
	b.WriteString(fence(verb.Example))
	if usages := verb.LocalNonPersistentFlags().FlagUsagesWrapped(90); usages != "" {
		b.WriteString("\n" + fence(usages))
	}
	b.WriteString("\n")
	for _, sub := range verb.Commands() {
		section(b, level+"#", sub)
	}
}

func fence(text string) string { return "```text\n" + strings.TrimRight(text, "\n") + "\n```\n" }

// played shows the commands of a script as a person would type them: its comments are
// the text between them.
func played(script string) string {
	script, _, _ = strings.Cut(script, "\n-- ")
	var b strings.Builder
	for _, line := range strings.Split(script, "\n") {
		switch {
		case strings.HasPrefix(line, "# "):
			fmt.Fprintf(&b, "%s\n", strings.TrimPrefix(line, "# "))
		case strings.HasPrefix(line, "exec "):
			typed, _, _ := strings.Cut(strings.TrimPrefix(line, "exec "), " --addr $addr &")
			fmt.Fprintf(&b, "\n    %s\n\n", strings.ReplaceAll(typed, "'", `"`))
		}
	}
	return b.String()
}
