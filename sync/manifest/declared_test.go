package manifest_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

func TestKindsInThePlural(t *testing.T) {
	t.Parallel()
	requireLoads(t, "[[stacks]]\nname = 'a'\nconfig.server = 's'\n[stacks.config.hook]\npath = 'p'\n[[stack]]\nname = 'b'\n", nil,
		`stack/a {"hook":{"path":"p"},"server_id":"s"}`, `stack/b {}`)
	_, err := load(t, "[[stacks]]\nname = 'a'\nserver = 's'\nconfig.srever = 's'\n", nil)
	require.EqualError(t, err, `a.toml:3:1: server: unknown field; server belongs in [stacks.config]
a.toml:4:8: config.srever: unknown field; did you mean "server"?`)
}

func TestFieldsBesideTheName(t *testing.T) {
	t.Parallel()
	requireLoads(t, `
[[variable]]
name = "A"
value = "x"
description = "d"
is_secret = true
[[stack]]
name = "a"
template = true
[stack.config]
server = "s"
`, stackOptions(), `variable/A {"is_secret":true,"value":"x"}`, `stack/a {"server_id":"s","template":true}`)
	_, err := load(t, `
[[variable]]
name = "A"
vale = "x"
is_secret = 1
[[stack]]
name = "a"
template = "yes"
config.template = true
[[stack]]
name = "b"
template = "yes"
tmeplate = true
[[variable]]
name = "B"
config.value = "x"
`, stackOptions())
	require.EqualError(t, err, `a.toml:4:1: vale: unknown field; did you mean "value"?
a.toml:5:1: is_secret: want true or false, found the number 1
a.toml:8:1: template: want true or false, found text
a.toml:9:8: config.template: unknown field; template belongs in [[stack]] itself, above [stack.config]
a.toml:12:1: template: want true or false, found text
a.toml:13:1: tmeplate: unknown field; did you mean "template"?
a.toml:16:1: config: unknown field; the fields of a variable stand beside its name`)
}

func TestMistakesInTextStandAtTheirLines(t *testing.T) {
	t.Parallel()
	const config = "[[stack]]\nname = 'a'\n[stack.config]\n"
	for text, want := range map[string]string{
		"environment = \"\"\"\nA=1\n  B\n\"\"\"":                "a.toml:6:3: config.environment",
		"environment = \"\"\"A=1\nB\"\"\"":                      "a.toml:5:1: config.environment",
		"\"environment\"   =   '''\r\nA=1\r\nB'''":              "a.toml:6:1: config.environment",
		"environment = \"A=1\\n\\tB\"":                          "a.toml:4:23: config.environment",
		"environment = 'A'":                                     "a.toml:4:16: config.environment",
		"environment = \"\"\"\nA=1 \\\n\n   C=2\n\\u0042\"\"\"": "a.toml:8:1: config.environment",
	} {
		_, err := load(t, config+text, nil)
		require.EqualError(t, err, want+": want NAME=VALUE", text)
	}
	_, err := load(t, config+"secrets = '''\nA=1\nhunter2'''", nil)
	require.EqualError(t, err, "a.toml:6:1: config.secrets: is in none of the forms that it can have (more is not shown, since it may be sensitive)")
	_, err = load(t, config+"environment = [{ variable = 'A' }, { value = 'B' }]", nil)
	require.EqualError(t, err, "a.toml:4:36: config.environment[1].name: is required")
}

func TestLenientWarns(t *testing.T) {
	t.Parallel()
	const text = `
[[stack]]
name = "a"
auto_update = true
restart = "always"
config.host = "s"
config.hook.pth = "p"
[[moved]]
kind = "stack"
from = "b"
to = "a"
why = "x"
[[provision]]
name = "x"
`
	_, err := load(t, text, nil)
	require.EqualError(t, err, `a.toml:4:1: auto_update: unknown field
a.toml:5:1: restart: unknown field; restart belongs in [stack.config]
a.toml:7:13: config.hook.pth: unknown field; did you mean "path"?
a.toml:12:1: why: unknown field; a [[moved]] has kind, from and to
a.toml:13:3: unknown kind "provision"; the kinds are deployment, server, stack, variable`)
	d := requireLoads(t, text, &manifest.Options{Lenient: true}, `stack/a {"server_id":"s"}`)
	var warnings []string
	for _, warning := range d.Desired.Warnings {
		warnings = append(warnings, warning.String())
	}
	require.Equal(t, []string{
		"a.toml:4:1: auto_update: unknown field",
		"a.toml:5:1: restart: unknown field; restart belongs in [stack.config]",
		"a.toml:6:8: config.host: is deprecated; write \"server_id\"",
		"a.toml:7:13: config.hook.pth: unknown field; did you mean \"path\"?",
		"a.toml:12:1: why: unknown field; a [[moved]] has kind, from and to",
		"a.toml:13:3: unknown kind \"provision\"; the kinds are deployment, server, stack, variable",
	}, warnings)
}

// What a lenient load leaves out is missing all the same.
func TestLenientMisplacedField(t *testing.T) {
	t.Parallel()
	_, err := load(t, "[[server]]\nname = 'a'\naddress = 'x'\n", &manifest.Options{Lenient: true})
	require.EqualError(t, err, "a.toml:1:3: config.address: is required")
	_, err = load(t, "[[server]]\nname = 'a'\naddress = 'x'\n", nil)
	require.EqualError(t, err, "a.toml:3:1: address: unknown field; address belongs in [server.config]")
}

func TestAfterWithoutDeployWarns(t *testing.T) {
	t.Parallel()
	d, err := load(t, "[[stack]]\nname = 'a'\nafter = ['b']\n[[stack]]\nname = 'b'\ndeploy = true\nafter = ['server/s']\n[[server]]\nname = 's'\nafter = ['t']\nconfig.address = 'x'", nil)
	require.NoError(t, err)
	require.Equal(t, []sync.Warning{{
		Position: sync.Position{File: "a.toml", Line: 3, Col: 1},
		Text:     "after: has no effect on a resource that is not deployed; write deploy = true",
	}}, d.Desired.Warnings)
}

func TestMoved(t *testing.T) {
	t.Parallel()
	d, err := load(t, "[[moved]]\nkind = 'stacks'\nfrom = 'a'\nto = 'b'\n[[stack]]\nname = 'b'", nil)
	require.NoError(t, err)
	require.Equal(t, []sync.Move{{From: state.Key{Kind: "stack", Name: "a"}, To: state.Key{Kind: "stack", Name: "b"}}}, d.Desired.Moves)
	_, err = load(t, "moved = [{ kind = 'stack', from = 'a' }, { kind = 'stak', from = 'a', to = 'b' }, 1, { kind = 'stack', from = '', to = 2 }, { kind = 'stack', from = '', to = 'b' }]", nil)
	require.EqualError(t, err, `a.toml:1:10: a [[moved]] without to; write kind, from and to
a.toml:1:44: kind: unknown kind "stak"; did you mean "stack"?
a.toml:1:83: moved[2]: want a table, found the number 1
a.toml:1:115: to: want text, found the number 2
a.toml:1:143: from: a stack without a name`)
}

func TestBareNamesInAfter(t *testing.T) {
	t.Parallel()
	requireLoads(t, `
[[stack]]
name = "web"
after = ["logger", "db", "server/s", "s", "nowhere"]
[[stack]]
name = "db"
[[deployment]]
name = "logger"
after = ["db"]
[[server]]
name = "s"
after = ["t"]
config.address = "x"
[[server]]
name = "t"
config.address = "x"
[[deployment]]
name = "t"
`, nil, "stack/web {} after [deployment/logger stack/db server/s stack/s stack/nowhere]", "stack/db {}",
		"deployment/logger {} after [stack/db]", "deployment/t {}",
		`server/s {"address":"x"} after [server/t]`, `server/t {"address":"x"}`)
	_, err := load(t, "[[stack]]\nname = 'a'\nafter = ['b', 'stack/b']\n[[stack]]\nname = 'b'\n[[deployment]]\nname = 'b'\n", nil)
	require.EqualError(t, err, `a.toml:3:10: after: "b" may be deployment/b or stack/b; write one of these`)
}

func TestUnmanagedPaths(t *testing.T) {
	t.Parallel()
	d, err := load(t, "[[variable]]\nname = 'A'\nunmanaged = ['config.value', 'is_secret']\n", stackOptions())
	require.NoError(t, err)
	require.Equal(t, []string{"value", "is_secret"}, d.Desired.Resources[0].Unmanaged)
	_, err = load(t, "[[variable]]\nname = 'A'\nunmanaged = ['config.vale', 1]\n", stackOptions())
	require.EqualError(t, err, `a.toml:3:14: unmanaged: "config.vale" leads to no field; did you mean "config.value"?
a.toml:3:29: unmanaged[1]: want text, found the number 1`)
}

func TestWhatIsWanted(t *testing.T) {
	t.Parallel()
	const text = `
[[stack]]
name = "both"
tags = ["x", "y", "z"]
after = ["one"]
config.script = "[[A]]"
[[deployment]]
name = "one"
tags = ["x"]
config.script = "[[B]]"
[[variable]]
name = "A"
`
	opts := stackOptions()
	opts.MatchTags = []string{"y", "x"}
	d := requireLoads(t, text, opts, `stack/both {"script":"[[A]]"} after [deployment/one]`, "variable/A {}")
	require.Len(t, d.Desired.Positions, 2)
	require.Len(t, d.References, 1)
	opts.Kinds = []string{"stack"}
	requireLoads(t, text, opts, `stack/both {"script":"[[A]]"} after [deployment/one]`)
	opts.MatchTags = []string{"X"}
	_, err := load(t, text, opts)
	require.ErrorIs(t, err, sync.ErrEmptyDeclaration)
	// What isn't wanted is checked all the same.
	_, err = load(t, text+"vlaue = 'x'", opts)
	require.ErrorContains(t, err, "vlaue: unknown field")
}

func TestOptionsAreChecked(t *testing.T) {
	t.Parallel()
	for want, opts := range map[string]manifest.Options{
		`the options of a load: unknown kind "x"`:       {Flat: []string{"x"}},
		`the options of a load: unknown kind "y"`:       {Kinds: []string{"stack", "y"}},
		`the options of a load: "[" is not a pattern`:   {Include: []string{"["}},
		`the options of a load: "a/[" is not a pattern`: {Exclude: []string{"a/["}},
		"the options of a load: the unknown dialect 7":  {Dialect: 7},
	} {
		_, err := load(t, "", &opts)
		require.EqualError(t, err, want)
	}
}
