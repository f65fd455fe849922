package chunk_test

import (
	"fmt"
	"log"
	"strings"
	"unicode/utf8"

	"github.com/vecwire/vecwire/chunk"
)

const manual = `# Backup

Run it every night. It copies what has changed.

## Restore

Stop the server first:

` + "```sh" + `
# as root
systemctl stop server
` + "```" + `

Then copy the files back. Start the server again.
`

func ExampleSplit() {
	chunks, err := chunk.Split(manual, chunk.Options{Size: 30, Markdown: true})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range chunks {
		fmt.Printf("%d-%d %s: %q\n", c.Start, c.End, strings.Join(c.Headings, " > "), c.Text)
	}
	// Output:
	// 0-57 Backup: "# Backup\n\nRun it every night. It copies what has changed."
	// 59-136 Backup > Restore: "## Restore\n\nStop the server first:\n\n```sh\n# as root\nsystemctl stop server\n```"
	// 138-187 Backup > Restore: "Then copy the files back. Start the server again."
}

// Chunks that overlap find what stands near a cut from both sides.
func ExampleSplit_overlap() {
	text := "The pump was serviced in May. Its seal was worn. A new one was fitted. Since then it runs dry."
	chunks, err := chunk.Split(text, chunk.Options{Size: 60, Overlap: 25, Count: utf8.RuneCountInString})
	if err != nil {
		log.Fatal(err)
	}
	for _, c := range chunks {
		fmt.Println(c.Text)
	}
	// Output:
	// The pump was serviced in May. Its seal was worn.
	// Its seal was worn. A new one was fitted.
	// A new one was fitted. Since then it runs dry.
}

func ExampleEstimateTokens() {
	fmt.Println(chunk.EstimateTokens("How long is a piece of string?"))
	// Output: 9
}
