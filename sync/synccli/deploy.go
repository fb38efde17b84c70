package synccli

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// deployCommand is for hosts that have something to deploy.
func deployCommand() Command {
	return Command{
		Name: "deploy", Takes: TakesPaths | TakesScope | TakesJSON | TakesYes | TakesWait, Run: deploy,
		Args: []string{"[KIND/]NAME…"}, Split: leadingNames,
		Short: "deploy something, and what comes after it",
		Long:  "Deploys what is named, whether there is a reason or not, and what is declared to come after\nit; nothing else. If it has changed, or what it needs isn't there yet, that is synced first.\nA name is of what is declared with deploy = true; several may be given. A path is written\nwith ./ or / in front.",
	}
}

// deploys tells whether a kind of the host can be deployed.
func (h *Host) deploys() bool {
	return slices.ContainsFunc(h.Kinds.Names(), h.isDeployed)
}

func (h *Host) isDeployed(name string) bool {
	kind, _ := h.Kinds.Kind(name)
	return kind.Deployer != nil
}

// deploy deploys what the arguments name, as a sync of that alone would.
func deploy(ctx context.Context, call *Call) error {
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	keys, err := call.named(declaration.Desired, call.Args)
	if err != nil {
		return err
	}
	call.Options.Redeploy, call.Options.Selection = keys, &sync.Selection{Keys: keys}
	plan, err := call.Plan(ctx, declaration)
	if err != nil {
		return err
	}
	return call.Carry(ctx, plan)
}

// named returns the keys of what names stand for: KIND/NAME, or the name alone of
// something that can be deployed.
func (c *Call) named(desired *sync.Desired, names []string) ([]state.Key, error) {
	bearers, known := map[string][]state.Key{}, []string{}
	for i := range desired.Resources {
		if r := &desired.Resources[i]; r.Deploy {
			bearers[r.Name] = append(bearers[r.Name], r.Key)
			known = append(known, r.Name)
		}
	}
	var keys []state.Key
	for _, name := range names {
		key, err := state.ParseKey(name)
		switch found := bearers[name]; {
		case len(found) > 1:
			return nil, &UsageError{Problem: fmt.Sprintf("%q is the name of %s and of %s", name, found[0], found[1]), Hint: "write " + found[0].String()}
		case len(found) == 1:
			key = found[0]
		case err != nil:
			return nil, c.noSuchName(name, known)
		}
		keys = append(keys, key)
	}
	return keys, nil
}

func (c *Call) noSuchName(name string, known []string) error {
	e := &UsageError{Problem: fmt.Sprintf("nothing that is declared with deploy = true is called %q", name)}
	if near := diff.Nearest(name, known); near != "" {
		e.Hint = fmt.Sprintf("did you mean %q?", near)
	}
	return e
}

// leadingNames is a Command.Split: what is written like a path ends the names.
func leadingNames(args []string) (own int, err error) {
	own = slices.IndexFunc(args, func(arg string) bool {
		return strings.HasPrefix(arg, ".") || filepath.IsAbs(arg)
	})
	switch own {
	case -1:
		return len(args), nil
	case 0:
		return 0, &UsageError{Problem: fmt.Sprintf("what is to be deployed? %q is a path", args[0]), Hint: "names come before paths"}
	}
	return own, nil
}
