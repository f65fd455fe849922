package chromem

import (
	"bytes"
	"compress/gzip"
	"crypto/aes"
	"crypto/cipher"
	"encoding/gob"
	"errors"
	"fmt"
	"io"
	"iter"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
)

// Source is what chromem-go has written: the directory of a persistent database, or
// an export.
type Source struct {
	dir         string                       // "" for an export
	collections map[string]*storedCollection // by name
}

// storedCollection is a collection as it is in an export. The names of its fields are
// the format's.
type storedCollection struct {
	Name      string
	Metadata  map[string]string
	Documents map[string]*Document

	folder string   // in a directory
	files  []string // of documents, there
}

type storedDB struct {
	Collections map[string]*storedCollection
}

// Info describes a collection of a [Source].
type Info struct {
	Name      string
	Metadata  map[string]string
	Documents int // files, in a directory
	Dim       int // of the first document that can be read, 0 if there is none
}

// metadataFile holds a collection's name and metadata, and ends as documents do.
const metadataFile = "00000000"

// OpenDir opens the directory of chromem-go's persistent database. Both kinds of files
// are read, compressed or not, and nothing is changed. It finds the collections, and
// reads no document.
func OpenDir(path string) (*Source, error) {
	folders, err := os.ReadDir(path)
	if err != nil {
		return nil, err
	}
	s := &Source{dir: path, collections: map[string]*storedCollection{}}
	for _, folder := range folders {
		if !folder.IsDir() {
			continue
		}
		files, err := os.ReadDir(filepath.Join(path, folder.Name()))
		if err != nil {
			return nil, err
		}
		c := &storedCollection{folder: folder.Name()}
		for _, file := range files {
			name := file.Name()
			base, ok := strings.CutSuffix(strings.TrimSuffix(name, ".gz"), ".gob")
			switch {
			case file.IsDir() || !ok:
			case base == metadataFile:
				var named struct {
					Name     string
					Metadata map[string]string
				}
				if err := readFile(filepath.Join(path, folder.Name(), name), "", &named); err != nil {
					return nil, fmt.Errorf("%s/%s: %w", folder.Name(), name, err)
				}
				c.Name, c.Metadata = named.Name, named.Metadata
			default:
				c.files = append(c.files, name)
			}
		}
		switch {
		case c.Name != "":
			s.collections[c.Name] = c
		case c.files != nil:
			return nil, fmt.Errorf("%s: there are documents and no %s.gob, which names their collection", folder.Name(), metadataFile)
		}
	}
	return s, nil
}

// OpenFile reads an export, with the key of 32 bytes that it was encrypted with, ""
// for none. An export is one value, and so all of it is read into memory.
func OpenFile(path, key string) (*Source, error) {
	var db storedDB
	if err := readFile(path, key, &db); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return db.source()
}

// OpenReader reads an export as OpenFile does.
func OpenReader(r io.Reader, key string) (*Source, error) {
	var db storedDB
	if err := read(r, key, &db); err != nil {
		return nil, err
	}
	return db.source()
}

func (db storedDB) source() (*Source, error) {
	s := &Source{collections: map[string]*storedCollection{}}
	for _, c := range db.Collections {
		if c == nil || c.Name == "" {
			return nil, errors.New("a collection in it has no name")
		}
		s.collections[c.Name] = c
	}
	return s, nil
}

// Collections describes the collections, by name.
func (s *Source) Collections() []Info {
	infos := make([]Info, 0, len(s.collections))
	for _, name := range slices.Sorted(maps.Keys(s.collections)) {
		c := s.collections[name]
		infos = append(infos, Info{
			Name: name, Metadata: maps.Clone(c.Metadata), Documents: len(c.files) + len(c.Documents), Dim: s.dim(c),
		})
	}
	return infos
}

// documents yields a collection's documents. After an error of one the next follow.
func (s *Source) documents(c *storedCollection) iter.Seq2[*Document, error] {
	return func(yield func(*Document, error) bool) {
		for _, id := range slices.Sorted(maps.Keys(c.Documents)) {
			doc := c.Documents[id]
			if doc == nil {
				doc = &Document{ID: id}
			}
			if !yield(doc, nil) {
				return
			}
		}
		for i, file := range c.files {
			doc := &Document{}
			var failed error
			if err := readFile(filepath.Join(s.dir, c.folder, file), "", doc); err != nil {
				failed = &vecwire.RecordError{ID: c.folder + "/" + file, Index: i, Err: err}
			}
			if !yield(doc, failed) {
				return
			}
		}
	}
}

// Records yields the documents of a collection as records of a schema. The keys of
// their metadata that are fields of the schema become fields, of the types that these
// have: 2024 for an Int, true for a Bool, a time as RFC 3339 has it. All other keys
// are kept in the JSON field "meta", or in that of Schema.Extra; on an engine without JSON
// in a String field "meta".
//
// A document that cannot be read, or does not fit, yields a [*vecwire.RecordError],
// which [vecwire.Collection.Ingest] puts into its report, and the others follow. A
// directory is read one document at a time.
func (s *Source) Records(collection string, schema vecwire.Schema) iter.Seq2[vecwire.Record, error] {
	return func(yield func(vecwire.Record, error) bool) {
		c := s.collections[collection]
		if c == nil {
			yield(vecwire.Record{}, fmt.Errorf("%w: the collection %q in what chromem-go wrote", vecwire.ErrNotFound, collection))
			return
		}
		m := meta.Of(schema)
		i := 0
		for doc, err := range s.documents(c) {
			var r vecwire.Record
			if err == nil {
				r = vecwire.Record{ID: doc.ID, Vector: doc.Embedding, Text: doc.Content}
				var typed map[string]any
				if typed, err = typedValues(schema, doc.Metadata); err == nil {
					r.Fields, err = m.Fields(typed)
				}
				if err != nil {
					err = &vecwire.RecordError{ID: doc.ID, Index: i, Err: err}
				}
			}
			if !yield(r, err) {
				return
			}
			i++
		}
	}
}

// typedValues returns metadata, with the values of fields in their types.
func typedValues(schema vecwire.Schema, metadata map[string]string) (map[string]any, error) {
	out := values(metadata)
	for _, f := range schema.Fields {
		text, ok := metadata[f.Name]
		if !ok {
			continue
		}
		var err error
		switch f.Type {
		case vecwire.Int:
			out[f.Name], err = strconv.ParseInt(text, 10, 64)
		case vecwire.Float:
			out[f.Name], err = strconv.ParseFloat(text, 64)
		case vecwire.Bool:
			out[f.Name], err = strconv.ParseBool(text)
		case vecwire.Time:
			out[f.Name], err = time.Parse(time.RFC3339, text)
		case vecwire.Bytes:
			out[f.Name] = []byte(text)
		}
		if err != nil {
			return nil, &vecwire.ValueError{Field: f.Name, Pos: -1, Want: fmt.Sprint("a text of the type ", f.Type), Got: strconv.Quote(text)}
		}
	}
	return out, nil
}

func readFile(path, key string, into any) error {
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	defer f.Close()
	return read(f, key, into)
}

var errKey = errors.New("the key must have 32 bytes")

// read reads one value: encrypted with AES-GCM if there is a key, compressed by gzip
// if it says so itself, and encoded as gob.
func read(r io.Reader, key string, into any) error {
	if key != "" {
		data, err := decrypt(r, key)
		if err != nil {
			return err
		}
		r = bytes.NewReader(data)
	}
	var magic [2]byte
	n, err := io.ReadFull(r, magic[:])
	if err != nil {
		return fmt.Errorf("it is too short: %w", err)
	}
	r = io.MultiReader(bytes.NewReader(magic[:n]), r)
	if magic == [2]byte{0x1f, 0x8b} {
		if r, err = gzip.NewReader(r); err != nil {
			return err
		}
	}
	if err := gob.NewDecoder(r).Decode(into); err != nil {
		remedy := ""
		if key == "" {
			remedy = ": an export that is encrypted needs its key"
		}
		return fmt.Errorf("it is not what chromem-go writes%s: %w", remedy, err)
	}
	if rest, ok := r.(*gzip.Reader); ok { // to the end, where the checksum is
		if _, err := io.Copy(io.Discard, rest); err != nil {
			return err
		}
		return rest.Close()
	}
	return nil
}

func decrypt(r io.Reader, key string) ([]byte, error) {
	gcm, err := newGCM(key)
	if err != nil {
		return nil, err
	}
	sealed, err := io.ReadAll(r)
	if err != nil {
		return nil, err
	}
	if len(sealed) < gcm.NonceSize() {
		return nil, errors.New("it is too short to be encrypted")
	}
	data, err := gcm.Open(nil, sealed[:gcm.NonceSize()], sealed[gcm.NonceSize():], nil)
	if err != nil {
		return nil, fmt.Errorf("it cannot be decrypted: it has another key, or was changed: %w", err)
	}
	return data, nil
}

func newGCM(key string) (cipher.AEAD, error) {
	if len(key) != 32 {
		return nil, errKey
	}
	block, err := aes.NewCipher([]byte(key))
	if err != nil {
		return nil, err
	}
	return cipher.NewGCM(block)
}

// dim returns the dimension of the first document that has one.
func (s *Source) dim(c *storedCollection) int {
	for doc, err := range s.documents(c) {
		if err == nil && len(doc.Embedding) > 0 {
			return len(doc.Embedding)
		}
	}
	return 0
}
