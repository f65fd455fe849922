package folder

import (
	"context"
	"crypto/sha256"
)

// mostKept is how many bytes of PDFs' texts are kept between two readings of a tree.
const mostKept = 64 << 20

// keptPages are the texts of PDFs that were taken apart while the chunks were counted, so
// that this is not done twice.
type keptPages struct {
	texts map[[sha256.Size]byte][]string // by the file's bytes
	bytes int
	parse func(ctx context.Context, data []byte) ([]string, error)
}

// of returns the texts of a PDF's pages.
func (k *keptPages) of(ctx context.Context, data []byte) ([]string, error) {
	sum := sha256.Sum256(data)
	if texts, ok := k.texts[sum]; ok {
		return texts, nil
	}
	texts, err := k.parse(ctx, data)
	if err != nil {
		return nil, err
	}
	size := 0
	for _, text := range texts {
		size += len(text)
	}
	if k.bytes+size <= mostKept {
		if k.texts == nil {
			k.texts = map[[sha256.Size]byte][]string{}
		}
		k.texts[sum] = texts
		k.bytes += size
	}
	return texts, nil
}
