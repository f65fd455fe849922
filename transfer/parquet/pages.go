package parquet

import (
	"bufio"
	"compress/gzip"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/andybalholm/brotli"
	"github.com/klauspost/compress/zstd"
	"github.com/parquet-go/parquet-go/encoding/thrift"
	"github.com/parquet-go/parquet-go/format"
)

// checkPages reads the pages of a row group once, and refuses those that have another size
// than they say. The reader below takes the memory first that a page, or what it was
// compressed by, says it needs; and it does not stop where a page has more. What else is
// wrong with a page is left for the reader to say.
func checkPages(r io.ReaderAt, size int64, group *format.RowGroup) error {
	var d decompressor
	defer d.close()
	for i := range group.Columns {
		c := &group.Columns[i].MetaData
		begins := []int64{c.DataPageOffset}
		if c.DictionaryPageOffset != 0 { // the reader takes the chunk to begin there
			begins = []int64{c.DictionaryPageOffset, c.DataPageOffset}
		}
		end := begins[0] + c.TotalCompressedSize
		if begins[0] < 0 || c.TotalCompressedSize < 0 || end < 0 || end > size {
			return fmt.Errorf("transfer/parquet: the file says that column %q has %d bytes from byte %d on, and has %d bytes itself: it is damaged, or cut short", strings.Join(c.PathInSchema, "."), c.TotalCompressedSize, begins[0], size)
		}
		var seen []int64
		for _, at := range begins {
			for 0 <= at && at < end && !slices.Contains(seen, at) {
				seen = append(seen, at)
				next, err := d.page(io.NewSectionReader(r, at, end-at), c.Codec)
				if err != nil {
					return fmt.Errorf("transfer/parquet: column %q, page at byte %d: %w", strings.Join(c.PathInSchema, "."), at, err)
				}
				if next == 0 {
					break
				}
				at += next
			}
		}
	}
	return nil
}

// keptPage is how many bytes a page may say it has without having them: what a file costs
// at most that lies.
const keptPage = 64 << 20

// decompressor finds out how many bytes pages have.
type decompressor struct {
	zstd *zstd.Decoder
	gzip *gzip.Reader
}

func (d *decompressor) close() {
	if d.zstd != nil {
		d.zstd.Close()
	}
}

// page checks the page at the beginning of a section, and returns how many bytes of the
// section it takes; 0 for something that is no page.
func (d *decompressor) page(section *io.SectionReader, codec format.CompressionCodec) (int64, error) {
	in := bufio.NewReader(section)
	var header format.PageHeader
	if err := thrift.NewDecoder(new(thrift.CompactProtocol).NewReader(in)).Decode(&header); err != nil || header.CompressedPageSize < 0 || header.UncompressedPageSize < 0 {
		return 0, nil
	}
	at, err := section.Seek(0, io.SeekCurrent)
	if err != nil {
		return 0, err
	}
	begin := at - int64(in.Buffered())
	compressed, says := int64(header.CompressedPageSize), int64(header.UncompressedPageSize)
	if compressed > section.Size()-begin {
		return 0, fmt.Errorf("it says that it has %d bytes, and there are %d: the file is damaged", compressed, section.Size()-begin)
	}
	levels := int64(0) // which are not compressed
	if v2 := header.DataPageHeaderV2; v2.Valid {
		levels = int64(v2.V.DefinitionLevelsByteLength) + int64(v2.V.RepetitionLevelsByteLength)
		if v2.V.IsCompressed.Valid && !v2.V.IsCompressed.V {
			codec = format.Uncompressed
		}
	}
	if 0 <= levels && levels < compressed {
		has, err := d.size(io.NewSectionReader(section, begin+levels, compressed-levels), codec, says)
		switch {
		case err != nil:
			return 0, err
		case has < 0:
		case has+levels > says && has > says: // some writers do not count the levels
			return 0, fmt.Errorf("it says that it has %d bytes when it is decompressed, and has more: the file is damaged", says)
		case says > keptPage && has+levels < says/2:
			return 0, fmt.Errorf("it says that it has %d bytes when it is decompressed, and has %d: the file is damaged", says, has+levels)
		}
	}
	return begin + compressed, nil
}

// size returns how many bytes a compressed page has, or one more than most if it has
// more; -1 where it is not compressed. A page that cannot be decompressed is an error here:
// the reader would take first what it says it needs.
func (d *decompressor) size(page io.Reader, codec format.CompressionCodec, most int64) (n int64, err error) {
	switch codec {
	case format.Snappy:
		says, err := binary.ReadUvarint(bufio.NewReaderSize(page, 16))
		if err != nil {
			return -1, nil
		}
		return int64(min(says, uint64(most)+1)), nil
	case format.Zstd:
		if d.zstd == nil {
			d.zstd, err = zstd.NewReader(nil, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxWindow(maxWindow))
			if err != nil {
				return 0, err
			}
		}
		if err := d.zstd.Reset(page); err != nil {
			return 0, err
		}
		page = d.zstd
	case format.Gzip:
		if d.gzip == nil {
			d.gzip = new(gzip.Reader)
		}
		if err := d.gzip.Reset(page); err != nil {
			return 0, fmt.Errorf("it cannot be decompressed: %w", err)
		}
		page = d.gzip
	case format.Brotli:
		page = brotli.NewReader(page)
	default:
		return -1, nil
	}
	n, err = io.CopyN(io.Discard, page, most+1)
	if errors.Is(err, zstd.ErrWindowSizeExceeded) || errors.Is(err, zstd.ErrDecoderSizeExceeded) {
		return 0, fmt.Errorf("to decompress it takes %d bytes and more: write smaller pages, or with a smaller window", maxWindow)
	}
	if err != nil && !errors.Is(err, io.EOF) {
		return 0, fmt.Errorf("it cannot be decompressed: %w", err)
	}
	return n, nil
}

// maxWindow is what zstd's own programs take at most, unless they are told otherwise.
const maxWindow = 128 << 20
