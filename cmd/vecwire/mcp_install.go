package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire/cmd/vecwire/internal/clients"
)

func (a *app) mcpInstall() *cobra.Command {
	var write, yes bool
	var name string
	cmd := &cobra.Command{
		Use: "install [flags] [CLIENT...]", Short: "write the configuration of assistants",
		Long: `Adds vecwire to the configuration of clients: it shows the entry and the file, and writes
it once you agree. All else in the file stays as it is, comments too. Without CLIENT it
lists those that it knows. No password is written: leave it to VECWIRE_DB or the
configuration file.`,
		Example: `vecwire mcp install
vecwire mcp install --yes cursor
vecwire mcp install --write --yes --name notes claude-code`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 0 {
				return a.listClients()
			}
			entry, err := a.entry(write)
			if err != nil {
				return err
			}
			for _, arg := range args {
				i := slices.IndexFunc(clients.All(), func(c clients.Client) bool { return c.Name == arg })
				if i < 0 {
					return usagef("the client %q is not known: vecwire mcp install lists those that are", arg)
				}
				if err := a.install(clients.All()[i], name, entry, yes); err != nil {
					return err
				}
			}
			return nil
		},
	}
	flags := cmd.Flags()
	flags.BoolVar(&write, "write", false, "let the assistant store and delete, too")
	flags.BoolVar(&yes, "yes", false, "write without asking")
	flags.StringVar(&name, "name", "vecwire", "`NAME` of the entry")
	return cmd
}

func (a *app) listClients() error {
	rows := [][]string{{"CLIENT", "CONFIGURATION", ""}}
	for _, c := range clients.All() {
		file, err := c.File()
		if err != nil {
			return err
		}
		there := ""
		if _, err := os.Stat(file); err == nil {
			there = "there"
		}
		rows = append(rows, []string{c.Name, file, there})
		if a.json {
			if err := a.line(map[string]any{"client": c.Name, "file": file, "exists": there != ""}); err != nil {
				return err
			}
		}
	}
	if a.json {
		return nil
	}
	if err := a.table(rows); err != nil {
		return err
	}
	a.note("name one to connect it: vecwire mcp install %s", clients.All()[0].Name)
	return nil
}

// entry is how a client starts this program with the settings of this call.
func (a *app) entry(write bool) (clients.Entry, error) {
	program, err := os.Executable()
	if err != nil {
		return clients.Entry{}, err
	}
	e := clients.Entry{Command: program, Args: []string{"mcp"}}
	switch file, isFile := fileOf(a.settings.DB); {
	case isFile:
		if file, err = filepath.Abs(file); err != nil {
			return e, err
		}
		e.Args = append(e.Args, "--db", file)
	case hasPassword(a.settings.DB):
		a.note("the database's URL has a password and is left out: give it to the client's environment as VECWIRE_DB, or put it into vecwire's configuration file")
	default:
		e.Args = append(e.Args, "--db", a.settings.DB)
	}
	s := a.settings
	for _, option := range []struct{ flag, value string }{{"--embedder", s.Embedder}, {"--embed-url", s.EmbedURL}, {"--embed-model", s.EmbedModel}} {
		if option.value != "" {
			e.Args = append(e.Args, option.flag, option.value)
		}
	}
	if s.EmbedDim != 0 {
		e.Args = append(e.Args, "--embed-dim", fmt.Sprint(s.EmbedDim))
	}
	if s.named {
		e.Args = append(e.Args, "--collection", s.Collection)
	}
	if write {
		e.Args = append(e.Args, "--write")
	}
	return e, nil
}

// hasPassword reports whether an address may hold a password. One that cannot be read
// may.
func hasPassword(address string) bool {
	u, err := url.Parse(address)
	if err != nil || address != "mem:" && !strings.Contains(address, "://") {
		return true // such as host=db password=secret
	}
	_, has := u.User.Password()
	for key := range u.Query() {
		has = has || strings.Contains(strings.ToLower(key), "password")
	}
	return has
}

func (a *app) install(c clients.Client, name string, entry clients.Entry, yes bool) error {
	file, err := c.File()
	if err != nil {
		return err
	}
	old, err := os.ReadFile(file)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	merged, err := c.Merge(old, name, entry)
	if err != nil {
		return remedy(fmt.Errorf("%s: %w", file, err), "mend the file, or add the entry by hand:\n%s", c.Show(name, entry))
	}
	if string(merged) == string(old) {
		return a.printf("%s has it already\n", file)
	}
	if err := a.printf("%s:\n%s\n", file, c.Show(name, entry)); err != nil {
		return err
	}
	if !yes && !a.agreed("write it?") {
		return a.printf("nothing was written; --yes writes it\n")
	}
	if err := clients.Write(file, merged); err != nil {
		return err
	}
	if a.json {
		return a.line(map[string]any{"client": c.Name, "file": file, "entry": json.RawMessage(c.Show(name, entry))})
	}
	return a.printf("written; start %s again to use it\n", c.Name)
}

// agreed asks a person. Nobody is asked where there is no terminal.
func (a *app) agreed(question string) bool {
	in, ok := a.in.(*os.File)
	if !ok || !isTerminal(in) {
		return false
	}
	fmt.Fprintf(a.log, "%s [y/N] ", question)
	answer, err := bufio.NewReader(in).ReadString('\n')
	return err == nil && strings.EqualFold(strings.TrimSpace(answer), "y")
}
