package docker

import (
	"fmt"
	"maps"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/docker/cli/opts"
	"github.com/docker/go-units"
	"github.com/moby/moby/api/types/container"

	"github.com/trueup-go/trueup/diff"
)

// A flag of docker run.
type flag struct {
	short  string
	toggle bool // takes no value of its own: --init, --init=false
	set    func(value string) error
}

// Flags are the flags of docker run that ExtraArgs understands, sorted, without
// their dashes.
func Flags() []string { return slices.Sorted(maps.Keys(new(creation).flags())) }

// extra takes flags over into what is created.
func (c *creation) extra(args []string) error {
	flags := c.flags()
	for len(args) > 0 {
		word := args[0]
		args = args[1:]
		name, value, hasValue := strings.Cut(word, "=")
		f, err := find(flags, name)
		if err != nil {
			return err
		}
		switch {
		case hasValue:
		case f.toggle:
			value = "true"
		case len(args) == 0:
			return fmt.Errorf("extra argument %s: its value is missing", name)
		default:
			value, args = args[0], args[1:]
		}
		if err := f.set(value); err != nil {
			return fmt.Errorf("extra argument %s: %w", name, err)
		}
	}
	return nil
}

func find(flags map[string]flag, name string) (flag, error) {
	if long, ok := strings.CutPrefix(name, "--"); ok {
		if f, ok := flags[long]; ok {
			return f, nil
		}
	} else if short, ok := strings.CutPrefix(name, "-"); ok && short != "" {
		for _, f := range flags {
			if f.short == short {
				return f, nil
			}
		}
	} else {
		return flag{}, fmt.Errorf("extra argument %q: expected a flag of docker run; the command has a field of its own", name)
	}
	known := slices.Sorted(maps.Keys(flags))
	if near := diff.Nearest(strings.TrimLeft(name, "-"), known); near != "" {
		return flag{}, fmt.Errorf("extra argument %s is not understood, did you mean --%s?", name, near)
	}
	return flag{}, fmt.Errorf("extra argument %s is not understood; these are: --%s", name, strings.Join(known, ", --"))
}

// flags are those that are understood, each of which sets its part of c. Missing
// are those that a spec has a field for (--name, --restart, --detach …), those that
// are about a terminal and those that name a file of whoever calls docker run.
func (c *creation) flags() map[string]flag {
	all := c.healthFlags()
	maps.Copy(all, c.resourceFlags())
	maps.Copy(all, c.systemFlags())
	maps.Copy(all, map[string]flag{
		"add-host":      {set: list(&c.host.ExtraHosts)},
		"dns":           {set: c.dns},
		"dns-option":    {set: list(&c.host.DNSOptions)},
		"dns-search":    {set: list(&c.host.DNSSearch)},
		"domainname":    {set: text(&c.config.Domainname)},
		"entrypoint":    {set: c.entrypoint},
		"env":           {short: "e", set: func(v string) error { return c.environment([]string{v}) }},
		"hostname":      {short: "h", set: text(&c.config.Hostname)},
		"label":         {short: "l", set: pair(&c.config.Labels)},
		"log-driver":    {set: text(&c.host.LogConfig.Type)},
		"log-opt":       {set: pair(&c.host.LogConfig.Config)},
		"network-alias": {set: list(&c.endpoint.Aliases)},
		"publish":       {short: "p", set: c.publish},
		"publish-all":   {short: "P", toggle: true, set: toggle(&c.host.PublishAllPorts)},
		"user":          {short: "u", set: text(&c.config.User)},
		"volume":        {short: "v", set: list(&c.host.Binds)},
		"volumes-from":  {set: list(&c.host.VolumesFrom)},
		"tmpfs":         {set: c.tmpfs},
		"mount":         {set: c.mount},
		"workdir":       {short: "w", set: text(&c.config.WorkingDir)},
	})
	return all
}

func (c *creation) healthFlags() map[string]flag {
	check := func() *container.HealthConfig {
		if c.config.Healthcheck == nil {
			c.config.Healthcheck = &container.HealthConfig{}
		}
		return c.config.Healthcheck
	}
	every := func(field func(*container.HealthConfig) *time.Duration) func(string) error {
		return func(v string) (err error) {
			*field(check()), err = time.ParseDuration(v)
			return err
		}
	}
	return map[string]flag{
		"health-cmd":          {set: func(v string) error { check().Test = []string{"CMD-SHELL", v}; return nil }},
		"health-interval":     {set: every(func(h *container.HealthConfig) *time.Duration { return &h.Interval })},
		"health-timeout":      {set: every(func(h *container.HealthConfig) *time.Duration { return &h.Timeout })},
		"health-start-period": {set: every(func(h *container.HealthConfig) *time.Duration { return &h.StartPeriod })},
		"health-retries":      {set: func(v string) error { return number(&check().Retries)(v) }},
		"no-healthcheck":      {toggle: true, set: func(string) error { check().Test = []string{"NONE"}; return nil }},
	}
}

func (c *creation) resourceFlags() map[string]flag {
	return map[string]flag{
		"cpus":               {set: c.cpus},
		"cpu-shares":         {short: "c", set: number(&c.host.CPUShares)},
		"cpuset-cpus":        {set: text(&c.host.CpusetCpus)},
		"gpus":               {set: c.gpus},
		"memory":             {short: "m", set: size(&c.host.Memory)},
		"memory-reservation": {set: size(&c.host.MemoryReservation)},
		"memory-swap":        {set: c.memorySwap},
		"oom-score-adj":      {set: number(&c.host.OomScoreAdj)},
		"pids-limit":         {set: c.pidsLimit},
		"shm-size":           {set: size(&c.host.ShmSize)},
		"ulimit":             {set: c.ulimit},
	}
}

func (c *creation) systemFlags() map[string]flag {
	return map[string]flag{
		"cap-add":       {set: list(&c.host.CapAdd)},
		"cap-drop":      {set: list(&c.host.CapDrop)},
		"cgroup-parent": {set: text(&c.host.CgroupParent)},
		"device":        {set: c.device},
		"group-add":     {set: list(&c.host.GroupAdd)},
		"init":          {toggle: true, set: c.init},
		"ipc":           {set: text(&c.host.IpcMode)},
		"pid":           {set: text(&c.host.PidMode)},
		"privileged":    {toggle: true, set: toggle(&c.host.Privileged)},
		"read-only":     {toggle: true, set: toggle(&c.host.ReadonlyRootfs)},
		"runtime":       {set: text(&c.host.Runtime)},
		"security-opt":  {set: list(&c.host.SecurityOpt)},
		"sysctl":        {set: pair(&c.host.Sysctls)},
		"userns":        {set: text(&c.host.UsernsMode)},
		"uts":           {set: text(&c.host.UTSMode)},
	}
}

func (c *creation) cpus(v string) (err error) {
	c.host.NanoCPUs, err = opts.ParseCPUs(v)
	return err
}

// device takes "/dev/a", "/dev/a:/dev/b" and "/dev/a:/dev/b:rw".
func (c *creation) device(v string) error {
	parts := strings.Split(v, ":")
	if len(parts) > 3 || parts[0] == "" {
		return fmt.Errorf("read %q, expected PATH[:PATH[:rwm]]", v)
	}
	m := container.DeviceMapping{PathOnHost: parts[0], PathInContainer: parts[0], CgroupPermissions: "rwm"}
	if len(parts) > 1 {
		m.PathInContainer = parts[1]
	}
	if len(parts) > 2 {
		m.CgroupPermissions = parts[2]
	}
	c.host.Devices = append(c.host.Devices, m)
	return nil
}

func (c *creation) dns(v string) error {
	address, err := netip.ParseAddr(v)
	c.host.DNS = append(c.host.DNS, address)
	return err
}

// entrypoint takes the program alone, as docker run does; arguments are the
// command's.
func (c *creation) entrypoint(v string) error {
	c.config.Entrypoint = []string{v}
	return nil
}

func (c *creation) gpus(v string) error {
	var o opts.GpuOpts
	if err := o.Set(v); err != nil {
		return err
	}
	c.host.DeviceRequests = append(c.host.DeviceRequests, o.Value()...)
	return nil
}

func (c *creation) init(v string) error {
	on := false
	c.host.Init = &on
	return toggle(c.host.Init)(v)
}

func (c *creation) memorySwap(v string) error {
	var swap opts.MemSwapBytes
	err := swap.Set(v)
	c.host.MemorySwap = swap.Value()
	return err
}

func (c *creation) mount(v string) error {
	var o opts.MountOpt
	if err := o.Set(v); err != nil {
		return err
	}
	c.host.Mounts = append(c.host.Mounts, o.Value()...)
	return nil
}

func (c *creation) pidsLimit(v string) error {
	c.host.PidsLimit = new(int64)
	return number(c.host.PidsLimit)(v)
}

func (c *creation) tmpfs(v string) error {
	path, options, _ := strings.Cut(v, ":")
	if c.host.Tmpfs == nil {
		c.host.Tmpfs = map[string]string{}
	}
	c.host.Tmpfs[path] = options
	return nil
}

func (c *creation) ulimit(v string) error {
	limit, err := units.ParseUlimit(v)
	if err != nil {
		return err
	}
	c.host.Ulimits = append(c.host.Ulimits, limit)
	return nil
}

func text[T ~string](to *T) func(string) error {
	return func(v string) error { *to = T(v); return nil }
}

func list(to *[]string) func(string) error {
	return func(v string) error { *to = append(*to, v); return nil }
}

func toggle(to *bool) func(string) error {
	return func(v string) (err error) {
		if *to, err = strconv.ParseBool(v); err != nil {
			return fmt.Errorf("read %q, expected true or false", v)
		}
		return nil
	}
}

func number[T ~int | ~int64](to *T) func(string) error {
	return func(v string) error {
		n, err := strconv.ParseInt(v, 10, 64)
		if err != nil {
			return fmt.Errorf("read %q, expected a whole number", v)
		}
		*to = T(n)
		return nil
	}
}

func size(to *int64) func(string) error {
	return func(v string) (err error) {
		if *to, err = units.RAMInBytes(v); err != nil {
			return fmt.Errorf("read %q, expected a size like 512m: %w", v, err)
		}
		return nil
	}
}

// pair takes K=V, and K alone for an empty V.
func pair(to *map[string]string) func(string) error {
	return func(v string) error {
		name, value, _ := strings.Cut(v, "=")
		if *to == nil {
			*to = map[string]string{}
		}
		(*to)[name] = value
		return nil
	}
}
