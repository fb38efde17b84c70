package syncertest

import (
	"context"
	"fmt"
	"iter"
	"slices"

	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

var _ tusync.Historian = (*Memory)(nil)

// History yields the heads of all States that ever were, newest first.
func (m *Memory) History(ctx context.Context) iter.Seq2[state.Head, error] {
	return func(yield func(state.Head, error) bool) {
		m.store.mu.Lock()
		commits := m.store.commits
		m.store.mu.Unlock()
		if err := ctx.Err(); err != nil {
			yield(state.Head{}, err)
			return
		}
		for _, c := range slices.Backward(commits) {
			if !yield(withToken(c.Head), nil) {
				return
			}
		}
	}
}

// StateAt returns the State as of a serial: what its commits make of nothing.
func (m *Memory) StateAt(ctx context.Context, serial int64) (state.Head, iter.Seq2[state.Record, error], error) {
	m.store.mu.Lock()
	commits := m.store.commits
	m.store.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return state.Head{}, nil, err
	}
	if serial < 1 || serial > int64(len(commits)) {
		return state.Head{}, nil, fmt.Errorf("serial %d of %s: %w", serial, m.store.scope, tusync.ErrNoState)
	}
	s := newMemoryState(m.store.scope)
	for i := range commits[:serial] {
		if err := s.apply(&commits[i]); err != nil {
			return state.Head{}, nil, err
		}
	}
	records := s.inOrder()
	return s.head, func(yield func(state.Record, error) bool) {
		for i := range records {
			if !yield(records[i], ctx.Err()) {
				return
			}
		}
	}, nil
}
