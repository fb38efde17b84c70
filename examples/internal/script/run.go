package script

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/trueup-go/trueup/sync/synccli"
)

// Program is what scripts run.
type Program struct {
	// Name is the verb that runs it.
	Name string
	// Run is the program. It may be called by several scripts at once.
	Run func(ctx context.Context, args []string, stdio synccli.Stdio) int
	// Setup puts into the directory what every script needs. May be nil.
	Setup func(work string) error
	// Vars are what else stands for something in an argument of the program, as WORK
	// does: its name, without the $, and what it stands for. May be nil.
	Vars map[string]string
	// Update makes cmp write what comes out into the script.
	Update bool
}

// Play runs the script in the file, in the directory work, which must be empty.
// The error says which line failed, and shows what the program wrote last.
func (p Program) Play(ctx context.Context, file, work string) error {
	data, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	r := &run{program: p, archive: parseArchive(data), work: work, env: map[string]string{}}
	r.expand, r.mask = replacers(p.Vars, work)
	if p.Setup != nil {
		if err := p.Setup(work); err != nil {
			return err
		}
	}
	if err := r.archive.extract(work); err != nil {
		return err
	}
	number := 0
	for line := range strings.Lines(r.archive.script) {
		number++
		if err := r.line(ctx, line); err != nil {
			return fmt.Errorf("%s:%d: %s: %w\n%s", file, number, strings.TrimSpace(line), err, r.last())
		}
	}
	if updated := r.archive.format(); p.Update && !bytes.Equal(updated, data) {
		return os.WriteFile(file, updated, 0o600)
	}
	return nil
}

// run is a script under way.
type run struct {
	program        Program
	archive        *archive
	work           string
	expand, mask   *strings.Replacer // variables by what they stand for, and back
	terminal       bool
	answer         string
	env            map[string]string
	stdout, stderr string
}

func (r *run) line(ctx context.Context, line string) error {
	args, err := words(line)
	if err != nil || len(args) == 0 {
		return err
	}
	fails := args[0] == "!"
	if fails {
		args = args[1:]
	}
	want := 0
	if fails {
		want = 1
	}
	if args[0] == "exits" && len(args) > 2 {
		if want, err = strconv.Atoi(args[1]); err != nil {
			return err
		}
		args = args[2:]
	}
	if args[0] == r.program.Name {
		for i := range args {
			args[i] = r.expand.Replace(args[i])
		}
		if code := r.start(ctx, args[1:]); code != want {
			return fmt.Errorf("ended with exit code %d, want %d", code, want)
		}
		return nil
	}
	switch err := r.verb(args[0], args[1:]); {
	case fails && err == nil:
		return fmt.Errorf("should have failed")
	case fails:
		return nil
	default:
		return err
	}
}

// start runs the program and keeps what it writes.
func (r *run) start(ctx context.Context, args []string) int {
	var stdout, stderr bytes.Buffer
	code := r.program.Run(ctx, args, synccli.Stdio{
		In: strings.NewReader(r.answer), Out: &stdout, Err: &stderr,
		InTerminal: r.terminal, OutTerminal: r.terminal, User: "tester",
		Getenv: func(name string) string { return r.env[name] },
	})
	r.answer = ""
	r.stdout = r.mask.Replace(stdout.String())
	r.stderr = r.mask.Replace(stderr.String())
	return code
}

// replacers put what variables stand for in their place, and them in its.
func replacers(vars map[string]string, work string) (expand, mask *strings.Replacer) {
	values, names := []string{"$WORK", work}, []string{work, "$WORK"}
	for name, value := range vars {
		values, names = append(values, "$"+name, value), append(names, value, "$"+name)
	}
	return strings.NewReplacer(values...), strings.NewReplacer(names...)
}

// last shows what the program wrote last: the end of it, if it is long.
func (r *run) last() string {
	return "stdout:\n" + end(r.stdout) + "stderr:\n" + end(r.stderr)
}

func end(text string) string {
	const enough = 20
	lines := strings.SplitAfter(text, "\n")
	if len(lines) <= enough+1 {
		return text
	}
	return "…\n" + strings.Join(lines[len(lines)-enough-1:], "")
}
