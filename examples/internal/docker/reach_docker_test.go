//go:build docker

package docker_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"io"
	"math/big"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/trueup-go/trueup/examples/internal/docker"
	"github.com/trueup-go/trueup/examples/internal/docker/dockertest"
	"github.com/trueup-go/trueup/state"
	tusync "github.com/trueup-go/trueup/sync"
)

// reached deploys a container and a stack through another address of the engine:
// the one is the API's, the other one the docker command's.
func reached(t *testing.T, address string, opts *docker.Options) {
	t.Helper()
	s := newStack(t, "web")
	engine, err := docker.Open(address, opts)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, engine.Close()) })
	require.NoError(t, engine.Ping(t.Context()))
	s.engine = engine
	require.NoError(t, s.deploy("1"))
	require.Equal(t, state.Sum([]byte("1")), s.world.health().Running)
	s.docker("rm", "--force", s.host.Name+"-web")
	require.NoError(t, s.up("1"))
	require.Equal(t, state.Sum([]byte("1")), s.becomes(tusync.Healthy, s.health).Running)
}

func TestReach_TLS(t *testing.T) {
	t.Parallel()
	ca := newAuthority(t)
	address := tlsFront(t, ca)
	reached(t, address, &docker.Options{CertDir: ca.directory(t)})

	other := newAuthority(t)
	engine, err := docker.Open(address, &docker.Options{CertDir: other.directory(t)})
	require.NoError(t, err)
	require.ErrorContains(t, engine.Ping(t.Context()), "certificate")
}

func TestReach_SSH(t *testing.T) {
	reached(t, sshd(t), nil)
}

func TestReach_Nobody(t *testing.T) {
	t.Parallel()
	address := "unix://" + filepath.Join(t.TempDir(), "none.sock")
	engine, err := docker.Open(address, nil)
	require.NoError(t, err)
	require.ErrorContains(t, engine.Ping(t.Context()), address)
	h := engine.ContainerHealth(t.Context(), state.Scope{Org: "a", App: "b"}, []state.Key{{Kind: "a", Name: "b"}, {Kind: "a", Name: "c"}})
	require.Len(t, h, 2)
	require.ErrorContains(t, h[0].Err, address)
	require.ErrorContains(t, h[1].Err, address)
}

// Whoever doesn't listen may do so soon: it is tried again.
func TestReach_Refused(t *testing.T) {
	t.Parallel()
	engine, err := docker.Open("tcp://127.0.0.1:"+freePort(t), nil)
	require.NoError(t, err)
	mark := docker.Mark{Scope: state.Scope{Org: "a", App: "b"}, Key: state.Key{Kind: "a", Name: "b"}}
	for name, err := range map[string]error{
		"ping":   engine.Ping(t.Context()),
		"deploy": engine.DeployContainer(t.Context(), mark, &docker.ContainerSpec{Name: "web", Image: "web"}),
		"health": engine.ContainerHealth(t.Context(), mark.Scope, []state.Key{mark.Key})[0].Err,
	} {
		require.ErrorContains(t, err, "Cannot connect", name)
		require.True(t, tusync.Retryable(err), name)
	}
}

// tlsFront listens in front of the engine, for those with a certificate.
func tlsFront(t *testing.T, ca *authority) string {
	t.Helper()
	listener, err := tls.Listen("tcp", "127.0.0.1:0", &tls.Config{
		Certificates: []tls.Certificate{ca.certificate(t)}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: ca.pool(),
	})
	require.NoError(t, err)
	var conns sync.WaitGroup
	conns.Go(func() {
		for {
			front, err := listener.Accept()
			if err != nil {
				return
			}
			conns.Go(func() { forward(front) })
		}
	})
	t.Cleanup(func() {
		require.NoError(t, listener.Close())
		conns.Wait()
	})
	return "tcp://" + listener.Addr().String()
}

func forward(front net.Conn) {
	defer func() { _ = front.Close() }()
	back, err := net.Dial("unix", strings.TrimPrefix(dockertest.Address(), "unix://"))
	if err != nil {
		return
	}
	defer func() { _ = back.Close() }()
	var ways sync.WaitGroup
	ways.Go(func() {
		_, _ = io.Copy(back, front)
		_ = back.(*net.UnixConn).CloseWrite()
	})
	_, _ = io.Copy(front, back)
	_ = front.Close()
	ways.Wait()
}

// An authority signs the certificates of a test.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return &authority{cert, key}
}

func (a *authority) pool() *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.cert)
	return pool
}

// certificate is one for a server or a client, on this machine.
func (a *authority) certificate(t *testing.T) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(2), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, a.cert, key.Public(), a.key)
	require.NoError(t, err)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// directory is what docker has in DOCKER_CERT_PATH.
func (a *authority) directory(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cert := a.certificate(t)
	key, err := x509.MarshalPKCS8PrivateKey(cert.PrivateKey)
	require.NoError(t, err)
	for name, block := range map[string]*pem.Block{
		"ca.pem":   {Type: "CERTIFICATE", Bytes: a.cert.Raw},
		"cert.pem": {Type: "CERTIFICATE", Bytes: cert.Certificate[0]},
		"key.pem":  {Type: "PRIVATE KEY", Bytes: key},
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), pem.EncodeToMemory(block), 0o600))
	}
	return dir
}

// sshd starts an SSH server for this test, and puts an ssh into PATH that can log
// in there.
func sshd(t *testing.T) string {
	t.Helper()
	const program = "/usr/sbin/sshd"
	require.FileExists(t, program, "this test needs OpenSSH's server: apt-get install openssh-server")
	ssh, err := exec.LookPath("ssh")
	require.NoError(t, err)
	me, err := user.Current()
	require.NoError(t, err)
	dir := t.TempDir()
	for _, name := range []string{"host", "user"} {
		out, err := exec.CommandContext(t.Context(), "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", filepath.Join(dir, name)).CombinedOutput()
		require.NoError(t, err, "%s", out)
	}
	port := freePort(t)
	write := func(name, text string, mode os.FileMode) {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(text), mode))
	}
	write("sshd_config", fmt.Sprintf("HostKey %s/host\nAuthorizedKeysFile %s/user.pub\nStrictModes no\nUsePAM no\nPidFile none\nListenAddress 127.0.0.1:%s\n", dir, dir, port), 0o600)
	write("ssh_config", fmt.Sprintf("Host *\nIdentityFile %s/user\nUserKnownHostsFile %s/known\nStrictHostKeyChecking accept-new\n", dir, dir), 0o600)
	write("ssh", fmt.Sprintf("#!/bin/sh\nexec %s -F %s/ssh_config \"$@\"\n", ssh, dir), 0o700)
	t.Setenv("PATH", dir+":"+os.Getenv("PATH"))

	if me.Uid == "0" {
		require.NoError(t, os.MkdirAll("/run/sshd", 0o755)) // where it asks for it, as root
	}
	var said bytes.Buffer
	server := exec.CommandContext(t.Context(), program, "-D", "-e", "-f", filepath.Join(dir, "sshd_config"))
	server.Stderr = &said
	require.NoError(t, server.Start())
	t.Cleanup(func() {
		_ = server.Wait() // the test's context has ended it
		if t.Failed() {
			t.Log("sshd: " + said.String())
		}
	})
	w := &world{T: t}
	w.until(func() bool {
		conn, err := net.Dial("tcp", "127.0.0.1:"+port)
		if err == nil {
			_ = conn.Close()
		}
		return err == nil
	}, "sshd doesn't listen")
	return "ssh://" + me.Username + "@127.0.0.1:" + port
}

func freePort(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	defer func() { _ = listener.Close() }()
	_, port, err := net.SplitHostPort(listener.Addr().String())
	require.NoError(t, err)
	return port
}
