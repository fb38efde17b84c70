//go:build docker

package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/deploy"
	"github.com/trueup-go/trueup/sync"
)

// A compose file that is declared itself, with the environment and the commands that
// it needs. What stands for a secret is filled in when it is deployed, and in no text
// but that of what runs.
func TestStack_Inline(t *testing.T) {
	t.Parallel()
	h := newHome(t, func(o *deploy.Options) { o.Secrets = map[string]string{"TOKEN": `hunter2 "$x" # y`} })
	h.write("resources/all.toml", server+`
[[variable]]
name = "GREETING"
value = "hello [[TOKEN]]"
[[stack]]
name = "Shop 1"
deploy = true
[stack.config]
server = "here"
project_name = "$PREFIX-Shop"
auto_pull = false
ignore_services = ["init"]
pre_deploy.command = """
echo '[[GREETING]]' > made # once
mkdir sub
"""
post_deploy = {path = "sub", command = "echo done > ../after"}
environment = """
A = [[GREETING]]
B = '$HOME'
"""
file_contents = """
`+services("web\nenvironment: {A: \"${A}\", B: \"${B}\", C: 'x[[TOKEN]]'}", "init\ncommand: [exit, '0']")+`"""
`)
	h.settles(nil, "stack/Shop 1: done")
	env := h.container("shop-web-1").Config.Env
	require.Contains(t, env, `A=hello hunter2 "$x" # y`)
	require.Contains(t, env, "B=$HOME")

	dir := filepath.Join(h.dir, "cache", "test", h.host.Name, "stack", "Shop%201", "files")
	for name, want := range map[string]string{"made": "hello hunter2 \"$x\" # y\n", "after": "done\n"} {
		text, err := os.ReadFile(filepath.Join(dir, name))
		require.NoError(t, err)
		require.Equal(t, want, string(text))
	}
	h.edit("resources/all.toml", "mkdir sub", "echo '[[TOKEN]]' >&2; exit 3")
	_, err := h.sync(nil)
	require.ErrorContains(t, err, "pre_deploy: exit status 3: ")
	require.ErrorContains(t, err, "<TOKEN>")
	require.NotContains(t, err.Error(), "hunter2")
	require.NoError(t, filepath.WalkDir(filepath.Join(h.dir, "state"), func(path string, entry os.DirEntry, err error) error {
		if err == nil && entry.Type().IsRegular() {
			text, err := os.ReadFile(path)
			require.NoError(t, err)
			require.NotContains(t, string(text), "hunter2")
		}
		return err
	}))
}

// The files of a linked repo: what follows a clone is done once, for the deploy and
// not for the plan, and what a command makes is not what was declared.
func TestStack_LinkedRepo(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("git/app/compose.yml", services("web\nenv_file: [web.env]", "db\nvolumes: ['./db.conf:/db.conf']"))
	h.write("git/app/web.env", "A=1\n")
	h.write("git/app/db.conf", "1\n")
	h.commit("git")
	h.write("resources/all.toml", server+`
[[repo]]
name = "git"
[repo.config]
repo = "file://$DIR/git"
environment = "R = [[V]]"
env_file_path = "repo.env"
on_clone = {path = "app", command = "echo clone >> $DIR/log"}
on_pull.command = "echo pull >> $DIR/log"
[[variable]]
name = "V"
value = "1"
[[stack]]
name = "app"
deploy = true
[stack.config]
server = "here"
project_name = "$PREFIX"
linked_repo = "git"
run_directory = "app"
auto_pull = false
pre_deploy.command = "cat ../repo.env > .env; date +%N >> .env.other"
additional_env_files = [".env.other"]
config_files = [{path = "db.conf", services = ["db"], requires = "Restart"}, "../README"]
`)
	_, err := h.plan(nil)
	require.NoError(t, err)
	require.NoFileExists(t, h.dir+"/log", "a plan runs nothing")
	h.settles(nil, "stack/app: done")
	said := func() string {
		text, err := os.ReadFile(h.dir + "/log")
		require.NoError(t, err)
		return strings.ReplaceAll(string(text), "\n", " ")
	}
	require.Equal(t, "clone pull ", said())
	web, db := h.container("web-1"), h.container("db-1")
	require.Contains(t, web.Config.Env, "A=1")

	h.write("git/README", "x")
	h.commit("git")
	h.isSettled()

	h.write("git/app/db.conf", "2\n")
	h.commit("git")
	h.settles(nil, "stack/app: done")
	require.Equal(t, "clone pull pull ", said())
	require.Equal(t, web.ID, h.container("web-1").ID)
	require.NotEqual(t, db.ID, h.container("db-1").ID)

	h.write("git/app/web.env", "A=2\n")
	h.commit("git")
	h.settles(nil, "stack/app: done")
	require.Contains(t, h.container("web-1").Config.Env, "A=2")

	linked := h.fill("linked_repo = \"git\"\nrun_directory = \"app\"\nauto_pull = false\npre_deploy.command = \"cat ../repo.env > .env; date +%N >> .env.other\"\nadditional_env_files = [\".env.other\"]\n")
	own := "auto_pull = false\nfile_contents = \"\"\"\n" + services("web") + "\"\"\"\n"
	h.edit("resources/all.toml", linked, own)
	h.settles(nil, "stack/app: done")
	h.edit("resources/all.toml", own, linked)
	h.settles(nil, "stack/app: done")
}

func TestStack_FilesOnHost(t *testing.T) {
	t.Parallel()
	h := newHome(t)
	h.write("host/compose.yaml", services("web\nenvironment: {A: \"${A}\"}"))
	h.write("host/.env", "A=1\n")
	h.write("resources/all.toml", server+`
[[stack]]
name = "app"
deploy = true
[stack.config]
server = "here"
project_name = "$PREFIX"
files_on_host = true
run_directory = "$DIR/host"
auto_pull = false
destroy_before_deploy = true
`)
	h.settles(nil, "stack/app: done")
	id := h.container("web-1").ID
	h.write("host/.env", "A=2\n")
	require.Equal(t, map[string][]string{"stack/app": {"something else runs than what is declared"}}, h.reasons())
	h.settles(nil, "stack/app: done")
	require.Contains(t, h.container("web-1").Config.Env, "A=2")
	require.NotEqual(t, id, h.container("web-1").ID)

	h.edit("resources/all.toml", "auto_pull = false", "auto_pull = false\nfile_paths = [\"none.yaml\"]")
	_, err := h.plan(nil)
	require.ErrorContains(t, err, "file_paths: stat "+h.dir+"/host/none.yaml: no such file")
}

// What bears the name and was not deployed for the resource stays, unless the options
// say otherwise.
func TestDeployment_TakeOver(t *testing.T) {
	t.Parallel()
	const text = `
[[deployment]]
name = "web"
deploy = true
[deployment.config]
server = "here"
custom_name = "$PREFIX-web"
network = "none"
image = {type = "Image", params = {image = "$IMAGE"}}
`
	h := newHome(t)
	h.write("resources/all.toml", server+strings.Replace(text, `"web"`, `"other"`, 1))
	h.settles(nil, "deployment/other: done")
	h.write("resources/all.toml", server+text)
	_, err := h.sync(nil)
	require.ErrorContains(t, err, "the name is taken by a container that was not deployed for deployment/web")

	taking := newHome(t, func(o *deploy.Options) { o.TakeOver = true })
	taking.host.Name = h.host.Name
	taking.write("resources/all.toml", server+text)
	taking.settles(&sync.PlanOptions{}, "deployment/web: done")
}
