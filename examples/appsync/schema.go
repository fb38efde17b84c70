package main

import (
	"context"

	"github.com/trueup-go/trueup/sync/appsync"
	"github.com/trueup-go/trueup/sync/synccli"
)

func schemaCommand() synccli.Command {
	return synccli.Command{
		Name: "schema", Args: []string{"FILE"},
		Short: "print the JSON Schema of a file, for editors",
		Long: "Prints the JSON Schema (2020-12) of what stands at a path of an app's directory:\n" +
			"\"components/api.toml\", \"sandbox.toml\". The file need not be there. An editor that knows\n" +
			"TOML completes names with it and shows what is wrong: for taplo, write \"#:schema SCHEMA\" in\n" +
			"a file's first line.",
		Run: func(_ context.Context, call *synccli.Call) error {
			schema, err := appsync.JSONSchema(call.Args[0])
			if err != nil {
				return err
			}
			_, err = call.Out.Write(append(schema, '\n'))
			return err
		},
	}
}
