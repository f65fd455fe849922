package fault_test

import (
	"errors"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/fault"
)

func TestMoved(t *testing.T) {
	broken := errors.New("broken")
	place := func(i int) int { return 10 + i }
	require.Equal(t, &fault.TextError{Index: 13, Err: broken}, fault.Moved(fmt.Errorf("text 3: %w", &fault.TextError{Index: 3, Err: broken}), place))
	require.Equal(t, broken, fault.Moved(broken, place))
	require.NoError(t, fault.Moved(nil, place))
}
