package manifest_test

import (
	"strings"
	"testing"
	"testing/fstest"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/sync/manifest"
)

const tidy = `# Servers.
[[server]]
name = "web"
tags = ["a", "b"]
description = """
A text that looks like a file:
[[server]]
name = "x"
[server.config]
size = "5"
"""

[server.config]
address = "10.0.0.1" # a comment
size = 5
zones = [
  "a", # [
  "b",
]

[[network]]
name = "private"
after = ["server/web"]
[network.config]
range = '''
#!/bin/sh
if [[ -f x ]]; then
a="b"
fi
'''

[[server]]
name = "db"
config = { address = "x", zones = [ "z" ] }

[[free]]
name = "free"
[free.config]
a.b.c = 1
[free.config.d]
e = { f = [ { g = 1 } ] }
`

// One character too few is one mistake: what follows from it isn't reported.
func TestOneSlipIsOneMistake(t *testing.T) {
	t.Parallel()
	for i := range len(tidy) {
		if strings.IndexByte(`"'[]{}=,#`, tidy[i]) < 0 {
			continue
		}
		slip := tidy[:i] + tidy[i+1:]
		_, err := manifest.Load(fstest.MapFS{"a.toml": {Data: []byte(slip)}}, testKinds(), nil)
		if err != nil {
			line := strings.Count(slip[:i], "\n")
			require.NotContains(t, err.Error(), "\n", "line %d became\n%s", line+1, strings.Split(slip, "\n")[line])
		}
	}
}
