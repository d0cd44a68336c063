package iam

import (
	"context"

	"idpool/internal/arn"
	"idpool/internal/fault"
	op "idpool/internal/operation"
)

// aimed is an input that says what it concerns: for the caller's policies, the resources and condition keys that AWS has
// for the operation.
type aimed interface {
	target(*op.Call) (op.Target, error)
}

// on is the target of an operation whose input says it.
func on[In any, P interface {
	*In
	aimed
}](_ context.Context, call *op.Call, in *In) (op.Target, error) {
	return P(in).target(call)
}

// everything is the target of operations that concern nothing in particular.
func everything[In any](context.Context, *op.Call, *In) (op.Target, error) {
	return op.Target{{Resource: "*"}}, nil
}

// target is an entity with its tags; where it is not there, what it would be called.
func target(call *op.Call, find finder, otherwise string) op.Target {
	check := op.Check{Resource: otherwise, Keys: map[string]string{}}
	if e, err := find(call.Snapshot); err == nil {
		check.Resource = e.arn
		for k, v := range e.tags {
			check.Keys["aws:ResourceTag/"+k], check.Keys["iam:ResourceTag/"+k] = v, v
		}
	}
	return op.Target{check}
}

func roleTarget(call *op.Call, name string) op.Target {
	return target(call, role(name), arn.Role(call.Snapshot.Account, "/", name))
}

func userTarget(call *op.Call, name string) op.Target {
	return target(call, user(name), arn.User(call.Snapshot.Account, "/", name))
}

// policyTarget is a managed policy.
func policyTarget(call *op.Call, policyARN string) (op.Target, error) {
	return target(call, managed(policyARN), policyARN), checkARN(policyARN)
}

// checkARN refuses what is no ARN, before policies are asked about it.
func checkARN(text string) error {
	if _, err := arn.Parse(text); err != nil {
		return fault.Wrap(fault.InvalidParameter, "ARN "+text+" is not valid.", err)
	}
	return nil
}

func providerTarget(call *op.Call, providerARN string) (op.Target, error) {
	return target(call, provider(providerARN, false), providerARN), checkARN(providerARN)
}

// holding adds the boundary that a role or user has: the operations on what it may do can be held to those with one.
func holding(call *op.Call, find finder, t op.Target) op.Target {
	if e, err := find(call.Snapshot); err == nil && e.boundary != "" {
		t[0].Keys["iam:PermissionsBoundary"] = e.boundary
	}
	return t
}

// bounded adds the boundary that a request gives.
func bounded(t op.Target, boundary string) (op.Target, error) {
	t[0].Keys["iam:PermissionsBoundary"] = boundary
	return t, checkARN(boundary)
}

// attaching adds the managed policy that is attached or detached.
func attaching(t op.Target, policyARN string) op.Target {
	t[0].Keys["iam:PolicyARN"] = policyARN
	return t
}

// tagging adds the tags that a request sets.
func tagging(t op.Target, tags []Tag) op.Target {
	for _, tag := range tags {
		t[0].Keys["aws:RequestTag/"+*tag.Key] = *tag.Value
		t[0].List("aws:TagKeys", *tag.Key)
	}
	return t
}

// untagging adds the keys of the tags that a request removes.
func untagging(t op.Target, keys []string) op.Target {
	for _, k := range keys {
		t[0].List("aws:TagKeys", k)
	}
	return t
}

// creating is the target of what is not there yet. Who makes it with tags must also be allowed to set them, by the action
// that does so on what is there.
func creating(newARN string, tags []Tag, tagAction string) op.Target {
	t := tagging(op.Target{{Resource: newARN, Keys: map[string]string{}}}, tags)
	if len(tags) > 0 {
		t = append(t, op.Check{Action: "iam:" + tagAction, Resource: newARN, Keys: t[0].Keys, Lists: t[0].Lists})
	}
	return t
}
