package diff_test

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
)

func TestGraphOrdersWhatDependsAfterWhatItDependsOn(t *testing.T) {
	t.Parallel()
	declared := declare("a/1>z/1", "b/1>a/1>c/1", "c/1>z/1", "z/1")
	graph, err := diff.NewGraph(declared)
	require.NoError(t, err)
	var order []string
	for _, node := range graph.Order() {
		order = append(order, declared[node].Resource.String())
	}
	require.Equal(t, []string{"z/1", "a/1", "c/1", "b/1"}, order)
	require.Equal(t, []int32{0, 2}, graph.After(1))
}

func TestGraphNamesEveryMistake(t *testing.T) {
	t.Parallel()
	_, err := diff.NewGraph(declare(
		"component/api>component/databse", "component/database>component/database", "network/x>component/y",
		"ring/a>ring/b", "ring/b>ring/c", "ring/c>ring/a>component/api", "server/q>other/x",
	))
	require.EqualError(t, err, `component/api depends on component/databse, which is not declared; did you mean component/database?
component/database depends on itself
network/x depends on component/y, which is not declared
server/q depends on other/x, which is not declared; did you mean network/x?
a dependency cycle: ring/a → ring/b → ring/c → ring/a`)
	var cycle *diff.CycleError
	require.ErrorAs(t, err, &cycle)
	require.Equal(t, []state.Key{key("ring/a"), key("ring/b"), key("ring/c")}, cycle.Keys)
	var unknown *diff.UnknownError
	require.ErrorAs(t, err, &unknown)
	require.Equal(t, key("component/database"), unknown.Near)
}

func TestGraphOfAChainOfAnyLength(t *testing.T) {
	t.Parallel()
	declared := many(100_000)
	graph, err := diff.NewGraph(declared)
	require.NoError(t, err)
	require.Len(t, graph.Order(), len(declared))
	for i, node := range graph.Order() {
		require.Equal(t, i, int(node))
	}
}

func BenchmarkGraph(b *testing.B) {
	for _, n := range []int{1_000, 10_000, 100_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			declared := many(n)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := diff.NewGraph(declared); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func TestGraphNamesOneCircleOfThoseThatHangTogether(t *testing.T) {
	t.Parallel()
	_, err := diff.NewGraph(declare("a/1>a/2>a/3", "a/2>a/1", "a/3>a/1", "b/1>b/2", "b/2>b/1"))
	require.EqualError(t, err, `a dependency cycle: a/1 → a/2 → a/1
a dependency cycle: b/1 → b/2 → b/1`)
	const n = 1000 // everything depends on everything
	var all []diff.Declared
	for i := range n {
		r := &state.Resource{Key: state.Key{Kind: "a", Name: fmt.Sprintf("%04d", i)}}
		all = append(all, diff.Declared{Resource: r})
	}
	for i := range all {
		for j := range all {
			if i != j {
				all[i].Edges = append(all[i].Edges, all[j].Resource.Key)
			}
		}
	}
	_, err = diff.NewGraph(all)
	require.Less(t, len(err.Error()), 100*n)
}
