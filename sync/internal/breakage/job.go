package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"slices"
	"sync"
	"time"
)

// job is one run over a list.
type job struct {
	root, list string        // the tree, and the list in it
	text       string        // tests are run for those that mention it; empty for a share of all
	percent    int           // the share
	timeout    time.Duration // of a test
	out        io.Writer     // told what was noticed, as it is
}

// run tries the breakages. The error joins what is wrong, in the order of the
// list.
func (j *job) run(ctx context.Context) error {
	text, err := os.ReadFile(filepath.Join(j.root, filepath.FromSlash(j.list)))
	if err != nil {
		return err
	}
	all, err := parse(string(text))
	if err != nil {
		return fmt.Errorf("%s: %w", j.list, err)
	}
	chosen := j.choose(all)
	if len(chosen) == 0 {
		return fmt.Errorf("%s: no breakage mentions %q", j.list, j.text)
	}
	scratch, err := os.MkdirTemp("", "breakage-")
	if err != nil {
		return err
	}
	err = os.Chmod(scratch, 0o711) //nolint:gosec // see newChecker: others get to the directory for temporary files
	var c *checker
	if err == nil {
		c, err = newChecker(j.root, scratch, j.timeout)
	}
	if err == nil {
		err = j.tryAll(ctx, c, all, chosen)
	}
	if err := errors.Join(err, os.RemoveAll(scratch)); err != nil {
		return err
	}
	fmt.Fprintf(j.out, "%d breakages apply and compile; tests were run for %d, and notice\n", len(all), len(chosen))
	return nil
}

// choose returns for which breakages tests are run: their indices, ascending.
func (j *job) choose(all []breakage) []int {
	var chosen []int
	if j.text != "" {
		for i := range all {
			if all[i].mentions(j.text) {
				chosen = append(chosen, i)
			}
		}
		return chosen
	}
	count := min(len(all), (len(all)*j.percent+99)/100)
	chosen = rand.Perm(len(all))[:count]
	slices.Sort(chosen)
	return chosen
}

// tryAll tries all breakages, and runs tests for those that are chosen.
func (j *job) tryAll(ctx context.Context, c *checker, all []breakage, chosen []int) error {
	errs, err := fit(ctx, c, all)
	if err != nil {
		return err
	}
	next := make(chan int)
	var mu sync.Mutex // of j.out
	var workers sync.WaitGroup
	for range runtime.GOMAXPROCS(0) {
		workers.Go(func() {
			for i := range next {
				began := time.Now()
				if errs[i] = c.noticed(ctx, &all[i]); errs[i] == nil {
					mu.Lock()
					fmt.Fprintf(j.out, "%5.1fs noticed: %s\n", time.Since(began).Seconds(), &all[i])
					mu.Unlock()
				}
			}
		})
	}
	for _, i := range chosen {
		if errs[i] == nil {
			next <- i
		}
	}
	close(next)
	workers.Wait()
	for i := range errs {
		if errs[i] != nil {
			errs[i] = fmt.Errorf("%s:%d: %s: %w", j.list, all[i].line, &all[i], errs[i])
		}
	}
	return errors.Join(errs...)
}

// fit returns, for each breakage, an error if it doesn't apply or doesn't compile.
func fit(ctx context.Context, c *checker, all []breakage) (errs []error, err error) {
	errs = make([]error, len(all))
	texts := make([]string, len(all))
	var dirs []string
	for i := range all {
		if texts[i], errs[i] = c.broken(&all[i]); errs[i] == nil && path.Ext(all[i].file) == ".go" {
			dirs = append(dirs, path.Dir(all[i].file))
		}
	}
	slices.Sort(dirs)
	t, err := c.newTypechecker(ctx, slices.Compact(dirs))
	if err != nil {
		return nil, err
	}
	for i := range all {
		if errs[i] != nil || path.Ext(all[i].file) != ".go" { // what is embedded is not compiled
			continue
		}
		if err := t.check(all[i].file, texts[i]); err != nil {
			errs[i] = fmt.Errorf("it doesn't compile: %w", err)
		}
	}
	return errs, nil
}
