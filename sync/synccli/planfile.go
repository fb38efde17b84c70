package synccli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/planhtml"
)

// SavePlan writes the plan to the file that --plan-file names, which only the user
// may read: it tells much of what there is, though no sensitive value. It is there
// as a whole or not at all. Without --plan-file it does nothing.
func (c *Call) SavePlan(plan *sync.Plan) error {
	if c.planFile == "" {
		return nil
	}
	if err := WriteFile(c.planFile, plan.Encode); err != nil {
		return fmt.Errorf("save the plan: %w", err)
	}
	return nil
}

// savePage writes the plan's page to the file that --html names, as SavePlan does.
func (c *Call) savePage(plan *sync.Plan, declared []sync.Warning) error {
	if c.page == "" {
		return nil
	}
	err := WriteFile(c.page, func(w io.Writer) error {
		return planhtml.Write(w, plan, &planhtml.Options{Warnings: declared})
	})
	if err != nil {
		return fmt.Errorf("save the plan's page: %w", err)
	}
	return nil
}

// WriteFile writes a file that only the user may read, in place of one that may be
// there: as a whole, and synced, or not at all.
func WriteFile(path string, write func(w io.Writer) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-") // with mode 0600
	if err != nil {
		return err
	}
	err = write(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	return nil
}

// savedPlan reads the plan that --plan-file names, made again from what is
// declared.
func (c *Call) savedPlan(ctx context.Context, engine *sync.Engine, desired *sync.Desired) (*sync.Plan, error) {
	f, err := os.Open(c.planFile)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // it was only read
	plan, err := engine.LoadPlan(ctx, f, desired)
	if err != nil {
		return nil, err
	}
	plan.By, plan.Wait = c.Options.By, c.Options.Wait
	return plan, nil
}

// checkSaved returns an error if flags say what a saved plan has said already.
func (c *Call) checkSaved() error {
	if c.planFile == "" {
		return nil
	}
	var shaping []string
	c.flags.Visit(func(f *flag.Flag) {
		if slices.Contains([]string{"prune", "prune-limit", "allow-empty", "target", "no-deploy", "atomic"}, f.Name) {
			shaping = append(shaping, "--"+f.Name)
		}
	})
	if shaping == nil {
		return nil
	}
	return &UsageError{
		Problem: fmt.Sprintf("%s and --plan-file: what a saved plan does is in the file", shaping[0]),
		Hint:    fmt.Sprintf("give %s when you make it", shaping[0]),
	}
}
