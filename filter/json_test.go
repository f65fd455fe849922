package filter_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/vecwire/vecwire/filter"
)

func TestFromJSON(t *testing.T) {
	for text, want := range map[string]string{
		``:                                      ``,
		` {} `:                                  ``,
		`{"lang": "go"}`:                        `lang == "go"`,
		`{"lang": null}`:                        `isNull(lang)`,
		`{"draft": false, "year": 12}`:          `draft == false && year == 12`,
		`{"year": {"$gte": 2020, "$lt": 2026}}`: `year >= 2020 && year < 2026`,
		`{"year": {"$gt": 1.5}, "x": {"$lte": "a"}, "y": {"$ne": true}}`: `year > 1.5 && x <= "a" && y != true`,
		`{"x": {"$eq": null}, "y": {"$ne": null}}`:                       `isNull(x) && !(isNull(y))`,
		`{"x": {"$in": ["a", 1]}, "y": {"$nin": []}}`:                    `in(x, "a", 1) && notIn(y)`,
		`{"x": {"$exists": true}, "y": {"$exists": false}}`:              `!(isNull(x)) && isNull(y)`,
		`{"x": {"$prefix": "a"}, "y": {"$contains": "b"}}`:               `prefix(x, "a") && contains(y, "b")`,
		`{"x": {"$not": {"$gt": 1, "$lt": 9}}}`:                          `!(x > 1 && x < 9)`,
		`{"x": {"$containsAny": ["a", 1]}, "y": {"$all": []}}`:           `containsAny(x, "a", 1) && containsAll(y)`,
		`{"x": {"$like": "a%"}, "text": {"$words": "a b"}}`:              `like(x, "a%") && words(text, "a b")`,
		`{"x": {"$containsAll": [true]}}`:                                `containsAll(x, true)`,
		`{"x": ["a", 1], "y": []}`:                                       `x == list("a", 1) && y == list()`,
		`{"x": {"$eq": ["a"]}, "y": {"$ne": [1.5]}}`:                     `x == list("a") && y != list(1.5)`,
		`{"$or": [{"a": 1}, {"b": 2, "c": 3}]}`:                          `a == 1 || b == 2 && c == 3`,
		`{"$and": [{"a": 1}, {"$or": [{"b": 2}, {"c": 3}]}], "d": 4}`:    `a == 1 && (b == 2 || c == 3) && d == 4`,
		`{"$nor": [{"a": 1}, {"b": 2}]}`:                                 `!(a == 1 || b == 2)`,
		`{"$not": {"a": 1}}`:                                             `!(a == 1)`,
		`{"n": 9007199254740993}`:                                        `n == 9007199254740993`,
	} {
		got, err := filter.FromJSON([]byte(text))
		require.NoError(t, err, text)
		require.Equal(t, want, got.String(), text)
	}
	f, err := filter.FromJSON([]byte(`{"i": 9007199254740993}`))
	require.NoError(t, err)
	f, err = f.Check(typeOf)
	require.NoError(t, err)
	require.Equal(t, []any{int64(9007199254740993)}, f.Values())
}

func TestFromJSONErrors(t *testing.T) {
	for text, want := range map[string]string{
		`{"a": `:                                "filter: not JSON: unexpected EOF at byte 5",
		"{\"a\": \"x\xff\"}":                    "filter: not JSON: not valid UTF-8 at byte 8",
		"{\"a\xff\": 1}":                        "filter: not JSON: not valid UTF-8 at byte 3",
		`{"a": "\ud800"}`:                       "filter: $: a string has half a surrogate pair, want valid Unicode",
		`{"a": {"$in": ["b", "\udc00\ud800"]}}`: "filter: $: a string has half a surrogate pair, want valid Unicode",
		`{"\ud83d": 1}`:                         "filter: $: a string has half a surrogate pair, want valid Unicode",
		`{"a": 1} {}`:                           "filter: want the end of the JSON after one object at byte 10",
		`[]`:                                    `filter: $: want an object of conditions`,
		`{"a": 1, "a": 2}`:                      "filter: $.a: the key stands twice",
		`{"a": [1, [2]]}`:                       `filter: $.a[1]: want a string, a number, true or false`,
		`{"a": {"$all": 1}}`:                    "filter: $.a.$all: want a list of values",
		`{"a": {"$ne": [{}]}}`:                  "filter: $.a.$ne[0]: want a string, a number, true or false",
		`{"a": {"$gt": [1]}}`:                   "filter: $.a.$gt: want a value",
		`{"a": {}}`:                             "filter: $.a: want operators",
		`{"a": {"b": 1}}`:                       "filter: $.a.b: no operator: there are $eq",
		`{"a": {"$regex": "x"}}`:                "filter: $.a.$regex: no operator",
		`{"$where": "x"}`:                       "filter: $.$where: no operator in place of a field",
		`{"a": {"$gt": null}}`:                  "filter: $.a.$gt: null has no order",
		`{"a": {"$gt": {"$gt": 1}}}`:            "filter: $.a.$gt: want a value",
		`{"a": {"$in": "x"}}`:                   "filter: $.a.$in: want a list of values",
		`{"a": {"$in": ["x", null]}}`:           "filter: $.a.$in[1]: want a string, a number, true or false",
		`{"a": {"$exists": 1}}`:                 "filter: $.a.$exists: want true or false",
		`{"a": {"$prefix": 1}}`:                 "filter: $.a.$prefix: want a string",
		`{"$or": {"a": 1}}`:                     "filter: $.$or: want a list of objects",
		`{"$or": []}`:                           "filter: $.$or: want at least one object",
		`{"$or": [{"a": 1}, {"$and": [1]}]}`:    "filter: $.$or[1].$and[0]: want an object of conditions",
		strings.Repeat(`{"$not":`, 200) + `1`:   "more than 100 levels deep",
		`{"a": 1` + strings.Repeat(" ", 1<<20):  "filter: more than 1048576 bytes of JSON",
	} {
		_, err := filter.FromJSON([]byte(text))
		var e *filter.Error
		require.ErrorAs(t, err, &e, text)
		require.Contains(t, err.Error(), want)
	}
}

func FuzzFromJSON(f *testing.F) {
	for _, text := range []string{
		`{"lang": "go", "year": {"$gte": 2020, "$lt": 2026}}`, `{"$or": [{"a": null}, {"b": {"$in": ["x", 1.5e3, true]}}]}`, `{"$nor": [{}], "$not": {"x": {"$not": {"$ne": "\ud800"}}}}`,
		`{"a": [1, "x"], "l": {"$all": ["a"], "$containsAny": []}}`, `{"a": {"$exists": false, "$prefix": "é", "$contains": ""}}`, `[`, `{"a": 1}}`, `{"": 1}`, strings.Repeat(`{"$not":`, 120),
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		got, err := filter.FromJSON(text)
		if err != nil {
			require.ErrorAs(t, err, new(*filter.Error))
			return
		}
		require.True(t, len(strings.TrimSpace(string(text))) == 0 || json.Valid(text))
		_, _ = got.Check(typeOf)
		_ = got.String()
	})
}
