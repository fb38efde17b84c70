package dbsyncer

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// Mapper maps a kind onto tables of the host's own. What it writes is committed
// with the State, or not at all.
type Mapper interface {
	// Apply carries out changes of the kind in the transaction, and returns one
	// Outcome for each, in their order; see sync.Tx. It doesn't end the
	// transaction. If it returns an error, or an outcome has one, what it did is
	// taken back, and the changes come again in two halves, until the one that
	// fails stands alone: so a Mapper may use one statement for all of them. They
	// come again, too, when the transaction is lost with its connection or to a
	// conflict; the ids must be the same then. A constraint that is deferred fails
	// the commit, and with it all changes.
	Apply(ctx context.Context, tx pgx.Tx, changes []diff.Change) ([]tusync.Outcome, error)
}

// MapperObserver is implemented by a Mapper that can read its rows: drift in them
// is seen then.
type MapperObserver interface {
	// Observe returns what each of the records is now, in their order; see
	// sync.Observer.
	Observe(ctx context.Context, db DB, records []state.Record) []tusync.Live
}

// applied is what a Mapper has applied, and the ids that came of it.
type applied struct {
	mapper  Mapper
	changes []diff.Change
	ids     []string
}

// applyMapped has the mappers apply the changes at these indices, by kind.
func (t *tx) applyMapped(ctx context.Context, changes []diff.Change, mapped map[string][]int, outcomes []tusync.Outcome) error {
	if err := t.begin(ctx); err != nil {
		return err
	}
	if err := t.applyAgain(ctx); err != nil {
		return err
	}
	for _, kind := range slices.Sorted(maps.Keys(mapped)) {
		if err := t.applySome(ctx, t.b.mappers[kind], changes, mapped[kind], outcomes); err != nil {
			return explained("apply changes of "+kind, "", err)
		}
	}
	return nil
}

// applySome applies changes behind a savepoint; if that fails, in two halves. It
// returns an error if the whole transaction has failed.
func (t *tx) applySome(ctx context.Context, m Mapper, changes []diff.Change, which []int, outcomes []tusync.Outcome) error {
	some := make([]diff.Change, len(which))
	for at, i := range which {
		some[at] = changes[i]
	}
	savepoint, err := t.staged.Begin(ctx)
	if err != nil {
		return err
	}
	ids, err := apply(ctx, savepoint, m, some)
	if err == nil {
		err = savepoint.Commit(ctx)
	}
	if err == nil {
		for at, i := range which {
			outcomes[i].ID = cmp.Or(ids[at], outcomes[i].ID)
		}
		t.applied = append(t.applied, applied{m, some, ids})
		return nil
	}
	// After a conflict it all has to be done again, to read what others have written,
	// and to let go of what others wait for.
	rerr := savepoint.Rollback(ctx)
	if rerr != nil || ctx.Err() != nil || isCode(err, conflicts()...) {
		return errors.Join(err, rerr, ctx.Err())
	}
	if len(which) == 1 {
		outcomes[which[0]] = tusync.Outcome{Err: explained("store "+some[0].Key().String(), "", err)}
		return nil
	}
	half := len(which) / 2
	if err := t.applySome(ctx, m, changes, which[:half], outcomes); err != nil {
		return err
	}
	return t.applySome(ctx, m, changes, which[half:], outcomes)
}

// apply has a Mapper apply changes, and returns the ids that it chose.
func apply(ctx context.Context, tx pgx.Tx, m Mapper, changes []diff.Change) ([]string, error) {
	outcomes, err := m.Apply(ctx, tx, changes)
	if err == nil && len(outcomes) != len(changes) {
		err = fmt.Errorf("a Mapper returned %d outcomes of %d changes", len(outcomes), len(changes))
	}
	ids := make([]string, len(outcomes))
	for i, outcome := range outcomes {
		ids[i], err = outcome.ID, errors.Join(err, outcome.Err)
	}
	return ids, err
}

// applyAgain applies what was lost with its transaction.
func (t *tx) applyAgain(ctx context.Context) error {
	if !t.lost {
		return nil
	}
	for _, a := range t.applied {
		ids, err := apply(ctx, t.staged, a.mapper, a.changes)
		if err == nil && !slices.Equal(ids, a.ids) {
			err = errors.New("a Mapper chose other ids when it was called again: sync again")
		}
		if err != nil {
			return explained("apply changes again that were lost with the connection", "", err)
		}
	}
	t.lost = false
	return nil
}

// Observe reads the rows of kinds whose Mapper is a MapperObserver.
func (b *Backend) Observe(ctx context.Context, records []state.Record) []tusync.Live {
	lives := make([]tusync.Live, len(records))
	byKind := map[string][]int{}
	for i := range records {
		byKind[records[i].Kind] = append(byKind[records[i].Kind], i)
	}
	for kind, which := range byKind {
		some := make([]state.Record, len(which))
		for at, i := range which {
			some[at] = records[i]
		}
		observed := b.observe(ctx, kind, some)
		for at, i := range which {
			lives[i] = observed[at]
		}
	}
	return lives
}

// observe reads the rows of one kind. What is stored nowhere but in the record is as
// recorded.
func (b *Backend) observe(ctx context.Context, kind string, records []state.Record) []tusync.Live {
	if observer, ok := b.mappers[kind].(MapperObserver); ok {
		lives := observer.Observe(ctx, b.db, records)
		var wrong error
		if len(lives) != len(records) {
			wrong = fmt.Errorf("a Mapper observed %d of %d records", len(lives), len(records))
			lives = make([]tusync.Live, len(records))
		}
		for i := range lives {
			lives[i].Err = explained("observe "+records[i].String(), "", errors.Join(lives[i].Err, wrong))
		}
		return lives
	}
	lives := make([]tusync.Live, len(records))
	for i := range records {
		lives[i].ID = records[i].ID
	}
	return lives
}
