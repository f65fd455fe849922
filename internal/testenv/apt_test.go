package testenv

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseSources(t *testing.T) {
	const uri, key = "http://deb.debian.org/debian", "/usr/share/keyrings/debian-archive-keyring.gpg"
	main := []string{"main"}
	tests := map[string]struct {
		parse func(string) []debianSource
		text  string
		want  []debianSource
	}{
		"list": {parseListFile, `
# deb http://old.example/debian bookworm main
deb http://deb.debian.org/debian bookworm main # the archive
deb-src http://deb.debian.org/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] http://deb.debian.org/debian trixie main contrib
deb broken
`, []debianSource{
			{URI: uri, Suites: []string{"bookworm"}, Components: main},
			{URI: uri, SignedBy: key, Suites: []string{"trixie"}, Components: []string{"main", "contrib"}},
		}},
		"sources": {parseSourcesFile, `Types: deb
# http://snapshot.debian.org
URIs: http://deb.debian.org/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://deb.debian.org/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 Comment: inline
 -----END PGP PUBLIC KEY BLOCK-----`, []debianSource{
			{URI: uri, SignedBy: key, Suites: []string{"bookworm", "bookworm-updates"}, Components: main},
			{URI: uri, Suites: []string{"trixie"}, Components: main},
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			require.Equal(t, test.want, test.parse(test.text))
		})
	}
	require.Equal(t, "deb-src [signed-by="+key+"] "+uri+" trixie main",
		debianSource{URI: uri, SignedBy: key}.line("deb-src", "trixie"))
}
