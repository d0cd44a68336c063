package policy

import (
	"fmt"
	"unicode/utf8"

	"idpool/internal/fault"
)

// The sentences of AWS for a malformed document (spec §2.7). Clients match on some of them, so they are kept to the
// letter, double space included.
const (
	sentenceSyntax          = "Syntax errors in policy."
	sentenceVersion         = "Policy document must be version 2012-10-17 or greater."
	sentenceLegacy          = "The policy failed legacy parsing"
	sentenceSidUnique       = "Statement IDs (SID) in a single policy must be unique."
	sentenceSidForm         = "Statement IDs (SID) must be alpha-numeric. Check that your input satisfies the regular expression [0-9A-Za-z]*"
	sentenceNoActions       = "Policy statement must contain actions."
	sentenceNoResources     = "Policy statement must contain resources."
	sentenceNoVendor        = "Actions/Conditions must be prefaced by a vendor, e.g., iam, sdb, ec2, etc."
	sentenceTwoColons       = "Actions/Condition can contain only one colon."
	sentenceResourceVendor  = "Resource vendor must be fully qualified and cannot contain regexes."
	sentenceIAMPath         = `IAM resource path must either be "*" or start with user/, federated-user/, role/, group/, instance-profile/, mfa/, server-certificate/, policy/, sms-mfa/, saml-provider/, oidc-provider/, report/, access-report/.`
	sentenceTrustActions    = "Trust Policy statement actions can only be sts:AssumeRole, sts:AssumeRoleWithSAML,  and sts:AssumeRoleWithWebIdentity"
	sentenceTrustResource   = "Has prohibited field Resource."
	sentenceNoPrincipal     = "Missing required field Principal"
	sentenceWantedPrincipal = "Policy document should not specify a principal."
)

// malformed returns a fault with one of the sentences and a private cause.
func malformed(sentence, format string, args ...any) error {
	return fault.Wrap(fault.MalformedPolicyDocument, sentence, fmt.Errorf(format, args...))
}

// syntax returns the fault that stands for every error of form.
func syntax(format string, args ...any) error { return malformed(sentenceSyntax, format, args...) }

// maxEcho is the most bytes of a policy that a sentence repeats.
const maxEcho = 256

// clip shortens what a sentence repeats of the policy.
func clip(s string) string {
	if len(s) <= maxEcho {
		return s
	}
	cut := maxEcho
	for !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut]
}
