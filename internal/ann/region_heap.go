//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package ann

import (
	"errors"
	"os"
)

func reserveSpace(int) ([]byte, error) { return nil, errors.ErrUnsupported }
func commitSpace([]byte) error         { return errors.ErrUnsupported }
func releaseSpace([]byte)              {}

func mapFile([]byte, *os.File, int64) error { return errors.ErrUnsupported }

func adviseHuge([]byte)  {}
func adviseSmall([]byte) {}
