package mcp_test

import (
	"context"
	"fmt"
	"log"

	sdk "github.com/modelcontextprotocol/go-sdk/mcp"

	"github.com/vecwire/vecwire"
	"github.com/vecwire/vecwire/adapters/mcp"
)

// A server for one collection, and a client that asks it. Between two programs the
// transport is sdk.StdioTransport, or [mcp.Handler].
func ExampleNewServer() {
	ctx := context.Background()
	db, err := vecwire.Open(ctx, "mem:")
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	notes, err := db.CreateCollection(ctx, vecwire.Schema{Name: "notes", Dim: 2, FullText: vecwire.Words})
	if err != nil {
		log.Fatal(err)
	}
	if err := notes.Upsert(ctx, vecwire.Record{ID: "1", Vector: []float32{1, 0}, Text: "A sail moves the boat."}); err != nil {
		log.Fatal(err)
	}
	server := mcp.NewServer(db, mcp.Options{Collection: "notes"})

	there, here := sdk.NewInMemoryTransports()
	if _, err := server.Connect(ctx, there, nil); err != nil {
		log.Fatal(err)
	}
	client, err := sdk.NewClient(&sdk.Implementation{Name: "example"}, nil).Connect(ctx, here, nil)
	if err != nil {
		log.Fatal(err)
	}
	defer func() { _ = client.Close() }()
	answer, err := client.CallTool(ctx, &sdk.CallToolParams{Name: "get", Arguments: map[string]any{"ids": []string{"1"}}})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(answer.Content[0].(*sdk.TextContent).Text)
	// Output:
	// id="1"
	// A sail moves the boat.
}
