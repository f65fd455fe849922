package httpmodel

import (
	"bytes"
	"cmp"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"
)

// statusError reads what a server says about an error, each in its own form.
func (c *Client) statusError(status int, header http.Header, body []byte) *StatusError {
	message, code := words(status, body)
	return &StatusError{Status: status, Code: c.clean(code), Message: c.clean(message), After: retryAfter(header, time.Now())}
}

// Said returns what the server says in an answer of status 200 that is not the result
// that was asked for, and nil if it has no words for it.
func (a *Answer) Said() error {
	if said := a.client.statusError(http.StatusOK, a.header, a.Body); said.Message != "" || said.Code != "" {
		return said
	}
	return nil
}

// Unreadable says why the answer is not the JSON that was asked for. The error err is
// that of reading it.
func (a *Answer) Unreadable(err error) error {
	text := bytes.TrimSpace(a.Body)
	syntax, isSyntax := errors.AsType[*json.SyntaxError](err)
	switch {
	case len(text) == 0:
		return &AnswerError{Reason: "is empty", CutOff: true}
	case text[0] == '<':
		return &AnswerError{Reason: "is an HTML page; is this the address of an API?"}
	case isSyntax && (text[0] == '{' || text[0] == '[') && syntax.Offset >= int64(len(text)), errors.Is(err, io.ErrUnexpectedEOF):
		return &AnswerError{Reason: "was cut off", CutOff: true}
	}
	if said := a.Said(); said != nil {
		return said
	}
	return &AnswerError{Reason: "cannot be read: " + a.client.clean(err.Error())}
}

// An envelope is what servers put around their words. A key that one form lacks is
// null or of another type in the next, so values are read as they come.
type envelope map[string]json.RawMessage

// words returns what a body says about an error, and the server's code or type of
// the error. Both are "" if it says nothing.
func words(status int, body []byte) (message, code string) {
	text := bytes.TrimSpace(body)
	var e envelope
	switch {
	case bytes.HasPrefix(text, []byte("<")):
		return "an HTML page", ""
	case json.Unmarshal(text, &e) == nil:
	case bytes.HasPrefix(text, []byte("[")): // Gemini puts its error into a list
		var list []envelope
		if json.Unmarshal(text, &list) != nil || len(list) == 0 || list[0]["error"] == nil {
			return raw(status, text), ""
		}
		e = list[0]
	default:
		return raw(status, text), ""
	}
	// OpenAI, vLLM, llama.cpp and Cohere v1 have an object or a string in "error",
	// Ollama and TEI a string, Cloudflare a list in "errors", Cohere v2 and older
	// vLLM "message", Jina and FastAPI "detail", RFC 9457 "detail" and "title".
	for _, key := range []string{"error", "errors", "message", "detail", "msg", "title"} {
		if message = plain(e[key], 4); message == "" {
			continue
		}
		if more := plain(e["message"], 4); key == "error" && e[key][0] == '"' && more != "" && more != message {
			message += ": " + more // "Bad Request" and why
		}
		inner := e[key]
		var list []json.RawMessage
		if json.Unmarshal(inner, &list) == nil && len(list) > 0 {
			inner = list[0]
		}
		var object envelope
		_ = json.Unmarshal(inner, &object) // nil if it is none
		return message, cmp.Or(object.code(status), e.code(status))
	}
	return "", ""
}

// raw returns a body that is not an object as words. With status 200 only plain text
// is: JSON is an answer in another form than was asked for, or a broken one.
func raw(status int, text []byte) string {
	if status == http.StatusOK && (len(text) == 0 || text[0] == '{' || text[0] == '[' || json.Valid(text)) {
		return ""
	}
	return string(text)
}

// code returns the server's code of the error, or else its type. A number is one only
// where it says more than the status does.
func (e envelope) code(status int) string {
	text := func(key string) string {
		var s string
		if json.Unmarshal(e[key], &s) != nil || strings.ContainsAny(s, "/:") { // the type of RFC 9457 is an address
			return ""
		}
		return s
	}
	number := func(key string) string {
		var n int
		if json.Unmarshal(e[key], &n) != nil || n == status || n == 0 {
			return ""
		}
		return strconv.Itoa(n)
	}
	found := cmp.Or(text("code"), text("error_type"))
	if status == http.StatusOK {
		found = cmp.Or(found, number("code"), number("status"), number("status_code"))
	}
	return cmp.Or(found, text("type"), number("code"))
}

// plain returns the words in a value: a string, or what an object or a list has at
// the places where servers have their words. A value without any is shown as it is.
func plain(value json.RawMessage, depth int) string {
	value = bytes.TrimSpace(value)
	if len(value) == 0 || depth == 0 {
		return ""
	}
	switch value[0] {
	case '"':
		var s string
		_ = json.Unmarshal(value, &s)
		return s
	case '[':
		var list []json.RawMessage
		_ = json.Unmarshal(value, &list)
		var all []string
		for _, item := range list[:min(3, len(list))] {
			if s := plain(item, depth-1); s != "" {
				all = append(all, s)
			}
		}
		return strings.Join(all, "; ")
	case '{':
		var object envelope
		_ = json.Unmarshal(value, &object)
		for _, key := range []string{"message", "msg", "error", "detail", "details", "reason", "title", "description"} {
			if s := plain(object[key], depth-1); s != "" {
				return s + place(object["loc"])
			}
		}
		if len(object) > 0 {
			return string(value)
		}
	}
	return "" // null, false, a number
}

// place returns where FastAPI found the mistake: [ "body", "input", 3 ].
func place(loc json.RawMessage) string {
	var parts []any
	if json.Unmarshal(loc, &parts) != nil || len(parts) == 0 {
		return ""
	}
	names := make([]string, len(parts))
	for i, part := range parts {
		names[i] = fmt.Sprint(part)
	}
	return " (at " + strings.Join(names, ".") + ")"
}

// secretsOf returns what takes the key, and the values of headers, which may be keys,
// out of a text.
func secretsOf(key string, header http.Header) *strings.Replacer {
	var secrets []string
	add := func(s string, least int) {
		if len(s) < least {
			return
		}
		inJSON, _ := json.Marshal(s)
		secrets = append(secrets, s, url.QueryEscape(s), string(inJSON[1:len(inJSON)-1]))
	}
	const least = 8 // a shorter value of a header is not a key, and may be a word of the message
	add(key, 1)
	for _, values := range header {
		for _, value := range values {
			add(value, least)
			for part := range strings.FieldsSeq(value) { // "Bearer KEY"
				add(part, least)
				if pair, err := base64.StdEncoding.DecodeString(part); err == nil && utf8.Valid(pair) { // "Basic USER:PASSWORD"
					_, password, _ := strings.Cut(string(pair), ":")
					add(password, 4)
				}
			}
		}
	}
	// The first that matches is taken, so that a part of another comes after it.
	slices.SortFunc(secrets, func(a, b string) int { return len(b) - len(a) })
	var pairs []string
	for _, s := range secrets {
		pairs = append(pairs, s, "[key]")
	}
	return strings.NewReplacer(pairs...)
}

// clean returns what a server said without keys, which some repeat, on one line, and
// shortened.
func (c *Client) clean(text string) string {
	const most = 300
	text = strings.Join(strings.Fields(strings.ToValidUTF8(c.secrets.Replace(text), "\uFFFD")), " ")
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f { // a terminal would obey it
			return '\uFFFD'
		}
		return r
	}, text)
	if len(text) > most {
		text = strings.ToValidUTF8(text[:most], "") + "…"
	}
	return text
}

// retryAfter returns how long a server asks the caller to wait: in milliseconds, as
// OpenAI and Azure say it, or in seconds or until a date (RFC 9110, section 10.2.3).
func retryAfter(header http.Header, now time.Time) time.Duration {
	const longest = 365 * 24 * time.Hour
	parse := func(text string, unit time.Duration) (time.Duration, bool) {
		n, err := strconv.ParseFloat(strings.TrimSpace(text), 64)
		if err != nil || !(n >= 0) {
			return 0, false
		}
		return time.Duration(min(n*float64(unit), float64(longest))), true
	}
	if d, ok := parse(header.Get("Retry-After-Ms"), time.Millisecond); ok {
		return d
	}
	text := header.Get("Retry-After")
	if d, ok := parse(text, time.Second); ok {
		return d
	}
	if date, err := http.ParseTime(text); err == nil {
		return min(max(0, date.Sub(now)), longest)
	}
	return 0
}
