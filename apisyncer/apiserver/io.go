package apiserver

import (
	"bufio"
	"compress/gzip"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strings"

	"github.com/trueup-go/trueup/apisyncer/internal/wire"
)

// answer counts what is written.
type answer struct {
	http.ResponseWriter
	status int
	n      int64
}

// WriteHeader implements http.ResponseWriter.
func (a *answer) WriteHeader(status int) {
	if a.status == 0 {
		a.status = status
	}
	a.ResponseWriter.WriteHeader(status)
}

// Write implements http.ResponseWriter.
func (a *answer) Write(p []byte) (int, error) {
	if a.status == 0 {
		a.status = http.StatusOK
	}
	n, err := a.ResponseWriter.Write(p)
	a.n += int64(n)
	return n, err
}

// Unwrap is for http.ResponseController.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// counting counts what is read.
type counting struct {
	io.ReadCloser
	n int64
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.n += int64(n)
	return n, err
}

// fail answers with an error, unless an answer has begun.
func (x *exchange) fail(err error) {
	if x.w.status != 0 {
		return
	}
	x.w.Header().Del("Content-Encoding")
	problem(err).ServeHTTP(x.w, x.Request)
}

// read decodes the body: one JSON value.
func (x *exchange) read(into any) error {
	body, err := x.body()
	if err != nil {
		return err
	}
	return decode(body, into)
}

func decode(body io.Reader, into any) error {
	dec := json.NewDecoder(body)
	dec.DisallowUnknownFields()
	err := dec.Decode(into)
	if err == nil {
		if _, more := dec.Token(); more != io.EOF {
			err = errors.New("there is more after its end")
		}
	}
	var large *http.MaxBytesError
	if err == nil || errors.As(err, &large) {
		return err
	}
	return badRequest("the body: %v", err)
}

// body is the request's, decompressed.
func (x *exchange) body() (io.Reader, error) {
	switch x.Header.Get("Content-Encoding") {
	case "":
		return x.Body, nil
	case "gzip":
		return decompressed(x.Body, x.server.opts.MaxBody)
	}
	return nil, &refusal{http.StatusUnsupportedMediaType, "the body is compressed in a way that this server doesn't know: it knows gzip"}
}

func decompressed(body io.Reader, most int64) (io.Reader, error) {
	unzipped, err := gzip.NewReader(body)
	if err != nil {
		return nil, badRequest("the body: %v", err)
	}
	return http.MaxBytesReader(nil, io.NopCloser(unzipped), most), nil
}

// write answers with one JSON value.
func (x *exchange) write(value any) error {
	out, end := x.out("application/json")
	return errors.Join(json.NewEncoder(out).Encode(value), end())
}

// out returns where the answer goes, compressed if the client can read that, and what
// ends it.
func (x *exchange) out(contentType string) (out io.Writer, end func() error) {
	header := x.w.Header()
	header.Set("Content-Type", contentType)
	header.Set("Cache-Control", "no-store")
	header.Add("Vary", "Accept-Encoding")
	if !strings.Contains(x.Header.Get("Accept-Encoding"), "gzip") {
		return x.w, func() error { return nil }
	}
	header.Set("Content-Encoding", "gzip")
	zipped, _ := gzip.NewWriterLevel(x.w, gzip.BestSpeed) // there is such a level
	return zipped, zipped.Close
}

// stream answers with lines, of which the last one says whether all are there.
func (x *exchange) stream(lines func(yield func(*wire.Line) error) error) error {
	out, end := x.out("application/x-ndjson")
	buffered := bufio.NewWriterSize(out, 64<<10)
	var text []byte
	write := func(line *wire.Line) (err error) {
		if text, err = line.Append(text[:0]); err == nil {
			_, err = buffered.Write(text)
		}
		return err
	}
	n := 0
	err := lines(func(line *wire.Line) error {
		n++
		return write(line)
	})
	if err != nil && x.w.status == 0 && n == 0 {
		return err // as an answer of its own
	}
	last := &wire.Line{End: &n}
	if err != nil {
		last = &wire.Line{Problem: problem(err)}
	}
	return errors.Join(err, write(last), buffered.Flush(), end())
}
