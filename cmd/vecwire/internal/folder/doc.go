// Package folder reads files and folders as records, and keeps a collection in step
// with them: what is new or has changed is stored, what has vanished is removed, and
// what is as it was costs neither an embedding nor a write.
//
// A file becomes chunks. A chunk's ID is its source and a hash of its text, so that a
// paragraph that moves within its file keeps its ID and its vector.
//
// The package stands on the public API of vecwire. It knows no flag and no terminal.
package folder
