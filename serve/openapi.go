package serve

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// serveDocument gives the document with the path under which the handler is
// mounted, which only the request tells.
func serveDocument(c *call) error {
	doc := document(c.routes, c.o.Version, len(c.o.Tokens) > 0)
	prefix := "/"
	path, _, _ := strings.Cut(c.r.RequestURI, "?")
	if before, ok := strings.CutSuffix(path, c.route.path); ok && before != "" && strings.HasPrefix(before, "/") {
		prefix = before
	}
	doc["servers"] = []map[string]any{{"url": prefix}}
	body, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	return c.json(http.StatusOK, body)
}

var inPath = regexp.MustCompile(`\{(\w+)\}`)

// document is the OpenAPI document of the routes, with or without tokens.
func document(all []route, version string, tokens bool) map[string]any {
	components := map[string]any{"Problem": problemSchema()}
	paths := map[string]map[string]any{}
	problem := func(description string) map[string]any {
		return map[string]any{"description": description, "content": map[string]any{"application/problem+json": map[string]any{"schema": map[string]any{"$ref": "#/components/schemas/Problem"}}}}
	}
	responses := map[string]any{"Problem": problem("What went wrong.")}
	for status, means := range refused {
		responses[strconv.Itoa(status)] = problem(means + ".")
	}
	for i := range all {
		r := &all[i]
		if paths[r.path] == nil {
			paths[r.path] = map[string]any{}
		}
		paths[r.path][strings.ToLower(r.method)] = r.operation(tokens)
		for _, a := range r.answers {
			collect(components, a.shape)
		}
		collect(components, r.body)
	}
	return map[string]any{
		"openapi": "3.1.0",
		"info": map[string]any{
			"title": "vecwire", "version": version, "license": map[string]any{"name": "Apache 2.0", "identifier": "Apache-2.0"},
			"description": "Vector search. Errors are problems (RFC 9457) with a type that programs can go by; numbers are exact in both directions.",
		},
		"paths": paths,
		"components": map[string]any{
			"schemas":         components,
			"securitySchemes": map[string]any{"token": map[string]any{"type": "http", "scheme": "bearer"}},
			"responses":       responses,
		},
	}
}

// collect puts the shapes that have names among the components.
func collect(components map[string]any, s *shape) {
	if s == nil {
		return
	}
	if s.name != "" {
		if components[s.name] != nil {
			return
		}
		components[s.name] = s.define()
	}
	collect(components, s.items)
	for _, m := range s.members {
		collect(components, m.shape)
	}
}

// operation is the document's part about a route.
func (r *route) operation(tokens bool) map[string]any {
	parameters := []map[string]any{}
	for _, name := range inPath.FindAllStringSubmatch(r.path, -1) {
		s := map[string]any{"type": "string", "minLength": 1}
		if name[1] == "collection" {
			s["pattern"] = nameRE.String()
		}
		parameters = append(parameters, map[string]any{"name": name[1], "in": "path", "required": true, "schema": s})
	}
	for _, p := range r.params {
		s := p.shape.schema(false)
		if p.shape.kind == condition {
			s = map[string]any{"type": "string"} // in the URL objects are text, too
		}
		parameters = append(parameters, map[string]any{"name": p.name, "in": "query", "description": p.doc, "schema": s})
	}
	answers := map[string]any{"default": map[string]any{"$ref": "#/components/responses/Problem"}}
	for _, status := range r.refusals(tokens) {
		answers[strconv.Itoa(status)] = map[string]any{"$ref": "#/components/responses/" + strconv.Itoa(status)}
	}
	for _, a := range r.answers {
		answer := map[string]any{"description": a.doc}
		switch {
		case a.shape != nil && a.media == "":
			answer["content"] = map[string]any{"application/json": map[string]any{"schema": a.shape.schema(false)}}
		case a.media != "":
			// What OpenAPI 3.1 says of a body it says of all of it: each line has the shape
			// that the description names.
			content := map[string]any{"schema": map[string]any{"type": "string"}}
			if a.shape != nil {
				content["schema"] = map[string]any{"type": "string", "description": "Each line is the JSON of a " + a.shape.name + "."}
				content["x-line"] = map[string]any{"$ref": "#/components/schemas/" + a.shape.name}
			}
			answer["content"] = map[string]any{a.media: content}
		}
		answers[strconv.Itoa(a.status)] = answer
	}
	op := map[string]any{"operationId": r.id, "summary": strings.SplitAfterN(r.doc, ". ", 2)[0], "description": r.doc, "responses": answers}
	if len(parameters) > 0 {
		op["parameters"] = parameters
	}
	if tokens && !r.open {
		op["security"] = []map[string]any{{"token": []string{}}}
		op["x-scope"] = r.scope.String()
	}
	switch {
	case r.body != nil:
		op["requestBody"] = map[string]any{"required": true, "content": map[string]any{"application/json": map[string]any{"schema": r.body.schema(false)}}}
	case r.records:
		op["requestBody"] = map[string]any{"required": true, "content": map[string]any{linesOfJSON: map[string]any{
			"schema": map[string]any{"type": "string", "description": "Each line is the JSON of a Record."}, "x-line": map[string]any{"$ref": "#/components/schemas/Record"},
		}}}
	}
	return op
}

func problemSchema() map[string]any {
	words := make([]string, 0, len(problemTitles))
	for word := range problemTitles {
		words = append(words, "urn:vecwire:problem:"+word)
	}
	slices.Sort(words)
	str := map[string]any{"type": "string"}
	return map[string]any{
		"type": "object", "required": []string{"type", "title", "status"},
		"properties": map[string]any{
			"type": map[string]any{"type": "string", "enum": words}, "title": str, "detail": str,
			"status":     map[string]any{"type": "integer", "minimum": http.StatusBadRequest, "maximum": 599},
			"request_id": map[string]any{"type": "string", "description": "As in the server's log."},
			"errors": map[string]any{"type": "array", "items": map[string]any{"type": "object", "properties": map[string]any{
				"pointer": map[string]any{"type": "string", "description": "Where in the body, as a JSON pointer."}, "parameter": str,
				"index": map[string]any{"type": "integer"}, "id": str, "want": str, "got": str, "detail": str,
			}}},
		},
	}
}
