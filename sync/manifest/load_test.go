package manifest_test

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
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
		"a/c.toml":          {Data: []byte("server = [{ config.address = 'a', name = \"a/b\", deploy = false, tags = [] }]")},
		".hidden/x.toml":    {Data: []byte("=")},
		"a/.#c.toml":        {Mode: fs.ModeSymlink, Data: []byte("user@host")}, // an editor's lock
		"a/.git/x.toml":     {Data: []byte("=")},
		"README.md":         {Data: []byte("=")},
		"empty.toml":        {},
		"x.toml/inner.toml": {Data: []byte("# a comment only")},
	}, testKinds(), &manifest.Options{Dir: "conf"})
	require.NoError(t, err)
	web, db, private := state.Key{Kind: "server", Name: "web"}, state.Key{Kind: "server", Name: "db"}, state.Key{Kind: "network", Name: "private"}
	slashed := state.Key{Kind: "server", Name: "a/b"}
	require.Equal(t, &sync.Desired{
		Resources: []state.Resource{
			{
				Key: web, Type: "small", Description: "d", Tags: []string{"x", "y"}, Deploy: true,
				After: []state.Key{private, db}, Config: []byte(`{"address":"10.0.0.1"}`),
			},
			{Key: db, Config: []byte(`{"address":"10.0.0.2"}`)},
			{Key: slashed, Tags: []string{}, Config: []byte(`{"address":"a"}`)},
			{Key: private, Config: []byte(`{}`)},
		},
		Positions: map[state.Key]sync.Position{
			web:     {File: "conf/a.toml", Line: 2, Col: 1},
			db:      {File: "conf/a.toml", Line: 11, Col: 1},
			slashed: {File: "conf/a/c.toml", Line: 1, Col: 35},
			private: {File: "conf/b/net.toml", Line: 2, Col: 1},
		},
	}, desired)
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	for _, fsys := range []fs.FS{fstest.MapFS{}, fstest.MapFS{"a.toml": {Data: []byte("# nothing yet\n")}, "b.toml": {Data: []byte("server = []")}}} {
		_, err := manifest.Load(fsys, testKinds(), nil)
		require.ErrorIs(t, err, sync.ErrEmptyDeclaration)
		desired, err := manifest.Load(fsys, testKinds(), &manifest.Options{AllowEmpty: true})
		require.NoError(t, err)
		require.Empty(t, desired.Resources)
		require.NotNil(t, desired.Positions)
	}
}

func TestLoadWithBadKinds(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{"a.toml": {Data: []byte("[[server]]\nname = 'a'")}}
	_, err := manifest.Load(fsys, nil, nil)
	require.EqualError(t, err, `a.toml:1:3: unknown kind "server"; no kinds are defined`)
	require.ErrorIs(t, err, sync.ErrUnknownKind)
	_, err = manifest.Load(fsys, sync.Kinds(sync.Define[int]("server")), nil)
	require.ErrorContains(t, err, `kind "server": int: want a struct`)
}

// brokenFS fails to read what it is told to.
type brokenFS struct {
	fstest.MapFS
	broken string
}

var errBroken = errors.New("the disk is on fire")

func (f brokenFS) ReadFile(name string) ([]byte, error) {
	if name == f.broken {
		return nil, &fs.PathError{Op: "open", Path: name, Err: errBroken}
	}
	return f.MapFS.ReadFile(name)
}

func (f brokenFS) ReadDir(name string) ([]fs.DirEntry, error) {
	if name == f.broken {
		return nil, errBroken
	}
	return f.MapFS.ReadDir(name)
}

func TestLoadUnreadable(t *testing.T) {
	t.Parallel()
	for broken, want := range map[string]string{
		"dir/a.toml": "etc/dir/a.toml: can't be read: the disk is on fire\netc/b.toml:1:3: unknown kind \"x\"; the kinds are free, network, server\netc/fifo.toml: want a regular file, found p---------",
		"dir":        "etc/b.toml:1:3: unknown kind \"x\"; the kinds are free, network, server\netc/dir: can't be read: the disk is on fire\netc/fifo.toml: want a regular file, found p---------",
		".":          "etc: can't be read: the disk is on fire",
	} {
		_, err := manifest.Load(brokenFS{fstest.MapFS{
			"dir/a.toml": {Data: []byte("[[server]]")},
			"b.toml":     {Data: []byte("[[x]]")},
			"fifo.toml":  {Mode: fs.ModeNamedPipe},
		}, broken}, testKinds(), &manifest.Options{Dir: "etc"})
		require.ElementsMatch(t, strings.Split(want, "\n"), strings.Split(err.Error(), "\n"))
		require.ErrorIs(t, err, errBroken)
	}
	_, err := manifest.Load(os.DirFS(filepath.Join(t.TempDir(), "missing")), testKinds(), nil)
	require.ErrorContains(t, err, "the directory can't be read: ")
	require.ErrorIs(t, err, fs.ErrNotExist)
}

// Many files and a large one, with a mistake in every tenth resource: what is
// reported doesn't depend on which goroutine comes first.
func TestLoadInParallel(t *testing.T) {
	t.Parallel()
	fsys := fstest.MapFS{}
	var large strings.Builder
	for i := range 3000 {
		one := fmt.Sprintf("[[server]]\nname = 's%04d'\nconfig.address = 'x'\n", i)
		if i < 200 {
			fsys[fmt.Sprintf("%d.toml", i)] = &fstest.MapFile{Data: []byte(one)}
		} else {
			large.WriteString(one)
		}
	}
	fsys["large.toml"] = &fstest.MapFile{Data: []byte(large.String())}
	good, err := manifest.Load(fsys, testKinds(), nil)
	require.NoError(t, err)
	require.Len(t, good.Resources, 3000)
	require.Equal(t, "s2999", good.Resources[2999].Name)
	require.Equal(t, sync.Position{File: "large.toml", Line: 2800*3 - 1, Col: 1}, good.Positions[good.Resources[2999].Key])

	fsys["large.toml"].Data = []byte(strings.ReplaceAll(large.String(), "0'\nconfig.address", "0'\nadress"))
	fsys["twice.toml"] = fsys["7.toml"]
	_, first := manifest.Load(fsys, testKinds(), nil)
	require.Len(t, strings.Split(first.Error(), "\n"), 2*280+1)
	require.ErrorContains(t, first, "twice.toml:2:1: server/s0007 is declared twice; the first is at 7.toml:2:1")
	for range 10 {
		_, again := manifest.Load(fsys, testKinds(), nil)
		require.EqualError(t, again, first.Error())
	}
}
