package appsync

import (
	"sync"

	"github.com/trueup-go/trueup/diff"
	tusync "github.com/trueup-go/trueup/sync"
)

// definition is what the loader has to know of a kind. Paths lead through a
// file's table: "steps[].command" is the command of every step, "toggles{}" the
// names of the table toggles.
type definition struct {
	kind tusync.Kind  // what is recorded
	form *diff.Schema // what a file may say: the kind's fields and more
	// pulls are the fields that may name a file, whose contents then stand in
	// their place.
	pulls []string
	// names are the fields that name other resources.
	names []naming
	// scans says that every text but a readme is searched for references to
	// components.
	scans bool
	// unique are the lists whose tables must have different names.
	unique []string
	// single says that there is one resource of the kind, of the kind's name.
	single bool
	// lenient says that fields that nobody knows are left out with a warning.
	lenient bool
	// namedAfter is the field whose file names a resource that has no name.
	namedAfter string
}

// readme is the one field whose file need not be there.
const readme = "readme"

// naming is a field that names resources of a kind.
type naming struct{ path, kind string }

func define[Config, File any](kind string, d definition) *definition {
	d.kind = tusync.Define[Config](kind)
	d.form = tusync.Define[File](kind).Schema
	return &d
}

// definitions are those of all kinds, by name. They are made once, which takes
// longer than loading a small app, and never changed.
//
//nolint:gochecknoglobals // a constant, for all but the compiler
var definitions = sync.OnceValue(makeDefinitions)

func makeDefinitions() map[string]*definition {
	all := map[string]*definition{
		KindComponent: define[Component, componentFile](KindComponent, definition{
			pulls: []string{"manifest", "values_file[].contents", "values_file[].source", "var_file[].contents"},
			names: []naming{{"dependencies[]", KindComponent}, {"kubernetes_context", KindKubernetesContext}},
			scans: true,
		}),
		KindAction: define[Action, actionFile](KindAction, definition{
			pulls: []string{"steps[].inline_contents"},
			names: []naming{
				{"dependencies[]", KindComponent}, {"triggers[].component_name", KindComponent},
				{"kubernetes_context", KindKubernetesContext},
			},
			scans: true,
		}),
		KindRunbook: define[Runbook, runbookFile](KindRunbook, definition{
			pulls: []string{readme, "steps[].inline_contents"},
			names: []naming{{"steps[].component_name", KindComponent}, {"steps[].action_name", KindAction}},
			scans: true,
		}),
		KindInstall: define[Install, installFile](KindInstall, definition{
			names: []naming{{"components{}", KindComponent}, {"component_toggles{}", KindComponent}},
		}),
		KindRole: define[Role, roleFile](KindRole, definition{
			pulls: []string{"permissions_boundary", "policies[].contents"},
		}),
		KindBreakGlassRole: define[Role, roleFile](KindBreakGlassRole, definition{
			pulls: []string{"permissions_boundary", "policies[].contents"},
		}),
		KindPolicy: define[Policy, policyFile](KindPolicy, definition{
			pulls: []string{"contents"}, names: []naming{{"components[]", KindComponent}}, namedAfter: "contents",
		}),
		KindSecret: define[Secret, secretFile](KindSecret, definition{}),
		KindKubernetesContext: define[KubernetesContext, kubernetesContextFile](KindKubernetesContext, definition{
			names: []naming{{"component", KindComponent}},
		}),
		KindMetadata: define[Metadata, metadataFile](KindMetadata, definition{single: true, lenient: true, pulls: []string{readme}}),
		KindSandbox:  define[Sandbox, sandboxFile](KindSandbox, definition{single: true, pulls: []string{"var_file[].contents"}}),
		KindRunner:   define[Runner, runnerFile](KindRunner, definition{single: true}),
		KindInputs:   define[Inputs, inputsFile](KindInputs, definition{single: true, unique: []string{"group", "input"}}),
		KindStack:    define[Stack, stackFile](KindStack, definition{single: true}),
		KindBranch:   define[Branch, Branch](KindBranch, definition{single: true}),
		KindOperationRoles: define[OperationRoles, operationRolesFile](KindOperationRoles, definition{
			single: true,
		}),
		KindInstaller: define[Installer, installerFile](KindInstaller, definition{single: true}),
	}
	withoutField(all[KindInputs].form, "input", sensitiveDefault)
	withoutField(all[KindRunbook].form, "input", sensitiveDefault)
	withoutField(all[KindInstall].form, "", sensitiveInputs)
	return all
}
