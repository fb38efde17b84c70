package appsync

// Repo is a directory of a git repository at a branch.
type Repo struct {
	Repo      string `json:"repo"`
	Directory string `json:"directory"`
	Branch    string `json:"branch"`
}

// Repos is where code comes from: a repository that everybody can read, or one
// that the vendor has connected.
type Repos struct {
	PublicRepo    Repo `json:"public_repo"`
	ConnectedRepo Repo `json:"connected_repo"`
}

// Run is how builds and deploys run. Timeouts are text like "15m".
type Run struct {
	BuildTimeout                 string `json:"build_timeout"`
	DeployTimeout                string `json:"deploy_timeout"`
	MaxAutoRetries               *int   `json:"max_auto_retries"`
	SkipNoops                    *bool  `json:"skip_noops"`
	AutoApproveOnPoliciesPassing *bool  `json:"auto_approve_on_policies_passing"`
}

// Variables are what terraform and the like are given. A file may also write them as
// [[var]] and [[env_var]] tables with a name and a value.
type Variables struct {
	Vars     map[string]string `json:"vars" sync:"omitempty"`
	EnvVars  map[string]string `json:"env_vars" sync:"omitempty"`
	VarFiles []VarFile         `json:"var_file" sync:"omitempty"`
}

// VarFile is a file of variables.
type VarFile struct {
	Contents string `json:"contents"`
}

// OperationRole says under which role an operation runs.
type OperationRole struct {
	Operation string `json:"operation"`
	Role      string `json:"role"`
}
