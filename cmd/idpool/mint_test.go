package main

import (
	"context"
	"net/http"

	"idpool/internal/client"
)

// mintToken has a test identity provider sign a token, as the transcript does.
func mintToken(issuer, sub string) (string, error) {
	w := &walk{dev: &dev{issuer: issuer}, api: &client.Client{HTTP: http.DefaultClient}}
	return w.token(context.Background(), sub)
}
