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

func TestStateTellsWhatIsRemarkable(t *testing.T) {
	b := newShop(t)
	b.must("sync")
	b.remove("server.toml")
	b.must("sync")
	require.Regexp(t, `(?m)^server/web .* no longer declared$`, b.must("state"))
}
