package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"

	"github.com/trueup-go/trueup/sync/appsync"
)

// grace is how long a build may take to end once it is told to.
const grace = 5 * time.Second

// run is the process of one build. The error ends with the last of what it wrote.
func (b *builds) run(ctx context.Context, c appsync.ComponentState, config []byte) error {
	var out tail
	cmd := exec.CommandContext(ctx, "sh", "-c", b.command)
	cmd.Dir, cmd.Stdin, cmd.Stdout, cmd.Stderr = b.call.Dir(), bytes.NewReader(config), &out, &out
	isOurs := func(variable string) bool { return strings.HasPrefix(variable, "APPSYNC_TOKEN=") }
	cmd.Env = append(slices.DeleteFunc(cmd.Environ(), isOurs),
		"APPSYNC_ORG="+b.call.Scope.Org,
		"APPSYNC_APP="+b.call.Scope.App,
		"APPSYNC_COMPONENT="+c.Name,
		"APPSYNC_TYPE="+string(c.Type),
		"APPSYNC_ID="+c.ID,
		"APPSYNC_CONFIG_ID="+c.ConfigID,
		"APPSYNC_CHECKSUM="+c.Checksum,
	)
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = grace
	err := cmd.Run()
	if said := strings.TrimSpace(out.String()); err != nil && said != "" {
		err = fmt.Errorf("%w\n%s", err, said)
	}
	return err
}

// tail keeps the end of what is written to it.
type tail struct{ buf []byte }

func (t *tail) Write(p []byte) (int, error) {
	const enough = 4 << 10
	t.buf = append(t.buf, p...)
	if over := len(t.buf) - enough; over > 0 {
		t.buf = append(t.buf[:0], t.buf[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return strings.ToValidUTF8(string(t.buf), "") }
