//go:build !(darwin || dragonfly || freebsd || linux || netbsd || openbsd)

package deploy

import (
	"context"
	"errors"
	"fmt"
	"runtime"
)

func lockFile(context.Context, string) (unlock func(), err error) {
	return nil, fmt.Errorf("files of stacks and builds need locks that end with their process, which %s doesn't offer: %w", runtime.GOOS, errors.ErrUnsupported)
}
