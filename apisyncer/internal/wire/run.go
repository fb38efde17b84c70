package wire

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
)

// Run is a sync.Run but for its ID, which is in the path. It goes over the wire as a
// line of its own, with a line for each declared resource behind it.
type Run struct {
	Plan      json.RawMessage `json:"plan"`
	Desired   *Desired        `json:"desired,omitempty"`
	Kinds     []Kind          `json:"kinds"`
	DigestKey []byte          `json:"digest_key,omitempty"`
	Owner     string          `json:"owner"`
	BatchSize int             `json:"batch_size,omitempty"`
	Wait      bool            `json:"wait,omitempty"`
	Records   bool            `json:"records,omitempty"`
	// Events asks for events.
	Events bool `json:"events,omitempty"`
}

// Kind is what of a kind can be sent.
type Kind struct {
	Name        string       `json:"name"`
	Schema      *diff.Schema `json:"schema,omitempty"`
	Version     int          `json:"version,omitempty"`
	CreateFirst bool         `json:"create_first,omitempty"`
	Protected   bool         `json:"protected,omitempty"`
}

// Desired is a declaration.
type Desired struct {
	// Count is how many resources there are.
	Count     int              `json:"count"`
	Resources []state.Resource `json:"-"`
	Moves     []Move           `json:"moves,omitempty"`
	Revision  string           `json:"revision,omitempty"`
	// Positions are by key, as "file:line:col" in parts.
	Positions map[string]Position `json:"positions,omitempty"`
}

// Move is a sync.Move.
type Move struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// Position is a sync.Position.
type Position struct {
	File string `json:"file,omitempty"`
	Line int    `json:"line,omitempty"`
	Col  int    `json:"col,omitempty"`
}

// RunOf returns a run as it is sent.
func RunOf(run *sync.Run) *Run {
	own := &Run{
		Plan: run.Plan, DigestKey: run.DigestKey, Owner: run.Owner, BatchSize: run.BatchSize, Wait: run.Wait, Records: run.Records,
		Events: run.Events,
	}
	for _, kind := range run.Kinds {
		own.Kinds = append(own.Kinds, Kind{kind.Name, kind.Schema, kind.Version, kind.CreateFirst, kind.Protected})
	}
	if d := run.Desired; d != nil {
		own.Desired = &Desired{Count: len(d.Resources), Resources: d.Resources, Revision: d.Revision}
		for _, move := range d.Moves {
			own.Desired.Moves = append(own.Desired.Moves, Move{move.From.String(), move.To.String()})
		}
		if len(d.Positions) > 0 {
			own.Desired.Positions = make(map[string]Position, len(d.Positions))
		}
		for key, p := range d.Positions {
			own.Desired.Positions[key.String()] = Position(p)
		}
	}
	return own
}

// Encode writes the run's lines.
func (r *Run) Encode(w io.Writer) error {
	if err := json.NewEncoder(w).Encode(r); err != nil || r.Desired == nil {
		return err
	}
	var line []byte
	for i := range r.Desired.Resources {
		var err error
		if line, err = r.Desired.Resources[i].AppendJSON(line[:0]); err != nil {
			return err
		}
		if _, err := w.Write(append(line, '\n')); err != nil {
			return err
		}
	}
	return nil
}

// DecodeRun reads a run's lines.
func DecodeRun(body io.Reader) (*Run, error) {
	lines := bufio.NewReaderSize(body, 64<<10)
	text, err := ReadLine(lines)
	if err != nil {
		return nil, err
	}
	r := &Run{}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(r); err != nil {
		return nil, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("there is more in the first line than a run")
	}
	resources, err := readResources(lines)
	if err != nil {
		return nil, err
	}
	count := 0
	if r.Desired != nil {
		r.Desired.Resources, count = resources, r.Desired.Count
	}
	switch {
	case len(resources) < count:
		return nil, fmt.Errorf("%d resources of %d: %w", len(resources), count, io.ErrUnexpectedEOF)
	case len(resources) > count:
		return nil, fmt.Errorf("%d resources, and %d were announced", len(resources), count)
	}
	return r, nil
}

// Sync returns the run.
func (r *Run) Sync(id string) (*sync.Run, error) {
	own := &sync.Run{
		ID: id, Plan: r.Plan, DigestKey: r.DigestKey, Owner: r.Owner, BatchSize: r.BatchSize, Wait: r.Wait, Records: r.Records,
		Events: r.Events,
	}
	for _, kind := range r.Kinds {
		own.Kinds = append(own.Kinds, sync.Kind{
			Name: kind.Name, Schema: kind.Schema, Version: kind.Version, CreateFirst: kind.CreateFirst, Protected: kind.Protected,
		})
	}
	if d := r.Desired; d != nil {
		own.Desired = &sync.Desired{Resources: d.Resources, Revision: d.Revision}
		for _, move := range d.Moves {
			from, err := state.ParseKey(move.From)
			if err != nil {
				return nil, err
			}
			to, err := state.ParseKey(move.To)
			if err != nil {
				return nil, err
			}
			own.Desired.Moves = append(own.Desired.Moves, sync.Move{From: from, To: to})
		}
		if len(d.Positions) > 0 {
			own.Desired.Positions = make(map[state.Key]sync.Position, len(d.Positions))
		}
		for text, p := range d.Positions {
			key, err := state.ParseKey(text)
			if err != nil {
				return nil, err
			}
			own.Desired.Positions[key] = sync.Position(p)
		}
	}
	return own, nil
}

// Event is a sync.Event.
type Event struct {
	Seq      int            `json:"seq"`
	Type     sync.EventType `json:"event"`
	Key      string         `json:"key,omitempty"`
	Op       diff.Op        `json:"op,omitempty"`
	Replaced bool           `json:"replaced,omitempty"`
	ID       string         `json:"id,omitempty"`
	Status   sync.Status    `json:"status,omitempty"`
	Problem  *Problem       `json:"problem,omitempty"`
	Serial   int64          `json:"serial,omitempty"`
	Done     int            `json:"done"`
	Total    int            `json:"total"`
}

// EventOf returns an event as it is sent.
func EventOf(e sync.Event) *Event {
	own := &Event{
		Seq: e.Seq, Type: e.Type, Op: e.Op, Replaced: e.Replaced, ID: e.ID, Status: e.Status, Problem: ProblemOf(e.Err),
		Serial: e.Serial, Done: e.Done, Total: e.Total,
	}
	if !e.Key.IsZero() {
		own.Key = e.Key.String()
	}
	return own
}

// Sync returns the event.
func (e *Event) Sync() (own sync.Event, err error) {
	own = sync.Event{
		Seq: e.Seq, Type: e.Type, Op: e.Op, Replaced: e.Replaced, ID: e.ID, Status: e.Status, Err: e.Problem.Err(),
		Serial: e.Serial, Done: e.Done, Total: e.Total,
	}
	if e.Key != "" {
		own.Key, err = state.ParseKey(e.Key)
	}
	return own, err
}

// Result is a sync.RunResult, and the error that came with it.
type Result struct {
	Head Head `json:"head"`
	// IDs are those of the plan's changes, in its order: as many as there are. A change
	// is done unless Ends has another end for it, by its index.
	IDs       []string       `json:"ids"`
	Ends      map[int]End    `json:"ends,omitempty"`
	Unchanged int            `json:"unchanged"`
	Orphans   []state.Record `json:"orphans,omitempty"`
	Records   []state.Record `json:"records,omitempty"`
	Problem   *Problem       `json:"problem,omitempty"`
}

// End is a sync.RunEnd, but for the ID.
type End struct {
	Status  sync.Status `json:"status"`
	Problem *Problem    `json:"problem,omitempty"`
}

// ResultOf returns a result as it is sent.
func ResultOf(r *sync.RunResult, err error) *Result {
	own := &Result{
		Head: HeadOf(r.Head), Unchanged: r.Unchanged, Orphans: r.Orphans, Records: r.Records, Problem: ProblemOf(err),
		IDs: make([]string, len(r.Ends)), Ends: map[int]End{},
	}
	for i, end := range r.Ends {
		own.IDs[i] = end.ID
		if end.Status != sync.Done || end.Err != nil {
			own.Ends[i] = End{end.Status, ProblemOf(end.Err)}
		}
	}
	return own
}

// Sync returns the result, and the error.
func (r *Result) Sync() (*sync.RunResult, error) {
	own := &sync.RunResult{
		Head: r.Head.State(), Unchanged: r.Unchanged, Orphans: r.Orphans, Records: r.Records, Ends: make([]sync.RunEnd, len(r.IDs)),
	}
	for i, id := range r.IDs {
		own.Ends[i] = sync.RunEnd{ID: id, Status: sync.Done}
		if end, ok := r.Ends[i]; ok {
			own.Ends[i].Status, own.Ends[i].Err = end.Status, end.Problem.Err()
		}
	}
	return own, r.Problem.Err()
}

// Observe asks what each of the records is now.
type Observe struct {
	Records []state.Record `json:"records"`
}

// Live is a sync.Live.
type Live struct {
	ID      string          `json:"id,omitempty"`
	Config  json.RawMessage `json:"config,omitempty"`
	Problem *Problem        `json:"problem,omitempty"`
}

// PartsType is the content type of Parts, in place of a Run.
const PartsType = "application/vnd.trueup.parts+json"

// Parts are those of a compressed Run, which were uploaded before.
type Parts struct {
	Sums []state.Checksum `json:"parts"`
}
