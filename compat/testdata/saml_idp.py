"""A SAML identity provider made of pysaml2 and xmlsec1, driven without a browser:

saml_idp.py DIR metadata                        writes its metadata
saml_idp.py DIR response USER ROLE,PROVIDER…    writes a signed response for AWS, in base64, as its page would post it
saml_idp.py DIR tampered USER ROLE,PROVIDER…    the same with another user's name in it

DIR holds its key, which is made at first. SIGN says what is signed: assertion (the default), response or both."""
import base64
import os
import subprocess
import sys
import warnings

warnings.simplefilter("ignore")

from saml2 import BINDING_HTTP_POST
from saml2.config import IdPConfig
from saml2.metadata import entity_descriptor
from saml2.saml import NAMEID_FORMAT_PERSISTENT, NameID
from saml2.server import Server

AWS = "urn:amazon:webservices"
RECIPIENT = "https://signin.aws.amazon.com/saml"
ATTRIBUTES = "https://aws.amazon.com/SAML/Attributes/"
SHA256 = {"sign_alg": "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256", "digest_alg": "http://www.w3.org/2001/04/xmlenc#sha256"}

# What AWS says of itself, as far as a provider needs it.
SERVICE = f"""<EntityDescriptor xmlns="urn:oasis:names:tc:SAML:2.0:metadata" entityID="{AWS}">
  <SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <AssertionConsumerService index="1" isDefault="true" Binding="{BINDING_HTTP_POST}" Location="{RECIPIENT}"/>
  </SPSSODescriptor>
</EntityDescriptor>"""

where, what = sys.argv[1], sys.argv[2]
key, certificate = os.path.join(where, "key.pem"), os.path.join(where, "certificate.pem")
if not os.path.exists(key):
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=idp", "-days", "2", "-keyout", key, "-out", certificate],
        check=True, stderr=subprocess.DEVNULL,
    )

config = IdPConfig().load({
    "entityid": "https://idp.compat.test/metadata",
    "key_file": key,
    "cert_file": certificate,
    "xmlsec_binary": "/usr/bin/xmlsec1",
    "metadata": {"inline": [SERVICE]},
    "service": {"idp": {
        "endpoints": {"single_sign_on_service": [("https://idp.compat.test/sso", BINDING_HTTP_POST)]},
        "policy": {"default": {"lifetime": {"minutes": 5}, "attribute_restrictions": None}},
        "name_id_format": [NAMEID_FORMAT_PERSISTENT],
    }},
})

if what == "metadata":
    print(entity_descriptor(config).to_string().decode())
    sys.exit()

user, roles = sys.argv[3], sys.argv[4:]
sign = os.environ.get("SIGN", "assertion")
response = str(Server(config=config).create_authn_response(
    {ATTRIBUTES + "Role": roles, ATTRIBUTES + "RoleSessionName": [user], ATTRIBUTES + "SessionDuration": ["1800"]},
    in_response_to=None, destination=RECIPIENT, sp_entity_id=AWS,
    name_id=NameID(format=NAMEID_FORMAT_PERSISTENT, text=user),
    authn={"class_ref": "urn:oasis:names:tc:SAML:2.0:ac:classes:Password"},
    sign_assertion=sign != "response", sign_response=sign != "assertion", **SHA256,
))
if what == "tampered":
    assert f">{user}</" in response
    response = response.replace(f">{user}</", ">mallory</")
print(base64.b64encode(response.encode()).decode())
