package operation

import (
	"context"
	"reflect"

	"idpool/internal/login"
	"idpool/internal/policy"
	"idpool/internal/session"
	"idpool/internal/shape"
)

// OwnClaims adds the condition keys that the claims of our own token make: aud, sub and amr.
func OwnClaims(k *policy.Context, poolID, identityID string, amr []string) {
	if identityID == "" {
		return
	}
	k.Set(login.OwnIssuer+":aud", poolID)
	k.Set(login.OwnIssuer+":sub", identityID)
	k.SetList(login.OwnIssuer+":amr", amr...)
}

// SAMLSubject adds the condition keys of an assertion that survive into a session.
func SAMLSubject(k *policy.Context, s session.SAML) {
	if s == (session.SAML{}) {
		return
	}
	k.Set("saml:sub", s.Subject)
	k.Set("saml:sub_type", s.SubjectType)
	k.Set("saml:namequalifier", s.NameQualifier)
}

// Access is who may call an operation.
type Access uint8

// The ways in.
const (
	// Anonymous operations take anyone; an Authorization header is not looked at.
	Anonymous Access = iota
	// Signed operations take everyone who signs, whatever policies say: sts:GetCallerIdentity.
	Signed
	// Authorised operations take who signs and whose policies allow the action on the target.
	Authorised
)

// Check is one question to the caller's policies.
type Check struct {
	Action   string // service:Operation
	Resource string // an ARN or "*"
	// Keys are condition keys of this check alone, each with its one value; Lists those with several.
	Keys  map[string]string
	Lists map[string][]string
	// Shown is the resource that the sentence of a denial shows, where it is another one.
	Shown string
	// Refusal replaces AWS's sentence for a denial; nil keeps it.
	Refusal error
	// Assumes is for sts:AssumeRole, and what goes with it, on a role: Trust is the role's trust policy, which takes part in
	// the decision. A nil Trust, where there is no such role, refuses, and nobody can tell that from the other refusals.
	Assumes bool
	Trust   *policy.Document
}

// List adds a value to a condition key that has several.
func (c *Check) List(key, value string) {
	if c.Lists == nil {
		c.Lists = map[string][]string{}
	}
	c.Lists[key] = append(c.Lists[key], value)
}

// Set gives a condition key its value.
func (c *Check) Set(key, value string) {
	if c.Keys == nil {
		c.Keys = map[string]string{}
	}
	c.Keys[key] = value
}

// Target is what a request concerns: the first check is the operation's own, with an action that the door fills in.
type Target []Check

// Row is one operation. Make it with one of the functions below.
type Row struct {
	Name   string
	Access Access
	// BodyOnly operations carry a token, which must not stand in a query, where proxies log it.
	BodyOnly bool
	// Writes is whether the operation changes configuration: its event is durable before the answer.
	Writes bool
	// OwnKey operations take users with a key of their own alone.
	OwnKey bool
	// OpenTo are the sessions that may call the operation although its service is Closed.
	OpenTo []session.Kind
	// In and Out are the shapes of the wire types; Out is nil for operations that answer nothing.
	In, Out *shape.Shape

	in     reflect.Type
	target func(context.Context, *Call, any) (Target, error)
	do     func(context.Context, *Call, any) (any, error)
}

// Nothing is the output of operations without one.
type Nothing struct{}

// Public returns the row of an anonymous operation.
func Public[In, Out any](table shape.Table, name string, do func(context.Context, *Call, *In) (*Out, error)) Row {
	return row(table, name, Anonymous, nil, do)
}

// WithSignature returns the row of an operation for everyone who signs.
func WithSignature[In, Out any](table shape.Table, name string, do func(context.Context, *Call, *In) (*Out, error)) Row {
	return row(table, name, Signed, nil, do)
}

// Reading returns the row of an operation that policies decide and that changes no configuration.
func Reading[In, Out any](table shape.Table, name string, target func(context.Context, *Call, *In) (Target, error), do func(context.Context, *Call, *In) (*Out, error)) Row {
	return row(table, name, Authorised, target, do)
}

// Writing returns the row of an operation that policies decide and that changes configuration.
func Writing[In, Out any](table shape.Table, name string, target func(context.Context, *Call, *In) (Target, error), do func(context.Context, *Call, *In) (*Out, error)) Row {
	r := row(table, name, Authorised, target, do)
	r.Writes = true
	return r
}

func row[In, Out any](table shape.Table, name string, access Access, target func(context.Context, *Call, *In) (Target, error), do func(context.Context, *Call, *In) (*Out, error)) Row {
	r := Row{
		Name: name, Access: access, In: shape.MustOf(table, reflect.TypeFor[In]()), in: reflect.TypeFor[In](),
		do: func(ctx context.Context, c *Call, in any) (any, error) { return do(ctx, c, in.(*In)) },
	}
	if reflect.TypeFor[Out]() != reflect.TypeFor[Nothing]() {
		r.Out = shape.MustOf(table, reflect.TypeFor[Out]())
	}
	if target != nil {
		r.target = func(ctx context.Context, c *Call, in any) (Target, error) { return target(ctx, c, in.(*In)) }
	}
	return r
}

// New returns an empty input.
func (r *Row) New() any { return reflect.New(r.in).Interface() }

// Target returns what the request concerns. Only for Authorised rows.
func (r *Row) Target(ctx context.Context, c *Call, in any) (Target, error) {
	return r.target(ctx, c, in)
}

// Do runs the operation.
func (r *Row) Do(ctx context.Context, c *Call, in any) (any, error) { return r.do(ctx, c, in) }

// Protocol is how a service is spoken to.
type Protocol uint8

// The protocols.
const (
	JSON  Protocol = iota // AWS JSON 1.1
	Query                 // AWS Query
)

// Service is a table of operations under one name.
type Service struct {
	// Name is the signing name and the prefix of its actions.
	Name     string
	Protocol Protocol
	// TargetPrefix is what precedes the operation in X-Amz-Target, for JSON.
	TargetPrefix string
	// Version and Namespace are the API version and the XML namespace, for Query.
	Version, Namespace string
	// Global services take signatures for any region: clients sign for the one that AWS keeps the service in.
	Global bool
	// Closed services are so to sessions that stand on a user, but for rows that are OpenTo them.
	Closed bool
	Rows   []Row
}
