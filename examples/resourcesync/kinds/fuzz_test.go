package kinds_test

import (
	"io/fs"
	"os"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/resourcesync/kinds"
	"github.com/trueup-go/trueup/state"
	"github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/manifest"
)

// FuzzLoad loads whatever there is. What loads is canonical, has a Go value, and
// can be completed again without a change.
func FuzzLoad(f *testing.F) {
	files, err := fs.Glob(os.DirFS("testdata/seed"), "*.toml")
	require.NoError(f, err)
	for _, file := range files {
		text, err := fs.ReadFile(os.DirFS("testdata/seed"), file)
		require.NoError(f, err)
		f.Add(string(text))
	}
	for _, text := range []string{
		"[[variable]]\nname='a'\nis_secret=true\nvalue='[[x]]'",
		"[[stack]]\nname='a'\nconfig={environment=[{variable='-',value='#'}],config_files=['x'],additional_env_files=[{path='x'}]}",
		"[[builder]]\nname='a'\nconfig={type='Aws',params={git_providers=[{account=[{account='x',token='y'}]}]}}",
		"[[user_group]]\nname='a'\nall={Stack={level='None',specific=['Logs']},Repo='Read'}",
		"[[server]]\nname='a'\nconfig.maintenance_windows=[{name='w',day_of_week='Thurs',duration_minutes=1}]",
		"[[deployment]]\nname='a'\nconfig={image={type='Build',params={version={major=1}}},ports='1:2',termination_signal='9'}",
	} {
		f.Add(text)
	}
	set := set()
	f.Fuzz(func(t *testing.T, text string) {
		desired, err := manifest.Load(fstest.MapFS{"a.toml": {Data: []byte(text)}}, set, kinds.Options())
		if err != nil || kinds.Complete(desired) != nil {
			return
		}
		warnings := len(desired.Warnings)
		for _, r := range desired.Resources {
			kind, _ := set.Kind(r.Kind)
			again, mistakes, _ := kind.Canonical(r.Config, false)
			require.Empty(t, mistakes)
			require.Equal(t, string(r.Config), string(again))
			require.NoError(t, decodes(r))
		}
		before := append([]state.Resource(nil), desired.Resources...)
		require.NoError(t, kinds.Complete(desired))
		require.Equal(t, before, desired.Resources)
		require.Len(t, desired.Warnings, warnings)
	})
}

// decodes tells why a Config has no Go value.
func decodes(r state.Resource) error {
	var err error
	switch r.Kind {
	case kinds.KindAction:
		_, err = kinds.Decode[kinds.Action](r.Config)
	case kinds.KindAlerter:
		_, err = kinds.Decode[kinds.Alerter](r.Config)
	case kinds.KindBuild:
		_, err = kinds.Decode[kinds.Build](r.Config)
	case kinds.KindBuilder:
		_, err = kinds.Decode[kinds.Builder](r.Config)
	case kinds.KindDeployment:
		_, err = kinds.Decode[kinds.Deployment](r.Config)
	case kinds.KindProcedure:
		_, err = kinds.Decode[kinds.Procedure](r.Config)
	case kinds.KindRepo:
		_, err = kinds.Decode[kinds.Repo](r.Config)
	case kinds.KindResourceSync:
		_, err = kinds.Decode[kinds.ResourceSync](r.Config)
	case kinds.KindServer:
		_, err = kinds.Decode[kinds.Server](r.Config)
	case kinds.KindStack:
		_, err = kinds.Decode[kinds.Stack](r.Config)
	case kinds.KindSwarm:
		_, err = kinds.Decode[kinds.Swarm](r.Config)
	case kinds.KindUserGroup:
		_, err = kinds.Decode[kinds.UserGroup](r.Config)
	case kinds.KindVariable:
		_, err = kinds.Decode[kinds.Variable](r.Config)
	default:
		return sync.ErrUnknownKind
	}
	return err
}
