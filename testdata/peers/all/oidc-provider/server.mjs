// node oidc-provider with its own defaults and its own pages for development, and the clients of the target file.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { Provider } from 'oidc-provider';

const { env } = process;
const both = ['authorization_code', 'refresh_token'];
const web = {
  grant_types: [...both, 'client_credentials'],
  response_types: ['code'],
  scope: 'openid offline_access photos profile notes',
};
const key = generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' });

const provider = new Provider(env.URL, {
  clients: [
    { client_id: 'service', client_secret: env.OIDC_SERVICE_SECRET, grant_types: ['client_credentials'], response_types: [], redirect_uris: [], scope: 'photos profile notes' },
    { client_id: 'web', client_secret: env.OIDC_WEB_SECRET, redirect_uris: ['https://app.acme.test/authorized', 'https://app.acme.test/second'], ...web },
    { client_id: 'partner', client_secret: env.OIDC_PARTNER_SECRET, redirect_uris: ['https://app.acme.test/authorized'], ...web },
    { client_id: 'mobile', token_endpoint_auth_method: 'none', application_type: 'native', grant_types: both, response_types: ['code'], redirect_uris: ['http://127.0.0.1:7777/callback'], scope: web.scope },
    { client_id: 'codeonly', client_secret: env.OIDC_CODEONLY_SECRET, grant_types: ['authorization_code'], response_types: ['code'], redirect_uris: ['https://only.acme.test/cb'], scope: web.scope },
    { client_id: 'query', client_secret: env.OIDC_QUERY_SECRET, grant_types: ['authorization_code'], response_types: ['code'], redirect_uris: ['https://app.acme.test/cb?t=1'], scope: web.scope },
    { client_id: 'limited', client_secret: env.OIDC_LIMITED_SECRET, grant_types: ['client_credentials'], response_types: [], redirect_uris: [], scope: 'profile' },
    { client_id: 'spare', client_secret: env.OIDC_SPARE_SECRET, grant_types: ['client_credentials'], response_types: [], redirect_uris: [], scope: 'profile' },
  ],
  scopes: ['openid', 'offline_access', 'photos', 'notes'],
  claims: { openid: ['sub'], profile: ['name'] },
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    revocation: { enabled: true },
    devInteractions: { enabled: true },
  },
  jwks: { keys: [{ ...key, use: 'sig', alg: 'RS256', kid: 'one' }] },
  cookies: { keys: [randomBytes(32).toString('hex')] },
  findAccount: (_, id) => ({ accountId: id, claims: () => ({ sub: id, name: id }) }),
});

// Why it refuses something stands in no answer, and so in the log.
for (const what of ['authorization', 'grant', 'introspection', 'revocation', 'server', 'userinfo']) {
  provider.on(`${what}.error`, (_, err) => console.error(what, err.error, err.error_description, err.error_detail));
}
provider.listen(Number(env.PORT), '127.0.0.1');
