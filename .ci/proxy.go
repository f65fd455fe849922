// Proxy adds modules of this repository to a module proxy made of files, as the
// go command would find them behind a tag:
//
//	go run .ci/proxy.go DIRECTORY VERSION MODULE-FOLDER …
//
// It takes the files that git knows in the folder, without those of modules nested
// in it, and the repository's LICENSE where the folder has none.
package main

import (
	"archive/zip"
	"bytes"
	"encoding/json"
	"io"
	"log"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"strings"
	"time"
)

func main() {
	log.SetFlags(0)
	if len(os.Args) < 4 {
		log.Fatal("usage: proxy DIRECTORY VERSION MODULE-FOLDER …")
	}
	for _, folder := range os.Args[3:] {
		if err := add(os.Args[1], os.Args[2], folder); err != nil {
			log.Fatalf("%s: %v", folder, err)
		}
	}
}

// add writes one version of one module.
func add(proxy, version, folder string) error {
	out, err := exec.Command("git", "ls-files", "--", folder).Output()
	if err != nil {
		return err
	}
	files := strings.Fields(string(out)) // no name of this repository has a space
	var nested []string
	license := false
	for _, file := range files {
		if dir := path.Dir(file); path.Base(file) == "go.mod" && dir != path.Clean(folder) {
			nested = append(nested, dir+"/")
		}
		license = license || file == path.Join(folder, "LICENSE")
	}
	declared, err := os.ReadFile(filepath.Join(folder, "go.mod"))
	if err != nil {
		return err
	}
	first, _, _ := strings.Cut(string(declared), "\n")
	module := strings.TrimSpace(strings.TrimPrefix(first, "module "))

	var archive bytes.Buffer
	w := zip.NewWriter(&archive)
	put := func(name, file string) error {
		from, err := os.Open(file)
		if err != nil {
			return err
		}
		defer from.Close()
		to, err := w.Create(module + "@" + version + "/" + name)
		if err != nil {
			return err
		}
		_, err = io.Copy(to, from)
		return err
	}
	for _, file := range files {
		if within(file, nested) {
			continue
		}
		name, err := filepath.Rel(folder, file)
		if err != nil {
			return err
		}
		if err := put(filepath.ToSlash(name), file); err != nil {
			return err
		}
	}
	if !license {
		if err := put("LICENSE", "LICENSE"); err != nil {
			return err
		}
	}
	if err := w.Close(); err != nil {
		return err
	}

	info, err := json.Marshal(map[string]any{"Version": version, "Time": time.Now().UTC().Truncate(time.Second)})
	if err != nil {
		return err
	}
	dir := filepath.Join(proxy, filepath.FromSlash(module), "@v")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return err
	}
	for name, content := range map[string][]byte{
		"list": []byte(version + "\n"), version + ".info": info, version + ".mod": declared, version + ".zip": archive.Bytes(),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), content, 0o644); err != nil {
			return err
		}
	}
	return nil
}

func within(file string, folders []string) bool {
	for _, folder := range folders {
		if strings.HasPrefix(file, folder) {
			return true
		}
	}
	return false
}
