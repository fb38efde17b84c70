package wire

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"runtime"
	"sync"

	"github.com/trueup-go/trueup/state"
)

// chunk is some of the lines with resources, and what they hold.
type chunk struct {
	first int // the number of the first line, from 1
	text  []byte
	read  []state.Resource
	err   error
}

// chunkSize is how many bytes of lines are worth a goroutine.
const chunkSize = 64 << 10

// readResources reads the lines that are left, a resource each: they are decoded while
// the next ones arrive. It takes memory for what has come, whatever was announced.
func readResources(lines *bufio.Reader) ([]state.Resource, error) {
	var group sync.WaitGroup
	defer group.Wait()
	var chunks []*chunk
	atOnce := make(chan struct{}, runtime.GOMAXPROCS(0))
	for n, more := 1, true; more; {
		c := &chunk{first: n, text: make([]byte, 0, chunkSize+chunkSize/8)}
		for more && len(c.text) < chunkSize {
			line, err := ReadLine(lines)
			if err != nil && !errors.Is(err, io.EOF) {
				return nil, err
			}
			if more = err == nil; more {
				c.text = append(append(c.text, bytes.TrimSuffix(line, []byte("\n"))...), '\n')
				n++
			}
		}
		chunks = append(chunks, c)
		atOnce <- struct{}{}
		group.Go(func() {
			c.decode()
			<-atOnce
		})
	}
	group.Wait()
	var all []state.Resource
	for _, c := range chunks {
		if c.err != nil {
			return nil, c.err
		}
		all = append(all, c.read...)
	}
	return all, nil
}

func (c *chunk) decode() {
	for line := range bytes.Lines(c.text) {
		var one state.Resource
		if err := one.UnmarshalJSON(line[:len(line)-1]); err != nil {
			c.err = fmt.Errorf("resource %d: %w", c.first+len(c.read), err)
			return
		}
		c.read = append(c.read, one)
	}
}
