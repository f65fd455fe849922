package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"math"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/mattn/go-isatty"

	"github.com/vecwire/vecwire"
)

// line prints a value as JSON on a line of its own.
func (a *app) line(v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err
	}
	_, err := a.out.Write(b.Bytes())
	return err
}

// printf prints for people.
func (a *app) printf(format string, args ...any) error {
	_, err := fmt.Fprintf(a.out, format, args...)
	return err
}

// table prints rows of cells for people, the first with the names of the columns.
func (a *app) table(rows [][]string) error {
	w := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(w, strings.Join(row, "\t"))
	}
	return w.Flush()
}

// note tells a person something that is not the answer.
func (a *app) note(format string, args ...any) { fmt.Fprintf(a.log, format+"\n", args...) }

// recordJSON is how a record or a hit is printed.
type recordJSON struct {
	ID       string         `json:"id"`
	Score    *float64       `json:"score,omitempty"`
	Distance *float64       `json:"distance,omitempty"` // none for a hit that was found by its words only
	Text     string         `json:"text,omitempty"`
	Fields   vecwire.Fields `json:"fields,omitempty"`
	Vector   any            `json:"vector,omitempty"`
	Passage  *passageJSON   `json:"passage,omitempty"`
	Legs     *legsJSON      `json:"legs,omitempty"`
	Next     string         `json:"next,omitempty"` // of the last hit of a page: the token of the next one
}

// passageJSON is what stands around a hit, with it: one text, of these records.
type passageJSON struct {
	Source string   `json:"source"`
	Text   string   `json:"text"`
	IDs    []string `json:"ids"`
}

// legsJSON says where a hit was in each of the two lists; 0 for not in it.
type legsJSON struct {
	MeaningRank  int     `json:"meaning_rank"`
	MeaningScore float64 `json:"meaning_score"`
	WordsRank    int     `json:"words_rank"`
	WordsScore   float64 `json:"words_score"`
}

func jsonOf(r vecwire.Record) recordJSON {
	j := recordJSON{ID: r.ID, Text: r.Text, Fields: r.Fields}
	switch {
	case r.Vector64 != nil:
		j.Vector = r.Vector64
	case r.Vector != nil:
		j.Vector = r.Vector
	}
	return j
}

func jsonOfHit(h vecwire.Hit) recordJSON {
	j := jsonOf(h.Record)
	j.Score = &h.Score
	if !math.IsNaN(h.Distance) {
		j.Distance = &h.Distance
	}
	if p := h.Passage; p != nil {
		j.Passage = &passageJSON{Source: p.Source, Text: p.Text}
		for _, r := range p.Records {
			j.Passage.IDs = append(j.Passage.IDs, r.ID)
		}
	}
	return j
}

// fieldsOf writes a record's values in the order of their names.
func fieldsOf(fields vecwire.Fields) string {
	var parts []string
	for _, name := range slices.Sorted(maps.Keys(fields)) {
		switch v := fields[name].(type) {
		case nil:
		case time.Time:
			parts = append(parts, name+"="+v.Format(time.RFC3339Nano))
		case []byte:
			parts = append(parts, fmt.Sprintf("%s=hex(%x)", name, v))
		default:
			parts = append(parts, fmt.Sprintf("%s=%v", name, v))
		}
	}
	return strings.Join(parts, " ")
}

// isTerminal reports whether what is written to w is seen on a terminal.
func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && (isatty.IsTerminal(f.Fd()) || isatty.IsCygwinTerminal(f.Fd()))
}

// progress returns a function that shows how far a job is, and one that takes the line
// away. Both are nil or do nothing where nobody would see them.
func (a *app) progress(what string) (show func(vecwire.Progress), end func()) {
	return a.progressIn(what, func(n int64) string { return strconv.FormatInt(n, 10) })
}

// progressIn is progress whose counts are written by text.
func (a *app) progressIn(what string, text func(int64) string) (show func(vecwire.Progress), end func()) {
	if !isTerminal(a.log) {
		return nil, func() {}
	}
	show = func(p vecwire.Progress) {
		of := ""
		if p.Total > 0 {
			of = " of " + text(p.Total)
		}
		left := ""
		if p.ETA > 0 {
			left = fmt.Sprintf(", %s left", p.ETA.Round(time.Second))
		}
		fmt.Fprintf(a.log, "\r\x1b[K%s: %s%s%s", what, text(p.Done), of, left)
	}
	return show, func() { fmt.Fprint(a.log, "\r\x1b[K") }
}

// ingestJSON is how the outcome of a job is printed.
type ingestJSON struct {
	Collection string         `json:"collection"`
	Source     string         `json:"source,omitempty"`
	Files      int            `json:"files,omitempty"`
	Inserted   int64          `json:"inserted"`
	Updated    int64          `json:"updated"`
	Unchanged  int64          `json:"unchanged"`
	Deleted    int64          `json:"deleted"`
	Failed     int64          `json:"failed"`
	Embedded   int64          `json:"embedded"`
	Skipped    map[string]int `json:"skipped,omitempty"`
	Seconds    float64        `json:"seconds"`
}

// ingested prints the outcome of a job and returns errPartly if records were refused.
func (a *app) ingested(what ingestJSON, r vecwire.IngestReport) error {
	what.Inserted, what.Updated, what.Unchanged, what.Deleted = r.Inserted, r.Updated, r.Unchanged, r.Deleted
	what.Failed, what.Embedded, what.Seconds = r.Failed, r.Embedded, math.Round(r.Elapsed.Seconds()*1000)/1000
	for _, f := range r.Failures {
		a.note("refused: %v", &f)
	}
	if r.Failed > int64(len(r.Failures)) {
		a.note("refused: %d more", r.Failed-int64(len(r.Failures)))
	}
	var err error
	if a.json {
		err = a.line(what)
	} else {
		into := what.Collection
		if what.Source != "" {
			into = what.Source + " → " + into
		}
		files := ""
		if what.Files > 0 {
			files = fmt.Sprintf(", %s", count(what.Files, "file"))
		}
		err = a.printf("%s%s: %d new, %d changed, %d unchanged, %d removed, %d refused\n",
			into, files, what.Inserted, what.Updated, what.Unchanged, what.Deleted, what.Failed)
	}
	if err == nil && r.Failed > 0 {
		err = errPartly
	}
	return err
}

// count writes a number with its unit: 1 file, 2 files.
func count(n int, unit string) string { return plural(n, unit, unit+"s") }

func plural(n int, one, many string) string {
	if n == 1 {
		return "1 " + one
	}
	return fmt.Sprintf("%d %s", n, many)
}

// micros writes a time for programs.
func micros(d time.Duration) float64 { return float64(d.Nanoseconds()) / 1000 }
