package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// syncApp syncs a config and says which components are to be built. A vendor's
// own program would start the builds here.
func syncApp(ctx context.Context, call *synccli.Call, config *appsync.Config, syncer sync.Syncer) error {
	config.Options = &call.Options
	app := appsync.New(syncer, config)
	ctx = appsync.SetOrgContext(ctx, call.Scope.Org)
	ctx = appsync.SetAccountContext(ctx, call.Account)
	err := app.Sync(ctx)
	if scheduled := app.GetComponentsScheduled(); len(scheduled) > 0 {
		err = errors.Join(err, showScheduled(call, scheduled))
	}
	return err
}

func showScheduled(call *synccli.Call, scheduled []appsync.ComponentState) error {
	if call.JSON {
		return json.NewEncoder(call.Out).Encode(struct {
			Event      string                   `json:"event"`
			Components []appsync.ComponentState `json:"components"`
		}{"scheduled", scheduled})
	}
	const enough = 10
	var names []string
	for i, component := range scheduled {
		if i == enough {
			names = append(names, fmt.Sprintf("and %d more", len(scheduled)-enough))
			break
		}
		names = append(names, component.Name)
	}
	_, err := fmt.Fprintf(call.Out, "to be built: %s\n", strings.Join(names, ", "))
	return err
}
