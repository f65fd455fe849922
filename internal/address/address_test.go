package address_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/internal/address"
	"github.com/vecwire/vecwire/internal/engine"
)

func TestParse(t *testing.T) {
	for target, want := range map[string]address.Address{
		"vectors.db":                  {Path: "vectors.db"},
		"./a b/vectors.db":            {Path: "./a b/vectors.db"},
		"/var/lib/v.db":               {Path: "/var/lib/v.db"},
		`C:\data\v.db`:                {Path: `C:\data\v.db`},
		"C:/data/v.db":                {Path: "C:/data/v.db"},
		"dir.d/a:b":                   {Path: "dir.d/a:b"},
		"100%.db":                     {Path: "100%.db"},
		"memory.db":                   {Path: "memory.db"},
		"файл.db":                     {Path: "файл.db"},
		"file:vectors.db":             {Path: "vectors.db"},
		"FILE:vectors.db":             {Path: "vectors.db"},
		"file:/var/lib/v.db":          {Path: "/var/lib/v.db"},
		"file:///var/lib/v.db":        {Path: "/var/lib/v.db"},
		"file://localhost/v.db":       {Path: "/v.db"},
		"file:a%20b%3F.db":            {Path: "a b?.db"},
		"file:me@home/x=1.db":         {Path: "me@home/x=1.db"},
		"file:v.db?sync=full":         {Path: "v.db"},
		"file:v.db?sync=normal":       {Path: "v.db", SyncNormal: true},
		"v.db?mode=ro":                {Path: "v.db", ReadOnly: true},
		"file:v.db?mode=ro":           {Path: "v.db", ReadOnly: true},
		"file:v.db?mode=rw":           {Path: "v.db"},
		"mem:":                        {},
		"postgres://db/app":           {Kind: address.Postgres, URL: "postgres://db/app"},
		"POSTGRESQL://db/app":         {Kind: address.Postgres, URL: "POSTGRESQL://db/app"},
		"iris://db/USER":              {Kind: address.IRIS, URL: "iris://db/USER"},
		"host=db password=x":          {Kind: address.Postgres, URL: "host=db password=x"},
		"application_name=a host=db":  {Kind: address.Postgres, URL: "application_name=a host=db"},
		"host = db user = app":        {Kind: address.Postgres, URL: "host = db user = app"},
		"user='' host=db password='x": {Kind: address.Postgres, URL: "user='' host=db password='x"}, // which pgx refuses
	} {
		t.Run(target, func(t *testing.T) {
			got, err := address.Parse(target)
			require.NoError(t, err)
			require.Equal(t, want, got)
		})
	}
}

const secret = "s3cr3t"

// odd are addresses with something wrong, most with a password in them.
var odd = map[string]string{
	"":                                       "no database given",
	" \t":                                    "blank",
	"http://example.com":                     `unknown scheme "http"`,
	"sqlite:v.db":                            `unknown scheme "sqlite"`,
	"file:":                                  "no path",
	"file:?sync=full":                        "no path",
	"file://":                                "names a host",
	"file://server/v.db":                     "names a host",
	"file://localhostile/v.db":               "names a host",
	"file:%zz.db":                            "no path",
	"file:a%00b.db":                          "no path",
	"file:v.db?sync=maybe":                   "sync",
	"file:v.db?sync=full&sync=normal":        "sync",
	"file:v.db?mode=" + secret:               "parameter",
	"file:v.db?" + secret + "=1":             "parameter",
	"file:v.db?sync=" + secret:               "sync",
	"file:postgres://a:" + secret + "@h/d":   "another URL",
	"mem:" + secret:                          "mem: takes no path",
	"mem":                                    "not a file's name",
	"Memory":                                 "not a file's name",
	":memory:":                               "not a file's name",
	"postgres":                               "not a file's name",
	"file:v.db?sync=%zz":                     "cannot be read",
	"v.db?sync=normal":                       "no parameters",
	"v.db?key=" + secret:                     "no parameters",
	" postgres://app:" + secret + "@h/d":     "white space",
	"postgres://app:" + secret + "@h/d\n":    "white space",
	"\uFEFFpostgres://app:" + secret + "@h":  "byte order mark",
	"\"postgres://app:" + secret + "@h/d\"":  "quotes",
	"'postgres://app:" + secret + "@h/d'":    "quotes",
	"`postgres://app:" + secret + "@h/d`":    "quotes",
	"“postgres://app:" + secret + "@h/d”":    "quotes",
	"<postgres://app:" + secret + "@h/d>":    "quotes",
	"DATABASE_URL=postgres://a:" + secret:    "variable",
	"export DB_URL=iris://a:" + secret + "@": "variable",
	"DB=\"postgres://a:" + secret + "@h\"":   "variable",
	"url = postgres://a:" + secret + "@h":    "variable",
	"user= password=" + secret:               "no value",
	"host=db password= user=" + secret:       "no value",
	"password=":                              "no value",
	"app:" + secret + "@db/app":              "unknown scheme",
	secret + "://x":                          "unknown scheme",
	secret + ":x":                            "unknown scheme",
	"app/" + secret + "@db":                  "@",
	"//app:" + secret + "@db/app":            "@",
	"token=" + secret:                        "=",
	"postgres:app:" + secret + "@db":         "no //",
	"iris:" + secret:                         "no //",
	"mysql://app:" + secret + "@db/app":      `unknown scheme "mysql"`,
	"a\x00" + secret:                         "control",
	"a\nhost=" + secret:                      "control",
	"a\xff" + secret:                         "UTF-8",
}

func TestOddAddressesAreRefusedAndNotShown(t *testing.T) {
	for target, why := range odd {
		t.Run(target, func(t *testing.T) {
			_, err := address.Parse(target)
			var e *engine.ConnectError
			require.ErrorAs(t, err, &e)
			require.ErrorContains(t, err, why)
			require.NotContains(t, err.Error()+e.Target+e.Remedy, secret)
			require.NotEmpty(t, e.Remedy, "an error says what can be done")
		})
	}
}

// What is refused does not show how it ends, where passwords are as often as
// anywhere else.
func FuzzParse(f *testing.F) {
	for target := range odd {
		f.Add(target)
	}
	f.Fuzz(func(t *testing.T, target string) {
		a, err := address.Parse(target + "hunter2hunter2")
		if err == nil {
			require.True(t, a.Path != "" || a.URL != "")
			require.False(t, a.Kind == address.Embedded && strings.Contains(a.Path, "password=") && !strings.HasPrefix(strings.ToLower(target), "file:"))
			return
		}
		require.NotContains(t, err.Error(), "hunter2")
	})
}
