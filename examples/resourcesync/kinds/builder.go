package kinds

import (
	"github.com/trueup-go/trueup/diff"
	"github.com/trueup-go/trueup/examples/resourcesync/internal/format"
)

// Builder is where images are built: at a URL, on servers, or on machines that are
// rented for it.
type Builder struct {
	Meta
	Type   string        `json:"type" sync:"required,oneof=Url|Server|Aws"`
	Params BuilderParams `json:"params"`
}

// BuilderParams has the parameters of all types.
type BuilderParams struct {
	// Of Url.
	Address string `json:"address" sync:"default=https://periphery:8120"`
	Passkey string `json:"passkey" sync:"sensitive"`
	// Of Url and Aws.
	PeripheryPublicKey string `json:"periphery_public_key"`
	InsecureTLS        bool   `json:"insecure_tls" sync:"default=true"`
	// Of Server.
	ServerIDs format.List `json:"server_ids" sync:"alias=server_id,alias=server,alias=servers,omitempty,ref=server"`
	// Of Aws.
	Region           string               `json:"region" sync:"default=us-east-1"`
	InstanceType     string               `json:"instance_type" sync:"default=c5.2xlarge"`
	VolumeGB         int                  `json:"volume_gb" sync:"default=20"`
	AMIID            string               `json:"ami_id"`
	SubnetID         string               `json:"subnet_id"`
	KeyPairName      string               `json:"key_pair_name"`
	AssignPublicIP   bool                 `json:"assign_public_ip"`
	UsePublicIP      bool                 `json:"use_public_ip"`
	SecurityGroupIDs format.List          `json:"security_group_ids" sync:"omitempty"`
	UserData         string               `json:"user_data"`
	Port             int                  `json:"port" sync:"default=8120"`
	UseHTTPS         bool                 `json:"use_https" sync:"default=true"`
	GitProviders     []AccountsOfGit      `json:"git_providers" sync:"omitempty"`
	ImageRegistries  []AccountsOfRegistry `json:"image_registries" sync:"omitempty"`
	Secrets          format.List          `json:"secrets" sync:"omitempty"` // their names
}

// AccountsOfGit are accounts at a git host.
type AccountsOfGit struct {
	Domain   string    `json:"domain" sync:"default=github.com"`
	HTTPS    bool      `json:"https" sync:"default=true"`
	Accounts []Account `json:"accounts" sync:"alias=account,omitempty"`
}

// AccountsOfRegistry are accounts at a registry of images.
type AccountsOfRegistry struct {
	Domain        string      `json:"domain" sync:"default=docker.io"`
	Accounts      []Account   `json:"accounts" sync:"alias=account,omitempty"`
	Organizations format.List `json:"organizations" sync:"alias=organization,omitempty"`
}

// Account is an account and its token.
type Account struct {
	Username string `json:"username" sync:"required,alias=account"`
	Token    string `json:"token" sync:"sensitive"`
}

// ParseDeclared implements sync.Parser: it checks which parameters the type has.
func (Builder) ParseDeclared(value any) (any, error) {
	return value, checkVariant(value, map[string][]string{
		"Url":    {"address", "passkey", "periphery_public_key", "insecure_tls"},
		"Server": {"server_ids", "server_id", "server", "servers"},
		"Aws": {
			"region", "instance_type", "volume_gb", "ami_id", "subnet_id", "key_pair_name", "assign_public_ip", "use_public_ip",
			"security_group_ids", "user_data", "port", "use_https", "periphery_public_key", "insecure_tls", "git_providers",
			"image_registries", "secrets",
		},
	})
}

// DeclaredForms implements sync.Former: there are no others.
func (Builder) DeclaredForms() []diff.Value { return nil }
