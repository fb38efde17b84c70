// Package appsync syncs app configs: it reads the TOML files of a config
// directory into declared resources, and syncs them over any backend.
package appsync
