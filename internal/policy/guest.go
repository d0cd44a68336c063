package policy

import (
	"strings"
	"sync"
)

// GuestScopeDown is what AWS holds unauthenticated identities to in the enhanced flow: an inline and a managed session
// policy, united (spec cognito-identity §11.5). Put it into Policies.ScopeDown. The slice is shared: do not change it.
func GuestScopeDown() []Named { return guestScopeDown() }

var guestScopeDown = sync.OnceValue(func() []Named {
	return []Named{
		{Name: "CognitoUnauthenticatedInlinePolicy", Document: mustAllow("", guestInline)},
		{Name: GuestManagedPolicy, Document: mustAllow("CognitoUnAuthedIdentitiesSessionPolicy", guestManaged)},
	}
})

// GuestManagedPolicy is the ARN of the managed half of the scope-down.
const GuestManagedPolicy = "arn:aws:iam::aws:policy/AmazonCognitoUnAuthedIdentitiesSessionPolicy"

// guestInline are the actions of the inline session policy, on every resource: the services that AWS's documentation of
// identity pools lists for unauthenticated identities (spec cognito-identity §11.5).
var guestInline = []string{
	"cloudwatch:*", "logs:*", "dynamodb:*", "kinesis:*", "mobileanalytics:*", "s3:*", "ses:*", "sns:*", "sqs:*",
	"lambda:*", "machinelearning:*", "execute-api:*", "iot:*", "gamelift:*", "cognito-identity:*", "cognito-idp:*",
	"lex:*", "polly:*", "comprehend:*", "translate:*", "transcribe:*", "rekognition:*", "mobiletargeting:*", "firehose:*",
	"appsync:*", "personalize:*", "sagemaker:InvokeEndpoint", "cognito-sync:*", "codewhisperer:*",
	"textract:DetectDocumentText", "textract:AnalyzeDocument", "sdb:*",
}

// guestManaged are the actions of version 4 of the managed policy, on every resource.
var guestManaged = []string{
	"rum:PutRumEvents", "sagemaker:InvokeEndpoint", "polly:*", "comprehend:*", "translate:*", "transcribe:*",
	"rekognition:*", "mobiletargeting:*", "firehose:*", "personalize:*", "geo:GetMap*", "geo:ListMaps",
	"geo:SearchPlaceIndex*", "geo:GetPlace", "geo:CalculateRoute*", "geo:*Geofence", "geo:*Geofences",
	"geo:*DevicePosition*", "kms:Encrypt", "kms:Decrypt", "kms:ReEncryptTo", "kms:ReEncryptFrom", "kms:GenerateDataKey",
	"kms:GenerateDataKeyPair", "kms:GenerateDataKeyPairWithoutPlaintext", "kms:GenerateDataKeyWithoutPlaintext",
}

// mustAllow builds a policy of one statement. Its arguments are constants of this file, so an error is a bug.
func mustAllow(sid string, actions []string) *Document {
	text := `{"Version":"2012-10-17","Statement":[{"Sid":"` + sid + `","Effect":"Allow","Action":["` +
		strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
	d, err := Parse(KindScopeDown, []byte(text))
	if err != nil {
		panic("policy: guest scope-down: " + err.Error())
	}
	return d
}
