package main

import (
	"context"

	"github.com/trueup-go/trueup/sync/manifest"
	"github.com/trueup-go/trueup/sync/synccli"
)

func schemaCommand(p *program) synccli.Command {
	return synccli.Command{
		Name: "schema", Args: []string{},
		Short: "print the JSON Schema of the files, for editors",
		Long:  "Prints the JSON Schema (2020-12) of the files. An editor that knows TOML completes names with\nit and shows what is wrong: for taplo, write \"#:schema FILE\" in a file's first line.",
		Run: func(_ context.Context, call *synccli.Call) error {
			schema, err := manifest.JSONSchema(p.kinds, p.options)
			if err != nil {
				return err
			}
			_, err = call.Out.Write(append(schema, '\n'))
			return err
		},
	}
}
