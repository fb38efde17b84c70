package appsync

import (
	"encoding/json"

	"github.com/trueup-go/trueup/state"
)

// DefaultStateVersion is the version of State.
const DefaultStateVersion string = "v1"

// State is what is recorded of an app, in the form of the sync package that
// this one follows. StateOf makes it from the records; its JSON has the fields
// in the order given here and never a null.
type State struct {
	Version string `json:"version"`

	CfgID           string           `json:"config_id"`
	AppID           string           `json:"app_id"`
	InstallerID     string           `json:"installer_id"`
	RunnerConfigID  string           `json:"runner_config_id"`
	SandboxConfigID string           `json:"sandbox_config_id"`
	InputConfigID   string           `json:"input_config_id"`
	Components      []ComponentState `json:"components"`
	Actions         []ActionState    `json:"actions"`
}

// ComponentState is what is recorded of a component. Checksum is in hex.
type ComponentState struct {
	Name     string           `json:"name"`
	ID       string           `json:"id"`
	ConfigID string           `json:"config_id"`
	Type     AppComponentType `json:"type"`
	Checksum string           `json:"checksum"`
}

// ActionState is what is recorded of an action.
type ActionState struct {
	Name string `json:"name"`
	ID   string `json:"id"`
}

// MarshalJSON writes lists that are nil as empty ones.
func (s State) MarshalJSON() ([]byte, error) {
	type plain State
	if s.Components == nil {
		s.Components = []ComponentState{}
	}
	if s.Actions == nil {
		s.Actions = []ActionState{}
	}
	return json.Marshal(plain(s))
}

// StateOf returns the State of an app: what the records, in key order, say of
// what is declared. Orphans are not in it, nor is what was never finished.
func StateOf(head state.Head, records []state.Record) State {
	s := State{
		Version: DefaultStateVersion, CfgID: head.ConfigID, AppID: head.Scope.App,
		Components: []ComponentState{}, Actions: []ActionState{},
	}
	for i := range records {
		r := &records[i]
		if r.Orphaned || r.ID == "" {
			continue
		}
		switch r.Kind {
		case KindInstaller:
			s.InstallerID = r.ID
		case KindRunner:
			s.RunnerConfigID = r.ConfigID
		case KindSandbox:
			s.SandboxConfigID = r.ConfigID
		case KindInputs:
			s.InputConfigID = r.ConfigID
		case KindComponent:
			s.Components = append(s.Components, componentState(r))
		case KindAction:
			s.Actions = append(s.Actions, ActionState{Name: r.Name, ID: r.ID})
		}
	}
	return s
}

func componentState(r *state.Record) ComponentState {
	return ComponentState{
		Name: r.Name, ID: r.ID, ConfigID: r.ConfigID,
		Type: AppComponentType(r.Type), Checksum: r.Checksum.Hex(),
	}
}
