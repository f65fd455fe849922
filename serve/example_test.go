package serve_test

import (
	"context"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/serve"
)

func Example() {
	db, err := vecwire.Open(context.Background(), "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer db.Close()
	server := httptest.NewServer(serve.New(db, serve.Options{}))
	defer server.Close()

	post := func(path, media, body string) {
		request, err := http.NewRequest(http.MethodPost, server.URL+"/v1/collections"+path, strings.NewReader(body))
		if err != nil {
			log.Fatal(err)
		}
		request.Header.Set("Content-Type", media)
		request.Header.Set("X-Request-Id", "example")
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			log.Fatal(err)
		}
		defer answer.Body.Close()
		text, err := io.ReadAll(answer.Body)
		if err != nil {
			log.Fatal(err)
		}
		fmt.Println(answer.StatusCode, strings.TrimSpace(string(text)))
	}
	post("", "application/json", `{"name":"docs","dim":2,"fields":[{"name":"year","type":"Int"}]}`)
	post("/docs/records", "application/x-ndjson", `{"id":"a","vector":[1,0],"fields":{"year":2026}}
{"id":"b","vector":[1,1],"fields":{"year":"last"}}`)
	post("/docs/count", "application/json", `{"filter":{"year":{"$gte":2020}}}`)
	post("/docs/search", "application/json", `{"vector":[1,0,0]}`)
	// Output:
	// 201 {"name":"docs","dim":2,"element":"FLOAT","metric":"cosine","fields":[{"name":"year","type":"Int"}]}
	// 200 {"index":0,"id":"a","status":"stored"}
	// {"index":1,"id":"b","status":"failed","error":{"pointer":"/fields/year","want":"Int","got":"String \"last\""}}
	// {"done":true,"stored":1,"failed":1}
	// 200 {"count":1}
	// 400 {"type":"urn:vecwire:problem:invalid","title":"A value of the request is not what it must be","status":400,"detail":"/vector is 3, want 2 numbers","request_id":"example","errors":[{"pointer":"/vector","want":"2 numbers","got":"3"}]}
}

func ExampleNewToken() {
	reader, err := serve.NewToken("website", "a-long-random-secret", serve.Read)
	if err != nil {
		log.Fatal(err)
	}
	reader.Collections = []string{"docs"}
	o := serve.Options{Tokens: []serve.Token{reader}}
	fmt.Println(o.Check(), reader.Scope)

	_, err = serve.NewToken("website", "short", serve.Read)
	fmt.Println(err)
	// Output:
	// <nil> read
	// serve: the secret of token "website" has 5 bytes: give it 16 or more, such as those of crypto/rand.Text
}
