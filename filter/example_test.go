package filter_test

import (
	"fmt"

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
