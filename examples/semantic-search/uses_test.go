package main

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUses(t *testing.T) {
	tool := newToolchain(t)
	write(t, tool, "cmd/one/one.go", "package main\n\nimport \"home/shelf\"\n\nvar b, _ = shelf.Open(shelf.MaxBooks); var c = other.Red\n")
	write(t, tool, "cmd/two/two_test.go", "package main\n\nimport s \"home/shelf\"\n\nvar b *s.Book; var c, _ = s.Open(``)\n")
	write(t, tool, "cmd/two/again.go", "package main\n\nimport \"home/shelf\"\n\nvar d, _ = shelf.Open(``)\n")
	write(t, tool, "cmd/three/testdata/three.go", "package three\n\nimport \"home/shelf\"\n\nvar b, _ = shelf.Open(``)\n")
	write(t, tool, "cmd/four/four.go", "this is not Go: shelf.Open")
	got := map[string]int{}
	for _, d := range read(t, tool) {
		if d.Uses > 0 {
			got[d.ID] = d.Uses
		}
	}
	require.Equal(t, map[string]int{
		"home/shelf": 2, "home/shelf.Open": 2, "home/shelf.MaxBooks": 1,
		"home/shelf.Book": 2, "home/shelf.Book.Read": 2, "home/shelf.Book.Title": 2, "home/shelf.Book.Pages": 2,
	}, got)
}
