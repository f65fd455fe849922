package chromem

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
	"github.com/vecwire/vecwire/filter"
)

// DB holds collections, as chromem-go's DB does. It is safe for concurrent use.
type DB struct {
	db      *vecwire.DB
	own     bool  // Close closes db
	failed  error // of NewDB, which has no error to return
	indexed []string

	mu    sync.Mutex
	list  *vecwire.Collection      // of the collections, nil until it is needed
	embed map[string]EmbeddingFunc // by the name of the collection
}

// Options says how [New] works.
type Options struct {
	// Indexed are keys of metadata that conditions are often about: each becomes an
	// indexed field of the collections that are made, and conditions over it are
	// answered by the database. Others are compared here, document by document.
	Indexed []string
}

// NewDB returns a database in memory.
func NewDB() *DB {
	db, err := vecwire.Open(context.Background(), "mem:")
	d := New(db, Options{})
	d.own, d.failed = true, err
	return d
}

// New returns a database over one of vecwire's, which stays its owner's: Close does
// not close it.
func New(db *vecwire.DB, o Options) *DB {
	return &DB{db: db, indexed: slices.Clone(o.Indexed), embed: map[string]EmbeddingFunc{}}
}

// storeFile is the store in the directory of a persistent database.
const storeFile = "vecwire.db"

// NewPersistentDB returns the database in a directory, which is made if there is none.
// The path "" is "./chromem-go". What chromem-go itself wrote there is read once; if
// some of its documents cannot be read, the error names them and the next call tries
// again. compress has no meaning: files of chromem-go are read in either form.
func NewPersistentDB(path string, compress bool) (*DB, error) {
	if path == "" {
		path = "./chromem-go"
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, err
	}
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "file:"+filepath.ToSlash(filepath.Join(path, storeFile)))
	if err != nil {
		return nil, err
	}
	d := New(db, Options{})
	d.own = true
	if err := d.importOnce(ctx, path); err != nil {
		return nil, errors.Join(err, d.Close())
	}
	return d, nil
}

// importedKey is the record that says that the directory was read. It is no name of a
// collection's entry.
const importedKey = "imported"

func (d *DB) importOnce(ctx context.Context, path string) error {
	list, err := d.collections(ctx)
	if err != nil {
		return err
	}
	if found, err := list.Get(ctx, importedKey); err != nil || len(found) > 0 {
		return err
	}
	src, err := OpenDir(path)
	if err == nil {
		err = d.importFrom(ctx, src)
	}
	if err != nil {
		return fmt.Errorf("vecwire: reading what chromem-go wrote: %w", err)
	}
	return list.Upsert(ctx, vecwire.Record{ID: importedKey, Vector: []float32{1}})
}

// Close closes the database, but for one that was given to [New].
func (d *DB) Close() error {
	if !d.own || d.db == nil {
		return nil
	}
	return d.db.Close()
}

// The collection of the collections: the ID of a record is the entryPrefix and the
// collection's name, its text the metadata.
const (
	listName    = "chromem_collections"
	entryPrefix = "c/"
)

func (d *DB) collections(ctx context.Context) (*vecwire.Collection, error) {
	if d.failed != nil {
		return nil, d.failed
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.list == nil {
		list, err := d.db.EnsureCollection(ctx, vecwire.Schema{Name: listName, Dim: 1, Metric: vecwire.Dot})
		if err != nil {
			return nil, err
		}
		d.list = list
	}
	return d.list, nil
}

var plainName = regexp.MustCompile(`^[a-z][a-z0-9_]{0,47}$`)

// vecwireName returns the name of the collection that has chromem-go's of a name:
// the same if it is one that differs from all others also without case.
func vecwireName(name string) string {
	if plainName.MatchString(name) && name != listName && !strings.HasPrefix(name, "vecwire_") && !strings.HasPrefix(name, "x_") {
		return name
	}
	sum := sha256.Sum256([]byte(name))
	return "x_" + hex.EncodeToString(sum[:10])
}

// CreateCollection makes a collection. It returns an error if there is one of that
// name. Without an EmbeddingFunc it has [NewEmbeddingFuncDefault].
func (d *DB) CreateCollection(name string, metadata map[string]string, embeddingFunc EmbeddingFunc) (*Collection, error) {
	ctx := context.Background()
	if name == "" {
		return nil, errors.New("collection name is empty")
	}
	list, err := d.collections(ctx)
	if err != nil {
		return nil, err
	}
	found, err := list.Get(ctx, entryPrefix+name)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("the collection %q %w: use GetOrCreateCollection", name, vecwire.ErrExists)
	}
	if err == nil {
		err = d.enter(ctx, list, name, metadata)
	}
	if err != nil {
		return nil, err
	}
	return d.collection(name, metadata, embeddingFunc), nil
}

// enter keeps a collection's name and metadata.
func (d *DB) enter(ctx context.Context, list *vecwire.Collection, name string, metadata map[string]string) error {
	text, err := json.Marshal(metadata)
	if err != nil {
		return err
	}
	return list.Upsert(ctx, vecwire.Record{ID: entryPrefix + name, Vector: []float32{1}, Text: string(text)})
}

// collection returns the handle of a collection. The first EmbeddingFunc stays, as in
// chromem-go.
func (d *DB) collection(name string, metadata map[string]string, embeddingFunc EmbeddingFunc) *Collection {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.embed[name] == nil {
		if embeddingFunc == nil {
			embeddingFunc = NewEmbeddingFuncDefault()
		}
		d.embed[name] = embeddingFunc
	}
	return &Collection{Name: name, db: d, metadata: metadata, embed: d.embed[name]}
}

// entries returns the metadata of the collections by their names.
func (d *DB) entries(ctx context.Context) (map[string]map[string]string, error) {
	list, err := d.collections(ctx)
	if err != nil {
		return nil, err
	}
	out := map[string]map[string]string{}
	for r, err := range list.All(ctx, vecwire.Scan{Filter: filter.Prefix("id", entryPrefix)}) {
		if err != nil {
			return nil, err
		}
		var metadata map[string]string
		if err := json.Unmarshal([]byte(r.Text), &metadata); err != nil {
			return nil, err
		}
		out[strings.TrimPrefix(r.ID, entryPrefix)] = metadata
	}
	return out, nil
}

// ListCollections returns the collections by their names, and none if the database
// cannot be asked.
func (d *DB) ListCollections() map[string]*Collection {
	entries, _ := d.entries(context.Background())
	out := make(map[string]*Collection, len(entries))
	for name, metadata := range entries {
		out[name] = &Collection{Name: name, db: d, metadata: metadata, embed: d.embedOf(name)}
	}
	return out
}

func (d *DB) embedOf(name string) EmbeddingFunc {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.embed[name]
}

// GetCollection returns a collection, nil if there is none, or if the database cannot
// be asked; [DB.GetOrCreateCollection] tells these apart.
func (d *DB) GetCollection(name string, embeddingFunc EmbeddingFunc) *Collection {
	c, _ := d.get(context.Background(), name, embeddingFunc)
	return c
}

func (d *DB) get(ctx context.Context, name string, embeddingFunc EmbeddingFunc) (*Collection, error) {
	list, err := d.collections(ctx)
	if err != nil {
		return nil, err
	}
	found, err := list.Get(ctx, entryPrefix+name)
	if err != nil || len(found) == 0 {
		return nil, err
	}
	var metadata map[string]string
	if err := json.Unmarshal([]byte(found[0].Text), &metadata); err != nil {
		return nil, err
	}
	return d.collection(name, metadata, embeddingFunc), nil
}

// GetOrCreateCollection returns a collection, and makes it if there is none.
func (d *DB) GetOrCreateCollection(name string, metadata map[string]string, embeddingFunc EmbeddingFunc) (*Collection, error) {
	c, err := d.get(context.Background(), name, embeddingFunc)
	if c != nil || err != nil {
		return c, err
	}
	return d.CreateCollection(name, metadata, embeddingFunc)
}

// DeleteCollection removes a collection with its documents. One that does not exist is
// no error.
func (d *DB) DeleteCollection(name string) error {
	ctx := context.Background()
	list, err := d.collections(ctx)
	if err != nil {
		return err
	}
	err = d.db.DropCollection(ctx, vecwireName(name))
	if errors.Is(err, vecwire.ErrNotFound) { // it never had a document
		err = nil
	}
	if err == nil {
		_, err = list.Delete(ctx, entryPrefix+name)
	}
	if err == nil {
		d.mu.Lock()
		defer d.mu.Unlock()
		delete(d.embed, name)
	}
	return err
}

// Reset removes all collections. Other collections of the same vecwire database stay.
func (d *DB) Reset() error {
	entries, err := d.entries(context.Background())
	for name := range entries {
		if err == nil {
			err = d.DeleteCollection(name)
		}
	}
	return err
}

// schema is what a collection with documents of a dimension has.
func (d *DB) schema(name string, dim int) vecwire.Schema {
	s := vecwire.Schema{Name: vecwireName(name), Dim: dim, Fields: []vecwire.Field{{Name: meta.Field}}}
	for _, key := range d.indexed {
		s.Fields = append(s.Fields, vecwire.Field{Name: key, Index: true})
	}
	return s
}

// ImportFromFile imports an export of chromem-go's, or of this package's, with the key
// that it was encrypted with; "" for none. Without names it imports all collections.
// Those that exist are replaced.
func (d *DB) ImportFromFile(filePath string, encryptionKey string, collections ...string) error {
	src, err := OpenFile(filePath, encryptionKey)
	if err != nil {
		return err
	}
	return d.importFrom(context.Background(), src, collections...)
}

// ImportFromReader is ImportFromFile over a reader.
func (d *DB) ImportFromReader(reader io.ReadSeeker, encryptionKey string, collections ...string) error {
	src, err := OpenReader(reader, encryptionKey)
	if err != nil {
		return err
	}
	return d.importFrom(context.Background(), src, collections...)
}

func (d *DB) importFrom(ctx context.Context, src *Source, names ...string) error {
	list, err := d.collections(ctx)
	if err != nil {
		return err
	}
	for _, info := range src.Collections() {
		if len(names) > 0 && !slices.Contains(names, info.Name) {
			continue
		}
		if err := d.DeleteCollection(info.Name); err != nil {
			return err
		}
		if err := d.enter(ctx, list, info.Name, info.Metadata); err != nil {
			return err
		}
		if info.Documents == 0 {
			continue
		}
		schema := d.schema(info.Name, max(1, info.Dim))
		docs, err := d.db.EnsureCollection(ctx, schema)
		if err != nil {
			return err
		}
		report, err := docs.Ingest(ctx, src.Records(info.Name, schema), vecwire.IngestOptions{})
		if err == nil {
			err = report.Err()
		}
		if err != nil {
			return fmt.Errorf("collection %q: %w", info.Name, err)
		}
	}
	return nil
}
