package appsync

import "github.com/trueup-go/trueup/sync"

// The kinds that an app's config declares. Those of the first group have one
// resource for each name; those of the second have one in all, whose name is
// the kind's: "sandbox/sandbox".
const (
	KindAction            = "action"
	KindBreakGlassRole    = "break_glass_role"
	KindComponent         = "component"
	KindInstall           = "install"
	KindKubernetesContext = "kubernetes_context"
	KindPolicy            = "policy"
	KindRole              = "role"
	KindRunbook           = "runbook"
	KindSecret            = "secret"

	KindBranch         = "branch"
	KindInputs         = "inputs"
	KindInstaller      = "installer"
	KindMetadata       = "metadata"
	KindOperationRoles = "operation_roles"
	KindRunner         = "runner"
	KindSandbox        = "sandbox"
	KindStack          = "stack"
)

// Kinds returns the kinds of an app's config, for sync.New. A resource's Config
// is the JSON of the Go type that bears the kind's name, such as Component:
// json.Unmarshal reads it. What a file says under name, type and description is
// in the resource's own Name, Type and Description; dependencies are in After.
func Kinds() *sync.KindSet {
	var kinds []sync.Kind
	for _, d := range definitions() {
		kinds = append(kinds, d.kind)
	}
	return sync.Kinds(kinds...)
}
