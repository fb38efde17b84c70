package synccli_test

import (
	"context"
	"iter"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/synccli"
)

// moving is a backend to which somebody commits while its records are read.
type moving struct {
	sync.Backend
	commits *int // that are left
	commit  func()
}

func (m moving) Records(ctx context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		if *m.commits > 0 {
			*m.commits--
			m.commit()
		}
		for record, err := range m.Backend.Records(ctx) {
			if !yield(record, err) {
				return
			}
		}
	}
}

// Head and records that are shown belong together.
func TestStateIsOfOneMoment(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	commits := 1
	quiet := b.host.Backends
	flip := false
	b.host.Backends = []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return moving{backend, &commits, func() {
			other := &bench{T: t, host: shop(), dir: b.dir}
			other.host.Backends = quiet
			if flip = !flip; flip {
				b.remove("server.toml")
			} else {
				b.write("server.toml", oneServer)
			}
			other.must("sync")
		}}, err
	}}}
	recorded := b.state() // Decode verifies that they fit
	require.Zero(t, commits)
	require.Equal(t, 1, recorded.Orphans)
	require.Equal(t, int64(2), recorded.Serial)

	commits = 1000
	got := b.run("state")
	require.Equal(t, 1, got.code)
	require.Equal(t, "shop: the State changes too often to be read: try again\n", got.err)
}

// unfinished is a backend with all sorts of things that are recorded of one record.
type unfinished struct{ sync.Backend }

func (unfinished) Records(context.Context) iter.Seq2[state.Record, error] {
	return func(yield func(state.Record, error) bool) {
		yield(state.Record{
			Key: state.Key{Kind: "server", Name: "web"}, ID: "s-2", Replaced: "s-1", Protected: true,
			Pending: []state.Pending{
				{Op: "update", Serial: 3, Attempts: 2, Error: "refused:\n\x1b[31mtry later\n"},
				{Op: "deploy", Serial: 4},
				{Op: "delete", Serial: 5, Attempts: 1},
			},
		}, nil)
	}
}

func TestStateShowsWhatIsLeftToDo(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.host.Backends = []synccli.Backend{{Scheme: "file", Form: "file:DIR", Open: func(ctx context.Context, location string, scope state.Scope) (sync.Backend, error) {
		backend, err := openFiles(ctx, location, scope)
		return unfinished{backend}, err
	}}}
	out := b.must("state")
	require.Regexp(t, `(?m)^server/web .* protected, the old one is there still: s-1, update pending, deploy pending, delete pending$`, out)
	require.Contains(t, out, "pending: update of server/web, since serial 3, tried 2 times: refused: [31mtry later\n"+
		"pending: deploy of server/web, since serial 4\n"+
		"pending: delete of server/web, since serial 5, tried 1 time, did not finish\n")
}

func TestStateTellsWhatIsRemarkable(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml")
	b.must("sync")
	require.Regexp(t, `(?m)^server/web .* no longer declared$`, b.must("state"))
}
