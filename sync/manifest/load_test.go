package manifest_test

import (
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

type server struct {
	Address string   `toml:"address" sync:"required"`
	Size    int      `toml:"size"`
	Zones   []string `toml:"zones"`
	Policy  string   `toml:"policy"`
}

type network struct {
	Range string `toml:"range"`
}

func testKinds() *sync.KindSet {
	return sync.Kinds(sync.Define[server]("server"), sync.Define[network]("network"), sync.Kind{Name: "free"})
}

func TestLoad(t *testing.T) {
	t.Parallel()
	desired, err := manifest.Load(fstest.MapFS{
		"b/net.toml": {Data: []byte("[[network]]\nname = 'private'\n")},
		"a.toml": {Data: []byte(`[[server]]
name = "web"
type = "small"
description = "d"
tags = ["x", "y"]
deploy = true
after = ["network/private", "db"]
config = { size = 0, address = "10.0.0.1" }

[[server]]
name = "db"
[server.config]
address = "10.0.0.2"
`)},
		".hidden/x.toml": {Data: []byte("=")},
		"README.md":      {Data: []byte("=")},
	}, testKinds(), &manifest.Options{Dir: "conf"})
	require.NoError(t, err)
	web, db, private := state.Key{Kind: "server", Name: "web"}, state.Key{Kind: "server", Name: "db"}, state.Key{Kind: "network", Name: "private"}
	require.Equal(t, &sync.Desired{
		Resources: []state.Resource{
			{
				Key: web, Type: "small", Description: "d", Tags: []string{"x", "y"}, Deploy: true,
				After: []state.Key{private, db}, Config: []byte(`{"address":"10.0.0.1"}`),
			},
			{Key: db, Config: []byte(`{"address":"10.0.0.2"}`)},
			{Key: private, Config: []byte(`{}`)},
		},
		Positions: map[state.Key]sync.Position{
			web:     {File: "conf/a.toml", Line: 2, Col: 1},
			db:      {File: "conf/a.toml", Line: 11, Col: 1},
			private: {File: "conf/b/net.toml", Line: 2, Col: 1},
		},
	}, desired)
}
