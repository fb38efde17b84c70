package sync

import (
	"encoding/json"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

// EventType names what happened.
type EventType string

// The events of one Apply, in the order in which they come: one EventBegin; per
// change an EventStart, then an EventEnd once its outcome is recorded (a change
// that is never attempted has only its end); an EventCommit per commit, before
// the ends that it makes true; one EventFinish.
const (
	EventBegin  EventType = "begin"
	EventStart  EventType = "start"
	EventEnd    EventType = "end"
	EventCommit EventType = "commit"
	EventFinish EventType = "finish"
)

// Event is one step of an Apply.
type Event struct {
	// Seq counts the events of an Apply from 1.
	Seq  int       `json:"seq"`
	Type EventType `json:"event"`
	// Key and Op are the change's, in EventStart and EventEnd. Replaced says that it
	// deletes what is replaced, which is a change beside the one that creates.
	Key      state.Key `json:"-"`
	Op       diff.Op   `json:"op,omitempty"`
	Replaced bool      `json:"replaced,omitempty"`
	// ID is the resource's identity in EventEnd, as in ChangeResult.
	ID string `json:"id,omitempty"`
	// Status and Err are how the change ended, in EventEnd; Err is the run's in
	// EventFinish.
	Status Status `json:"status,omitempty"`
	Err    error  `json:"-"`
	// Serial is that of the commit, in EventCommit and EventFinish.
	Serial int64 `json:"serial,omitempty"`
	// Done counts the changes that have ended, of Total.
	Done  int `json:"done"`
	Total int `json:"total"`
}

// about returns an event of a change.
func about(change diff.Change, t EventType) Event {
	deletion, deletes := change.(*diff.Delete)
	return Event{Type: t, Key: change.Key(), Op: change.Op(), Replaced: deletes && deletion.Replaced}
}

// MarshalJSON implements json.Marshaler.
func (e Event) MarshalJSON() ([]byte, error) {
	type plain Event
	wire := struct {
		plain
		Key   string `json:"key,omitempty"`
		Error string `json:"error,omitempty"`
	}{plain: plain(e)}
	if !e.Key.IsZero() {
		wire.Key = e.Key.String()
	}
	if e.Err != nil {
		wire.Error = e.Err.Error()
	}
	return json.Marshal(wire)
}
