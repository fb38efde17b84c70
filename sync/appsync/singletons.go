package appsync

import "github.com/trueup-go/trueup/sync"

// Metadata is the Config of metadata/metadata: what the app is called and shows
// of itself.
type Metadata struct {
	// Version is that of the format: "v1" or "v2".
	Version     string `json:"version"`
	DisplayName string `json:"display_name"`
	// SlackWebhookURL lets whoever knows it write to the channel.
	SlackWebhookURL sync.Secret `json:"slack_webhook_url"`
	Readme          string      `json:"readme"`
	Onboarding      Onboarding  `json:"onboarding"`
}

// Onboarding is how the app is shown among others.
type Onboarding struct {
	Enabled       bool   `json:"enabled"`
	Category      string `json:"category"`
	Difficulty    string `json:"difficulty"`
	CloudProvider string `json:"cloud_provider"`
}

// Sandbox is the Config of sandbox/sandbox: what the app is installed into. The
// resource's Type says whether it is terraform or pulumi.
type Sandbox struct {
	TerraformVersion string            `json:"terraform_version"`
	Runtime          string            `json:"runtime"`
	PulumiVersion    string            `json:"pulumi_version"`
	PulumiConfig     map[string]string `json:"pulumi_config" sync:"omitempty"`
	DriftSchedule    string            `json:"drift_schedule"`
	OperationRoles   []OperationRole   `json:"operation_roles" sync:"omitempty"`
	Repos
	Variables
	Run
}

// Runner is the Config of runner/runner: what carries out the work.
type Runner struct {
	RunnerType    string            `json:"runner_type"`
	HelmDriver    string            `json:"helm_driver"`
	InitScriptURL string            `json:"init_script_url"`
	InstanceType  string            `json:"instance_type"`
	EnvVars       map[string]string `json:"env_vars" sync:"omitempty"`
}

// Stack is the Config of stack/stack: the template that a customer starts from.
type Stack struct {
	Name                    string        `json:"name"`
	VPCNestedTemplateURL    string        `json:"vpc_nested_template_url"`
	RunnerNestedTemplateURL string        `json:"runner_nested_template_url"`
	CustomNestedStacks      []NestedStack `json:"custom_nested_stacks" sync:"omitempty"`
}

// NestedStack is a template within the stack.
type NestedStack struct {
	Name        string            `json:"name"`
	TemplateURL string            `json:"template_url"`
	Index       int               `json:"index"`
	Parameters  map[string]string `json:"parameters" sync:"omitempty"`
}

// Branch is the Config of branch/branch: what is rolled out from where, in which
// order.
type Branch struct {
	Name string `json:"name"`
	Repos
	InstallGroups []InstallGroup `json:"install_groups" sync:"omitempty"`
}

// InstallGroup is installs that a branch rolls out to together.
type InstallGroup struct {
	Name           string            `json:"name"`
	Order          int               `json:"order"`
	UseForPreviews bool              `json:"use_for_previews"`
	InstallIDs     []string          `json:"install_ids" sync:"omitempty"`
	InstallNames   []string          `json:"install_names" sync:"omitempty"`
	LabelSelector  map[string]string `json:"label_selector" sync:"omitempty"`
}

// OperationRoles is the Config of operation_roles/operation_roles: which role an
// operation runs under, by rules.
type OperationRoles struct {
	Rules []OperationRule `json:"rules" sync:"omitempty"`
}

// OperationRule gives a role to an operation on what Principal names.
type OperationRule struct {
	Principal string `json:"principal"`
	Operation string `json:"operation"`
	Role      string `json:"role"`
}

// KubernetesContext is the Config of a kubernetes_context: the component whose
// outputs are the connection to a cluster.
type KubernetesContext struct {
	Component string `json:"component"`
}

// Installer is the Config of installer/installer: the page that a customer
// installs from.
type Installer struct {
	Name                string   `json:"name"`
	Slug                string   `json:"slug"`
	Apps                []string `json:"apps" sync:"omitempty"`
	DocumentationURL    string   `json:"documentation_url"`
	CommunityURL        string   `json:"community_url"`
	HomepageURL         string   `json:"homepage_url"`
	GithubURL           string   `json:"github_url"`
	LogoURL             string   `json:"logo_url"`
	FaviconURL          string   `json:"favicon_url"`
	OgImageURL          string   `json:"og_image_url"`
	DemoURL             string   `json:"demo_url"`
	PostInstallMarkdown string   `json:"post_install_markdown"`
	CopyrightMarkdown   string   `json:"copyright_markdown"`
	FooterMarkdown      string   `json:"footer_markdown"`
}
