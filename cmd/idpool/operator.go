package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"idpool/internal/client"
	"idpool/internal/sigv4"
)

// operator is how a subcommand reaches a running server as one who runs it. Whose key signs is said by the variables of
// AWS's own tools alone: a flag would be in everybody's list of processes.
type operator struct {
	Endpoint string `placeholder:"URL" help:"The server, such as https://id.example.com; default AWS_ENDPOINT_URL."`
	Region   string `placeholder:"NAME" help:"Its region; default AWS_REGION, else us-east-1."`
}

// call calls one of idpool's own operations.
func (o *operator) call(ctx context.Context, env *environment, operation string, in, out any) error {
	value := func(name string) string {
		v, _ := env.lookup(name)
		return v
	}
	api := &client.Client{
		Endpoint: orDefault(o.Endpoint, value("AWS_ENDPOINT_URL")),
		Region:   orDefault(o.Region, orDefault(value("AWS_REGION"), orDefault(value("AWS_DEFAULT_REGION"), "us-east-1"))),
		HTTP:     &http.Client{Timeout: 30 * time.Second}, Now: time.Now,
	}
	signer := &sigv4.Credentials{AccessKeyID: value("AWS_ACCESS_KEY_ID"), Secret: value("AWS_SECRET_ACCESS_KEY"), Token: value("AWS_SESSION_TOKEN")}
	if api.Endpoint == "" {
		return errors.New("give the server with --endpoint or AWS_ENDPOINT_URL")
	}
	if signer.AccessKeyID == "" || signer.Secret == "" {
		return errors.New("give an operator's key with AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY")
	}
	if err := api.Operate(ctx, operation, signer, in, out); err != nil {
		return fmt.Errorf("%s: %w", operation, err)
	}
	return nil
}

// moment is a time as AWS JSON has it: seconds since 1970.
type moment float64

func (m moment) String() string {
	return time.UnixMilli(int64(float64(m) * 1000)).UTC().Format(time.RFC3339)
}
