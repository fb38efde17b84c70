package kinds

import "github.com/trueup-go/trueup/examples/resourcesync/internal/format"

// Server is a machine with a container engine.
type Server struct {
	Meta
	Address                   string              `json:"address"`
	InsecureTLS               bool                `json:"insecure_tls" sync:"default=true"`
	ExternalAddress           string              `json:"external_address"`
	Region                    string              `json:"region"`
	Enabled                   bool                `json:"enabled"`
	AutoRotateKeys            bool                `json:"auto_rotate_keys" sync:"default=true"`
	Passkey                   string              `json:"passkey" sync:"sensitive"`
	IgnoreMounts              format.List         `json:"ignore_mounts" sync:"omitempty"`
	AutoPrune                 bool                `json:"auto_prune" sync:"default=true"`
	Links                     format.List         `json:"links" sync:"omitempty"`
	StatsMonitoring           bool                `json:"stats_monitoring" sync:"default=true"`
	SendUnreachableAlerts     bool                `json:"send_unreachable_alerts" sync:"default=true"`
	SendCPUAlerts             bool                `json:"send_cpu_alerts" sync:"default=true"`
	SendMemAlerts             bool                `json:"send_mem_alerts" sync:"default=true"`
	SendDiskAlerts            bool                `json:"send_disk_alerts" sync:"default=true"`
	SendVersionMismatchAlerts bool                `json:"send_version_mismatch_alerts" sync:"default=true"`
	CPUWarning                float64             `json:"cpu_warning" sync:"default=90"` // in percent, as the next ones
	CPUCritical               float64             `json:"cpu_critical" sync:"default=99"`
	MemWarning                float64             `json:"mem_warning" sync:"default=75"`
	MemCritical               float64             `json:"mem_critical" sync:"default=95"`
	DiskWarning               float64             `json:"disk_warning" sync:"default=75"`
	DiskCritical              float64             `json:"disk_critical" sync:"default=95"`
	MaintenanceWindows        []MaintenanceWindow `json:"maintenance_windows" sync:"omitempty"`
}

// Swarm is servers that share their work.
type Swarm struct {
	Meta
	ServerIDs           format.List         `json:"server_ids" sync:"alias=servers,omitempty,ref=server"` // the managers
	Links               format.List         `json:"links" sync:"omitempty"`
	SendUnhealthyAlerts bool                `json:"send_unhealthy_alerts" sync:"default=true"`
	MaintenanceWindows  []MaintenanceWindow `json:"maintenance_windows" sync:"omitempty"`
}
