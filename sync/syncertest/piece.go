package syncertest

import (
	"encoding/json"
	"slices"

	tusync "github.com/trueup-go/trueup/sync"
)

// piece is a resource of the tests with Handlers, whatever its kind: a field of
// every sort that the engine treats in a way of its own.
type piece struct {
	Range string `json:"range" sync:"immutable"`
	Size  int    `json:"size"`
	Link  string `json:"link" sync:"ref=net"` // to which kind depends on the kind
	Base  string `json:"base" sync:"ref=net,immutable"`
	Token string `json:"token" sync:"sensitive"`
	Hint  string `json:"hint" sync:"unmanaged"`
}

// pieceKind is a kind of piece: what its Handler is able to do, and what it refers
// to.
type pieceKind struct {
	name string
	// handler is nil for what the backend itself stores.
	handler     func(*World) tusync.Handler
	finds       bool // the handler looks things up by their keys
	createFirst bool
	deploys     bool
	protected   bool
	link, base  string // the kinds that Link and Base refer to; empty: they are plain text
}

// pieceKinds are all kinds of pieces: a Handler with each set of abilities, replaced
// either way, and the backend itself.
func pieceKinds() []pieceKind {
	return []pieceKind{
		{name: "net", handler: (*World).Finding, finds: true},
		{name: "disk", handler: (*World).Idempotent, link: "net", base: "net"},
		{name: "vm", handler: (*World).Idempotent, createFirst: true, link: "disk", base: "net"},
		{name: "lb", handler: (*World).Finding, finds: true, createFirst: true, link: "vm", base: "vm"},
		{name: "cert", handler: (*World).Handler, link: "net", base: "disk"},
		{name: "note", link: "net", base: "disk"},
		{name: "app", handler: (*World).Idempotent, deploys: true, link: "note", base: "disk"},
		{name: "vault", handler: (*World).Finding, finds: true, protected: true, link: "net"},
	}
}

func pieceKindOf(name string) pieceKind {
	all := pieceKinds()
	return all[slices.IndexFunc(all, func(k pieceKind) bool { return k.name == name })]
}

// observes tells whether the kind's Handler can read things.
func (k pieceKind) observes() bool { return k.handler != nil && k.name != "cert" }

// makeKinds makes the kinds of pieces that a process acts on in a world.
func (p *program) makeKinds(world *World, batch int) *tusync.KindSet {
	var kinds []tusync.Kind
	for _, k := range pieceKinds() {
		kind := tusync.Define[piece](k.name)
		kind.Schema.Field("link").Ref, kind.Schema.Field("base").Ref = k.link, k.base
		kind.CreateFirst, kind.Protected, kind.Batch = k.createFirst, k.protected, batch
		if k.handler == nil && p.onlyOwnKinds {
			k.handler = (*World).Idempotent
		}
		if k.handler != nil {
			kind.Handler = &halfway{k.handler(world), p}
		}
		if k.deploys {
			kind.Deployer = &deployer{p}
		}
		kinds = append(kinds, kind)
	}
	return tusync.Kinds(kinds...)
}

// pieceOf reads a piece from a Config.
func pieceOf(config json.RawMessage) (piece, error) {
	var p piece
	if len(config) == 0 {
		return p, nil
	}
	return p, json.Unmarshal(config, &p)
}
