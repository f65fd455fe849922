package filter_test

import (
	"fmt"
	"strings"

	"github.com/vecwire/vecwire/filter"
)

func Example() {
	f := filter.And(
		filter.Eq("lang", "go"),
		filter.Or(filter.Ge("year", 2020), filter.IsNull("year")),
	)
	fmt.Println(f)
	// Output: lang == "go" && (year >= 2020 || isNull(year))
}

func ExampleParse() {
	f, err := filter.Parse(`in(lang, "go", "rust") && !(2020 > year)`)
	fmt.Println(f, err)

	_, err = filter.Parse(`lang == rust`)
	fmt.Println(err)
	// Output:
	// in(lang, "go", "rust") && !(year < 2020) <nil>
	// filter: rust is not a value: put text in quotes at byte 8
}

func ExampleFilter_Check() {
	typeOf := func(field string) (filter.Type, bool) { return filter.Int, field == "year" }

	_, err := filter.Eq("year", "2020").Check(typeOf)
	fmt.Println(err)
	_, err = filter.Eq("yeer", 2020).Check(typeOf)
	fmt.Println(err)
	// Output:
	// year is String "2020", want Int
	// filter: field "yeer" does not exist
}

func ExampleFilter_Map() {
	f, _ := filter.Parse(`lang == "Go" && year >= 2020`)
	f, _ = f.Map(func(_ filter.Op, field string, value any) (any, error) {
		if field == "lang" {
			return strings.ToLower(value.(string)), nil
		}
		return value, nil
	})
	fmt.Println(f)
	// Output: lang == "go" && year >= 2020
}

// Conditions are values, which a program puts together.
func ExampleAnd() {
	f := filter.And(
		filter.Or(filter.Eq("lang", "go"), filter.In("lang", "rust", "zig")),
		filter.Between("year", 2020, 2026),
		filter.Not(filter.IsNull("title")),
		filter.ContainsAny("tags", "db", "search"),
	)
	fmt.Println(f)
	// Output: (lang == "go" || in(lang, "rust", "zig")) && between(year, 2020, 2026) && !(isNull(title)) && containsAny(tags, "db", "search")
}

func ExampleLike() {
	fmt.Println(filter.Like("title", "net_%"), filter.MatchLike("net_%", "net/http"))
	fmt.Println(filter.Words("text", "keep alive"))
	// Output:
	// like(title, "net_%") true
	// words(text, "keep alive")
}

func ExampleFromJSON() {
	f, err := filter.FromJSON([]byte(`{"lang": "go", "year": {"$gte": 2020}}`))
	fmt.Println(f, err)
	_, err = filter.FromJSON([]byte(`{"year": {"$more": 2020}}`))
	fmt.Println(err)
	// Output:
	// lang == "go" && year >= 2020 <nil>
	// filter: $.year.$more: no operator: there are $eq, $ne, $gt, $gte, $lt, $lte, $in, $nin, $not, $exists, $prefix, $contains, $like, $words, $containsAny, $containsAll and $all
}
