package diff_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/diff"
)

func TestLeads(t *testing.T) {
	t.Parallel()
	config := raw(`{"any":{"b":1},"networks":["a"],"owner":{"name":"o"},"teams":{"sky blue":[{}]}}`)
	for path, want := range map[string]bool{
		"any":                         true,
		"any.b":                       true,
		"any.c":                       false,
		"networks[0]":                 true,
		"networks[1]":                 false,
		"networks.a":                  false,
		"name":                        true, // left out
		"name.first":                  false,
		"owner.password":              true,
		"peers.x":                     false, // no such member
		`teams."sky blue"[0].seen`:    true,
		`teams."sky blue"[1].seen`:    false,
		`teams."sky blue"[0].seen[0]`: false,
		"login.count":                 true, // of an object that is left out
		"nam":                         false,
		"":                            false,
		"name.":                       false,
		"users[0].name":               false,
		`users`:                       true,
	} {
		require.Equal(t, want, accessSchema().Leads(config, path), path)
	}
	var none *diff.Schema
	require.True(t, none.Leads(config, "owner.name"))
	require.False(t, none.Leads(config, "owner.password"))
}
