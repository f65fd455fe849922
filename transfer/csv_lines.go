package transfer

import (
	"bytes"
	"errors"
	"fmt"
	"io"
)

// csvReader reads rows of comma-separated values as RFC 4180 has them. It differs
// from encoding/csv in what a table of records needs: it tells an empty cell from an
// empty string, which is quoted; it keeps the ends of lines within quotes as they are;
// it goes on after a row that cannot be read; and it bounds what a row may take.
type csvReader struct {
	lines lineReader
	comma byte
	begun int // line in which the row begins, from 1
	cells []csvCell
	text  []byte // of all cells of the row
	size  int    // bytes of the row, of which text has no more than the bound
}

// csvCell is where in text a cell is.
type csvCell struct {
	start, end int
	quoted     bool
}

// errCSV says that a row is not what RFC 4180 says. The rows after it can be read.
type errCSV struct{ msg string }

func (e errCSV) Error() string { return e.msg }

func newCSVReader(r io.Reader, comma byte) *csvReader {
	return &csvReader{lines: newLineReader(r), comma: comma}
}

// cell returns the text of a cell and whether it has a value. It is valid until the
// next row is read.
func (c *csvReader) cell(i int) (text []byte, ok bool) {
	at := c.cells[i]
	return c.text[at.start:at.end], at.quoted || at.end > at.start
}

// next reads a row, passing over blank lines. It returns io.EOF after the last, and an
// errCSV or errLongLine for one that it has passed over.
func (c *csvReader) next() error {
	if cap(c.text) > 1<<20 {
		c.text = nil
	}
	c.cells, c.text, c.size = c.cells[:0], c.text[:0], 0
	line, err := c.lines.next()
	c.begun = c.lines.number
	if err != nil {
		return err
	}
	for {
		rest, more, err := c.read(line)
		if err != nil {
			return err
		}
		if c.size > c.lines.max {
			return fmt.Errorf("%w: the row has %d bytes, want at most %d", errLongLine, c.size, c.lines.max)
		}
		if !more {
			return nil
		}
		line = rest
	}
}

// read reads the cell that the line begins with, which may end in a line after it, and
// returns what follows the comma after it.
func (c *csvReader) read(line []byte) (rest []byte, more bool, err error) {
	start := len(c.text)
	if len(line) > 0 && line[0] == '"' {
		if line, err = c.quoted(line[1:]); err != nil {
			return nil, false, err
		}
		c.cells = append(c.cells, csvCell{start, len(c.text), true})
		switch {
		case len(line) > 0 && line[0] == c.comma:
			return line[1:], true, nil
		case len(endOfLine(line)) == 0:
			return nil, false, nil
		}
		return nil, false, errCSV{fmt.Sprintf("cell %d goes on after its closing quote: double quotes within it", len(c.cells))}
	}
	i, cell := bytes.IndexByte(line, c.comma), []byte(nil)
	if i >= 0 {
		cell, rest = line[:i], line[i+1:]
	} else {
		cell = endOfLine(line)
	}
	if bytes.IndexByte(cell, '"') >= 0 {
		return nil, false, errCSV{fmt.Sprintf("cell %d has a quote and does not begin with one: quote the cell, and double quotes within it", len(c.cells)+1)}
	}
	c.take(cell)
	c.cells = append(c.cells, csvCell{start, len(c.text), false})
	return rest, i >= 0, nil
}

// quoted reads a cell from behind its first quote to behind its last.
func (c *csvReader) quoted(line []byte) ([]byte, error) {
	for {
		i := bytes.IndexByte(line, '"')
		if i < 0 {
			c.take(line)
			var err error
			switch line, err = c.lines.read(); {
			case errors.Is(err, io.EOF):
				msg := fmt.Sprintf("cell %d begins with a quote that is never closed", len(c.cells)+1)
				if last := c.lines.number - 1; last > c.begun {
					msg += fmt.Sprintf(": what is behind it, to line %d, is not read", last)
				}
				return nil, errCSV{msg}
			case errors.Is(err, errLongLine): // it is gone, and with it where the cell ends
				c.size += c.lines.max + 1
				line = nil
			case err != nil:
				return nil, err
			}
			continue
		}
		c.take(line[:i])
		line = line[i+1:]
		if len(line) == 0 || line[0] != '"' {
			return line, nil
		}
		c.take(line[:1])
		line = line[1:]
	}
}

// take adds to the cell that is being read, up to the bound.
func (c *csvReader) take(b []byte) {
	if c.size += len(b); c.size <= c.lines.max {
		c.text = append(c.text, b...)
	}
}

// endOfLine returns the line without its end.
func endOfLine(line []byte) []byte {
	return bytes.TrimSuffix(bytes.TrimSuffix(line, []byte("\n")), []byte("\r"))
}
