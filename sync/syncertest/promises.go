package syncertest

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// promiseTests are what an Engine promises, on top of the backend. The numbers
// are those of the promises in the documentation of package sync. Promise 5 is
// what the crash tests are about.
func promiseTests() []test {
	return []test{
		{name: "Promise1_PlanHasNoSideEffects", run: planHasNoSideEffects},
		{name: "Promise1_ApplyDoesThePlan", run: applyDoesThePlan},
		{name: "Promise1_AStalePlanTouchesNothing", run: stalePlan},
		{name: "Promise1_APlanThatStillHoldsGoesAhead", run: planThatStillHolds},
		{name: "Promise2_NoChangeNoWork", run: noChangeNoWork},
		{name: "Promise2_SameInputSameRecords", run: sameInput},
		{name: "Promise3_WhatIsDependedOnComesFirst", run: dependencyOrder},
		{name: "Promise4_AFailureIsContained", run: failureIsContained},
		{name: "Promise4_AllOrNothing", run: allOrNothing, needs: AllOrNothing},
		{name: "Promise4_ACommitThatFailsRecordsNothing", run: commitFails},
		{name: "Promise6_OneWriter", run: oneWriter},
		{name: "Promise6_WhoLostTheLeaseCommitsNothing", run: lostLease},
		{name: "Promise7_OrphansStayOnTheBooks", run: orphansStay},
		{name: "Promise7_NothingIsDeletedUnasked", run: nothingIsDeletedUnasked},
		{name: "Promise7_PruningHasALimit", run: pruningHasALimit},
		{name: "Promise7_WhatIsForgottenIsOnlyForgotten", run: forgotten},
		{name: "Promise10_SecretsStaySecret", run: secretsStaySecret},
		{name: "Promise10_SecretsStaySecretHoweverQuoted", run: secretsStaySecretHoweverQuoted},
		{name: "Promise10_SecretsStaySecretWhoeverFails", run: secretsStaySecretWhoeverFails},
		{name: "Promise10_LiveSecretsStaySecret", run: liveSecretsStaySecret},
		{name: "Promise10_MistakesDontShowSecrets", run: mistakesDontShowSecrets},
		{name: "Promise11_EveryStepIsAnEvent", run: everyStepIsAnEvent},
		{name: "Promise11_CancelledWorkIsRecorded", run: cancelledWork},
	}
}

// engine makes an engine on a backend.
func (s *Suite) engine(t testing.TB, b tusync.Backend, opts *tusync.Options) *tusync.Engine {
	t.Helper()
	e, err := tusync.New(b, s.Kinds, opts)
	require.NoError(t, err)
	return e
}

// plan plans towards a declaration.
func plan(t *testing.T, e *tusync.Engine, resources []state.Resource, opts *tusync.PlanOptions) *tusync.Plan {
	t.Helper()
	p, err := e.Plan(t.Context(), &tusync.Desired{Resources: resources, Revision: "a revision"}, opts)
	require.NoError(t, err)
	return p
}

// trueUp plans and applies, without an error.
func trueUp(t *testing.T, e *tusync.Engine, resources []state.Resource, opts *tusync.PlanOptions) *tusync.Result {
	t.Helper()
	result, err := e.Apply(t.Context(), plan(t, e, resources, opts))
	require.NoError(t, err)
	requireOneEndEach(t, result)
	return result
}

// requireOneEndEach checks that every change has exactly one end.
func requireOneEndEach(t *testing.T, result *tusync.Result) {
	t.Helper()
	total := 0
	for _, status := range []tusync.Status{tusync.Done, tusync.Failed, tusync.Blocked, tusync.NotAttempted} {
		total += result.Count(status)
	}
	require.Len(t, result.Changes, total)
}

// requireDeclared checks that what is recorded is what is declared and, as
// orphans, nothing else than these keys.
func requireDeclared(t *testing.T, b tusync.Backend, resources []state.Resource, orphans ...state.Key) {
	t.Helper()
	records := byKey(collect(t, b))
	for _, r := range resources {
		sum, err := r.Checksum()
		require.NoError(t, err)
		record, ok := records[r.Key]
		require.True(t, ok, "%s is declared and not recorded", r.Key)
		require.Equal(t, sum, record.Checksum, "%s is not recorded as it is declared", r.Key)
		require.False(t, record.Orphaned, "%s is declared and an orphan", r.Key)
		require.NotEmpty(t, record.ID)
		require.NotEmpty(t, record.ConfigID)
	}
	for _, key := range orphans {
		record, ok := records[key]
		require.True(t, ok, "the orphan %s is lost", key)
		require.True(t, record.Orphaned, "%s is no longer declared and not an orphan", key)
	}
	require.Len(t, records, len(resources)+len(orphans))
}

func opsOf(p *tusync.Plan) map[state.Key]diff.Op {
	ops := map[state.Key]diff.Op{}
	for _, change := range p.Changes {
		ops[change.Key()] = change.Op()
	}
	return ops
}
