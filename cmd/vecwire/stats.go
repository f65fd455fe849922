package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

type statsJSON struct {
	Engine      string           `json:"engine"`
	FileBytes   int64            `json:"file_bytes,omitempty"`
	Collections []collectionJSON `json:"collections"`
}

type collectionJSON struct {
	Name        string `json:"name"`
	Records     int    `json:"records"`
	Dim         int    `json:"dim"`
	Element     string `json:"element"`
	Metric      string `json:"metric"`
	Model       string `json:"model,omitempty"`
	FullText    string `json:"full_text"`
	VectorBytes int64  `json:"vector_bytes"`
	Indexes     int    `json:"indexes"`
	IndexBytes  int64  `json:"index_bytes"`

	// What was measured; absent where it cannot be.
	MemoryBytes *int64 `json:"memory_bytes,omitempty"`
	MappedBytes *int64 `json:"mapped_bytes,omitempty"`
	ServerBytes *int64 `json:"server_bytes,omitempty"`
}

func (a *app) stats() *cobra.Command {
	return &cobra.Command{
		Use: "stats", Short: "say how large everything is", GroupID: "look",
		Long: `Says which engine a database has, how large its files are, and for each collection how
many records, and bytes of vectors and indexes, it has, and what it takes: of this
program's memory while it is open, mapped from the store's files, or of a server's disk.`,
		Example: `vecwire stats
vecwire stats --json`,
		Args: arguments(cobra.NoArgs),
		RunE: func(cmd *cobra.Command, _ []string) error {
			ctx := cmd.Context()
			return a.with(ctx, func(db *vecwire.DB) error {
				s := statsJSON{Engine: db.Capabilities().Engine, Collections: []collectionJSON{}}
				if file, ok := fileOf(a.settings.DB); ok {
					s.FileBytes = bytesOf(file)
				}
				schemas, err := db.Collections(ctx)
				if err != nil {
					return err
				}
				for _, schema := range schemas {
					c, err := db.OpenCollection(ctx, schema.Name)
					if err != nil {
						return err
					}
					n, err := c.Count(ctx, filter.Filter{})
					if err != nil {
						return err
					}
					j := collectionJSON{Name: schema.Name, Records: n, Dim: schema.Dim, Element: schema.Element.String(), Metric: schema.Metric.String(),
						Model: schema.Model, FullText: schema.FullText.String(), VectorBytes: int64(n) * int64(schema.Dim) * int64(schema.Element.Size())}
					if db.Capabilities().Indexes {
						indexes, err := c.Indexes(ctx)
						if err != nil {
							return err
						}
						for _, i := range indexes {
							j.Indexes++
							j.IndexBytes += i.Bytes
						}
					}
					if db.Capabilities().Usage { // after Indexes, which has loaded it
						u, err := c.Usage(ctx)
						if err != nil {
							return err
						}
						j.MemoryBytes, j.MappedBytes, j.ServerBytes = &u.Memory, &u.Mapped, &u.Server
					}
					s.Collections = append(s.Collections, j)
				}
				if a.json {
					return a.line(s)
				}
				return a.printStats(s)
			})
		},
	}
}

func (a *app) printStats(s statsJSON) error {
	size := ""
	if s.FileBytes > 0 {
		size = ", " + bytesText(s.FileBytes) + " on the disk"
	}
	if err := a.printf("engine %s%s\n", s.Engine, size); err != nil {
		return err
	}
	rows := [][]string{{"COLLECTION", "RECORDS", "DIM", "VECTORS", "INDEXES", "MEMORY", "MAPPED", "ON SERVER", "FULL TEXT", "MODEL"}}
	for _, c := range s.Collections {
		rows = append(rows, []string{c.Name, fmt.Sprint(c.Records), fmt.Sprint(c.Dim), bytesText(c.VectorBytes), bytesText(c.IndexBytes), known(c.MemoryBytes), known(c.MappedBytes), known(c.ServerBytes), c.FullText, c.Model})
	}
	return a.table(rows)
}

// bytesOf adds up a store's file and those beside it whose names begin with its name.
func bytesOf(file string) int64 {
	entries, err := os.ReadDir(filepath.Dir(file))
	if err != nil {
		return 0
	}
	var n int64
	for _, e := range entries {
		if info, err := e.Info(); err == nil && info.Mode().IsRegular() && strings.HasPrefix(e.Name(), filepath.Base(file)) {
			n += info.Size()
		}
	}
	return n
}

// known is bytesText of what may not be known.
func known(n *int64) string {
	if n == nil {
		return "-"
	}
	return bytesText(*n)
}

// bytesText writes a number of bytes for people: 1.5 MiB.
func bytesText(n int64) string {
	size, unit := float64(n), "B"
	for _, next := range []string{"KiB", "MiB", "GiB", "TiB"} {
		if size < 1024 {
			break
		}
		size, unit = size/1024, next
	}
	if unit == "B" {
		return fmt.Sprintf("%d B", n)
	}
	return fmt.Sprintf("%.1f %s", size, unit)
}
