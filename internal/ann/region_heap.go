//go:build !(linux || darwin || freebsd || netbsd || openbsd)

package ann

import "errors"

func reserveSpace(int) ([]byte, error) { return nil, errors.ErrUnsupported }
func commitSpace([]byte) error         { return errors.ErrUnsupported }
func releaseSpace([]byte)              {}
