package appsync

import "github.com/trueup-go/trueup/sync"

// Secret is the Config of a secret: that it exists and where it goes. Its value
// is the customer's.
type Secret struct {
	DisplayName               string       `json:"display_name"`
	Required                  bool         `json:"required"`
	AutoGenerate              bool         `json:"auto_generate"`
	Format                    string       `json:"format"`
	Default                   sync.Secret  `json:"default"`
	UserConfigurable          bool         `json:"user_configurable"`
	KubernetesSync            bool         `json:"kubernetes_sync"`
	KubernetesSecretNamespace string       `json:"kubernetes_secret_namespace"`
	KubernetesSecretName      string       `json:"kubernetes_secret_name"`
	KubernetesSyncTargets     []SyncTarget `json:"kubernetes_sync_targets" sync:"omitempty"`
}

// SyncTarget is a Kubernetes secret that a secret is written to.
type SyncTarget struct {
	Namespaces []string `json:"namespaces" sync:"omitempty"`
	Name       string   `json:"name"`
	Key        string   `json:"key"`
}
