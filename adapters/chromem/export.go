package chromem

import (
	"bytes"
	"compress/gzip"
	"context"
	"crypto/rand"
	"encoding/gob"
	"errors"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/internal/meta"
)

// ExportToFile writes the collections of the names, or all, to a file that chromem-go
// can read, too: gob, compressed if compress is set, and encrypted if there is a key,
// of 32 bytes. The path "" is "./chromem-go.gob", with ".gz" and ".enc". The whole
// export is in memory meanwhile. The file is replaced only when the export is complete.
func (d *DB) ExportToFile(filePath string, compress bool, encryptionKey string, collections ...string) error {
	if filePath == "" {
		filePath = "./chromem-go.gob"
		if compress {
			filePath += ".gz"
		}
		if encryptionKey != "" {
			filePath += ".enc"
		}
	}
	if err := os.MkdirAll(filepath.Dir(filePath), 0o700); err != nil {
		return err
	}
	f, err := os.CreateTemp(filepath.Dir(filePath), filepath.Base(filePath)+".*")
	if err != nil {
		return err
	}
	err = d.ExportToWriter(f, compress, encryptionKey, collections...)
	if err = errors.Join(err, f.Close()); err == nil {
		err = os.Rename(f.Name(), filePath)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// ExportToWriter is ExportToFile to a writer.
func (d *DB) ExportToWriter(writer io.Writer, compress bool, encryptionKey string, collections ...string) error {
	if encryptionKey != "" && len(encryptionKey) != 32 {
		return errKey
	}
	out, err := d.export(context.Background(), collections)
	if err != nil {
		return err
	}
	var plain bytes.Buffer
	target := writer
	if encryptionKey != "" {
		target = &plain
	}
	if compress {
		z := gzip.NewWriter(target)
		err = errors.Join(gob.NewEncoder(z).Encode(out), z.Close())
	} else {
		err = gob.NewEncoder(target).Encode(out)
	}
	if err != nil || encryptionKey == "" {
		return err
	}
	gcm, err := newGCM(encryptionKey)
	if err != nil {
		return err
	}
	nonce := make([]byte, gcm.NonceSize())
	if _, err := rand.Read(nonce); err != nil {
		return err
	}
	_, err = writer.Write(gcm.Seal(nonce, nonce, plain.Bytes(), nil))
	return err
}

// exported is the format's collection, and has no other fields.
type exported struct {
	Name      string
	Metadata  map[string]string
	Documents map[string]*Document
}

func (d *DB) export(ctx context.Context, names []string) (any, error) {
	entries, err := d.entries(ctx)
	if err != nil {
		return nil, err
	}
	out := struct{ Collections map[string]*exported }{map[string]*exported{}}
	for name, metadata := range entries {
		if len(names) > 0 && !slices.Contains(names, name) {
			continue
		}
		e := &exported{name, metadata, map[string]*Document{}}
		out.Collections[name] = e
		docs, err := (&Collection{Name: name, db: d}).Vecwire(ctx)
		if errors.Is(err, vecwire.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		m := meta.Of(docs.Schema())
		for r, err := range docs.All(ctx, vecwire.Scan{Vectors: true}) {
			if err != nil {
				return nil, err
			}
			doc, err := document(m, r)
			if err != nil {
				return nil, err
			}
			e.Documents[doc.ID] = &doc
		}
	}
	return out, nil
}
