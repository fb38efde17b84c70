package state_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/trueup-go/trueup/state"
)

// What means the same is written the same.
func ExampleCanonical() {
	for _, raw := range []string{`{"b": 1.0, "a": "\u00e9"}`, `{"a":"é","b":10e-1}`} {
		canonical, err := state.Canonical(json.RawMessage(raw))
		fmt.Println(string(canonical), err)
	}
	_, err := state.Canonical(json.RawMessage(`{"a":1,"a":2}`))
	fmt.Println(err)
	// Output:
	// {"a":"é","b":1} <nil>
	// {"a":"é","b":1} <nil>
	// byte 13: the member "a" stands twice
}

// The order of sets and the spacing of a Config change nothing; a value does.
func ExampleResource_Checksum() {
	web := state.Resource{
		Key:  state.Key{Kind: "server", Name: "web"},
		Tags: []string{"public", "eu"}, Config: json.RawMessage(`{"size": 2}`),
	}
	same := web
	same.Tags, same.Config = []string{"eu", "public", "eu"}, json.RawMessage(`{ "size" : 2.0 }`)
	larger := web
	larger.Config = json.RawMessage(`{"size": 3}`)
	a, errA := web.Checksum()
	b, errB := same.Checksum()
	c, errC := larger.Checksum()
	fmt.Println(a == b, a == c, errors.Join(errA, errB, errC))
	// Output:
	// true false <nil>
}

// A checksum is a value with a text.
func ExampleParseChecksum() {
	sum, err := state.ParseChecksum("sha256:2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae")
	fmt.Println(sum == state.Sum([]byte("foo")), err)
	_, err = state.ParseChecksum("md5:acbd18db4cc2f85cedef654fccc4a4d8")
	fmt.Println(err)
	// Output:
	// true <nil>
	// checksum "md5:acbd18db4cc2f85cedef654fccc4a4d8": unknown algorithm "md5"; a newer version may know it
}

// A State is readable JSON, a record to a line. One that was changed is refused,
// and the error names the record.
func ExampleDecode() {
	s := state.State{
		Head:    state.Head{Scope: state.Scope{Org: "acme", App: "shop"}, Serial: 1},
		Records: []state.Record{{Key: state.Key{Kind: "server", Name: "web"}, ID: "s-1"}},
	}
	var file strings.Builder
	if err := s.Encode(&file); err != nil {
		fmt.Println(err)
	}
	read, err := state.Decode(strings.NewReader(file.String()))
	fmt.Println(read.Records[0].Key, read.Serial, err)
	_, err = state.Decode(strings.NewReader(strings.Replace(file.String(), "s-1", "s-2", 1)))
	var changed *state.ChecksumError
	fmt.Println(errors.As(err, &changed), changed.Key)
	_, err = state.Decode(strings.NewReader(strings.Replace(file.String(), `"v1"`, `"v9"`, 1)))
	fmt.Println(errors.Is(err, state.ErrNewerVersion))
	// Output:
	// server/web 1 <nil>
	// true server/web
	// true
}

// A delta holds what a commit changes, and leads from one State to the next.
func ExampleDelta_Apply() {
	web := state.Record{Key: state.Key{Kind: "server", Name: "web"}, ID: "s-1"}
	db := state.Record{Key: state.Key{Kind: "server", Name: "db"}, ID: "s-2"}
	head, err := state.Seal(state.Head{Serial: 2}, []state.Record{db})
	if err != nil {
		fmt.Println(err)
	}
	delta := state.Delta{Head: head, Records: []state.Record{db}, Dropped: []state.Key{web.Key}}
	after, err := delta.Apply([]state.Record{web})
	fmt.Println(len(after), after[0].Key, err)
	// Output:
	// 1 server/db <nil>
}

// A commit is verified by what it changes, without the other records.
func ExampleTally() {
	var tally state.Tally
	was, err := (&state.Record{Key: state.Key{Kind: "server", Name: "web"}, ID: "s-1"}).Part()
	if err != nil {
		fmt.Println(err)
	}
	tally.Swap(state.Part{}, was)
	first := tally.Seal(state.Head{Serial: 1})
	is, err := (&state.Record{Key: state.Key{Kind: "server", Name: "web"}, ID: "s-2"}).Part()
	if err != nil {
		fmt.Println(err)
	}
	tally.Swap(was, is)
	second := tally.Seal(state.Head{Serial: 2})
	fmt.Println(second.Records, tally.Fits(&second))
	var other *state.ChecksumError
	fmt.Println(errors.As(tally.Fits(&first), &other), other.Want == first.Root, other.Got == second.Root)
	// Output:
	// 1 <nil>
	// true true true
}

// The members of a canonical object, without decoding it.
func ExampleMembers() {
	for name, value := range state.Members(json.RawMessage(`{"region":"eu","size":2}`)) {
		fmt.Fprintf(os.Stdout, "%s is %s\n", name, value)
	}
	// Output:
	// region is "eu"
	// size is 2
}

// Identities come from what they identify, not from when or where.
func ExampleDeriveID() {
	fmt.Println(state.DeriveID("resource", "acme", "shop", "server", "web", "1"))
	fmt.Println(state.DeriveID("resource", "acme", "shop", "server", "web", "1"))
	// Output:
	// aodsivcndwzjigugxr65jgjdda
	// aodsivcndwzjigugxr65jgjdda
}

// A key as it is written.
func ExampleParseKey() {
	key, err := state.ParseKey("component/api")
	fmt.Println(key.Kind, key.Name, err)
	_, err = state.ParseKey("api")
	fmt.Println(err)
	// Output:
	// component api <nil>
	// key "api": want kind/name
}
