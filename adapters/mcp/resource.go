package mcp

import (
	"context"
	"encoding/json"
	"errors"
	"net/url"
	"strings"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/filter"
)

const scheme = "vecwire:///"

// URI returns the address of a record as a resource.
func URI(collection, id string) string {
	return scheme + url.PathEscape(collection) + "/" + url.PathEscape(id)
}

func (t *tools) addResources(s *sdk.Server) {
	s.AddResourceTemplate(&sdk.ResourceTemplate{
		Name: "record", Title: "A record", URITemplate: scheme + "{collection}/{id}", MIMEType: "application/json",
		Description: "A record as JSON: id, text and fields.",
	}, t.read)
	s.AddResourceTemplate(&sdk.ResourceTemplate{
		Name: "collection", Title: "A collection", URITemplate: scheme + "{collection}", MIMEType: "application/json",
		Description: "A collection as JSON: name, number of records, fields.",
	}, t.read)
	s.AddReceivingMiddleware(t.listing)
}

// listing adds the collections to the resources that a client can choose from. They
// are looked up each time, since they come and go while the server runs; records are
// too many, and are found by search.
func (t *tools) listing(next sdk.MethodHandler) sdk.MethodHandler {
	return func(ctx context.Context, method string, req sdk.Request) (sdk.Result, error) {
		result, err := next(ctx, method, req)
		list, ok := result.(*sdk.ListResourcesResult)
		if err != nil || !ok || list.NextCursor != "" {
			return result, err // the collections come last
		}
		schemas, err := t.schemas(ctx)
		if err != nil {
			return nil, err
		}
		for _, s := range schemas {
			list.Resources = append(list.Resources, &sdk.Resource{
				Name: s.Name, URI: scheme + url.PathEscape(s.Name), MIMEType: "application/json",
				Description: "The collection: its number of records, and its fields.",
			})
		}
		return list, nil
	}
}

// read answers for both templates.
func (t *tools) read(ctx context.Context, req *sdk.ReadResourceRequest) (*sdk.ReadResourceResult, error) {
	uri := req.Params.URI
	name, id, isRecord := strings.Cut(strings.TrimPrefix(uri, scheme), "/")
	name, err := url.PathUnescape(name)
	if err != nil {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	if id, err = url.PathUnescape(id); err != nil {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	c, err := t.open(ctx, name)
	if errors.Is(err, vecwire.ErrNotFound) {
		return nil, sdk.ResourceNotFoundError(uri)
	}
	if err != nil {
		return nil, err
	}
	var what any
	if isRecord {
		records, err := c.Get(ctx, id)
		if err != nil {
			return nil, err
		}
		if len(records) == 0 {
			return nil, sdk.ResourceNotFoundError(uri)
		}
		what = struct {
			ID     string         `json:"id"`
			Text   string         `json:"text"`
			Fields vecwire.Fields `json:"fields,omitempty"`
		}{id, records[0].Text, records[0].Fields}
	} else {
		n, err := c.Count(ctx, filter.Filter{})
		if err != nil {
			return nil, err
		}
		what = described(c.Schema(), n)
	}
	text, err := json.Marshal(what)
	if err != nil {
		return nil, err
	}
	return &sdk.ReadResourceResult{Contents: []*sdk.ResourceContents{{URI: uri, MIMEType: "application/json", Text: string(text)}}}, nil
}

type fieldJSON struct {
	Name string `json:"name"`
	Type string `json:"type"`
}

type collectionJSON struct {
	Name    string      `json:"name"`
	Records int         `json:"records"`
	Model   string      `json:"model,omitempty"`
	Fields  []fieldJSON `json:"fields"`
}

func described(s vecwire.Schema, n int) collectionJSON {
	c := collectionJSON{Name: s.Name, Records: n, Model: s.Model, Fields: []fieldJSON{}}
	for _, f := range s.Fields {
		c.Fields = append(c.Fields, fieldJSON{f.Name, f.Type.String()})
	}
	return c
}
