package mirror

import (
	"context"

	"github.com/vecwire/vecwire/internal/engine"
)

// Usage implements engine.Collection: what the inner collection takes, and the copy.
func (m *Mirror) Usage(ctx context.Context) ([]engine.Part, error) {
	parts, err := m.inner.Usage(ctx)
	if err != nil {
		return nil, err
	}
	if err := m.enter(); err != nil {
		return nil, err
	}
	defer m.gate.Leave()
	copied, err := m.copy.Usage(ctx)
	for _, p := range copied {
		p.Name = "copy's " + p.Name
		parts = append(parts, p)
	}
	return parts, err
}
