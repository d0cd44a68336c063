package account

import (
	"regexp"
	"time"

	"idpool/internal/arn"
	"idpool/internal/fault"
	"idpool/internal/login"
)

// SAMLProvider is a SAML identity provider: whose assertions are believed.
type SAMLProvider struct {
	Name    string    `json:"name"`
	ID      string    `json:"id"` // another provider under the same name is another one
	Created time.Time `json:"created"`
	// Metadata is the provider's metadata document, as it was submitted.
	Metadata string            `json:"metadata"`
	Tags     map[string]string `json:"tags,omitempty"`
}

// A MetadataReader reads a provider's metadata document, or says what is wrong with it.
type MetadataReader func(document []byte) (*login.Metadata, error)

// samlName is AWS's pattern for the names of SAML providers (spec sts-iam §3.3).
var samlName = regexp.MustCompile(`^[\w.-]{1,128}$`)

// Validate refuses what no provider may be, InvalidParameter for its metadata, and returns what the metadata says.
func (p *SAMLProvider) Validate(read MetadataReader) (*login.Metadata, error) {
	if !samlName.MatchString(p.Name) {
		return nil, fault.New(fault.Validation, "The name of the SAML provider is invalid.")
	}
	metadata, err := read([]byte(p.Metadata))
	if err != nil {
		return nil, fault.Wrap(fault.InvalidParameter, "Could not parse metadata: "+err.Error(), err)
	}
	return metadata, nil
}

// forever is how long a provider holds whose metadata says nothing (inferred: what AWS answers for one).
const forever = 100

// ValidUntil returns when the provider's metadata ends: what they say, else a hundred years after the provider was made.
func (p *SAMLProvider) ValidUntil(metadata *login.Metadata) time.Time {
	if !metadata.ValidUntil.IsZero() {
		return metadata.ValidUntil
	}
	return p.Created.AddDate(forever, 0, 0)
}

// ARN returns the provider's ARN in the account.
func (p *SAMLProvider) ARN(account string) string { return arn.SAMLProvider(account, p.Name) }
