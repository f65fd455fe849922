package vecwire

import (
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/notes"
)

// Two jobs never share a cursor, whatever they and their namespaces are called, and
// the end of one leaves the others'.
func TestCursorsNeverMeet(t *testing.T) {
	ctx := t.Context()
	all := newDocs(t, Schema{Dim: 2, Fields: []Field{{Name: NamespaceField, Index: true}}})
	long := strings.Repeat("n", 100)
	jobs := []string{
		"nightly", "acme/nightly", "/nightly", "//nightly", "acme", "job/acme/nightly", "acme%2Fnightly", "%2F", "%", "#", " ", "/", "a/b", "b", "b/c",
		"Nightly", "job", "é", strings.Repeat("x", maxJob), long + "/" + "nightly", strings.Repeat("/", maxJob), strings.Repeat("/", maxJob-1) + "#",
	}
	type named struct {
		notes.Cursor
		c   *Collection
		job string
	}
	var cursors []named
	for _, namespace := range []string{"", "acme", "Acme", "job", "a", "a.b", "a-b", "a@b", "nightly", long} {
		c := all
		if namespace != "" {
			var err error
			c, err = all.Namespace(namespace)
			require.NoError(t, err)
		}
		for _, job := range jobs {
			cursors = append(cursors, named{c.cursor(job), c, job})
		}
	}
	keys := map[string]string{}
	for i, k := range cursors {
		key, pair := k.Key, fmt.Sprintf("%q %q", k.c.namespace, k.job)
		require.Empty(t, keys[key], "%s has the key of another", pair)
		keys[key] = pair
		require.NoError(t, k.Save(ctx, int64(i+1)))
	}
	expect := func(forgotten int) {
		for i, k := range cursors {
			done, err := k.c.Cursor(ctx, k.job)
			require.NoError(t, err)
			want := int64(i + 1)
			if i < forgotten {
				want = 0
			}
			require.Equal(t, want, done, "%q %q", k.c.namespace, k.job)
		}
	}
	expect(0)
	for _, k := range cursors[:30] {
		require.NoError(t, k.Forget(ctx))
	}
	expect(30)
}
