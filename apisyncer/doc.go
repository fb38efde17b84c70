// Package apisyncer records on a server: a sync.Backend over HTTP, for a CLI that
// syncs to a control plane. Package apiserver is the other side.
//
//	backend, err := apisyncer.New("https://sync.example.com", state.Scope{Org: "acme", App: "shop"}, nil)
//	engine, err := sync.New(backend, kinds, nil)
//
// An unchanged sync is one request. A plan whose kinds have no Handlers is handed over
// in one (sync.Runner): the server makes it again, and carries it out if it is the
// same. Where kinds have Handlers, which act on this side, the Tx is a session on the
// server, with a request for each commit.
//
// What fails for a while is tried again by the engine, as with every backend; each
// request may be sent twice, and takes effect once. Errors are those of the server's
// backend: errors.Is and errors.As find in them what they find over there.
package apisyncer
