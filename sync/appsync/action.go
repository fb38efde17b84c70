package appsync

// Action is the Config of an action: something that runs when a trigger says so.
type Action struct {
	// Timeout is text like "30s".
	Timeout           string            `json:"timeout"`
	Role              string            `json:"role"`
	BreakGlassRole    string            `json:"break_glass_role"`
	EnableKubeConfig  *bool             `json:"enable_kube_config"`
	KubernetesContext string            `json:"kubernetes_context"`
	Labels            map[string]string `json:"labels" sync:"omitempty"`
	Inputs            []ActionInput     `json:"inputs" sync:"omitempty"`
	Triggers          []Trigger         `json:"triggers" sync:"omitempty"`
	Steps             []ActionStep      `json:"steps" sync:"omitempty"`
}

// ActionInput is something that an action asks for.
type ActionInput struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Required    bool   `json:"required"`
	Default     any    `json:"default"`
	Type        string `json:"type"`
}

// Trigger says when an action runs.
type Trigger struct {
	Type          string `json:"type"`
	Index         int    `json:"index"`
	CronSchedule  string `json:"cron_schedule"`
	Schedule      string `json:"schedule"`
	ComponentName string `json:"component_name"`
}

// ActionStep is one step of an action. Command is always a command, never the
// name of a file to read in; InlineContents may be one.
type ActionStep struct {
	Name             string            `json:"name"`
	Command          string            `json:"command"`
	InlineContents   string            `json:"inline_contents"`
	EnvVars          map[string]string `json:"env_vars" sync:"omitempty"`
	EnableKubeConfig *bool             `json:"enable_kube_config"`
	Repos
}
