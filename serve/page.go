package serve

import (
	"embed"
	"net/http"
)

//go:embed page
var pageFiles embed.FS

// pageRoute answers with the files of the web page, which hold no data: its script
// asks the operations, with the token that the user gives it.
var pageRoute = route{path: "page", id: "page", open: true, serve: servePage}

// policy lets the page use its own files and operations and nothing else.
const policy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; base-uri 'none'; frame-ancestors 'none'"

func servePage(c *call) error {
	name := "index.html"
	if file := c.r.PathValue("file"); file != "" {
		name = file
	}
	f, err := pageFiles.Open("page/" + name)
	if err != nil {
		return newProblem(http.StatusNotFound, "not-found", "there is nothing at this path")
	}
	_ = f.Close()
	h := c.w.Header()
	h.Set("Content-Security-Policy", policy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-cache")
	http.ServeFileFS(c.w, c.r, pageFiles, "page/"+name)
	return nil
}
