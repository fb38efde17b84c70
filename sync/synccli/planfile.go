package synccli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/trueup-go/trueup/sync"
)

// SavePlan writes the plan to the file that --plan-file names, which only the user
// may read: it tells much of what there is, though no sensitive value. It is there
// as a whole or not at all. Without --plan-file it does nothing.
func (c *Call) SavePlan(plan *sync.Plan) (err error) {
	if c.planFile == "" {
		return nil
	}
	defer func() {
		if err != nil {
			err = fmt.Errorf("save the plan: %w", err)
		}
	}()
	f, err := os.CreateTemp(filepath.Dir(c.planFile), "."+filepath.Base(c.planFile)+"-") // with mode 0600
	if err != nil {
		return err
	}
	err = plan.Encode(f)
	if err == nil {
		err = f.Sync()
	}
	err = errors.Join(err, f.Close())
	if err == nil {
		err = os.Rename(f.Name(), c.planFile)
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
		if slices.Contains([]string{"prune", "prune-limit", "allow-empty", "target", "atomic"}, f.Name) {
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
