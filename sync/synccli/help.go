package synccli

import (
	"flag"
	"fmt"
	"io"
	"strings"
	"text/tabwriter"
)

// help shows what the program can do, or the help of the command that args name.
func (p *Program) help(call *Call, args []string) error {
	if len(args) == 0 {
		return p.usage(call.Out)
	}
	command, _ := find(p.commands, args)
	if command == nil {
		return unknownCommand(p.commands, args)
	}
	call.bind(command)
	return p.commandHelp(call, command)
}

// usage shows the program's commands.
func (p *Program) usage(w io.Writer) error {
	var b strings.Builder
	if p.host.About != "" {
		fmt.Fprintf(&b, "%s\n\n", p.host.About)
	}
	fmt.Fprintf(&b, "Usage: %s COMMAND [flags]%s\n\nCommands:\n", p.host.Name, p.paths(TakesPaths))
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	for i := range p.commands {
		c := &p.commands[i]
		fmt.Fprintf(table, "  %s\t%s\n", strings.Join(c.words(), " "), c.Short)
	}
	if err := table.Flush(); err != nil {
		return err
	}
	fmt.Fprintf(&b, "\n\"%s COMMAND --help\" shows the flags of a command.\n", p.host.Name)
	_, err := io.WriteString(w, b.String())
	return err
}

// synopsis is the one line that says how a command is called.
func (p *Program) synopsis(c *Command) string {
	words := c.words()
	words[0] += " [flags]"
	return p.host.Name + " " + strings.Join(words, " ") + p.paths(c.Takes)
}

// words are the command's name and what follows it.
func (c *Command) words() []string {
	words := append([]string{c.Name}, c.Args...)
	if c.Optional != "" {
		words = append(words, c.Optional)
	}
	return words
}

func (p *Program) paths(takes Takes) string {
	if !takes.has(TakesPaths) || len(p.host.Backends) == 0 {
		return ""
	}
	return " [" + p.host.Paths + "]"
}

// commandHelp shows how a command is called and its flags, with defaults. The
// call's flags are the command's.
func (p *Program) commandHelp(call *Call, command *Command) error {
	var b strings.Builder
	fmt.Fprintf(&b, "Usage: %s\n", p.synopsis(command))
	if command.Long != "" {
		fmt.Fprintf(&b, "\n%s\n", command.Long)
	} else if command.Short != "" {
		fmt.Fprintf(&b, "\n%s%s.\n", strings.ToUpper(command.Short[:1]), command.Short[1:])
	}
	title := "\nFlags:\n"
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	call.flags.VisitAll(func(f *flag.Flag) {
		fmt.Fprint(table, title)
		title = ""
		value, usage := flag.UnquoteUsage(f)
		name := strings.TrimSpace("--" + f.Name + " " + value)
		if def := f.DefValue; def != "" && def != "false" && def != "0" {
			usage += fmt.Sprintf(" (default: %s)", def)
		}
		fmt.Fprintf(table, "  %s\t%s\n", name, usage)
	})
	if err := table.Flush(); err != nil {
		return err
	}
	_, err := io.WriteString(call.Out, b.String())
	return err
}
