package testenv

import (
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
)

// copyTree copies the directory from to the directory to, with modes and
// symbolic links, and leaves out directories of the given names. The copy
// belongs to owner.
func copyTree(from, to string, owner *identity, without ...string) error {
	return filepath.WalkDir(from, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		target := filepath.Join(to, rel)
		info, err := entry.Info()
		if err != nil {
			return err
		}
		switch {
		case entry.IsDir() && slices.Contains(without, entry.Name()):
			return fs.SkipDir
		case entry.IsDir():
			mode := info.Mode().Perm() | 0o700
			if err := errors.Join(os.MkdirAll(target, mode), os.Chmod(target, mode)); err != nil {
				return err
			}
		case entry.Type() == fs.ModeSymlink:
			link, err := os.Readlink(path)
			if err != nil {
				return err
			}
			if err := os.Symlink(link, target); err != nil {
				return err
			}
		case entry.Type().IsRegular():
			if err := copyFile(path, target, info.Mode().Perm()); err != nil {
				return err
			}
		default:
			return nil // a socket or a pipe is nobody's data
		}
		return owner.give(target)
	})
}

func copyFile(from, to string, mode fs.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_EXCL|os.O_WRONLY, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in) // copies inside the kernel where it can
	return errors.Join(err, out.Chmod(mode), out.Close())
}
