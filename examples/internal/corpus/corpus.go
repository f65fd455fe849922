// Package corpus keeps a collection in step with a folder of texts.
package corpus

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"os"
	"path/filepath"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/chunk"
)

// Fields are the fields of a collection of chunks.
var Fields = []vecwire.Field{
	{Name: vecwire.SourceField, Index: true}, // the file, below the folder, with slashes
	{Name: "headings"},                       // those above the chunk, with " > " between
}

// Folder is a folder of .md, .txt and .jsonl files, or one such file. A line of
// .jsonl is {"id": …, "text": …}.
type Folder struct {
	Path string
	Size int // tokens a chunk, 0 for the default
}

// Chunks yields the texts as records without vectors, always in the same order.
// A line that cannot be read is yielded as a *vecwire.RecordError.
func (f Folder) Chunks() iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		err := filepath.WalkDir(f.Path, func(path string, entry fs.DirEntry, err error) error {
			if err != nil {
				return err
			}
			if name := entry.Name(); entry.IsDir() && path != f.Path && strings.HasPrefix(name, ".") {
				return filepath.SkipDir
			}
			source, err := filepath.Rel(f.Path, path)
			if err != nil {
				return err
			}
			if source == "." {
				source = filepath.Base(path)
			}
			source = filepath.ToSlash(source)
			switch strings.ToLower(filepath.Ext(path)) {
			case ".md", ".txt":
				return f.text(path, source, yield)
			case ".jsonl":
				return f.lines(path, source, yield)
			}
			return nil
		})
		if err != nil && !errors.Is(err, fs.SkipAll) {
			yield(vecwire.Record{}, err)
		}
	}
}

// Texts yields the texts of the chunks.
func (f Folder) Texts() iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for r, err := range f.Chunks() {
			if _, bad := errors.AsType[*vecwire.RecordError](err); bad {
				continue
			}
			if !yield(r.Text, err) {
				return
			}
		}
	}
}

func (f Folder) text(path, source string, yield func(vecwire.Record, error) bool) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	text := strings.ToValidUTF8(strings.ReplaceAll(string(data), "\x00", ""), "\uFFFD")
	chunks, err := chunk.Split(text, chunk.Options{Size: f.Size, Markdown: filepath.Ext(path) == ".md"})
	if err != nil {
		return err
	}
	for i, c := range chunks {
		r := vecwire.Record{
			ID: fmt.Sprintf("%s#%d", source, i), Text: c.Text,
			Fields: vecwire.Fields{vecwire.SourceField: source, "headings": strings.Join(c.Headings, " > ")},
		}
		if !yield(r, nil) {
			return fs.SkipAll
		}
	}
	return nil
}

func (f Folder) lines(path, source string, yield func(vecwire.Record, error) bool) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer file.Close()
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 16<<20)
	for n := 1; lines.Scan(); n++ {
		var line struct{ ID, Text string }
		r, bad := vecwire.Record{}, json.Unmarshal(lines.Bytes(), &line)
		if bad != nil {
			bad = &vecwire.RecordError{ID: fmt.Sprintf("%s line %d", source, n), Err: bad}
		} else {
			r = vecwire.Record{ID: source + "#" + line.ID, Text: line.Text, Fields: vecwire.Fields{vecwire.SourceField: source}}
		}
		if !yield(r, bad) {
			return fs.SkipAll
		}
	}
	if err := lines.Err(); err != nil {
		return fmt.Errorf("%s: %w", path, err)
	}
	return nil
}

// Sync stores the chunks that are new or have changed, and deletes the records
// whose chunks are gone. A run that was interrupted is finished by the next one.
func (f Folder) Sync(ctx context.Context, c *vecwire.Collection, progress func(vecwire.Progress)) (vecwire.IngestReport, error) {
	total := int64(0)
	here := map[string]bool{}
	for r, err := range f.Chunks() {
		if _, bad := errors.AsType[*vecwire.RecordError](err); err != nil && !bad {
			return vecwire.IngestReport{}, err
		}
		here[r.ID] = true
		total++
	}
	report, err := c.Ingest(ctx, f.Chunks(), vecwire.IngestOptions{Job: "sync", Total: total, Progress: progress})
	if err != nil {
		return report, err
	}
	var gone []string
	for r, err := range c.All(ctx, vecwire.Scan{}) {
		if err != nil {
			return report, err
		}
		if !here[r.ID] {
			gone = append(gone, r.ID)
		}
	}
	n, err := c.Delete(ctx, gone...)
	report.Deleted = int64(n)
	return report, err
}
