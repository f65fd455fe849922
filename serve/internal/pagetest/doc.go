// Package pagetest tests the web page of package serve in a real browser, and takes
// the screenshots of docs/server.md. It is a module of its own, so that users of
// vecwire do not download what drives the browser.
package pagetest
