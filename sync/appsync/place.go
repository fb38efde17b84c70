package appsync

import (
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/sync"
)

// place is a name at the top of a config directory and what a file and a folder
// of that name declare: one row of the format's table.
type place struct {
	name string // of the folder, and of the file without .toml
	kind string // of what is declared
	// required says that the file must be there.
	required bool
	// file is what the file holds, and folder what a file in the folder holds;
	// nothing if there is no such form.
	file, folder content
	// items are the parts of a file that holds items, and schema is its shape.
	items  []item
	schema *diff.Schema
	// list is the list of the one resource that a file in the folder adds to.
	list string
	// also is a folder in which the files that are named are looked for too.
	also string
}

// content is what a file holds.
type content uint8

const (
	holdsNothing  content = iota
	holdsResource         // a resource, or the one resource of its kind
	holdsItems            // resources, in tables
	holdsElement          // a table of a list of the one resource
)

// item is a table, or a list of tables, of a file that holds items.
type item struct {
	key string
	typ string // the Type that it stands for; empty: the table says it
}

func shape[File any]() *diff.Schema { return sync.Define[File]("file").Schema }

// places returns the rows, in order of their names.
func places() []place {
	return []place{
		{name: "actions", kind: KindAction, folder: holdsResource},
		{name: "branch", kind: KindBranch, file: holdsResource, folder: holdsResource},
		{name: "break_glass", kind: KindBreakGlassRole, file: holdsItems, folder: holdsResource, also: "permissions",
			schema: shape[breakGlassFile](), items: []item{{key: "role"}}},
		{name: "components", kind: KindComponent, folder: holdsResource},
		{name: "input_groups", kind: KindInputs, folder: holdsElement, list: "group"},
		{name: "inputs", kind: KindInputs, file: holdsResource, folder: holdsElement, list: "input"},
		{name: "installer", kind: KindInstaller, file: holdsResource, folder: holdsResource},
		{name: "installs", kind: KindInstall, folder: holdsResource},
		{name: "kubernetes_contexts", kind: KindKubernetesContext, file: holdsItems, folder: holdsResource,
			schema: shape[kubernetesContextsFile](), items: []item{{key: "kubernetes_context"}}},
		{name: "metadata", kind: KindMetadata, file: holdsResource, required: true},
		{name: "operation_roles", kind: KindOperationRoles, file: holdsResource, folder: holdsElement, list: "rules"},
		{name: "permissions", kind: KindRole, file: holdsItems, folder: holdsResource, also: "permissions",
			schema: shape[permissionsFile](), items: []item{
				{"provision_role", "provision"}, {"deprovision_role", "deprovision"}, {"maintenance_role", "maintenance"},
				{"custom_roles", "custom"}, {key: "roles"},
			}},
		{name: "policies", kind: KindPolicy, file: holdsItems, folder: holdsResource, also: "policies",
			schema: shape[policiesFile](), items: []item{{key: "policy"}}},
		{name: "runbooks", kind: KindRunbook, folder: holdsResource},
		{name: "runner", kind: KindRunner, file: holdsResource, required: true},
		{name: "sandbox", kind: KindSandbox, file: holdsResource, required: true},
		{name: "secrets", kind: KindSecret, file: holdsItems, folder: holdsResource,
			schema: shape[secretsFile](), items: []item{{key: "secret"}}},
		{name: "stack", kind: KindStack, file: holdsResource, folder: holdsResource},
	}
}
