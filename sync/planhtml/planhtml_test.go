package planhtml_test

import (
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/planhtml"
)

const before = `
[[network]]
name = "private"
config.cidr = "10.0.0.0/16"
[[network]]
name = "old"
[[network]]
name = "kept"
[[network]]
name = "left"
[[server]]
name = "web"
tags = ["public"]
deploy = true
after = ["db"]
[server.config]
network = "private"
image = "shop:1"
ports = [80, 8080]
token = "sesame-1"
script = """
#!/bin/sh
set -eu
one
two
three
four
exec shop --port 80
"""
[[server]]
name = "db"
deploy = true
config = { image = "postgres:17", network = "private" }
[[server]]
name = "cache"
config = { image = "redis", network = "private" }
[[server]]
name = "mover"
config.region = "eu"
`

const after = `
[[network]]
name = "private"
config.cidr = "10.0.0.0/16"
[[network]]
name = "office"
description = "where people are"
config.cidr = "10.9.0.0/16"
[[server]]
name = "web"
description = "answers HTTP"
deploy = true
after = ["db"]
[server.config]
network = "private"
image = "shop:2"
ports = [80, 8443]
token = "sesame-2"
script = """
#!/bin/sh
set -euo pipefail
one
two
three
four
exec shop --port 80 <b>&
"""
[[server]]
name = "db"
deploy = true
config = { image = "postgres:18", network = "private" }
[[server]]
name = "kv"
config = { image = "redis", network = "private" }
[[server]]
name = "mover"
config.region = "us"
[[server]]
name = "worker"
type = "vm"
[server.config]
image = "shop:2"
token = "sesame-3"
script = "one\ntwo\n"
[[moved]]
kind = "server"
from = "cache"
to = "kv"
`

func TestWrite(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	synced(t, engine, before)
	p := plan(t, engine, after, &sync.PlanOptions{
		By: "ada", Prune: true,
		Forget: []state.Key{{Kind: "network", Name: "left"}},
	})
	p.Revision = "4f2a91c"
	page, bare := pageOf(t, p, &planhtml.Options{Warnings: []sync.Warning{
		{Position: sync.Position{File: "shop.toml", Line: 7, Col: 1}, Text: "image_tag is an old name; write image"},
	}})
	// How many commits the sync took is not the same each time.
	golden(t, "plan.html", strings.Replace(bare, fmt.Sprintf("State %d<", p.Base.Serial), "State 1<", 1))
	again, _ := pageOf(t, p, &planhtml.Options{Warnings: []sync.Warning{
		{Position: sync.Position{File: "shop.toml", Line: 7, Col: 1}, Text: "image_tag is an old name; write image"},
	}})
	require.Equal(t, page, again)
	if file := os.Getenv("PLANHTML_PAGE"); file != "" { // to look at
		require.NoError(t, os.WriteFile(file, []byte(page), 0o600))
	}
	for _, secret := range []string{"sesame", "hmac"} {
		require.NotContains(t, page, secret)
	}
	require.NotRegexp(t, regexp.MustCompile(`(src|href)="[^#]|url\(https?:|@import`), page, "it needs nothing beside itself")
	require.NotContains(t, page, "<script")
}

// What is recorded and stays is told apart from what this plan marks so.
func TestOrphans(t *testing.T) {
	t.Parallel()
	engine := newEngine(t)
	synced(t, engine, before)
	const less = "[[server]]\nname = 'web'\nconfig.image = 'shop:1'"
	p := plan(t, engine, less, nil)
	_, bare := pageOf(t, p, nil)
	require.Contains(t, bare, `<div class="orphan"><b>7</b> no longer declared</div>`)
	require.NotContains(t, bare, `id="orphans"`)
	synced(t, engine, less)
	_, bare = pageOf(t, plan(t, engine, less, nil), nil)
	require.Contains(t, bare, `<b>1</b> as declared: no changes`)
	require.Contains(t, bare, "No longer declared <small>7</small>")
	require.NotContains(t, bare, "can't be undone")
}

// Names and values can't break out of where they stand, nor mislead by direction.
func TestEscapes(t *testing.T) {
	t.Parallel()
	p := plan(t, newEngine(t), "[[server]]\nname = \"<b>\\u202e\"\ntype = \"</style>\"\nconfig.script = \"<i>\\n\\u202e\"\nconfig.image = \"<u>\"", nil)
	_, bare := pageOf(t, p, &planhtml.Options{Title: "<title>"})
	require.NotRegexp(t, `<(b|i|u)>[^<]|\x{202e}|</style>`, regexp.MustCompile(`<b>\d+</b>`).ReplaceAllString(bare, ""))
	require.Contains(t, bare, `&lt;b&gt;\u202e`)
}

func TestWriteFails(t *testing.T) {
	t.Parallel()
	p := plan(t, newEngine(t), before, nil)
	require.ErrorIs(t, planhtml.Write(full{}, p, nil), errFull)
	require.NoError(t, planhtml.Write(io.Discard, &sync.Plan{}, nil))
}
