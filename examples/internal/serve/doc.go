// Package serve is the command "serve" of the host programs: package apiserver over the
// backends that they have, with tokens and TLS from files.
//
//	appsync serve --listen :8443 --backend postgres://db/books --token-file tokens --tls-cert c.pem --tls-key k.pem
//
// A vendor's own server would mount apiserver.New into what it has, with its own
// users in place of the token file.
package serve
