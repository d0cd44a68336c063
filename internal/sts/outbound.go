package sts

import (
	"context"
	"fmt"
	"io"
	"strconv"
	"time"

	"idpool/internal/arn"
	"idpool/internal/event"
	"idpool/internal/fault"
	"idpool/internal/issuer"
	"idpool/internal/operation"
)

// GetWebIdentityTokenInput asks for a token that says who the caller is, to a service that is not AWS.
type GetWebIdentityTokenInput struct {
	Audience         []string `shape:"webIdentityTokenAudienceListType,required"`
	DurationSeconds  *int64   `shape:"webIdentityTokenDurationSecondsType"`
	SigningAlgorithm *string  `shape:"jwtAlgorithmType,required"`
	Tags             []Tag    `shape:"tagListType"`
}

// GetWebIdentityTokenOutput carries it.
type GetWebIdentityTokenOutput struct {
	WebIdentityToken *string
	Expiration       *time.Time
}

// outboundDuration is that of a token for which none was asked (spec §1.3).
const outboundDuration = 5 * time.Minute

// GetWebIdentityToken signs a token about the caller with the keys of the outbound issuer. It never outlives the caller's
// session: what ends must not go on under another name.
func (s *Service) GetWebIdentityToken(_ context.Context, call *operation.Call, in *GetWebIdentityTokenInput) (*GetWebIdentityTokenOutput, error) {
	if !call.Snapshot.Settings().Outbound {
		return nil, fault.New(fault.OutboundDisabled, "The outbound web identity federation feature is not enabled for this account.")
	}
	issued := call.Now.UTC().Truncate(time.Second)
	expiry := issued.Add(seconds(in.DurationSeconds, outboundDuration))
	if own := call.Caller.Session; own != nil && expiry.After(own.Expires) {
		return nil, fault.New(fault.SessionDurationEscalation, "The requested token duration would extend the session beyond its original expiration time.")
	}
	tags, err := passedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	id, err := s.tokenID()
	if err != nil {
		return nil, err
	}
	token, err := issuer.SignOutbound(call.Snapshot.Keys, *in.SigningAlgorithm, &issuer.Outbound{
		Issuer: s.Issuer, Subject: call.Caller.PrincipalARN(), Audience: in.Audience, ID: id,
		Account: call.Snapshot.Account, Region: call.Snapshot.Region,
		PrincipalTags: call.Caller.Tags(), RequestTags: tags, Issued: issued, Expiry: expiry,
	})
	if err != nil {
		return nil, err
	}
	if err := call.Fresh(); err != nil {
		return nil, err
	}
	call.Event.Add(event.Step{Name: "mint", OK: true, Subject: call.Caller.PrincipalARN(), Found: "an outbound token until " + expiry.Format(time.RFC3339)})
	return &GetWebIdentityTokenOutput{WebIdentityToken: &token, Expiration: &expiry}, nil
}

// tokenID is a random id: a UUID.
func (s *Service) tokenID() (string, error) {
	var random [16]byte
	if _, err := io.ReadFull(s.Random, random[:]); err != nil {
		return "", fmt.Errorf("reading randomness: %w", err)
	}
	return arn.ID("", random)[1:], nil
}

// outboundTarget is no resource, with AWS's condition keys for what is asked for.
func outboundTarget(_ context.Context, _ *operation.Call, in *GetWebIdentityTokenInput) (operation.Target, error) {
	tags, err := passedTags(in.Tags)
	if err != nil {
		return nil, err
	}
	var out operation.Target
	for _, action := range []string{"sts:GetWebIdentityToken", "sts:TagGetWebIdentityToken"} {
		c := operation.Check{Action: action, Resource: "*"}
		for _, audience := range in.Audience {
			c.List("sts:IdentityTokenAudience", audience)
		}
		c.Set("sts:SigningAlgorithm", *in.SigningAlgorithm)
		c.Set("sts:DurationSeconds", strconv.FormatInt(int64(seconds(in.DurationSeconds, outboundDuration)/time.Second), 10))
		requestTags(&c, tags)
		out = append(out, c)
	}
	if len(tags) == 0 {
		out = out[:1]
	}
	return out, nil
}
