package kinds

import (
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
	"github.com/trueup-go/trueup/sync"
)

// The parameters of the executions that are carried out; DecodeParams makes
// one of an Execution. Batch forms have those of Batch.
type (
	// None does nothing.
	None struct{}
	// Sleep waits.
	Sleep struct {
		DurationMS int64 `json:"duration_ms"`
	}
	// RunBuild runs a build.
	RunBuild struct {
		Build string `json:"build" sync:"required"`
	}
	// Deploy deploys a deployment.
	Deploy struct {
		Deployment string `json:"deployment" sync:"required"`
		StopSignal Signal `json:"stop_signal" sync:"oneof=SIGHUP|SIGINT|SIGQUIT|SIGTERM"` // empty: the deployment's
		StopTime   *int   `json:"stop_time"`                                              // in seconds; nil: the deployment's
	}
	// DeployStack deploys a stack, or some of its services.
	DeployStack struct {
		Stack    string      `json:"stack" sync:"required"`
		Services format.List `json:"services" sync:"omitempty"`
		StopTime *int        `json:"stop_time"` // in seconds; nil: the services' own
	}
	// PullRepo updates a clone.
	PullRepo struct {
		Repo string `json:"repo" sync:"required"`
	}
	// RunProcedure runs another procedure.
	RunProcedure struct {
		Procedure string `json:"procedure" sync:"required"`
	}
	// RunSync runs a sync, of all or of some resources.
	RunSync struct {
		Sync         string      `json:"sync" sync:"required"`
		ResourceType string      `json:"resource_type" sync:"oneof=Action|Alerter|Build|Builder|Deployment|Procedure|Repo|ResourceSync|Server|Stack|Swarm"`
		Resources    format.List `json:"resources" sync:"omitempty"`
	}
	// Batch does the same for every resource whose name matches and that has all
	// the tags.
	Batch struct {
		Pattern string      `json:"pattern" sync:"required"` // see format.ParsePatterns
		Tags    format.List `json:"tags" sync:"omitempty"`
	}
)

// carriedOut returns the shape of the parameters of an execution that is carried
// out, and whether it is.
func carriedOut(name string) (sync.Kind, bool) {
	switch name {
	case "None":
		return sync.Define[None](name), true
	case "Sleep":
		return sync.Define[Sleep](name), true
	case "RunBuild":
		return sync.Define[RunBuild](name), true
	case "Deploy":
		return sync.Define[Deploy](name), true
	case "DeployStack":
		return sync.Define[DeployStack](name), true
	case "PullRepo":
		return sync.Define[PullRepo](name), true
	case "RunProcedure":
		return sync.Define[RunProcedure](name), true
	case "RunSync":
		return sync.Define[RunSync](name), true
	case "BatchDeploy", "BatchDeployStack", "BatchPullRepo", "BatchRunBuild", "BatchRunProcedure":
		return sync.Define[Batch](name), true
	}
	return sync.Kind{}, false
}

func carriedOutNames() []string {
	return []string{
		"BatchDeploy", "BatchDeployStack", "BatchPullRepo", "BatchRunBuild", "BatchRunProcedure",
		"Deploy", "DeployStack", "None", "PullRepo", "RunBuild", "RunProcedure", "RunSync", "Sleep",
	}
}

// notCarriedOut are the executions that the original has besides.
func notCarriedOut() []string {
	return []string{
		"BackupCoreDatabase", "BatchBuildRepo", "BatchCloneRepo", "BatchDeployStackIfChanged", "BatchDestroyDeployment",
		"BatchDestroyStack", "BatchPullStack", "BatchRunAction", "BuildRepo", "CancelAction", "CancelBuild",
		"CancelProcedure", "CancelRepoBuild", "ClearRepoCache", "CloneRepo", "CommitSync", "CreateSwarmConfig",
		"CreateSwarmSecret", "DeleteImage", "DeleteNetwork", "DeleteVolume", "DeployStackIfChanged", "DestroyContainer",
		"DestroyDeployment", "DestroyStack", "GlobalAutoUpdate", "PauseAllContainers", "PauseContainer", "PauseDeployment",
		"PauseStack", "PruneBuildx", "PruneContainers", "PruneDockerBuilders", "PruneImages", "PruneNetworks", "PruneSystem",
		"PruneVolumes", "PullDeployment", "PullStack", "RemoveSwarmConfigs", "RemoveSwarmNodes", "RemoveSwarmSecrets",
		"RemoveSwarmServices", "RemoveSwarmStacks", "RestartAllContainers", "RestartContainer", "RestartDeployment",
		"RestartStack", "RotateAllServerKeys", "RotateCoreKeys", "RotateSwarmConfig", "RotateSwarmSecret", "RunAction",
		"RunStackService", "SendAlert", "StartAllContainers", "StartContainer", "StartDeployment", "StartStack",
		"StopAllContainers", "StopContainer", "StopDeployment", "StopStack", "TestAlerter", "UnpauseAllContainers",
		"UnpauseContainer", "UnpauseDeployment", "UnpauseStack", "UpdateSwarmNode",
	}
}
