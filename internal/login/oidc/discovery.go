package oidc

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"idpool/internal/fetch"

	"idpool/internal/strictjson"
)

const wellKnown = "/.well-known/openid-configuration"

// fetchSet loads the issuer's keys: its discovery document, then the key set that this one names. Both come through the
// fetcher, so a jwks_uri on another host is held to the same rules. It never panics, whatever the issuer sends: nobody
// above this goroutine would recover.
func (s *source) fetchSet(ctx context.Context, now time.Time) (set *keySet, report Load) {
	report.Issuer = s.id.issuer
	defer func() {
		if v := recover(); v != nil {
			set, report.Err = nil, fmt.Errorf("panic while reading the issuer's keys: %v", v)
		}
	}()
	doc, err := s.document(ctx)
	if err != nil {
		report.Err = err
		return nil, report
	}
	keys, dropped, err := parseKeys(doc.Body)
	report.Dropped, report.Keys, report.Err = dropped, len(keys), err
	if err != nil {
		return nil, report
	}
	return newKeySet(keys, dropped, now, doc.MaxAge, s.jitter()), report
}

// document returns the issuer's key set as it is published, or as it is at hand.
func (s *source) document(ctx context.Context) (*fetch.Document, error) {
	if s.file != nil {
		body, err := s.file()
		if err != nil {
			return nil, fmt.Errorf("the key set: %w", err)
		}
		return &fetch.Document{Body: body}, nil
	}
	keysURL, err := s.discover(ctx)
	if err != nil {
		return nil, err
	}
	doc, err := s.fetcher.Get(ctx, keysURL)
	if err != nil {
		return nil, fmt.Errorf("the key set: %w", err)
	}
	return doc, nil
}

// discover returns the URL of the issuer's key set: the configured one, or that of the discovery document (OpenID Connect
// Discovery §4).
func (s *source) discover(ctx context.Context) (string, error) {
	if s.id.keysURL != "" {
		return s.id.keysURL, nil
	}
	doc, err := s.fetcher.Get(ctx, strings.TrimSuffix(s.id.issuer, "/")+wellKnown)
	if err != nil {
		return "", fmt.Errorf("the discovery document: %w", err)
	}
	all, err := strictjson.Object(doc.Body)
	if err != nil {
		return "", fmt.Errorf("the discovery document is %w", err)
	}
	if all["issuer"] != s.id.issuer {
		return "", errors.New("the discovery document is of another issuer")
	}
	uri, ok := all["jwks_uri"].(string)
	if !ok || uri == "" {
		return "", errors.New("the discovery document names no key set")
	}
	return uri, nil
}
