package appsync

import (
	"slices"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Result returns the result of the last Sync that got as far as applying a plan,
// or nil.
func (s *AppSyncer) Result() *sync.Result {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.result
}

// State returns what is recorded after the last Sync; the zero State before.
func (s *AppSyncer) State() State {
	result := s.Result()
	if result == nil {
		return State{}
	}
	return StateOf(result.Head, result.Records())
}

// GetAppConfigID implements Syncer.
func (s *AppSyncer) GetAppConfigID() string { return s.State().CfgID }

// GetComponentStateIds implements Syncer.
func (s *AppSyncer) GetComponentStateIds() []string { return ids(current(s.Result(), KindComponent)) }

// GetActionStateIds implements Syncer.
func (s *AppSyncer) GetActionStateIds() []string { return ids(current(s.Result(), KindAction)) }

// GetComponentsScheduled implements Syncer.
func (s *AppSyncer) GetComponentsScheduled() []ComponentState {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.builds)
}

// OrphanedComponents implements Syncer.
func (s *AppSyncer) OrphanedComponents() map[string]string { return s.orphans(KindComponent) }

// OrphanedActions implements Syncer.
func (s *AppSyncer) OrphanedActions() map[string]string { return s.orphans(KindAction) }

func (s *AppSyncer) orphans(kind string) map[string]string {
	orphans := map[string]string{}
	if result := s.Result(); result != nil {
		for _, r := range result.Orphans() {
			if r.Kind == kind {
				orphans[r.Name] = r.ID
			}
		}
	}
	return orphans
}

func ids(records []state.Record) []string {
	var ids []string
	for i := range records {
		ids = append(ids, records[i].ID)
	}
	return ids
}
