//go:build !unix

package envsyncer

func keepOwner(string, string) {}
