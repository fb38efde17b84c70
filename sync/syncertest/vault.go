package syncertest

import (
	"fmt"

	tusync "github.com/trueup-go/trueup/sync"
	"github.com/trueup-go/trueup/sync/internal/canary"
)

// vault has every sort of sensitive field, wherever there can be one.
type vault struct {
	Note     string
	Region   string        `sync:"immutable"`
	Text     string        `sync:"sensitive"`
	Quoted   tusync.Secret // as a text that has to be escaped everywhere
	Short    tusync.Secret
	Pin      int               `sync:"sensitive"`
	Ratio    float64           `sync:"sensitive"`
	List     []string          `sync:"sensitive"`
	Tokens   []tusync.Secret   `toml:"tokens"`
	Map      map[string]string `sync:"sensitive"`
	ByName   map[string]tusync.Secret
	Login    login `sync:"sensitive"`
	Any      any   `sync:"sensitive"`
	Users    []login
	Teams    map[string][]login
	Optional *tusync.Secret
}

// login has a sensitive field inside.
type login struct {
	User     string
	Password tusync.Secret
	Recovery []string `sync:"sensitive"`
}

// secret returns the nth sensitive text of a version: one that nothing else has.
func secret(version, n int) string {
	return fmt.Sprintf("%s-%d-%d", canary.Value(), version, n)
}

// quotedSecret has to be escaped wherever it is written.
func quotedSecret(version int) string {
	return "pä\"ss\\wörd <&> 🔑\n'" + secret(version, 0) + "'\t%s\n"
}

// shortSecret has three bytes, too few to be looked for in running text.
func shortSecret(version int) string { return string(rune('⚀' + version%64)) }

func secretNumber(version int) int { return 9182736450000 + version }

func secretRatio(version int) float64 { return 918273.645 + float64(version)*1e-5 }

// newVault returns a vault with the secrets of a version.
func newVault(version int) vault {
	text := func(n int) string { return secret(version, n) }
	hidden := func(n int) tusync.Secret { return tusync.Secret(text(n)) }
	optional := hidden(1)
	return vault{
		Note: fmt.Sprintf("version %d", version), Region: "here", Text: text(2), Quoted: tusync.Secret(quotedSecret(version)),
		Short: tusync.Secret(shortSecret(version)), Pin: secretNumber(version), Ratio: secretRatio(version),
		List: []string{text(3), shortSecret(version)}, Tokens: []tusync.Secret{hidden(4), hidden(5)},
		Map: map[string]string{"key": text(6), text(7): "name"}, ByName: map[string]tusync.Secret{"a b": hidden(8)},
		Login: login{User: text(9), Password: hidden(10)}, Any: map[string]any{"deep": []any{text(11), secretNumber(version)}},
		Users:    []login{{User: "ada", Password: hidden(12), Recovery: []string{text(13)}}, {User: "bob", Password: hidden(14)}},
		Teams:    map[string][]login{"red": {{User: "eve", Password: hidden(15)}}},
		Optional: &optional,
	}
}

// secretsOf returns what must not be found of so many versions: what all texts have
// in them, and everything else.
func secretsOf(versions int) *canary.Set {
	values := []string{canary.Value()}
	for version := range versions {
		values = append(values, shortSecret(version), fmt.Sprint(secretNumber(version)), fmt.Sprint(secretRatio(version)))
	}
	return canary.New(values...)
}
