package mcp

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/jsonschema-go/jsonschema"
	sdk "github.com/modelcontextprotocol/go-sdk/mcp"
)

// addTool adds a tool whose parameters are the fields of In and whose answer is text.
// Where only one collection may be reached, the parameter for it is taken away: what a
// client does not see it cannot get wrong.
func addTool[In any](t *tools, s *sdk.Server, tool *sdk.Tool, f func(ctx context.Context, in In) (string, error)) {
	schema, err := jsonschema.For[In](nil)
	if err != nil {
		panic(fmt.Sprintf("the parameters of the tool %s: %v", tool.Name, err)) // a mistake in this package
	}
	for _, p := range schema.Properties {
		if slices.Contains(p.Types, "null") { // a list, which Go lets be nil; some models take one type only
			p.Type, p.Types = "array", nil
		}
	}
	if t.Collection != "" {
		delete(schema.Properties, "collection")
		required := schema.Required[:0]
		for _, name := range schema.Required {
			if name != "collection" {
				required = append(required, name)
			}
		}
		schema.Required = required
	}
	tool.InputSchema = schema
	sdk.AddTool(s, tool, func(ctx context.Context, _ *sdk.CallToolRequest, in In) (*sdk.CallToolResult, any, error) {
		text, err := f(ctx, in)
		if err != nil {
			return nil, nil, err
		}
		return &sdk.CallToolResult{Content: []sdk.Content{&sdk.TextContent{Text: text}}}, nil, nil
	})
}

// reads describes a tool that changes nothing.
func reads(title string) *sdk.ToolAnnotations {
	closed := false
	return &sdk.ToolAnnotations{Title: title, ReadOnlyHint: true, IdempotentHint: true, OpenWorldHint: &closed}
}

// writes describes a tool that changes the store.
func writes(title string) *sdk.ToolAnnotations {
	closed, destroys := false, true
	return &sdk.ToolAnnotations{Title: title, DestructiveHint: &destroys, IdempotentHint: true, OpenWorldHint: &closed}
}
