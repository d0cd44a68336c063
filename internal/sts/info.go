package sts

import (
	"context"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/operation"
)

// GetCallerIdentityInput has no members.
type GetCallerIdentityInput struct{}

// GetCallerIdentityOutput says who signed.
type GetCallerIdentityOutput struct {
	Arn     *string
	UserId  *string
	Account *string
}

// GetCallerIdentity answers everyone who signs, even where a policy denies it (spec §1.4).
func (s *Service) GetCallerIdentity(_ context.Context, call *operation.Call, _ *GetCallerIdentityInput) (*GetCallerIdentityOutput, error) {
	c := call.Caller
	return &GetCallerIdentityOutput{Arn: &c.ARN, UserId: &c.UserID, Account: &c.Account}, nil
}

// GetAccessKeyInfoInput names an access key, of whatever account.
type GetAccessKeyInfoInput struct {
	AccessKeyId *string `shape:"accessKeyIdType,required"`
}

// GetAccessKeyInfoOutput is the account that it carries.
type GetAccessKeyInfoOutput struct {
	Account *string
}

// GetAccessKeyInfo reads the account from the key's id, whether or not there is such a key (spec §1.4).
func (s *Service) GetAccessKeyInfo(_ context.Context, _ *operation.Call, in *GetAccessKeyInfoInput) (*GetAccessKeyInfoOutput, error) {
	account, ok := arn.AccountOf(*in.AccessKeyId)
	if !ok {
		return nil, fault.New(fault.Validation, "The access key id does not carry an account.")
	}
	return &GetAccessKeyInfoOutput{Account: &account}, nil
}

// AssumeRootInput asks for a session of a member account's root user.
type AssumeRootInput struct {
	TargetPrincipal *string               `shape:"TargetPrincipalType,required"`
	TaskPolicyArn   *PolicyDescriptorType `shape:",required"`
	DurationSeconds *int64                `shape:"RootDurationSecondsType"`
}

// AssumeRootOutput would carry the session.
type AssumeRootOutput struct {
	Credentials    *Credentials
	SourceIdentity *string
}

// AssumeRoot is refused: there is no organization and no root user.
func (s *Service) AssumeRoot(_ context.Context, call *operation.Call, _ *AssumeRootInput) (*AssumeRootOutput, error) {
	return nil, fault.New(fault.AccessDenied, "User: %s is not authorized to perform: sts:AssumeRoot: there is no organization, and accounts have no root user here", call.Caller.ARN)
}

// GetDelegatedAccessTokenInput trades in a token of a product provider.
type GetDelegatedAccessTokenInput struct {
	TradeInToken *string `shape:"tradeInTokenType,required"`
}

// GetDelegatedAccessTokenOutput would carry a session.
type GetDelegatedAccessTokenOutput struct {
	Credentials      *Credentials
	PackedPolicySize *int64
	AssumedPrincipal *string
}

// GetDelegatedAccessToken is refused: nobody here delegates to product providers.
func (s *Service) GetDelegatedAccessToken(_ context.Context, call *operation.Call, _ *GetDelegatedAccessTokenInput) (*GetDelegatedAccessTokenOutput, error) {
	return nil, fault.New(fault.AccessDenied, "User: %s is not authorized to perform: sts:GetDelegatedAccessToken: there are no delegations to product providers here", call.Caller.ARN)
}

// DecodeAuthorizationMessageInput is a message that came with a denial.
type DecodeAuthorizationMessageInput struct {
	EncodedMessage *string `shape:"encodedMessageType,required"`
}

// DecodeAuthorizationMessageOutput is what it says, as JSON.
type DecodeAuthorizationMessageOutput struct {
	DecodedMessage *string
}

// DecodeAuthorizationMessage opens a message about a denial of the last 24 hours (spec §1.4).
func (s *Service) DecodeAuthorizationMessage(_ context.Context, call *operation.Call, in *DecodeAuthorizationMessageInput) (*DecodeAuthorizationMessageOutput, error) {
	text, err := operation.OpenDenial(call.Snapshot.Keys, *in.EncodedMessage, call.Now)
	if err != nil {
		return nil, fault.Wrap(fault.InvalidAuthorizationMessage, "The encoded message is invalid or has expired.", err)
	}
	return &DecodeAuthorizationMessageOutput{DecodedMessage: &text}, nil
}
