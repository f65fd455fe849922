// Package mcp lets assistants search a vecwire database through the Model Context
// Protocol: five tools at most, with few parameters and short answers.
//
//	server := mcp.NewServer(db, mcp.Options{Embedder: e})
//	err := server.Run(ctx, &sdk.StdioTransport{})           // one client, which started the program
//	http.ListenAndServe("127.0.0.1:7333", mcp.Handler(server, mcp.HTTPOptions{}))  // or many
//
// # Tools
//
// search, get and list are always there. store and delete are there with
// [Options.Write] only; delete takes IDs, and no filter that could empty a collection.
// A parameter that a tool does not have is refused, and so is a value of another type:
// an assistant that misspells a name is told, not misunderstood.
//
// # Answers
//
// An answer is text: a line for each record with its ID, its score and its fields, and
// below it the record's text. It stays within [Options.Tokens], as
// [chunk.EstimateTokens] counts them; what was cut off says so, and names the ID with
// which it can be read.
//
// # Resources
//
// vecwire:///COLLECTION describes a collection, vecwire:///COLLECTION/ID is a record as
// JSON, whole. Both parts are escaped as in a path. The list of resources names the
// collections.
//
// # Over HTTP
//
// [Handler] refuses requests whose Host or Origin is not this machine's, so that a page
// in a browser cannot reach a server on loopback by a name that it controls (DNS
// rebinding), and can ask for a token.
//
// The package stands on the public API of vecwire. It knows no engine and no flag.
package mcp
