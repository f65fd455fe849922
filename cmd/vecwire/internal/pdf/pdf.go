// Package pdf reads the text of PDF files, page by page. The reader is PDFium, that of
// Chromium, as WebAssembly: whatever a file holds, it can reach no file and no network,
// take no more memory than it is given, and be ended at any time.
package pdf

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
	"unicode"

	pdferrors "github.com/klippa-app/go-pdfium/errors"
	"github.com/klippa-app/go-pdfium/requests"
	"github.com/klippa-app/go-pdfium/webassembly"
	"github.com/tetratelabs/wazero"
	"github.com/tetratelabs/wazero/api"
	"github.com/tetratelabs/wazero/experimental"
)

// MaxBytes is how large a file may be.
const MaxBytes = 64 << 20

// Limits of the reading of one file.
const (
	maxTime = time.Minute
	maxText = 64 << 20
)

// Errors that say what is the matter with a file.
var (
	ErrEncrypted = errors.New("the PDF has a password: remove it, as by qpdf --decrypt")
	ErrDamaged   = errors.New("not a whole PDF")
	ErrTooMuch   = errors.New("the PDF takes more than a minute, or 256 MiB, to read")
)

// Pages returns the text of each page. It is empty for pages without text, such as
// scanned ones.
func Pages(ctx context.Context, data []byte) ([]string, error) { return pages(ctx, data, maxTime) }

func pages(ctx context.Context, data []byte, limit time.Duration) (pages []string, err error) {
	// A reader would search all of a file of another kind for what it could be.
	if !bytes.Contains(data[:min(1024, len(data))], []byte("%PDF-")) {
		return nil, ErrDamaged
	}
	asked := ctx
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	m := newMemory()
	defer func() {
		if v := recover(); v != nil { // of the runtime, when the program within has been ended
			err = fmt.Errorf("%w: the reader failed", ErrDamaged)
		}
		switch {
		case asked.Err() != nil:
			pages, err = nil, context.Cause(asked)
		case ctx.Err() != nil:
			pages, err = nil, ErrTooMuch
		default:
			m.release()
		}
	}()
	pool, err := webassembly.Init(webassembly.Config{
		Context: experimental.WithMemoryAllocator(ctx, m.allocator()), MaxTotal: 1, MaxIdle: 1, Stdout: io.Discard, Stderr: io.Discard,
		FSConfig: wazero.NewFSConfig(), // which has no folder
		RuntimeConfig: wazero.NewRuntimeConfig().WithCoreFeatures(api.CoreFeaturesV2 | experimental.CoreFeaturesExceptionHandling).
			WithCloseOnContextDone(true).WithCompilationCache(compiled()),
	})
	if err != nil {
		return nil, err
	}
	defer func() { _ = pool.Close() }()
	reader, err := pool.GetInstanceWithContext(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := reader.OpenDocument(&requests.OpenDocument{File: &data})
	switch {
	case errors.Is(err, pdferrors.ErrPassword), errors.Is(err, pdferrors.ErrSecurity):
		return nil, ErrEncrypted
	case err != nil:
		return nil, ErrDamaged
	}
	count, err := reader.FPDF_GetPageCount(&requests.FPDF_GetPageCount{Document: doc.Document})
	if err != nil {
		return nil, ErrDamaged
	}
	size := 0
	for i := range count.PageCount {
		answer, err := reader.GetPageText(&requests.GetPageText{Page: requests.Page{ByIndex: &requests.PageByIndex{Document: doc.Document, Index: i}}})
		if err != nil {
			return nil, fmt.Errorf("%w: page %d is damaged, or takes more than 256 MiB", ErrDamaged, i+1)
		}
		text := plain(answer.Text)
		if size += len(text); size > maxText {
			return nil, ErrTooMuch
		}
		pages = append(pages, text)
	}
	return pages, nil
}

// compiled keeps the reader as machine code, for all files, and in the user's cache for
// all processes: to compile it takes seconds.
var compiled = sync.OnceValue(func() wazero.CompilationCache {
	if dir, err := os.UserCacheDir(); err == nil {
		if cache, err := wazero.NewCompilationCacheWithDir(filepath.Join(dir, "vecwire", "pdf")); err == nil {
			return cache
		}
	}
	return wazero.NewCompilationCache()
})

// broken is how PDFium marks a hyphen that the end of a line has made.
const broken = "\ufffe"

// plain makes lines of a page's text, and words whole that lines have broken.
func plain(text string) string {
	text = strings.ReplaceAll(strings.ToValidUTF8(text, ""), "\r\n", "\n")
	text = strings.NewReplacer(broken+"\n", "", "\x02\n", "", broken, "", "\x02", "").Replace(text)
	return strings.Map(func(r rune) rune {
		if r == '\r' {
			return '\n'
		}
		if unicode.IsControl(r) && r != '\n' && r != '\t' {
			return -1
		}
		return r
	}, text)
}
