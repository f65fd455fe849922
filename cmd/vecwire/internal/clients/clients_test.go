package clients

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestMerge(t *testing.T) {
	c := Client{Name: "test", key: "mcpServers"}
	e := Entry{Command: "/bin/vecwire", Args: []string{"mcp"}}
	for _, test := range []struct{ name, old, want string }{
		{"no file", "", "{\n  \"mcpServers\": {\n    \"vecwire\": {\n      \"command\": \"/bin/vecwire\",\n      \"args\": [\n        \"mcp\"\n      ]\n    }\n  }\n}\n"},
		{
			"other servers, a comment, a long number",
			"// mine\n{\n  \"big\": 12345678901234567890, // keep\n  \"mcpServers\": {\n    \"a\": {\"x\": 1}\n  }\n}\n",
			"// mine\n{\n  \"big\": 12345678901234567890, // keep\n  \"mcpServers\": {\n    \"a\": {\"x\": 1},\n    \"vecwire\": {\n      \"command\": \"/bin/vecwire\",\n      \"args\": [\n        \"mcp\"\n      ]\n    }\n  }\n}\n",
		},
		{
			"trailing commas",
			"{\n  \"mcpServers\": {\n    \"a\": {},\n  },\n}\n",
			"{\n  \"mcpServers\": {\n    \"a\": {},\n    \"vecwire\": {\n      \"command\": \"/bin/vecwire\",\n      \"args\": [\n        \"mcp\"\n      ]\n    },\n  },\n}\n",
		},
		{
			"no servers",
			"{\n  \"theme\": \"dark\"\n}\n",
			"{\n  \"theme\": \"dark\",\n  \"mcpServers\": {\n    \"vecwire\": {\n      \"command\": \"/bin/vecwire\",\n      \"args\": [\n        \"mcp\"\n      ]\n    }\n  }\n}\n",
		},
		{
			"an empty object",
			"{}",
			"{\n  \"mcpServers\": {\n    \"vecwire\": {\n      \"command\": \"/bin/vecwire\",\n      \"args\": [\n        \"mcp\"\n      ]\n    }\n  }\n}",
		},
		{
			"an entry of the name",
			"{\"mcpServers\": {\"vecwire\": {\"command\": \"old\"}, \"b\": 2}}",
			"{\"mcpServers\": {\"vecwire\": {\n      \"command\": \"/bin/vecwire\",\n      \"args\": [\n        \"mcp\"\n      ]\n    }, \"b\": 2}}",
		},
		{
			"the same entry, written otherwise",
			"{\"mcpServers\": {\"vecwire\": {\"command\":\"/bin/vecwire\",\"args\":[\"mcp\"]}}}",
			"{\"mcpServers\": {\"vecwire\": {\"command\":\"/bin/vecwire\",\"args\":[\"mcp\"]}}}",
		},
	} {
		t.Run(test.name, func(t *testing.T) {
			got, err := c.Merge([]byte(test.old), "vecwire", e)
			require.NoError(t, err)
			require.Equal(t, test.want, string(got))
			again, err := c.Merge(got, "vecwire", e)
			require.NoError(t, err)
			require.Equal(t, test.want, string(again))
		})
	}
	for _, old := range []string{"[]", "{", `{"mcpServers": []}`, "mcpServers: {}"} {
		_, err := c.Merge([]byte(old), "vecwire", e)
		require.Error(t, err, old)
	}
}

func TestWriteFollowsLinksAndKeepsRights(t *testing.T) {
	dir := t.TempDir()
	file, link := filepath.Join(dir, "real.json"), filepath.Join(dir, "link.json")
	require.NoError(t, os.WriteFile(file, []byte("{}"), 0o640))
	require.NoError(t, os.Symlink(file, link))
	require.NoError(t, Write(link, []byte("new")))
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	require.Equal(t, "new", string(text))
	info, err := os.Stat(file)
	require.NoError(t, err)
	require.Equal(t, os.FileMode(0o640), info.Mode().Perm())
	require.NoError(t, Write(filepath.Join(dir, "new", "folder", "x.json"), []byte("{}")))
}
