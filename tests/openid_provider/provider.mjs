// A certified OpenID Connect provider for one test; it says where it is, and ends with its standard input.
//
// POST /rotate makes it sign with another key from then on; the old one is published no more.

import { generateKeyPairSync, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import { Provider } from "oidc-provider";

const [clientId, clientSecret, redirectUri, audience] = process.argv.slice(2);

function signingKey() {
  const { privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), kid: randomUUID(), use: "sig", alg: "RS256" };
}

function makeProvider(issuer) {
  return new Provider(issuer, {
    clients: [{ client_id: clientId, client_secret: clientSecret, redirect_uris: [redirectUri] }],
    cookies: { keys: ["a key for the provider's own cookies"] },
    jwks: { keys: [signingKey()] },
    pkce: { required: () => true },
    claims: { openid: ["sub"], profile: ["name"], email: ["email", "email_verified"] },
    conformIdTokenClaims: false,
    findAccount: (context, id) => ({
      accountId: id,
      claims: () => ({ sub: id, name: "Ada", email: "ada@example.com", email_verified: true }),
    }),
    extraTokenClaims: () => ({ realm_access: { roles: ["manager"] } }),
    features: {
      devInteractions: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => "https://api.example",
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({ scope: "openid", audience, accessTokenFormat: "jwt" }),
      },
    },
  });
}

let provider;
const server = createServer((request, response) => {
  if (request.url === "/rotate") {
    provider = makeProvider(provider.issuer);
    response.end();
  } else {
    provider.callback()(request, response);
  }
});
server.listen(0, "127.0.0.1", () => {
  provider = makeProvider(`http://127.0.0.1:${server.address().port}`);
  console.log(`listening at ${provider.issuer}`);
});
process.stdin.resume().on("end", () => process.exit());
