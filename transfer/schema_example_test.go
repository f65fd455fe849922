package transfer_test

import (
	"fmt"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/transfer"
)

// A program keeps a collection's schema among its own settings.
func ExampleSchemaJSON() {
	text, err := transfer.SchemaJSON(vecwire.Schema{Name: "docs", Dim: 3, Fields: []vecwire.Field{{Name: "lang", Index: true}}})
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
	// Output:
	// {"name":"docs","dim":3,"element":"FLOAT","metric":"cosine","fields":[{"name":"lang","type":"String","index":true}]}
}

func ExampleParseSchemaJSON() {
	s, err := transfer.ParseSchemaJSON([]byte(`{"name":"docs","dim":3,"element":"FLOAT","metric":"l2"}`))
	fmt.Println(s.Name, s.Dim, s.Metric, err)
	_, err = transfer.ParseSchemaJSON([]byte(`{"name":"docs","dim":3,"element":"FLOAT","metric":"best"}`))
	fmt.Println(err)
	// Output:
	// docs 3 l2 <nil>
	// transfer: read schema: schema of "docs": has the unknown metric "best"
}
