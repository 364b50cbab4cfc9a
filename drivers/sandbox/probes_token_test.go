package sandbox

import (
	"encoding/base64"
	"net/http"
	"net/url"
	"strings"
)

const ccBody = "grant_type=client_credentials"

func tokenProbes() []probe {
	cc := func(b *bench, kv ...string) reply {
		return b.token("service", append([]string{"grant_type", "client_credentials"}, kv...)...)
	}
	pw := func(b *bench, user, password string, kv ...string) reply {
		return b.token("service", append([]string{"grant_type", "password", "username", user, "password", password}, kv...)...)
	}
	body := func(b *bench, id, secret string) string {
		return ccBody + "&client_id=" + id + "&client_secret=" + url.QueryEscape(secret)
	}
	return []probe{
		{"token-refuse-post", func(b *bench) bool { return cc(b).status == 200 }},
		{"token-accept-get", func(b *bench) bool { return b.raw("GET", "?"+ccBody, "", b.basic("service")).status == 405 }},
		{"token-read-query", func(b *bench) bool {
			return is(b.raw("POST", "?"+ccBody, "x=y", b.basic("service")), 400, "invalid_request")
		}},
		{"form-latin1", func(b *bench) bool {
			c := b.client("special")
			return b.raw("POST", "", body(b, c.id, c.secret), "").status == 200
		}},
		{"token-reject-unknown-param", func(b *bench) bool { return cc(b, "x_unknown", "1").status == 200 }},
		{"empty-scope-is-value", func(b *bench) bool { return cc(b, "scope", "").status == 200 }},
		{"dup-first-wins", func(b *bench) bool {
			return is(b.raw("POST", "", ccBody+"&scope=**&scope=global:Team.View", b.basic("service")), 400, "invalid_request")
		}},
		{"grant-type-case-fold", func(b *bench) bool {
			return is(b.raw("POST", "", "grant_type=Client_Credentials", b.basic("service")), 400, "unsupported_grant_type")
		}},
		{"missing-grant-type-500", func(b *bench) bool { return is(b.raw("POST", "", "x=y", ""), 400, "invalid_request") }},
		{"unknown-grant-invalid-request", func(b *bench) bool {
			return is(b.token("service", "grant_type", "urn:none"), 400, "unsupported_grant_type")
		}},
		{"bad-percent-500", func(b *bench) bool { return b.raw("POST", "", "a=%ZZ", "").status == 400 }},

		{"token-wrapped-json", func(b *bench) bool { return cc(b).text("access_token") != "" }},
		{"token-duplicate-member", func(b *bench) bool { return strings.Count(cc(b).body, `"access_token"`) == 1 }},
		{"token-null", func(b *bench) bool { return cc(b).text("access_token") != "" }},
		{"token-with-space", func(b *bench) bool {
			access := cc(b).text("access_token")
			return b.api(access, pathProfiles).status == 200 && !strings.Contains(access, " ")
		}},
		{"omit-token-type", func(b *bench) bool { return cc(b).text("token_type") != "" }},
		{"token-type-jwt", func(b *bench) bool { return cc(b).text("token_type") == "Bearer" }},
		{"omit-expires-in", func(b *bench) bool { return cc(b).json["expires_in"] != nil }},
		{"expires-in-string", func(b *bench) bool { return cc(b).json["expires_in"] == 600.0 }},
		{"hide-narrowed-scope", func(b *bench) bool {
			return b.token("limited", "grant_type", "client_credentials", "scope", "**").text("scope") != ""
		}},
		{"scope-as-array", func(b *bench) bool { return cc(b).text("scope") != "" }},
		{"omit-no-store", func(b *bench) bool { return cc(b).header.Get("Cache-Control") == "no-store" }},
		{"omit-pragma", func(b *bench) bool { return cc(b).header.Get("Pragma") == "no-cache" }},

		{"error-with-200", func(b *bench) bool { return b.token("service", "grant_type", "urn:none").status == 400 }},
		{"private-error-code", func(b *bench) bool {
			return b.token("service", "grant_type", "urn:none").text("error") == "unsupported_grant_type"
		}},
		{"description-with-quotes", func(b *bench) bool {
			return !strings.Contains(b.raw("POST", "", "x=y", "").text("error_description"), `"`)
		}},
		{"echo-secret", func(b *bench) bool {
			return !strings.Contains(b.raw("POST", "", body(b, b.client("web").id, "marker-1234"), "").body, "marker-1234")
		}},

		{"basic-unsupported", func(b *bench) bool { return b.raw("POST", "", ccBody, b.basic("service")).status == 200 }},
		{"body-credentials-ignored", func(b *bench) bool {
			c := b.client("service")
			return b.raw("POST", "", body(b, c.id, c.secret), "").status == 200
		}},
		{"basic-split-all-colons", func(b *bench) bool {
			c := b.client("special")
			encoded := base64.StdEncoding.EncodeToString([]byte(c.id + ":" + url.QueryEscape(c.secret)))
			return b.token("special", "grant_type", "client_credentials").status == 200 &&
				b.raw("POST", "", ccBody, "Basic "+encoded).status == 200
		}},
		{"scheme-ignored", func(b *bench) bool {
			other := strings.Replace(b.basic("service"), "Basic", "Foo", 1)
			lower := strings.Replace(b.basic("service"), "Basic", "basic", 1)
			return b.raw("POST", "", ccBody, other).status == 401 && b.raw("POST", "", ccBody, lower).status == 200
		}},
		{"secret-from-query", func(b *bench) bool {
			c := b.client("service")
			return b.raw("POST", "?client_id="+c.id+"&client_secret="+c.secret, ccBody, "").status == 401
		}},
		{"body-client-wins", func(b *bench) bool {
			return b.raw("POST", "", ccBody+"&client_id="+b.client("web").id, b.basic("service")).status == 400
		}},
		{"two-methods-accepted", func(b *bench) bool {
			c := b.client("service")
			return is(b.raw("POST", "", body(b, c.id, c.secret), b.basic("service")), 400, "invalid_request")
		}},
		{"unknown-client-500", func(b *bench) bool { return is(b.raw("POST", "", body(b, "nobody", "x"), ""), 401, "invalid_client") }},
		{"basic-failure-400", func(b *bench) bool { return is(b.raw("POST", "", ccBody, "Basic eDp5"), 401, "invalid_client") }},
		{"no-basic-challenge", func(b *bench) bool {
			return strings.HasPrefix(b.raw("POST", "", ccBody, "Basic eDp5").header.Get("WWW-Authenticate"), "Basic realm=")
		}},
		{"client-id-suffices", func(b *bench) bool {
			return is(b.raw("POST", "", ccBody+"&client_id="+b.client("service").id, ""), 401, "invalid_client")
		}},
		{"secret-truncated", func(b *bench) bool {
			c := b.client("service")
			return is(b.raw("POST", "", body(b, c.id, c.secret+"x"), ""), 401, "invalid_client")
		}},
		{"grant-allowlist-ignored", func(b *bench) bool {
			return is(b.token("codeonly", "grant_type", "client_credentials"), 400, "unauthorized_client")
		}},
		{"short-client-secret", func(b *bench) bool { return len(b.client("service").secret) > 20 }},
		{"no-throttle", func(b *bench) bool {
			c := b.client("spare")
			last := 0
			for range failuresAllowed + 5 {
				last = b.raw("POST", "", body(b, c.id, "wrong"), "").status
			}
			return last == 429
		}},

		{"cc-disabled", func(b *bench) bool { return cc(b).status == 200 }},
		{"cc-for-public", func(b *bench) bool { return b.token("mobile", "grant_type", "client_credentials").status == 400 }},
		{"cc-refresh-token", func(b *bench) bool { return cc(b).text("refresh_token") == "" }},
		{"scope-echoed", func(b *bench) bool { return is(cc(b, "scope", "global:Nowhere.Else"), 400, "invalid_scope") }},
		{"scope-order-sensitive", func(b *bench) bool { return cc(b, "scope", "global:Project.View global:Profile.View").status == 200 }},
		{"no-scope-500", func(b *bench) bool { return cc(b).status == 200 }},
		{"cc-token-as-user", func(b *bench) bool { return b.api(cc(b).text("access_token"), pathMe).status == 403 }},

		{"password-disabled", func(b *bench) bool { return pw(b, "alice", b.s.Secrets()["alice"], "scope", "**").status == 200 }},
		{"password-enabled", func(b *bench) bool {
			return is(pw(b, "alice", b.s.Secrets()["alice"], "scope", "**"), 400, "unsupported_grant_type")
		}},
		{"wrong-password-500", func(b *bench) bool { return is(pw(b, "alice", "x", "scope", "**"), 400, "invalid_grant") }},
		{"enumerate-users", func(b *bench) bool { return pw(b, "alice", "x").body == pw(b, "nobody", "x").body }},
		{"space-pw-always-refresh", func(b *bench) bool {
			return pw(b, "alice", b.s.Secrets()["alice"], "scope", "**").text("refresh_token") == ""
		}},
		{"space-pw-no-scope-all", func(b *bench) bool { return is(pw(b, "alice", b.s.Secrets()["alice"]), 400, "invalid_scope") }},
		{"space-scope-unparsed", func(b *bench) bool { return is(cc(b, "scope", "::bad"), 400, "invalid_scope") }},
		{"lifetime-one-year", func(b *bench) bool { return cc(b).json["expires_in"] == 600.0 }},
		{"space-other-path", func(b *bench) bool {
			return b.do(b.request("POST", "/oauth/token", "x=y")).status == http.StatusBadRequest
		}},
	}
}
