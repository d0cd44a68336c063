package iam

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"idpool/internal/account"
	"idpool/internal/fault"
	op "idpool/internal/operation"
	"idpool/internal/policy"
	"idpool/internal/snapshot"
)

// SimulateCustomPolicyInput asks what policies that are sent along decide.
type SimulateCustomPolicyInput struct {
	PolicyInputList                    []string       `shape:"SimulationPolicyListType,required"`
	PermissionsBoundaryPolicyInputList []string       `shape:"SimulationPolicyListType"`
	ActionNames                        []string       `shape:"ActionNameListType,required"`
	ResourceArns                       []string       `shape:"ResourceNameListType"`
	ResourcePolicy                     *string        `shape:"policyDocumentType"`
	ResourceOwner                      *string        `shape:"ResourceNameType"`
	CallerArn                          *string        `shape:"ResourceNameType"`
	ContextEntries                     []ContextEntry ``
	ResourceHandlingOption             *string        `shape:"ResourceHandlingOptionType"`
	MaxItems                           *int64         `shape:"maxItemsType"`
	Marker                             *string        `shape:"markerType"`
}

// SimulatePrincipalPolicyInput asks what the policies of a role or user decide, together with those that are sent along.
type SimulatePrincipalPolicyInput struct {
	PolicySourceArn                    *string        `shape:"arnType,required"`
	PolicyInputList                    []string       `shape:"SimulationPolicyListType"`
	PermissionsBoundaryPolicyInputList []string       `shape:"SimulationPolicyListType"`
	ActionNames                        []string       `shape:"ActionNameListType,required"`
	ResourceArns                       []string       `shape:"ResourceNameListType"`
	ResourcePolicy                     *string        `shape:"policyDocumentType"`
	ResourceOwner                      *string        `shape:"ResourceNameType"`
	CallerArn                          *string        `shape:"ResourceNameType"`
	ContextEntries                     []ContextEntry ``
	ResourceHandlingOption             *string        `shape:"ResourceHandlingOptionType"`
	MaxItems                           *int64         `shape:"maxItemsType"`
	Marker                             *string        `shape:"markerType"`
}

// ContextEntry is a condition key of the simulated request.
type ContextEntry struct {
	ContextKeyName   *string  `shape:"ContextKeyNameType"`
	ContextKeyValues []string ``
	ContextKeyType   *string  `shape:"ContextKeyTypeEnum"`
}

// SimulatePolicyOutput is a page of decisions.
type SimulatePolicyOutput struct {
	EvaluationResults []EvaluationResult
	IsTruncated       *bool
	Marker            *string
}

// EvaluationResult is one decision.
type EvaluationResult struct {
	EvalActionName                    *string
	EvalResourceName                  *string
	EvalDecision                      *string
	MatchedStatements                 []Statement
	MissingContextValues              []string
	PermissionsBoundaryDecisionDetail *PermissionsBoundaryDecisionDetail
}

// Statement names the policy whose statement decided.
type Statement struct {
	SourcePolicyId   *string
	SourcePolicyType *string
}

// PermissionsBoundaryDecisionDetail says whether the boundary would have allowed it.
type PermissionsBoundaryDecisionDetail struct{ AllowedByPermissionsBoundary *bool }

// SimulateCustomPolicy decides with policies that are sent along and nothing else.
func (s *Service) SimulateCustomPolicy(_ context.Context, call *op.Call, in *SimulateCustomPolicyInput) (*SimulatePolicyOutput, error) {
	sim := &simulation{source: map[string]string{}}
	if err := sim.read(in); err != nil {
		return nil, err
	}
	return sim.run(call, in)
}

// SimulatePrincipalPolicy decides as the engine would for a role or user now: with what he has, what is sent along, and the
// condition keys that he always brings. The scope-down of guests and session policies belong to sessions and are not in it.
func (s *Service) SimulatePrincipalPolicy(_ context.Context, call *op.Call, in *SimulatePrincipalPolicyInput) (*SimulatePolicyOutput, error) {
	sim := &simulation{source: map[string]string{}}
	if err := sim.principal(call.Snapshot, *in.PolicySourceArn); err != nil {
		return nil, err
	}
	custom := &SimulateCustomPolicyInput{
		in.PolicyInputList, in.PermissionsBoundaryPolicyInputList, in.ActionNames, in.ResourceArns, in.ResourcePolicy, in.ResourceOwner,
		in.CallerArn, in.ContextEntries, in.ResourceHandlingOption, in.MaxItems, in.Marker,
	}
	if custom.CallerArn == nil {
		custom.CallerArn = in.PolicySourceArn
	}
	if err := sim.read(custom); err != nil {
		return nil, err
	}
	return sim.run(call, custom)
}

// simulation is what a simulated request meets.
type simulation struct {
	policies policy.Policies
	source   map[string]string // what kind of place a policy comes from, by its name
	context  policy.Context
	caller   policy.Principal
}

// principal takes the policies and condition keys of a role or user.
func (s *simulation) principal(now *snapshot.Snapshot, principalARN string) error {
	var noun string
	var inline, tags map[string]string
	if u := now.User(principalARN); u != nil {
		noun, inline, tags, s.policies = "user", u.Inline, u.Tags, u.Policies
		s.context.Set("aws:PrincipalType", "User")
		s.context.Set("aws:username", u.Name)
		s.context.Set("aws:userid", u.ID)
	} else if r := now.Role(principalARN); r != nil {
		noun, inline, tags, s.policies = "role", r.Inline, r.Tags, r.Policies
		s.context.Set("aws:PrincipalType", "AssumedRole")
	} else {
		return noEntity("The entity with ARN %s cannot be found.", principalARN)
	}
	s.policies.Identity = slices.Clone(s.policies.Identity)
	for name := range inline {
		s.source[name] = noun
	}
	s.context.Set("aws:PrincipalArn", principalARN)
	s.context.Set("aws:PrincipalAccount", now.Account)
	for k, v := range tags {
		s.context.Set("aws:PrincipalTag/"+k, v)
	}
	return nil
}

// read takes what was sent along.
func (s *simulation) read(in *SimulateCustomPolicyInput) error {
	size := sizeOf(text(in.ResourcePolicy))
	for _, document := range slices.Concat(in.PolicyInputList, in.PermissionsBoundaryPolicyInputList) {
		size += sizeOf(document)
	}
	if size > maxSimulatedSize { // what is decided with is bounded, as it is for those who sign
		return fault.New(fault.InvalidParameter, "The policies have more than %d characters without white space.", maxSimulatedSize)
	}
	added, err := s.parse(policy.KindIdentity, "PolicyInputList", in.PolicyInputList)
	if err != nil {
		return err
	}
	s.policies.Identity = append(s.policies.Identity, added...)
	if len(in.PermissionsBoundaryPolicyInputList) > 0 {
		if s.policies.Boundary, err = s.parse(policy.KindBoundary, "PermissionsBoundaryPolicyInputList", in.PermissionsBoundaryPolicyInputList); err != nil {
			return err
		}
	}
	if err := s.resource(in); err != nil {
		return err
	}
	for _, e := range in.ContextEntries {
		s.entry(&e)
	}
	return nil
}

// parse reads policies of one list; they are called by their place in it.
func (s *simulation) parse(kind policy.Kind, list string, documents []string) ([]policy.Named, error) {
	var out []policy.Named
	for i, document := range documents {
		parsed, err := policy.Parse(kind, []byte(document))
		if err != nil {
			return nil, fault.Wrap(fault.InvalidParameter, fault.From(err).Message, err)
		}
		name := fmt.Sprintf("%s.%d", list, i+1)
		s.source[name] = "none"
		out = append(out, policy.Named{Name: name, Document: parsed})
	}
	return out, nil
}

// resource takes the resource's own policy, which names callers: there must be one.
func (s *simulation) resource(in *SimulateCustomPolicyInput) (err error) {
	if in.CallerArn != nil {
		s.caller.AWS = []string{*in.CallerArn}
		if parts := strings.SplitN(*in.CallerArn, ":", 6); len(parts) == 6 {
			s.caller.Account = parts[4]
		}
	}
	if in.ResourcePolicy == nil {
		return nil
	}
	if in.CallerArn == nil {
		return fault.New(fault.InvalidParameter, "CallerArn is required with a ResourcePolicy.")
	}
	s.policies.Resource, err = s.parse(policy.KindResource, "ResourcePolicy", []string{*in.ResourcePolicy})
	s.source["ResourcePolicy.1"] = "resource"
	return err
}

// entry sets a condition key. Without a name there is none.
func (s *simulation) entry(e *ContextEntry) {
	switch {
	case e.ContextKeyName == nil:
	case strings.HasSuffix(text(e.ContextKeyType), "List"):
		s.context.SetList(*e.ContextKeyName, e.ContextKeyValues...)
	default:
		s.context.Set(*e.ContextKeyName, e.ContextKeyValues...)
	}
}

// run decides every action on every resource, one page of them at a time.
func (s *simulation) run(call *op.Call, in *SimulateCustomPolicyInput) (*SimulatePolicyOutput, error) {
	for _, a := range in.ActionNames {
		if service, name, ok := strings.Cut(a, ":"); !ok || service == "" || name == "" || strings.ContainsAny(a, "*?") {
			return nil, fault.New(fault.InvalidParameter, "Invalid action: %s. An action is service:Name, without wildcards.", a)
		}
	}
	resources := in.ResourceArns
	if len(resources) == 0 {
		resources = []string{"*"}
	}
	places := make([]int, len(in.ActionNames)*len(resources))
	for i := range places {
		places[i] = i
	}
	most := min(or(in.MaxItems, pageSize), maxSimulations)
	place := func(i int) string { return fmt.Sprintf("%09d", i) }
	page, err := list[int]{of: "Simulate", items: places, key: place}.page(call, paging{in.Marker, &most})
	if err != nil {
		return nil, err
	}
	out := &SimulatePolicyOutput{EvaluationResults: []EvaluationResult{}, IsTruncated: page.truncated, Marker: page.marker}
	missing := s.missing()
	for _, i := range page.items {
		result := s.decide(in.ActionNames[i/len(resources)], resources[i%len(resources)])
		result.MissingContextValues = missing
		out.EvaluationResults = append(out.EvaluationResults, result)
	}
	return out, nil
}

// decide is one decision on the wire.
func (s *simulation) decide(action, resource string) EvaluationResult {
	request := &policy.Request{Action: action, Resource: resource, Principal: s.caller, Context: &s.context}
	d := s.policies.Decide(request)
	decision := "implicitDeny"
	switch {
	case d.Allowed:
		decision = "allowed"
	case d.Explicit:
		decision = "explicitDeny"
	}
	out := EvaluationResult{EvalActionName: &action, EvalResourceName: &resource, EvalDecision: &decision, MatchedStatements: []Statement{}}
	if d.Statement >= 0 {
		kind := s.sourceOf(d.Policy)
		out.MatchedStatements = append(out.MatchedStatements, Statement{&d.Policy, &kind})
	}
	if s.policies.Boundary != nil {
		within := (&policy.Policies{Identity: s.policies.Boundary}).Decide(request).Allowed
		out.PermissionsBoundaryDecisionDetail = &PermissionsBoundaryDecisionDetail{&within}
	}
	return out
}

// sourceOf is the kind of place that a policy comes from, in the model's words.
func (s *simulation) sourceOf(name string) string {
	switch kind, ok := s.source[name]; {
	case ok:
		return kind
	case strings.HasPrefix(name, account.AWSManagedPrefix):
		return "aws-managed"
	}
	return "user-managed"
}

// missing are the condition keys that the policies ask for and the request does not have.
func (s *simulation) missing() []string {
	out := []string{}
	for _, p := range slices.Concat(s.policies.Identity, s.policies.Boundary, s.policies.Resource) {
		for _, key := range p.Document.ContextKeys() {
			if !s.context.Has(key) && !slices.Contains(out, key) {
				out = append(out, key)
			}
		}
	}
	slices.Sort(out)
	return out
}
