// Package clients writes entries into the configuration files of programs that speak
// the Model Context Protocol, and changes nothing else in them.
//
// It knows where the files are and how they look, and nothing of vecwire.
package clients

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/tailscale/hujson"
)

// Client is a program whose configuration is known.
type Client struct {
	Name string
	// File returns the path of its configuration.
	File func() (string, error)
	key  string // of the object that holds the entries
	kind string // what an entry says about its transport, "" for nothing
}

// Entry is how a client starts a server.
type Entry struct {
	Type    string   `json:"type,omitempty"`
	Command string   `json:"command"`
	Args    []string `json:"args"`
}

// All returns the clients. Claude Code's and the workspace's of VS Code are files of the
// current folder, the others are of the user.
func All() []Client {
	return []Client{
		{Name: "claude-code", File: below(os.Getwd, ".mcp.json"), key: "mcpServers"},
		{Name: "claude-desktop", File: below(os.UserConfigDir, "Claude", "claude_desktop_config.json"), key: "mcpServers"},
		{Name: "cursor", File: below(os.UserHomeDir, ".cursor", "mcp.json"), key: "mcpServers"},
		{Name: "gemini-cli", File: below(os.UserHomeDir, ".gemini", "settings.json"), key: "mcpServers"},
		{Name: "lm-studio", File: below(os.UserHomeDir, ".lmstudio", "mcp.json"), key: "mcpServers"},
		{Name: "vscode", File: below(os.UserConfigDir, "Code", "User", "mcp.json"), key: "servers", kind: "stdio"},
		{Name: "vscode-workspace", File: below(os.Getwd, ".vscode", "mcp.json"), key: "servers", kind: "stdio"},
		{Name: "windsurf", File: below(os.UserHomeDir, ".codeium", "windsurf", "mcp_config.json"), key: "mcpServers"},
	}
}

func below(folder func() (string, error), parts ...string) func() (string, error) {
	return func() (string, error) {
		dir, err := folder()
		return filepath.Join(append([]string{dir}, parts...)...), err
	}
}

// Show returns the configuration of a client that has this entry only.
func (c Client) Show(name string, e Entry) string {
	e.Type = c.kind
	text, err := json.MarshalIndent(map[string]map[string]Entry{c.key: {name: e}}, "", "  ")
	if err != nil {
		return err.Error() // strings always can be written
	}
	return string(text)
}

// Merge returns the configuration with the entry in it, in place of one of its name. All
// else stays byte for byte: the order, numbers of any length, comments.
func (c Client) Merge(config []byte, name string, e Entry) ([]byte, error) {
	if len(config) == 0 {
		return []byte(c.Show(name, e) + "\n"), nil
	}
	root, err := hujson.Parse(config)
	if err != nil {
		return nil, err
	}
	object, ok := root.Value.(*hujson.Object)
	if !ok {
		return nil, errors.New("the configuration is not a JSON object")
	}
	servers := member(object, c.key)
	if servers == nil {
		servers = add(object, "\n  ", c.key, hujson.Value{Value: &hujson.Object{AfterExtra: hujson.Extra("\n  ")}})
	}
	entries, ok := servers.Value.(*hujson.Object)
	if !ok {
		return nil, fmt.Errorf("%q is not a JSON object", c.key)
	}
	e.Type = c.kind
	text, err := json.MarshalIndent(e, "    ", "  ")
	if err != nil {
		return nil, err
	}
	value, err := hujson.Parse(text)
	if err != nil {
		return nil, err
	}
	value.BeforeExtra = hujson.Extra(" ")
	if old := member(entries, name); old == nil {
		add(entries, "\n    ", name, value)
	} else if !same(*old, value) {
		old.Value = value.Value
	}
	return root.Pack(), nil
}

// member returns the value of an object's key. Of several the last counts, as in most
// readers.
func member(o *hujson.Object, key string) *hujson.Value {
	for i := len(o.Members) - 1; i >= 0; i-- {
		if name, ok := o.Members[i].Name.Value.(hujson.Literal); ok && name.String() == key {
			return &o.Members[i].Value
		}
	}
	return nil
}

// add puts a member at the end of an object, on a line of its own.
func add(o *hujson.Object, line, key string, value hujson.Value) *hujson.Value {
	if value.BeforeExtra == nil {
		value.BeforeExtra = hujson.Extra(" ")
	}
	switch n := len(o.Members); {
	case n > 0 && o.Members[n-1].Value.AfterExtra != nil:
		value.AfterExtra = hujson.Extra{} // a comma ends the last member, and goes on doing so
	case n == 0 && o.AfterExtra == nil:
		o.AfterExtra = hujson.Extra(line[:len(line)-2])
	}
	o.Members = append(o.Members, hujson.ObjectMember{Name: hujson.Value{BeforeExtra: hujson.Extra(line), Value: hujson.String(key)}, Value: value})
	return &o.Members[len(o.Members)-1].Value
}

// same reports whether two values are the same but for how they are written.
func same(x, y hujson.Value) bool {
	x, y = x.Clone(), y.Clone()
	x.Minimize()
	y.Minimize()
	return x.String() == y.String()
}

// Write writes a configuration beside its place and moves it there, through links and
// with the rights that it had.
func Write(file string, config []byte) error {
	if real, err := filepath.EvalSymlinks(file); err == nil {
		file = real
	}
	mode := os.FileMode(0o600)
	if info, err := os.Stat(file); err == nil {
		mode = info.Mode().Perm()
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(file), ".mcp-*")
	if err != nil {
		return err
	}
	_, err = f.Write(config)
	if err = errors.Join(err, f.Chmod(mode), f.Sync(), f.Close()); err == nil {
		err = os.Rename(f.Name(), file)
	}
	if err != nil {
		err = errors.Join(err, os.Remove(f.Name()))
	}
	return err
}
