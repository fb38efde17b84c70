package deploy_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/state"
)

// What can't be deployed is a mistake of the plan, which says what to do.
func TestPlan_Mistakes(t *testing.T) {
	t.Parallel()
	for want, text := range map[string]string{
		`server/agent: its address "https://10.0.0.1:8120" is that of Komodo's agent: say where its container engine is, with --engine agent=unix:///var/run/docker.sock`: `
			[[deployment]]
			name = "a"
			deploy = true
			config = {server = "agent", image = {type = "Image", params = {image = "x"}}}`,
		"server/off is not enabled: give it enabled = true": `
			[[stack]]
			name = "a"
			deploy = true
			config = {server = "off", file_contents = "services: {}"}`,
		"it names no server": `
			[[stack]]
			name = "a"
			deploy = true
			config = {file_contents = "services: {}"}`,
		"swarms are not deployed to": `
			[[swarm]]
			name = "s"
			[[stack]]
			name = "a"
			deploy = true
			config = {swarm = "s", file_contents = "services: {}"}`,
		"stack/a - can't be deployed: it has no files": `
			[[stack]]
			name = "a"
			deploy = true
			config = {server = "here"}`,
		"compose_cmd_wrapper: docker compose is not wrapped": `
			[[stack]]
			name = "a"
			deploy = true
			config = {server = "here", compose_cmd_wrapper = "sops", file_contents = "services: {}"}`,
		`run_directory "x": with files_on_host, expected a path from /`: `
			[[stack]]
			name = "a"
			deploy = true
			config = {server = "here", files_on_host = true, run_directory = "x"}`,
		"builder/cloud is of type Aws, which is not built on: say where its container engine is, with --engine cloud=": `
			[[build]]
			name = "a"
			deploy = true
			config = {builder = "cloud", dockerfile = "FROM scratch"}`,
		"build/a - can't be deployed: it has no files": `
			[[build]]
			name = "a"
			deploy = true
			config = {builder = "local"}`,
		"a.toml:21:86: [[NOWHERE]] has no value; declare the variable, or give it a value with --vars or --secrets": `
[[stack]]
name = "a"
deploy = true
config = {server = "here", file_contents = "services: {}", environment = "A = 1\nB = [[NOWHERE]]"}`,
	} {
		require.ErrorContains(t, newDraft(t, text).plan(), want, text)
	}
}

// What is not to be deployed may lack what it likes: that is a warning, and not even
// that where texts are not filled in.
func TestPlan_Fine(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`config = {server = "here", file_contents = "services: {}", skip_secret_interp = true, environment = "B = [[NOWHERE]]"}`,
		`config = {server = "here", file_contents = "services: {}", pre_deploy = {command = "if [[ -f x ]]; then true; fi"}, links = ["[[NOWHERE]]"]}`,
		`config = {server = "here", file_contents = "services: {a: {image: '[[[NOWHERE]]]'}}"}`,
		`config = {server = "here", file_contents = "services: {a: {image: '[[GIVEN]] [[SECRET]]'}}"}`,
	} {
		d := newDraft(t, "[[stack]]\nname = \"a\"\ndeploy = true\n"+text, func(o *deploy.Options) {
			o.Vars, o.Secrets = map[string]string{"GIVEN": "1"}, map[string]string{"SECRET": "2"}
		})
		require.NoError(t, d.plan(), text)
	}
	d := newDraft(t, `
		[[deployment]]
		name = "a"
		config = {server = "agent", environment = "B = [[NOWHERE]]"}`)
	require.NoError(t, d.plan())
}

func TestDeclare_NotCanonical(t *testing.T) {
	t.Parallel()
	d := newDraft(t, "[[variable]]\nname = \"A\"\nvalue = \"1\"")
	desired := d.load()
	for i := range desired.Resources {
		desired.Resources[i].Config = []byte(`{"value": 1}`)
	}
	require.ErrorContains(t, d.deployer.Declare(state.Scope{}, declarationOf(desired)), "variable/A: decode")
}
