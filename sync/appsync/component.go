package appsync

// Component is the Config of a component. The resource's Type, an
// AppComponentType, says which of the fields beyond the first group it can have.
type Component struct {
	VarName           string            `json:"var_name"`
	Labels            map[string]string `json:"labels" sync:"omitempty"`
	OperationRoles    []OperationRole   `json:"operation_roles" sync:"omitempty"`
	Toggleable        *bool             `json:"toggleable"`
	DefaultEnabled    *bool             `json:"default_enabled"`
	Timeout           string            `json:"timeout"`
	KubernetesContext string            `json:"kubernetes_context"`
	Device            string            `json:"device"`
	// Build "always" has the component built on every sync, changed or not.
	Build string `json:"build"`

	Repos
	Run
	// DriftSchedule is a cron expression.
	DriftSchedule string `json:"drift_schedule"`

	Variables
	TerraformVersion string `json:"terraform_version"`

	ChartName     string            `json:"chart_name"`
	Namespace     string            `json:"namespace"`
	StorageDriver string            `json:"storage_driver"`
	TakeOwnership bool              `json:"take_ownership"`
	Values        map[string]string `json:"values" sync:"omitempty"`
	ValuesFiles   []ValuesFile      `json:"values_file" sync:"omitempty"`
	HelmRepo      HelmRepo          `json:"helm_repo"`

	Manifest  string    `json:"manifest"`
	Kustomize Kustomize `json:"kustomize"`

	Dockerfile string `json:"dockerfile"`

	Public   Image    `json:"public"`
	AWSECR   ECRImage `json:"aws_ecr"`
	GCPGAR   GARImage `json:"gcp_gar"`
	AzureACR ACRImage `json:"azure_acr"`

	ImageURL string   `json:"image_url"`
	Tag      string   `json:"tag"`
	Cmd      []string `json:"cmd" sync:"omitempty"`
	Args     []string `json:"args" sync:"omitempty"`

	Runtime       string            `json:"runtime"`
	PulumiVersion string            `json:"pulumi_version"`
	Config        map[string]string `json:"config" sync:"omitempty"`
}

// ValuesFile is a file of helm values: its Contents, or those of the file that
// Source named, or the Path of a file of the chart.
type ValuesFile struct {
	Source   string `json:"source"`
	Contents string `json:"contents"`
	Path     string `json:"path"`
}

// HelmRepo is where a chart comes from that is in no git repository.
type HelmRepo struct {
	RepoURL string `json:"repo_url"`
	Chart   string `json:"chart"`
	Version string `json:"version"`
}

// Kustomize is how the manifests of a kubernetes_manifest are built.
type Kustomize struct {
	Path           string   `json:"path"`
	Patches        []string `json:"patches" sync:"omitempty"`
	EnableHelm     bool     `json:"enable_helm"`
	LoadRestrictor string   `json:"load_restrictor"`
}

// Image is an image of a registry that everybody can read. With an UpdatePolicy
// the tag is looked up whenever it is built, and it is built on every sync.
type Image struct {
	ImageURL     string `json:"image_url"`
	Tag          string `json:"tag"`
	UpdatePolicy string `json:"update_policy"`
}

// ECRImage is an image of the Amazon registry.
type ECRImage struct {
	Image
	IAMRoleARN string `json:"iam_role_arn"`
	Region     string `json:"region"`
}

// GARImage is an image of the Google registry.
type GARImage struct {
	Image
	GCPProjectID             string `json:"gcp_project_id"`
	Region                   string `json:"region"`
	ServiceAccountEmail      string `json:"service_account_email"`
	WorkloadIdentityProvider string `json:"workload_identity_provider"`
}

// ACRImage is an image of the Azure registry.
type ACRImage struct {
	Image
	RegistryURL string `json:"registry_url"`
	TenantID    string `json:"tenant_id"`
	ClientID    string `json:"client_id"`
}
