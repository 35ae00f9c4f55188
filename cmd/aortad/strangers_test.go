package main_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"aorta/internal/pki"
	"aorta/internal/testkit"
	names "aorta/pacemaker/cluster"
	"aorta/web/client"
)

// keyIn reads a private key.
func keyIn(tb testing.TB, path string) *ecdsa.PrivateKey {
	tb.Helper()
	raw, err := os.ReadFile(path)
	testkit.Must(tb, err)
	block, _ := pem.Decode(raw)
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	testkit.Must(tb, err)
	return key.(*ecdsa.PrivateKey)
}

// certIn reads a certificate.
func certIn(tb testing.TB, path string) *x509.Certificate {
	tb.Helper()
	raw, err := os.ReadFile(path)
	testkit.Must(tb, err)
	cert, err := pki.ParseCertificate(raw)
	testkit.Must(tb, err)
	return cert
}

// signedFor has the cluster's authority sign a key for some time.
func (c *cluster) signedFor(id names.ID, key *ecdsa.PrivateKey, from, to time.Time) []byte {
	c.tb.Helper()
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: string(id)}, NotBefore: from, NotAfter: to,
		KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, certIn(c.tb, c.dir+"/data/pki/ca.crt"), key.Public(), keyIn(c.tb, c.dir+"/data/pki/ca.key"))
	testkit.Must(c.tb, err)
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// helloAs says hello to the nodes' API as a node, with a key and what certifies it.
func (c *cluster) helloAs(id names.ID, key *ecdsa.PrivateKey, cert []byte) error {
	c.tb.Helper()
	authority, err := os.ReadFile(c.dir + "/data/pki/ca.crt")
	testkit.Must(c.tb, err)
	trust, err := pki.Trust(authority)
	testkit.Must(c.tb, err)
	leaf, err := pki.ParseCertificate(cert)
	testkit.Must(c.tb, err)
	trust.Certificates = []tls.Certificate{{Certificate: [][]byte{leaf.Raw}, PrivateKey: key}}
	n, err := client.NewNode([]string{c.nodeURL()}, string(id), trust)
	testkit.Must(c.tb, err)
	defer n.Close()
	_, err = n.Hello(context.Background(), names.Hello{Session: "stranger", Hostname: "h", Place: "p", Pid: 1, Roles: []names.Role{names.RoleRouter}})
	return err
}

// Who shows another authority's certificate, or one of a key that is in the cluster no
// more or never was, opens nothing, whatever id is in it.
func TestNodes_StrangersOpenNothing(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	removed, stays := c.join("n2", "router", c.nodeURL()), c.join("n3", "router", c.nodeURL())
	gone, id := names.ID(c.nodeNamed("n2").ID), names.ID(c.nodeNamed("n3").ID)
	key := keyIn(t, removed.dir+"/data/node/node.key")
	cert, err := os.ReadFile(removed.dir + "/data/node/node.crt")
	testkit.Must(t, err)
	c.aorta("nodes", "remove", "n2")
	other, err := pki.Open(filepath.Join(t.TempDir(), "pki"), true)
	testkit.Must(t, err)
	own, err := pki.NewKey()
	testkit.Must(t, err)
	forged, err := other.Node(string(id), own.Public())
	testkit.Must(t, err)
	now := time.Now()

	for what, err := range map[string]error{
		"another authority's":           c.helloAs(id, own, forged),
		"a removed node's":              c.helloAs(gone, key, cert),
		"a removed node's, for another": c.helloAs(id, key, cert),
		"a key that nobody knows":       c.helloAs(id, own, c.signedFor(id, own, now.Add(-time.Hour), now.Add(time.Hour))),
		"one key with another's id":     c.helloAs(id, key, c.signedFor(id, key, now.Add(-time.Hour), now.Add(time.Hour))),
	} {
		if err == nil || names.CodeOf(err) == names.CodeUnavailable {
			t.Errorf("%s certificate: got %v, want it refused", what, err)
		}
	}

	if n := c.nodeNamed("n3"); n.State != "ready" || stays.ended() {
		t.Errorf("got %+v, want the true n3 at work", n)
	}
}

// A key that the cluster knows renews a certificate that is out of its time, by whichever
// clock: the node goes on as it was.
func TestNodes_AKnownKeyRenewsWhatHasExpired(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	n := c.join("n2", "router", c.nodeURL())
	id, file := names.ID(c.nodeNamed("n2").ID), n.dir+"/data/node/node.crt"
	key := keyIn(t, n.dir+"/data/node/node.key")

	for what, years := range map[string]int{"of years ago": -3, "of years ahead": 3} {
		n.term()
		from := time.Now().AddDate(years, 0, 0)
		testkit.Must(t, os.WriteFile(file, c.signedFor(id, key, from, from.AddDate(0, 3, 0)), 0o600))
		n.start()

		if now, cert := time.Now(), certIn(t, file); now.Before(cert.NotBefore) || now.After(cert.NotAfter) {
			t.Errorf("%s: got one from %v to %v, want it renewed", what, cert.NotBefore, cert.NotAfter)
		}
		if got := c.nodeNamed("n2"); got.State != "ready" || got.ID != string(id) {
			t.Errorf("%s: got %+v, want n2 ready as before", what, got)
		}
	}

	n.term()
	from := time.Now().AddDate(-3, 0, 0)
	if err := c.helloAs(id, key, c.signedFor(id, key, from, from.AddDate(0, 3, 0))); err == nil {
		t.Error("what has expired opened a session, want it renewed first")
	}
	testkit.Eventually(t, "status to say why n2 is not heard", func() bool {
		said := strings.Join(strings.Fields(c.run(c.dir, "aorta", "status").out), " ") // in lines of a terminal's width
		return strings.Contains(said, "it is refused when it comes (the node's certificate has expired")
	})
}

// The first answer to a join is lost after the node was entered: it is asked for again,
// and the machine is one node.
func TestJoin_AnAnswerThatIsCutOffIsAskedForAgain(t *testing.T) {
	t.Parallel()
	c := newCluster(t)
	token := c.joinToken("--roles", "router")
	n := c.machine()
	at, cut := deaf(t, strings.TrimPrefix(c.nodeURL(), "https://"))
	n.flags = append(n.joinFlags("https://"+at, token), "--node-name", "n2")

	n.start()

	if !cut.Load() {
		t.Error("the first answer was not cut off")
	}
	if list := c.nodes(); len(list) != 2 || c.nodeNamed("n2").State != "ready" {
		t.Errorf("got the nodes %+v, want n2 once", list)
	}
}
