package main

import (
	"errors"
	"flag"
	"strings"

	"github.com/trueup-go/trueup/sync/manifest"
)

// flags adds the program's own flags to those of a command.
func (p *program) flags(command string, flags *flag.FlagSet) {
	if command == "schema" {
		p.lenient(flags)
		return
	}
	if command == "serve" {
		return
	}
	p.server.Flags(flags)
	if !loads(command) {
		return
	}
	p.lenient(flags)
	flags.Func("dialect", "how the files write text: `komodo`, where a backslash in \"\"\" stands for itself, or toml (default: komodo)", p.dialect)
	flags.Func("match-tags", "only resources that have all of these `TAG[,TAG…]`", listed(&p.options.MatchTags))
	flags.Func("include", "of a directory only files that match this `GLOB`, such as stacks/**; may be given several times", added(&p.options.Include))
	flags.Func("exclude", "no files or directories that match this `GLOB`; may be given several times", added(&p.options.Exclude))
	flags.Func("vars", "a `FILE` of values for [[NAME]] that are not declared: lines NAME = VALUE, or TOML if it is called *.toml", read(p.values.Vars))
	flags.Func("secrets", "a `FILE` of such values that are shown nowhere", read(p.values.Secrets))
	flags.StringVar(&p.values.Cache, "cache", "", "the `DIR` for checkouts and the files of stacks, which what runs may mount (default: resourcesync in the user's cache)")
	flags.BoolVar(&p.values.TakeOver, "take-over", false, "replace containers and projects of a declared name that were not deployed by this, such as Komodo's")
	flags.Func("engine", "`SERVER=ADDRESS` of a container engine (unix://…, tcp://…, ssh://…), in place of the declared one; may be given several times", p.engine)
}

// loads tells whether a command reads the declaration.
func loads(command string) bool {
	switch command {
	case "state", "history", "diff", "orphans", "drift", "unlock":
		return false
	}
	return true
}

func (p *program) lenient(flags *flag.FlagSet) {
	flags.BoolVar(&p.options.Lenient, "lenient", false, "warn of unknown kinds and fields, and leave them out")
}

func (p *program) dialect(name string) error {
	switch name {
	case "komodo":
		p.options.Dialect = manifest.Komodo
	case "toml":
		p.options.Dialect = manifest.TOML
	default:
		return errors.New("want komodo or toml")
	}
	return nil
}

// engine takes SERVER=ADDRESS.
func (p *program) engine(text string) error {
	server, address, ok := strings.Cut(text, "=")
	if !ok || server == "" || !strings.Contains(address, "://") {
		return errors.New("want SERVER=ADDRESS, such as home=unix:///run/docker.sock")
	}
	p.values.Engines[server] = address
	return nil
}

// listed takes a comma-separated list.
func listed(into *[]string) func(string) error {
	return func(text string) error {
		for one := range strings.SplitSeq(text, ",") {
			if one = strings.TrimSpace(one); one != "" {
				*into = append(*into, one)
			}
		}
		return nil
	}
}

// added takes one more.
func added(into *[]string) func(string) error {
	return func(text string) error {
		*into = append(*into, text)
		return nil
	}
}
