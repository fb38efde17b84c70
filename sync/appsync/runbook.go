package appsync

// Runbook is the Config of a runbook: deploys and actions, in order.
type Runbook struct {
	Readme string            `json:"readme"`
	Labels map[string]string `json:"labels" sync:"omitempty"`
	Inputs []RunbookInput    `json:"input" sync:"omitempty"`
	Steps  []RunbookStep     `json:"steps" sync:"omitempty"`
}

// RunbookInput is something that a runbook asks for.
type RunbookInput struct {
	Name        string `json:"name"`
	DisplayName string `json:"display_name"`
	Description string `json:"description"`
	// Default and SensitiveDefault are as those of an Input.
	Default          any    `json:"default"`
	SensitiveDefault any    `json:"sensitive_default" sync:"sensitive"`
	Required         bool   `json:"required"`
	Sensitive        bool   `json:"sensitive"`
	Type             string `json:"type"`
}

// RunbookStep is one step of a runbook: a component to deploy, an action to run,
// or a command of its own.
type RunbookStep struct {
	Name                 string            `json:"name"`
	Type                 string            `json:"type"`
	ComponentName        string            `json:"component_name"`
	ActionName           string            `json:"action_name"`
	Command              string            `json:"command"`
	InlineContents       string            `json:"inline_contents"`
	EnvVars              map[string]string `json:"env_vars" sync:"omitempty"`
	Timeout              string            `json:"timeout"`
	Role                 string            `json:"role"`
	DeployDependents     bool              `json:"deploy_dependents"`
	TearDownDependents   bool              `json:"tear_down_dependents"`
	DeployDependencies   bool              `json:"deploy_dependencies"`
	SkipComponentDeploys bool              `json:"skip_component_deploys"`
}
