package kinds_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
)

// TestForms holds that what is written in different ways is recorded as the same,
// and that writing a default changes nothing.
func TestForms(t *testing.T) {
	t.Parallel()
	for want, texts := range map[string][]string{
		`{"environment":"A = 1\nB = 2\n"}`: {
			"[[stack]]\nname='s'\nconfig.environment='''\nA=1\n# c\nB: 2 # c\n'''",
			"[[stack]]\nname='s'\nconfig.environment='''\n- \"A: 1\"\n\n  - B=2'''",
			"[[stacks]]\nname='s'\n[stacks.config]\nenvironment=[{variable='A',value='1'},{variable='B',value='2'}]",
		},
		`{"volumes":"/a = /b:ro\n"}`: {
			"[[deployment]]\nname='s'\nconfig.volumes='/a:/b:ro'",
			"[[deployment]]\nname='s'\nconfig.volumes=[{local='/a',container='/b:ro'}]",
		},
		`{"server_id":"web"}`: {
			"[[stack]]\nname='s'\nconfig.server='web'",
			"[[stack]]\nname='s'\nconfig.server_id='web'\nconfig.branch='main'\nconfig.auto_pull=true\nconfig.file_paths=[]\nconfig.pre_deploy={}",
		},
		`{"file_paths":["a.yaml","b.yaml"]}`: {
			"[[stack]]\nname='s'\nconfig.file_paths=['a.yaml', 'b.yaml']",
			"[[stack]]\nname='s'\nconfig.file_paths='a.yaml, b.yaml'",
			"[[stack]]\nname='s'\nconfig.file_paths='''\na.yaml # c\nb.yaml'''",
		},
		`{"additional_env_files":[{"path":".a"},{"path":".b","track":false}]}`: {
			"[[stack]]\nname='s'\nconfig.additional_env_files=['.a', {path='.b', track=false}]",
		},
		`{"config_files":[{"path":"a"},{"path":"b","requires":"Restart","services":["web","db"]}]}`: {
			"[[stack]]\nname='s'\nconfig.config_files=['a', {path='b', service='web, db', req='restart'}]",
			"[[stack]]\nname='s'\nconfig.config_files=[{path='a', requires='None'}, {path='b', services=['web','db'], requires='Restart'}]",
		},
		`{"template":true}`: {
			"[[stack]]\nname='s'\ntemplate=true",
		},
		`{"version":"1.2.3"}`: {
			"[[build]]\nname='s'\nconfig.version='1.2.3'",
			"[[build]]\nname='s'\nconfig.version={major=1,minor=2,patch=3}",
		},
		`{"image_registry":[{"account":"me","domain":"ghcr.io"}]}`: {
			"[[build]]\nname='s'\nconfig.image_registry={domain='ghcr.io',account='me'}",
			"[[build]]\nname='s'\nconfig.image_registry=[{domain='ghcr.io',account='me'}]",
			"[[build]]\nname='s'\nconfig.image_registry={type='Standard',params={domain='ghcr.io',account='me'}}",
		},
		`{}`: {
			"[[build]]\nname='s'\nconfig.image_registry={type='None',params={}}",
			"[[build]]\nname='s'\nconfig.version='0.0.0'",
			"[[procedure]]\nname='s'",
			"[[user_group]]\nname='s'\nall.Stack='None'",
			"[[deployment]]\nname='s'\nconfig.termination_signal='15'\nconfig.restart='no'",
		},
		`{"image":{"params":{"build_id":"app","version":"1.0.0"},"type":"Build"}}`: {
			"[[deployment]]\nname='s'\nconfig.image={type='Build',params={build='app',version='1.0.0'}}",
			"[[deployment]]\nname='s'\n[deployment.config.image]\ntype='Build'\nparams.build_id='app'\nparams.version={major=1,minor=0,patch=0}",
		},
		`{"params":{"server_ids":["a"]},"type":"Server"}`: {
			"[[builder]]\nname='s'\nconfig.type='Server'\nconfig.params.server='a'",
			"[[builder]]\nname='s'\nconfig.type='Server'\nconfig.params.server_id='a'",
			"[[builder]]\nname='s'\nconfig.type='Server'\nconfig.params.servers=['a']",
		},
		`{"maintenance_windows":[{"day_of_week":"Tuesday","duration_minutes":30,"name":"w","schedule_type":"Weekly"}]}`: {
			"[[server]]\nname='s'\n[[server.config.maintenance_windows]]\nname='w'\nschedule_type='Weekly'\nday_of_week='tue'\nduration_minutes=30",
		},
		`{"all":{"Server":{"level":"Read","specific":["Logs","Terminal"]},"Stack":{"level":"Write"}}}`: {
			"[[user_group]]\nname='s'\nall.Stack='Write'\nall.Server={level='Read',specific=['Terminal','Logs','Terminal']}",
		},
		`{"stages":[{"executions":[{"execution":{"params":{"pattern":"\\^a{1,2}$\\, b-*"},"type":"BatchDeployStack"}}],"name":"one"}]}`: {
			"[[procedure]]\nname='s'\n[[procedure.config.stage]]\nname='one'\nexecutions=[{execution.type='BatchDeployStack',execution.params.pattern='\\^a{1,2}$\\, b-*'}]",
		},
		`{"value":"1"}`:                   {"[[variable]]\nname='s'\nvalue='1'\nis_secret=false"},
		`{"is_secret":true,"secret":"1"}`: {"[[variable]]\nname='s'\nvalue='1'\nis_secret=true"},
		`{"is_secret":true}`:              {"[[variable]]\nname='s'\nis_secret=true"},
	} {
		for _, text := range texts {
			require.Equal(t, want, config(t, text), text)
		}
	}
}

func TestMistakes(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"[[stack]]\nname='s'\nauto_update=true":                                                                             "a.toml:3:1: auto_update: unknown field; auto_update belongs in [stack.config]",
		"[[stack]]\nname='s'\nconfig.server='a'\nconfig.server_id='a'":                                                      "server_id: is the same field as server; leave one of them out",
		"[[stack]]\nname='s'\n[stack.config]\nenvironment='''\nA=1\nB'''":                                                   "a.toml:6:1: config.environment: want KEY = VALUE or KEY: VALUE, found no = or :; a value ends with its line",
		"[[stack]]\nname='s'\nconfig.config_files=[{path='a',requires='Reload'}]":                                           "config.config_files[0].requires: want one of Redeploy, Restart, None",
		"[[stack]]\nname='s'\nconfig.config_files=[{services=['a']}]":                                                       "config.config_files[0].path: is required",
		"[[stack]]\nname='s'\nstate='stoped'":                                                                               `state: want one of running, stopped, found another text; did you mean "stopped"?`,
		"[[build]]\nname='s'\nconfig.version='v1'":                                                                          `a.toml:3:8: config.version: want a version like "1.2.3", found "v1"`,
		"[[build]]\nname='s'\nconfig.secret_args='sesame'":                                                                  "config.secret_args: is in none of the forms that it can have",
		"[[build]]\nname='s'\nconfig.image_registry.type='Other'":                                                           "config.image_registry[0].type: want no type; a registry is {domain, account, organization}",
		"[[deployment]]\nname='s'\nconfig.image={type='Image',params={build='a'}}":                                          "config.image.params.build: the type Image has no build; it is for Build",
		"[[deployment]]\nname='s'\nconfig.image={type='Imag',params={image='a'}}":                                           `config.image.type: want one of Image, Build, found another text; did you mean "Image"?`,
		"[[deployment]]\nname='s'\nconfig.image.params.image='a'":                                                           "config.image.type: is required",
		"[[deployment]]\nname='s'\nconfig.restart='allways'":                                                                `did you mean "always"?`,
		"[[builder]]\nname='s'\nconfig.type='Url'\nconfig.params.region='a'":                                                "a.toml:4:15: config.params.region: the type Url has no region; it is for Aws",
		"[[builder]]\nname='s'\nconfig.params.region='a'":                                                                   "config.type: is required",
		"[[alerter]]\nname='s'\nconfig.endpoint={type='Slack',params={email='a'}}":                                          "config.endpoint.params.email: the type Slack has no email; it is for Ntfy",
		"[[alerter]]\nname='s'\nconfig.alert_types=['ServerCPU']":                                                           `did you mean "ServerCpu"?`,
		"[[alerter]]\nname='s'\nconfig.resources=[{type='Sack',id='a'}]":                                                    `config.resources[0].type: want one of System, Action`,
		"[[server]]\nname='s'\nconfig.maintenance_windows=[{name='w'}]":                                                     "config.maintenance_windows[0].duration_minutes: is required",
		"[[server]]\nname='s'\nconfig.maintenance_windows=[{name='w',hour=24,date='x',duration_minutes=1}]":                 "a.toml:3:39: config.maintenance_windows[0].hour: want 0 to 23, found 24\na.toml:3:47: config.maintenance_windows[0].date: want a date like 2006-01-02",
		"[[procedure]]\nname='s'\nconfig.stage=[{name='a',executions=[{execution.type='RunBuilt'}]}]":                       `config.stage[0].executions[0].execution.type: there is no execution "RunBuilt"; did you mean "RunBuild"?`,
		"[[procedure]]\nname='s'\nconfig.stage=[{name='a',executions=[{execution.type='RunBuild'}]}]":                       "config.stage[0].executions[0].execution.params.build: is required",
		"[[procedure]]\nname='s'\nconfig.stage=[{executions=[{execution={type='RunBuild',params={build='a',biuld='b'}}}]}]": `execution.params.biuld: unknown field; did you mean "build"?`,
		"[[procedure]]\nname='s'\nconfig.stage=[{executions=[{execution={type='BatchDeploy',params={pattern='\\(\\'}}}]}]":  `execution.params.pattern: the pattern \(\: error parsing regexp: missing closing )`,
		"[[user_group]]\nname='s'\nall.Stak='Read'":                                                                         `all.Stak: is no kind; want one of Action, Alerter,`,
		"[[user_group]]\nname='s'\nall.Stack='Reed'":                                                                        `all.Stack.level: want one of None, Read, Execute, Write, found another text; did you mean "Read"?`,
		"[[user_group]]\nname='s'\nall.Stack={level='Read',specific=['Log']}":                                               `all.Stack.specific[0]: want one of Attach, Inspect, Logs, Processes, Terminal, found another text; did you mean "Logs"?`,
		"[[user_group]]\nname='s'\npermissions=[{target={type='Stack',id='\\(\\'}}]":                                        `permissions[0].target.id: the pattern \(\: error parsing regexp`,
		"[[user_group]]\nname='s'\npermissions=[{level='Read'}]":                                                            "permissions[0].target: is required",
		"[[variable]]\nname='a-b'\nvalue='1'":                                                                               `a.toml:2:1: "a-b" can't be the name of a variable; write letters, digits and _, no digit first`,
		"[[variable]]\nname='a'\nsecret='1'":                                                                                "secret: is the value of a variable that is none; write value, and is_secret = true",
		"[[variable]]\nname='a'\nis_secret=true\nvalue=5551234":                                                             "secret: want text, found a number",
	} {
		_, err := load(text)
		require.ErrorContains(t, err, want, text)
		require.NotContains(t, err.Error(), "sesame")
		require.NotContains(t, err.Error(), "5551234")
	}
}

func TestCompleteRefers(t *testing.T) {
	t.Parallel()
	desired, err := load(`
[[user_group]]
name = 'ops'
permissions = [
  { target.type = "Server", target.id = "web-*", level = "Read" },
  { target.type = "Server", target.id = '\^db\', level = "Read" },
  { target.type = "ResourceSync", target.id = "main", level = "Write" },
]
[[server]]
name = "web-1"
[[server]]
name = "web-2"
[[server]]
name = "db"
[[stack]]
name = "web-3"
[[resource_sync]]
name = "main"
[[alerter]]
name = "all"
[alerter.config]
resources = [{ type = "System", id = "system" }, { type = "Server", id = "db" }]
except_resources = [{ type = "Stack", id = "web-3" }]
[[procedure]]
name = "p"
[[procedure.config.stage]]
executions = [
  { execution.type = "RunSync", execution.params.sync = "main" },
  { execution.type = "StopStack", execution.params = { stack = "web-3", stop_time = 3 } },
  { execution.type = "CreateSwarmSecret", execution.params = { name = "s", data = "sesame" } },
]
`)
	require.NoError(t, err)
	key := func(text string) state.Key {
		k, err := state.ParseKey(text)
		require.NoError(t, err)
		return k
	}
	group := find(t, desired, "user_group/ops")
	require.ElementsMatch(t, []state.Key{key("server/web-1"), key("server/web-2"), key("server/db")}, group.After)
	require.Equal(t, []state.Ref{{Path: "permissions[2].target.id", To: key("resource_sync/main")}}, group.Refs)
	require.Equal(t, []state.Ref{
		{Path: "resources[1].id", To: key("server/db")},
		{Path: "except_resources[0].id", To: key("stack/web-3")},
	}, find(t, desired, "alerter/all").Refs)
	procedure := find(t, desired, "procedure/p")
	require.ElementsMatch(t, []state.Ref{
		{Path: "stages[0].executions[0].execution.params.sync", To: key("resource_sync/main")},
		{Path: "stages[0].executions[1].execution.params.stack", To: key("stack/web-3")},
	}, procedure.Refs)

	var warnings []string
	for _, warning := range desired.Warnings {
		warnings = append(warnings, warning.String())
	}
	require.Len(t, warnings, 2)
	require.Contains(t, strings.Join(warnings, "\n"), "a.toml:25:1: procedure/p: stages[0].executions[1].execution: StopStack is not carried out")

	again := find(t, desired, "user_group/ops")
	require.NoError(t, kinds.Complete(desired))
	require.Equal(t, again, find(t, desired, "user_group/ops"))
	require.Equal(t, procedure, find(t, desired, "procedure/p"))
	require.Len(t, desired.Warnings, 2)
	converges(t, desired)
}

// Secrets are in no plan; the value of any other variable is.
func TestSecretsAreNotShown(t *testing.T) {
	t.Parallel()
	desired, err := load(`
[[variable]]
name = "A"
value = "sesame"
is_secret = true
[[variable]]
name = "B"
value = "plain"
[[procedure]]
name = "p"
config.webhook_secret = "sesame"
config.stage = [{ executions = [{ execution.type = "CreateSwarmSecret", execution.params = { name = "s", data = "sesame" } }] }]
[[build]]
name = "b"
config.secret_args = "TOKEN = sesame"
[[alerter]]
name = "a"
config.endpoint = { type = "Slack", params = { url = "https://hooks/sesame" } }
`)
	require.NoError(t, err)
	text := planned(t, desired)
	require.NotContains(t, text, "sesame")
	require.Contains(t, text, "plain")
}

// A secret can be declared without owning its value, which somebody has set by
// hand: it is never compared, so it is never set back.
func TestUnmanagedSecret(t *testing.T) {
	t.Parallel()
	desired, err := load("[[variable]]\nname='A'\nis_secret=true\nunmanaged=['config.value']\nvalue='first'")
	require.NoError(t, err)
	require.Equal(t, []string{"secret"}, desired.Resources[0].Unmanaged)
	engine := newEngine(t)
	apply(t, engine, desired)
	desired, err = load("[[variable]]\nname='A'\nis_secret=true\nunmanaged=['config.value']")
	require.NoError(t, err)
	plan, err := engine.Plan(t.Context(), desired, nil)
	require.NoError(t, err)
	require.Empty(t, plan.Changes)
}

func TestDecode(t *testing.T) {
	t.Parallel()
	stack, err := kinds.Decode[kinds.Stack](json.RawMessage(config(t, "[[stack]]\nname='s'\nconfig.environment='A=1'\nconfig.config_files=['a']\nconfig.auto_pull=false")))
	require.NoError(t, err)
	require.Equal(t, format.Pairs{{Key: "A", Value: "1"}}, stack.Environment)
	require.Equal(t, "main", stack.Branch)
	require.Equal(t, ".env", stack.EnvFilePath)
	require.False(t, stack.AutoPull)
	require.Equal(t, []kinds.ConfigFile{{Path: "a", Requires: "None"}}, stack.ConfigFiles)

	server, err := kinds.Decode[kinds.Server](nil)
	require.NoError(t, err)
	require.InDelta(t, 90, server.CPUWarning, 0)

	group, err := kinds.Decode[kinds.UserGroup](json.RawMessage(config(t, "[[user_group]]\nname='s'\nall.Stack='Write'")))
	require.NoError(t, err)
	require.Equal(t, format.Write, group.All["Stack"].Level)

	procedure, err := kinds.Decode[kinds.Procedure](json.RawMessage(config(t, "[[procedure]]\nname='s'\nconfig.stage=[{executions=[{execution={type='DeployStack',params={stack='a',services='b, c'}}}]}]")))
	require.NoError(t, err)
	require.True(t, procedure.Stages[0].Enabled)
	params, err := kinds.DecodeParams[kinds.DeployStack](procedure.Stages[0].Executions[0].Execution)
	require.NoError(t, err)
	require.Equal(t, kinds.DeployStack{Stack: "a", Services: format.List{"b", "c"}}, params)

	procedure, err = kinds.Decode[kinds.Procedure](json.RawMessage(config(t, "[[procedure]]\nname='s'\nconfig.stage=[{executions=[{execution={type='Sleep',params={duration_ms=9223372036854775807}}}]}]")))
	require.NoError(t, err)
	sleep, err := kinds.DecodeParams[kinds.Sleep](procedure.Stages[0].Executions[0].Execution)
	require.NoError(t, err)
	require.Equal(t, int64(9223372036854775807), sleep.DurationMS)

	_, err = kinds.Decode[kinds.Server](json.RawMessage(`{"address":1}`))
	require.ErrorContains(t, err, "decode a kinds.Server: ")
}
