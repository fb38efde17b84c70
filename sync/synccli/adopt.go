package synccli

import (
	"context"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// adopt takes over one thing, and what it needs, as a sync of that alone would.
func adopt(ctx context.Context, call *Call) error {
	key, err := parseKey(call.Args[0])
	if err != nil {
		return err
	}
	id := ""
	if len(call.Args) > 1 && call.Args[1] != noID {
		id = call.Args[1]
	}
	declaration, err := call.Load(ctx)
	if err != nil {
		return err
	}
	opts := &call.Options
	opts.Adopt = map[state.Key]string{key: id}
	opts.Selection = &sync.Selection{Keys: []state.Key{key}}
	plan, err := call.Plan(ctx, declaration)
	if err != nil {
		return err
	}
	return call.Carry(ctx, plan)
}

func parseKey(text string) (state.Key, error) {
	key, err := state.ParseKey(text)
	if err != nil {
		return key, &UsageError{Problem: err.Error(), Hint: "want KIND/NAME, as plan and state show it"}
	}
	return key, nil
}
