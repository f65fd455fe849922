//go:build vecwire_noservers

package vecwire

import (
	"context"
	"fmt"
	"log/slog"
	"time"

	"github.com/vecwire/vecwire/internal/address"
	"github.com/vecwire/vecwire/internal/engine"
)

// ServerConfig has no effect in a program that was built without servers.
type ServerConfig struct {
	MaxConns         int
	MinConns         int
	MaxConnLifetime  time.Duration
	ConnectTimeout   time.Duration
	StatementTimeout time.Duration
}

// openServer says that there are no servers.
func (Config) openServer(_ context.Context, a address.Address, _ *slog.Logger) (engine.Engine, error) {
	kind := "PostgreSQL"
	if a.Kind == address.IRIS {
		kind = "InterSystems IRIS"
	}
	return nil, fmt.Errorf("%w: %s by a program that was built with the tag vecwire_noservers: build it without that tag", ErrUnsupported, kind)
}
