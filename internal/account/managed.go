package account

import (
	"strings"
	"time"

	"idpool/internal/arn"
)

// AWSManagedPrefix begins the ARNs of the policies that AWS keeps for every account.
const AWSManagedPrefix = "arn:" + arn.Partition + ":iam::aws:policy/"

// AdministratorAccess is the text of the policy that allows everything.
const AdministratorAccess = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`

// AWSManaged returns the policies that every account has and none can change (spec sts-iam §3.3): those of AWS's that say
// something about the services that are here or behind here. Their ARN is AWSManagedPrefix and the name.
func AWSManaged() []ManagedPolicy {
	return []ManagedPolicy{
		awsManaged("AdministratorAccess", "ANPAIWMBCKSKIEE64ZLYK", 1423247986, "Provides full access to AWS services and resources.",
			AdministratorAccess),
		awsManaged("AmazonS3FullAccess", "ANPAIFIR6V6BVTRAHWINE", 1423248058, "Provides full access to all buckets.",
			allow("s3:*", "s3-object-lambda:*")),
		awsManaged("AmazonS3ReadOnlyAccess", "ANPAIZTJ4DXE7G6AGAE6M", 1423248059, "Provides read only access to all buckets.",
			allow("s3:Get*", "s3:List*", "s3:Describe*", "s3-object-lambda:Get*", "s3-object-lambda:List*")),
		awsManaged("ReadOnlyAccess", "ANPAILL3HVNFSB6DCOWYQ", 1423247988, "Provides read-only access to services and resources.",
			allow("cognito-identity:Describe*", "cognito-identity:GetIdentityPoolRoles", "cognito-identity:GetPrincipalTagAttributeMap",
				"cognito-identity:List*", "cognito-identity:Lookup*", "iam:Generate*", "iam:Get*", "iam:List*", "iam:Simulate*",
				"s3:DescribeJob", "s3:Get*", "s3:List*", "sts:GetAccessKeyInfo", "sts:GetCallerIdentity", "sts:GetSessionToken")),
	}
}

func awsManaged(name, id string, created int64, description, text string) ManagedPolicy {
	return ManagedPolicy{
		Name: name, Path: "/", ID: id, Created: time.Unix(created, 0).UTC(), Description: description,
		Default: "v1", Versions: map[string]string{"v1": text},
	}
}

func allow(actions ...string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["` + strings.Join(actions, `","`) + `"],"Resource":"*"}]}`
}
