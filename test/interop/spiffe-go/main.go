// Reads SVIDs and trust bundles with go-spiffe and crypto/x509; cases as JSON on stdin, one JSON line for each of them and
// each reader on stdout.
package main

import (
	"crypto/x509"
	"encoding/json"
	"encoding/pem"
	"errors"
	"os"
	"time"

	"github.com/spiffe/go-spiffe/v2/bundle/spiffebundle"
	"github.com/spiffe/go-spiffe/v2/spiffeid"
	"github.com/spiffe/go-spiffe/v2/svid/jwtsvid"
	"github.com/spiffe/go-spiffe/v2/svid/x509svid"
)

type testCase struct {
	Name, Kind, TrustDomain, Bundle, Chain, Token, Audience string
	At                                                      int64
}

type told struct {
	Name     string  `json:"name"`
	Reader   string  `json:"reader"`
	SpiffeID *string `json:"spiffeId"`
	Detail   string  `json:"detail"`
}

func main() {
	var cases []testCase
	if err := json.NewDecoder(os.Stdin).Decode(&cases); err != nil {
		panic(err)
	}
	out := json.NewEncoder(os.Stdout)
	for _, each := range cases {
		readers := map[string]func(testCase) (string, error){"go-spiffe": bySpiffe}
		if each.Kind == "x509" {
			readers["crypto/x509"] = byStandardLibrary
		}
		for name, read := range readers {
			line := told{Name: each.Name, Reader: name}
			if id, err := read(each); err != nil {
				line.Detail = err.Error()
			} else {
				line.SpiffeID = &id
			}
			if err := out.Encode(line); err != nil {
				panic(err)
			}
		}
	}
}

func bundleOf(each testCase) (*spiffebundle.Bundle, error) {
	trustDomain, err := spiffeid.TrustDomainFromString(each.TrustDomain)
	if err != nil {
		return nil, err
	}
	bundle, err := spiffebundle.Parse(trustDomain, []byte(each.Bundle))
	if err != nil {
		return nil, err
	}
	if sequence, ok := bundle.SequenceNumber(); !ok || sequence == 0 {
		return nil, errors.New("the bundle has no sequence")
	}
	if hint, ok := bundle.RefreshHint(); !ok || hint <= 0 {
		return nil, errors.New("the bundle has no refresh hint")
	}
	return bundle, nil
}

func bySpiffe(each testCase) (string, error) {
	bundle, err := bundleOf(each)
	if err != nil {
		return "", err
	}
	if each.Kind == "jwt" {
		svid, err := jwtsvid.ParseAndValidate(each.Token, bundle, []string{each.Audience})
		if err != nil {
			return "", err
		}
		return svid.ID.String(), nil
	}
	var raw [][]byte
	for _, certificate := range chainOf(each.Chain) {
		raw = append(raw, certificate)
	}
	id, _, err := x509svid.ParseAndVerify(raw, bundle, x509svid.WithTime(time.Unix(each.At, 0)))
	if err != nil {
		return "", err
	}
	return id.String(), nil
}

// As a TLS server and a TLS client verify their peer, but for the host name.
func byStandardLibrary(each testCase) (string, error) {
	bundle, err := bundleOf(each)
	if err != nil {
		return "", err
	}
	roots, between := x509.NewCertPool(), x509.NewCertPool()
	for _, root := range bundle.X509Authorities() {
		roots.AddCert(root)
	}
	var leaf *x509.Certificate
	for at, raw := range chainOf(each.Chain) {
		certificate, err := x509.ParseCertificate(raw)
		if err != nil {
			return "", err
		}
		if at == 0 {
			leaf = certificate
		} else {
			between.AddCert(certificate)
		}
	}
	if leaf == nil || len(leaf.URIs) != 1 {
		return "", errors.New("the leaf has not one URI")
	}
	for _, usage := range []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth} {
		options := x509.VerifyOptions{
			Roots: roots, Intermediates: between, CurrentTime: time.Unix(each.At, 0), KeyUsages: []x509.ExtKeyUsage{usage},
		}
		if _, err := leaf.Verify(options); err != nil {
			return "", err
		}
	}
	return leaf.URIs[0].String(), nil
}

func chainOf(text string) [][]byte {
	var chain [][]byte
	for block, rest := pem.Decode([]byte(text)); block != nil; block, rest = pem.Decode(rest) {
		chain = append(chain, block.Bytes)
	}
	return chain
}
